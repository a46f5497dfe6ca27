/* SPDX-License-Identifier: MIT */
/*
 * Signals and stops while a command is held: what is sent to spawnfd reaches
 * the command once, at whatever moment, and nobody else; nothing but SIGKILL
 * makes spawnfd leave first; and a stopped job is one that can be continued.
 */
#include "cores.h"
#include "clocks.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define MARK 4711
#define NOTHING "--timeout=0"	/* an option that is none */
#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

/* ---- actor hear, and what it hears ---- */

struct heard {
	int sig;
	int code;
	int pid;
	int value;
};

struct hearing {
	struct running r;
	pid_t command;
	char text[4096];	/* read, from `at` on not yet looked at */
	size_t at;
	size_t end;
};

static void start_hearing(struct hearing *h, const struct way *way,
			  const char *const argv[])
{
	start(&h->r, way, argv);
	h->command = read_pid(h->r.out);
	h->at = h->end = 0;
}

static char next_byte(struct hearing *h)
{
	ssize_t n;

	if (h->at == h->end) {
		await_events(h->r.out, POLLIN);
		n = read(h->r.out, h->text, sizeof(h->text));
		cr_assert_gt(n, 0, "%s: it hears no more", h->r.words);
		h->at = 0;
		h->end = (size_t)n;
	}
	return h->text[h->at++];
}

static struct heard next_heard(struct hearing *h)
{
	struct heard heard = { 0 };
	char line[64];
	size_t n = 0;

	do
		line[n] = next_byte(h);
	while (line[n++] != '\n' && n < sizeof(line));
	line[n - 1] = '\0';
	cr_assert_eq(sscanf(line, "%d %d %d %d", &heard.sig, &heard.code,
			    &heard.pid, &heard.value), 4, "%s", line);
	return heard;
}

static void hears(struct hearing *h, int sig)
{
	int heard = next_heard(h).sig;

	cr_assert_eq(heard, sig, "%s: heard %d, not %d", h->r.words, heard,
		     sig);
}

static void hears_value(struct hearing *h, int sig, int value)
{
	struct heard heard = next_heard(h);

	cr_assert_eq(heard.sig, sig, "%s: heard %d, not %d", h->r.words,
		     heard.sig, sig);
	cr_assert_eq(heard.value, value, "%d, not %d", heard.value, value);
	cr_assert_eq(heard.code, SI_QUEUE);
	/* who is outside of a PID namespace is nobody in there */
	cr_assert_eq(heard.pid, kills_tree() ? 0 : getpid());
}

static void queue(const struct hearing *h, int sig, int value)
{
	const union sigval with = { .sival_int = value };

	cr_assert_eq(sigqueue(h->r.pid, sig, with), 0, "%s", strerror(errno));
}

/* That there was nothing else: the last signal of all is the next one. */
static void hears_no_more(struct hearing *h)
{
	queue(h, LAST_SIGNAL, MARK);
	hears_value(h, LAST_SIGNAL, MARK);
}

static void end_hearing(struct hearing *h, struct ended *e)
{
	hears_no_more(h);
	close(h->r.in);
	h->r.in = -1;
	finish(&h->r, e);
	expect_exit(e, 0);
	cr_expect_eq(h->at, h->end);
	cr_expect_str_eq(e->out, "");
}

/* ---- how spawnfd is started ---- */

/* A job as a shell starts it; and one that nobody could continue */
static const struct way job = { .prepare = lead_group };
static const struct way orphaned = { .prepare = lead_session };

struct inherited {
	uint64_t ignored;
	uint64_t blocked;
	bool closed;		/* 0, 1 and 2 */
};

static void set_inherited(const void *arg)
{
	const struct inherited *inherited = arg;

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (inherited->ignored & BIT(sig))
			signal(sig, SIG_IGN);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &inherited->blocked, NULL,
		sizeof(inherited->blocked));
	lead_group(NULL);
	for (int fd = 0; inherited->closed && fd < 3; fd++)
		close(fd);
}

/* --verbose: reads its lines up to one with that text */
/* What is not to happen can only be waited for in vain. */
static void lives_on(const struct running *r, int ms)
{
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	cr_assert_eq(poll(&p, 1, ms), 0, "%s: has ended", r->words);
}

/* ---- each signal, once ---- */

static bool can_be_passed_on(int sig)
{
	return sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD;
}

static void send_each(struct hearing *h)
{
	struct heard heard;

	for (int sig = 1; sig < 32; sig++) {
		if (!can_be_passed_on(sig))
			continue;
		cr_assert_eq(kill(h->r.pid, sig), 0);
		heard = next_heard(h);
		cr_assert_eq(heard.sig, sig, "%s: heard %d, not %d",
			     h->r.words, heard.sig, sig);
		cr_expect_eq(heard.code, SI_USER);
	}
	for (int sig = 32; sig <= LAST_SIGNAL; sig++) {
		queue(h, sig, sig * 1000);
		hears_value(h, sig, sig * 1000);
	}
}

static void hear_each(const char *with, const char *place)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear", place));
	cr_expect_eq(getpgid(h.command) == getpgid(h.r.pid),
		     strcmp(place, "") == 0);
	send_each(&h);
	end_hearing(&h, &e);
}

EVERY_WAY(each_signal_reaches_the_command_once)
{
	hear_each(with, "");
}

EVERY_WAY(each_signal_reaches_it_in_another_group)
{
	hear_each(with, "group");
}

EVERY_WAY(each_signal_reaches_it_in_another_session)
{
	hear_each(with, "session");
}

EVERY_WAY(each_signal_reaches_the_leader_of_its_session)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "--new-session", with, actor,
				     "hear"));
	cr_expect_eq(getsid(h.command), h.command);
	send_each(&h);
	end_hearing(&h, &e);
}

/* By tgkill(2), as raise(3) and pthread_kill(3) do; by sigqueue(3) */
EVERY_WAY(whatever_way_it_was_sent)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear"));
	cr_assert_eq(syscall(SYS_tgkill, h.r.pid, h.r.pid, SIGUSR1), 0);
	hears(&h, SIGUSR1);
	cr_assert_eq(syscall(SYS_tkill, h.r.pid, 40), 0);
	hears(&h, 40);
	queue(&h, SIGTERM, 17);
	hears_value(&h, SIGTERM, 17);
	cr_assert_eq(kill(h.r.pid, 50), 0);
	hears(&h, 50);
	end_hearing(&h, &e);
}

EVERY_WAY(real_time_signals_in_order)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear"));
	for (int i = 0; i < 1000; i++)
		queue(&h, 34, i);
	for (int i = 0; i < 1000; i++)
		hears_value(&h, 34, i);
	end_hearing(&h, &e);
}

/* While spawnfd is stopped they pile up; signal(7): lower numbers first. */
EVERY_WAY(real_time_signals_of_several_numbers)
{
	static const int signals[] = { 33, 34, 36, 40, 63 };
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear"));
	kill(h.r.pid, SIGSTOP);
	await_state(h.r.pid, 'T');
	for (int i = 0; i < 50; i++)
		for (size_t n = ARRAY_SIZE(signals); n-- > 0;)
			queue(&h, signals[n], i);
	kill(h.r.pid, SIGCONT);
	hears(&h, SIGCONT);
	for (size_t n = 0; n < ARRAY_SIZE(signals); n++)
		for (int i = 0; i < 50; i++)
			hears_value(&h, signals[n], i);
	end_hearing(&h, &e);
}

/* SIGCONT would continue it, and signal(7): takes stop signals away. */
static bool piles_up(int sig)
{
	return can_be_passed_on(sig) && sig != SIGTSTP && sig != SIGTTIN &&
	       sig != SIGTTOU && sig != SIGCONT;
}

/* All at once, as they pile up before it is continued; also what it says */
static void pile_up(const char *with, const char *verbose)
{
	uint64_t sent = BIT(SIGCONT), got = 0;
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, verbose, with, actor, "hear"));
	kill(h.r.pid, SIGSTOP);
	await_state(h.r.pid, 'T');
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (piles_up(sig) && kill(h.r.pid, sig) == 0)
			sent |= BIT(sig);
	kill(h.r.pid, SIGCONT);
	for (int sig = 0; sig != LAST_SIGNAL; got |= BIT(sig)) {
		sig = next_heard(&h).sig;
		cr_expect_eq(got & BIT(sig), 0, "%d came twice", sig);
	}
	cr_expect_eq(got, sent, "%s: lost %" PRIx64, h.r.words, sent & ~got);
	end_hearing(&h, &e);
}

EVERY_WAY(none_is_lost_of_those_that_piled_up)
{
	pile_up(with, NOTHING);
}

/* A line on standard error must not cost a SIGPIPE or SIGXFSZ of others. */
EVERY_WAY(none_is_lost_while_it_speaks)
{
	pile_up(with, "--verbose");
}

static void set_alarm(const void *arg)
{
	/* before spawnfd is executed, and long after that on slow machines */
	const long ms = 3000 / often(10);
	const struct itimerval once = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
	};

	(void)arg;
	if (setitimer(ITIMER_REAL, &once, NULL))
		_exit(96);
}

EVERY_WAY(an_inherited_alarm_reaches_the_command)
{
	const struct way way = { .prepare = set_alarm };
	struct hearing h;
	struct ended e;

	start_hearing(&h, &way, ARGV(spawnfd, with, actor, "hear"));
	hears(&h, SIGALRM);
	end_hearing(&h, &e);
}

EVERY_WAY(a_stopped_command_gets_it_when_continued)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "--verbose", with, actor, "hear",
				     "group"));
	kill(h.command, SIGSTOP);
	await_state(h.command, 'T');
	kill(h.r.pid, SIGUSR1);
	for (int i = 0; i < 20; i++)
		queue(&h, 34, i);
	await_said(&h.r, "passed on SIGUSR1");
	cr_expect_eq(state_of(h.command), 'T');
	kill(h.command, SIGCONT);
	hears(&h, SIGUSR1);
	hears(&h, SIGCONT);
	for (int i = 0; i < 20; i++)
		hears_value(&h, 34, i);
	end_hearing(&h, &e);
}

/* ---- to a dead command ---- */

/* A child of this test that has the pid of another one that is gone; or 0 */
static pid_t recycle(pid_t pid)
{
	const uint64_t args[11] = { [4] = SIGCHLD,
				    [8] = (uintptr_t)&pid, [9] = 1 };
	const time_t limit = time(NULL) + PATIENCE_MS / 1000;
	pid_t child;

	/* it is out of /proc a moment before it is free */
	do
		child = (pid_t)syscall(SYS_clone3, args, sizeof(args));
	while (child < 0 && errno == EEXIST && time(NULL) < limit);
	if (child == 0) {
		alarm(60);
		for (;;)
			pause();
	}
	cr_assert(child > 0 || errno == EPERM, "pid %d: %s", pid,
		  strerror(errno));
	return child > 0 ? child : 0;
}

static void spare(pid_t innocent)
{
	cr_expect_eq(waitpid(innocent, NULL, WNOHANG), 0,
		     "another process with the same pid was hit");
	kill(innocent, SIGKILL);
	waitpid(innocent, NULL, 0);
}

static void strike_dead(const char *with, const char *session)
{
	struct hearing h;
	struct ended e;
	pid_t innocent = 0;

	start_hearing(&h, &job, ARGV(spawnfd, session, with, actor, "hear"));
	kill(h.r.pid, SIGSTOP);
	await_state(h.r.pid, 'T');
	kill(h.command, SIGKILL);
	await_state(h.command, strcmp(with, "--") ? '\0' : 'Z');
	if (strcmp(with, "--"))
		innocent = recycle(h.command);
	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (can_be_passed_on(sig))
			kill(h.r.pid, sig);
	kill(h.r.pid, SIGCONT);
	finish(&h.r, &e);
	expect_signal(&e, SIGKILL);
	if (innocent)
		spare(innocent);
	else if (strcmp(with, "--"))
		not_tested("a recycled pid", "clone3 with set_tid: EPERM");
}

EVERY_WAY(signals_for_a_dead_command_hit_nobody)
{
	strike_dead(with, NOTHING);
	strike_dead(with, "--new-session");
}

/* Ends, too: the clock runs out when it is dead. */
EVERY_WAY(an_end_of_a_dead_command_hits_nobody)
{
	struct hearing h;
	struct ended e;
	pid_t innocent = 0;

	start_hearing(&h, &job, ARGV(spawnfd, "--timeout=1", "-sKILL", with,
				     actor, "hear"));
	kill(h.r.pid, SIGSTOP);
	await_state(h.r.pid, 'T');
	kill(h.command, SIGTERM);
	kill(h.command, SIGKILL);
	await_state(h.command, strcmp(with, "--") ? '\0' : 'Z');
	if (strcmp(with, "--"))
		innocent = recycle(h.command);
	lives_on(&h.r, 1000);
	kill(h.r.pid, SIGCONT);
	finish(&h.r, &e);
	if (innocent)
		spare(innocent);
}

/* ---- what is not passed on ---- */

EVERY_WAY(what_was_ignored_is_not_passed_on)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, 40 };
	struct inherited inherited = { 0 };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct hearing h;
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		inherited.ignored |= BIT(ignored[i]);
	start_hearing(&h, &way, ARGV(spawnfd, with, actor, "hear"));
	cr_expect_eq(signals_of(h.command, "SigIgn:"), inherited.ignored);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		kill(h.r.pid, ignored[i]);
	hears_no_more(&h);
	kill(h.r.pid, SIGUSR2);
	hears(&h, SIGUSR2);
	end_hearing(&h, &e);
}

EVERY_WAY(what_was_blocked_is_pending_in_the_command)
{
	struct inherited inherited = {
		.blocked = BIT(SIGTERM) | BIT(SIGUSR1) | BIT(40),
	};
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct running r;
	struct ended e;
	pid_t command;

	start(&r, &way, ARGV(spawnfd, "--verbose", with, actor, "hang"));
	command = read_pid(r.out);
	kill(r.pid, SIGTERM);
	kill(r.pid, SIGUSR1);
	kill(r.pid, 40);
	await_said(&r, "passed on signal 40");
	cr_expect_eq(signals_of(command, "SigBlk:"), inherited.blocked);
	cr_expect_eq(signals_of(command, "ShdPnd:"), inherited.blocked);
	kill(r.pid, SIGHUP);
	finish(&r, &e);
	expect_signal(&e, SIGHUP);
}

EVERY_WAY(what_the_command_sends_is_not_passed_on)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "nag", "15", "1",
				     "2", "13", "14", "10", "18", "20", "40"));
	hears_no_more(&h);
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	end_hearing(&h, &e);
}

EVERY_WAY(a_child_signal_is_not_passed_on)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear"));
	kill(h.r.pid, SIGCHLD);
	queue(&h, SIGCHLD, 1);
	end_hearing(&h, &e);
}

/* Nobody reads what it says, and so the kernel sends it SIGPIPE. */
EVERY_WAY(a_closed_standard_error_is_no_signal)
{
	struct hearing h;
	struct ended e;
	int fds[2];

	start_hearing(&h, &job, ARGV(spawnfd, "--verbose", with, actor,
				     "hear"));
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	dup3(fds[0], h.r.err, O_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
	for (int i = 0; i < 10; i++) {
		kill(h.r.pid, SIGUSR1);
		hears(&h, SIGUSR1);
	}
	kill(h.r.pid, SIGPIPE);
	hears(&h, SIGPIPE);
	end_hearing(&h, &e);
}

static void tell_nobody(const char *with, const int fds[2])
{
	const struct inheritance status = { .fd = fds[1], .as = 7 };
	const struct way way = { .prepare = inherit, .arg = &status };
	struct hearing h;
	struct ended e;

	close(fds[0]);
	start_hearing(&h, &way, ARGV(spawnfd, "--status-fd=7", with, actor,
				     "hear"));
	close(fds[1]);
	kill(h.r.pid, SIGPIPE);
	hears(&h, SIGPIPE);
	end_hearing(&h, &e);
}

EVERY_WAY(status_lines_that_nobody_reads_are_no_signal)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	tell_nobody(with, fds);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
		     0);
	tell_nobody(with, fds);
}

/* ---- at every moment ---- */

enum kind { BLOCKED, CAUGHT, DEADLY, LATE, KINDS };

static const struct moment {
	const char *verb;
	const char *arg;
	int sig;
} moments[KINDS] = {
	[BLOCKED] = { "await", "10", SIGUSR1 },
	[CAUGHT] = { "await", "15", SIGTERM },
	[DEADLY] = { "hang", "", SIGTERM },
	[LATE] = { "exit", "0", SIGTERM },
};

/* How often it had which effect */
struct effects {
	int got[KINDS];		/* by the command */
	int died[KINDS];	/* spawnfd, or the command and so spawnfd */
};

/* start() copies this process for each, which takes too long here. */
static pid_t start_quickly(int out, uint64_t blocked, const char *const argv[])
{
	union { const char *const *given; char *const *wanted; } words = {
		argv
	};
	pid_t pid = vfork();

	if (pid == 0) {
		setpgid(0, 0);
		dup2(out, 1);
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL,
			sizeof(blocked));
		execv(argv[0], words.wanted);
		_exit(96);
	}
	cr_assert_gt(pid, 0);
	close(out);
	return pid;
}

/* To the end of file: whoever had the other end is gone. */
static void read_all(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	do {
		await_events(fd, POLLIN);
		n = read(fd, text + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[used] = '\0';
	close(fd);
}

/*
 * read_all() has seen the end of its output, so the command is gone. Blocked
 * from the start, the signal must have got there; else only once "H" says so.
 */
static void judge(const struct ended *e, enum kind kind,
		  struct effects *effects)
{
	bool died = WIFSIGNALED(e->status);

	if (kind == BLOCKED || e->out[0] == 'H') {
		expect_exit(e, 0);
		cr_expect_str_eq(e->out, "HG", "%s: %s", e->words, e->out);
	} else if (kind != LATE || died) {
		expect_signal(e, moments[kind].sig);
	} else {
		expect_exit(e, 0);
	}
	effects->died[kind] += died;
	effects->got[kind] += !died || (kind == DEADLY && e->out[0]);
}

/* Without a signal if that is to come after 0 us */
static void send_at_a_moment(const char *with, enum kind kind, long longest_us,
			     struct ended *e)
{
	const struct moment *moment = &moments[kind];
	int out[2];
	pid_t pid;

	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	pid = start_quickly(out[1], kind == BLOCKED ? BIT(moment->sig) : 0,
			    ARGV(spawnfd, with, actor, moment->verb,
				 moment->arg));
	if (longest_us) {
		sleep_at_random((unsigned int)longest_us);
		kill(pid, moment->sig);
	}
	read_all(out[0], e->out, sizeof(e->out));
	cr_assert_eq(waitpid(pid, &e->status, 0), pid);
}

static long whole_life_us(const char *with)
{
	static struct ended e;
	long begin = now_us();

	for (int i = 0; i < 20; i++)
		send_at_a_moment(with, LATE, 0, &e);
	return (now_us() - begin) / 20;
}

/* For all three ways together */
#define TIMES 10000

static bool met_all(const struct effects *effects)
{
	for (int kind = CAUGHT; kind < KINDS; kind++)
		if (!effects->got[kind] || !effects->died[kind])
			return false;
	return true;
}

/* And more, until each kind had each effect: else not every moment was met. */
EVERY_WAY(signals_at_every_moment)
{
	static struct ended e;
	struct effects effects = { 0 };
	long longest_us = whole_life_us(with);
	int n = often(TIMES) / 3, i;

	for (i = 0; i <= n || (i < 20 * n && !met_all(&effects)); i++) {
		const enum kind kind = (enum kind)(i % KINDS);

		snprintf(e.words, sizeof(e.words), "%s %s", with,
			 moments[kind].verb);
		send_at_a_moment(with, kind, longest_us, &e);
		judge(&e, kind, &effects);
	}
	cr_expect(met_all(&effects), "after %d", i);
	cr_expect_eq(effects.got[BLOCKED], (i + KINDS - 1 - BLOCKED) / KINDS);
}

/* ---- more than spawnfd can pass on ---- */

EVERY_WAY(a_flood_of_signals_hides_no_end)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, with, actor, "flood", "2"));
	finish(&r, &e);
	expect_exit(&e, 7);
	reap_orphans();
}

/* ---- the clock that a signal starts ---- */

static void run_out(const char *with, const char *option, int sig)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "--status-fd=2",
				     "--kill-after=50ms", option, with, actor,
				     "hear"));
	kill(h.r.pid, sig);
	hears(&h, sig);
	finish(&h.r, &e);
	expect_signal(&e, SIGKILL);
	expect_said(&e, "{\"exit-code\":137,\"signal\":9,\"core-dumped\":false,"
		    "\"ended-by\":\"signal\"}\n");
	cr_expect_str_eq(e.out, "");
}

EVERY_WAY(a_term_that_is_passed_on_starts_the_clock)
{
	run_out(with, NOTHING, SIGTERM);
	run_out(with, "--signal=HUP", SIGHUP);
	run_out(with, "--signal=RTMIN+6", 40);
	run_out(with, "--new-session", SIGTERM);
}

/* Several signals to go on living with; and it ends by itself */
static void run_on(const char *with, const char *option, const char *signal,
		   const int sent[3])
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "--status-fd=2", option, signal,
				     with, actor, "hear"));
	for (int i = 0; i < 3; i++) {
		kill(h.r.pid, sent[i]);
		hears(&h, sent[i]);
	}
	lives_on(&h.r, 150);
	end_hearing(&h, &e);
	expect_said(&e, "{\"exit-code\":0}\n");
}

SystemTest(plain, other_signals_start_no_clock)
{
	static const int no_term[] = { SIGHUP, SIGINT, SIGUSR1 };
	static const int no_hup[] = { SIGTERM, SIGINT, SIGTERM };
	static const int all[] = { SIGTERM, SIGHUP, SIGTERM };

	run_on("--", "--kill-after=50ms", NOTHING, no_term);
	run_on("--", "--kill-after=50ms", "--signal=HUP", no_hup);
	/* without it, and where it is for ever */
	run_on("--", NOTHING, "--new-session", all);
	run_on("--", "--timeout=1h", "--signal=TERM", all);
	run_on("--", "--kill-after=0", "--signal=HUP", all);
	run_on("--", "--kill-after=1h", "--new-session", all);
}

/* It ends in time, by its own: then nothing else has ended it. */
EVERY_WAY(a_clock_that_does_not_run_out_has_ended_nothing)
{
	struct running r;
	struct ended e;

	start(&r, &job, ARGV(spawnfd, "--status-fd=2", "--kill-after=1h", with,
			     actor, "hang"));
	read_pid(r.out);
	kill(r.pid, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	expect_said(&e, "{\"exit-code\":143,\"signal\":15,"
		    "\"core-dumped\":false}\n");
}

/* More of the same signal do not set the clock back, or it never ran out. */
EVERY_WAY(a_clock_is_not_set_back)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "--kill-after=200ms", with,
				     actor, "hear"));
	for (struct pollfd p = { h.r.pidfd, POLLIN, 0 }; !poll(&p, 1, 20);)
		kill(h.r.pid, SIGTERM);
	finish(&h.r, &e);
	expect_signal(&e, SIGKILL);
}

/* It has run out before the signal came, and that is what has ended it. */
EVERY_WAY(a_signal_after_the_timeout_does_not_undo_it)
{
	/* the command is to hear what comes before it listens */
	static const struct inherited deaf = {
		.blocked = BIT(SIGTERM) | BIT(SIGCONT),
	};
	static const struct way way = { .prepare = set_inherited,
					.arg = &deaf };
	struct hearing h;
	struct ended e;

	start_hearing(&h, &way, ARGV(spawnfd, "--status-fd=2",
				     "--timeout=20ms", "--kill-after=0", with,
				     actor, "hear"));
	hears(&h, SIGTERM);
	hears(&h, SIGCONT);
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	hears_no_more(&h);
	close(h.r.in);
	h.r.in = -1;
	finish(&h.r, &e);
	expect_exit(&e, 124);
	expect_said(&e, "{\"exit-code\":124,\"ended-by\":\"timeout\"}\n");
}

/* ---- commands with a will of their own ---- */

EVERY_WAY(a_command_that_forks_and_exits)
{
	struct running r;
	pid_t child;

	start(&r, &job, ARGV(spawnfd, with, actor, "family", "exit"));
	read_pid(r.out);
	child = read_pid(r.out);
	cr_expect_eq(await_end(&r), 0);
	ping(&r);
	close(r.in);
	cr_expect_eq(waitpid(child, NULL, 0), child);
	close(r.out);
	close(r.err);
	close(r.pidfd);
}

static void wake_up(int sig)
{
	(void)sig;
}

/* As a shell waits for a job; a stop is nothing to poll for. */
static int await_change(const struct running *r)
{
	const struct sigaction wake = { .sa_handler = wake_up };
	int status = 0;

	sigaction(SIGALRM, &wake, NULL);
	alarm(PATIENCE_MS / 1000);
	cr_assert_eq(waitpid(r->pid, &status, WUNTRACED), r->pid, "%s: neither "
		     "ends nor stops: %s", r->words, strerror(errno));
	alarm(0);
	return status;
}

static void await_stop(const struct running *r, int sig)
{
	int status = await_change(r);

	cr_assert(WIFSTOPPED(status), "%s: %x", r->words, status);
	cr_assert_eq(WSTOPSIG(status), sig, "%s: stopped by %d", r->words,
		     WSTOPSIG(status));
}

/* As a shell continues it; each stop is seen, though the next is at hand. */
EVERY_WAY(no_stop_is_skipped)
{
	struct running r;
	struct ended e;

	start(&r, &job, ARGV(spawnfd, with, actor, "restop", "100"));
	for (int i = 0; i < 100; i++) {
		await_stop(&r, SIGSTOP);
		kill(-r.pid, SIGCONT);
	}
	read_pid(r.out);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
}

static const int stopping[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

static void stop_and_continue(const struct way *way, const char *with, int sig)
{
	char number[16];
	struct running r;
	struct ended e;
	pid_t command;

	snprintf(number, sizeof(number), "%d", sig);
	start(&r, way, ARGV(spawnfd, with, actor, "stop", number));
	await_stop(&r, sig);
	command = command_of(r.pid);
	cr_expect_eq(state_of(command), 'T');
	cr_expect_eq(state_of(r.pid), 'T');
	kill(r.pid, SIGCONT);
	finish(&r, &e);
	expect_exit(&e, 7);
}

EVERY_WAY(spawnfd_stops_with_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
		stop_and_continue(&job, with, stopping[i]);
}

/* Whatever has been done to SIGCHLD and others before */
EVERY_WAY(spawnfd_stops_whatever_is_ignored_or_blocked)
{
	static const uint64_t sets[] = { 0, BIT(SIGCHLD), BIT(SIGPIPE),
					 BIT(SIGHUP), BIT(SIGCONT),
					 BIT(SIGTERM) };
	struct inherited inherited = { 0 };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };

	for (size_t i = 0; i < 36; i++) {
		inherited.ignored = sets[i / 6] & ~BIT(SIGCONT);
		inherited.blocked = sets[i % 6];
		stop_and_continue(&way, with, stopping[i % 4]);
	}
}

EVERY_WAY(spawnfd_stops_without_standard_descriptors)
{
	const struct inherited inherited = { .closed = true };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };

	stop_and_continue(&way, with, SIGTSTP);
	stop_and_continue(&way, "--verbose", SIGSTOP);
}

/* TSTP sent to spawnfd stops the command, which stops spawnfd. */
EVERY_WAY(a_stop_signal_is_passed_on)
{
	struct running r;
	struct ended e;

	for (size_t i = 1; i < ARRAY_SIZE(stopping); i++) {
		pid_t command;

		start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
		command = read_pid(r.out);
		kill(r.pid, stopping[i]);
		await_stop(&r, stopping[i]);
		cr_expect_eq(state_of(command), 'T');
		kill(r.pid, SIGCONT);
		ping(&r);
		end_input(&r);
		finish(&r, &e);
		expect_exit(&e, 0);
	}
}

/* What came meanwhile, came while it was stopped; nothing else stops it. */
EVERY_WAY(signals_for_a_stopped_pair_arrive_when_continued)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear"));
	kill(h.command, SIGSTOP);
	await_stop(&h.r, SIGSTOP);
	kill(h.r.pid, SIGUSR1);
	for (int i = 0; i < 20; i++)
		queue(&h, 34, i);
	kill(h.r.pid, SIGCONT);
	hears(&h, SIGUSR1);
	hears(&h, SIGCONT);
	for (int i = 0; i < 20; i++)
		hears_value(&h, 34, i);
	end_hearing(&h, &e);
}

/*
 * The stop is older than the first of the signals, and what has been said of
 * the second comes after all that was to be done for the first and the stop.
 */
static void expect_no_stop(struct running *r)
{
	kill(r->pid, SIGWINCH);
	await_said(r, "passed on SIGWINCH");
	kill(r->pid, SIGURG);
	await_said(r, "passed on SIGURG");
	cr_expect_eq(waitpid(r->pid, NULL, WUNTRACED | WNOHANG), 0, "%s: "
		     "stopped", r->words);
}

static void stop_alone(const char *with, const char *session, const char *group,
		       int sig)
{
	char number[16];
	struct running r;
	struct ended e;
	pid_t command;

	snprintf(number, sizeof(number), "%d", sig);
	start(&r, &job, ARGV(spawnfd, "--verbose", session, with, actor,
			     "stop", number, group));
	command = read_pid(r.out);
	await_state(command, 'T');
	expect_no_stop(&r);
	cr_expect_eq(state_of(command), 'T');
	kill(r.pid, SIGCONT);
	finish(&r, &e);
	expect_exit(&e, 7);
	cr_expect_null(strstr(e.err, "stopped"), "%s", e.err);
}

EVERY_WAY(spawnfd_does_not_stop_with_another_group)
{
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
		stop_alone(with, NOTHING, "group", stopping[i]);
	/* in a session of its own only this one stops: the group is orphaned */
	stop_alone(with, "--new-session", NULL, SIGSTOP);
}

/* An orphaned group is not stopped by a terminal: setpgid(2). */
EVERY_WAY(an_orphaned_group_does_not_hang)
{
	struct ended e;

	run(&e, &orphaned, ARGV(spawnfd, with, actor, "stop", "20"));
	expect_exit(&e, 7);
	run(&e, &orphaned, ARGV(spawnfd, with, actor, "stop", "21"));
	expect_exit(&e, 7);
	run(&e, &orphaned, ARGV(spawnfd, with, actor, "stop", "22"));
	expect_exit(&e, 7);
	stop_and_continue(&orphaned, with, SIGSTOP);
}

/* Waits for spawnfd's end, and continues both whenever they are stopped. */
static int continue_to_the_end(const struct running *r, pid_t command)
{
	int status;

	do {
		kill(command, SIGCONT);
		kill(r->pid, SIGCONT);
		status = await_change(r);
	} while (WIFSTOPPED(status));
	return status;
}

/* The command alone, and with the whole group */
static void stop_quickly(const char *with, bool whole)
{
	struct running r;
	pid_t command;

	start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
	command = read_pid(r.out);
	for (int i = 0; i < 200; i++) {
		kill(whole ? -r.pid : command, SIGSTOP);
		sched_yield();
		kill(whole ? -r.pid : command, SIGCONT);
		sched_yield();
	}
	close(r.in);
	cr_expect_eq(continue_to_the_end(&r, command), 0);
	close(r.out);
	close(r.err);
	close(r.pidfd);
}

EVERY_WAY(stopped_and_continued_quickly)
{
	stop_quickly(with, false);
	stop_quickly(with, true);
}

/* Before the command is executed too. */
EVERY_WAY(stopped_at_any_moment)
{
	const int n = often(200);

	for (int i = 0; i < n; i++) {
		struct running r;
		struct ended e;

		start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
		wait_at_random(r.pidfd, 2000);
		kill(-r.pid, SIGTSTP);
		await_stop(&r, SIGTSTP);
		kill(-r.pid, SIGCONT);
		read_pid(r.out);
		end_input(&r);
		finish(&r, &e);
		expect_exit(&e, 0);
	}
}

static void lead_far_away(const void *arg)
{
	lead_group(arg);
	setenv("PATH", far_path(), 1);
}

/* Whatever stops before the exec, is stopped, and spawnfd with it. */
EVERY_WAY(halted_alone_before_the_exec)
{
	const struct way way = { .prepare = lead_far_away };

	for (int i = 0; i < often(30); i++) {
		struct running r;
		struct ended e;
		pid_t child;

		start(&r, &way, ARGV(spawnfd, with, "actor", "echo"));
		while (!(child = child_of(r.pid)))
			sched_yield();
		sleep_at_random(5000);
		kill(child, SIGTSTP);
		await_stop(&r, SIGTSTP);
		kill(-r.pid, SIGCONT);
		read_pid(r.out);
		end_input(&r);
		finish(&r, &e);
		expect_exit(&e, 0);
	}
}

/* ---- surroundings ---- */

/* Through a shell, which finds the wrapper and becomes it */
#define WITH(script, with) \
	ARGV("/bin/sh", "-c", script, "sh", spawnfd, with, actor, "hear")

EVERY_WAY(under_nohup)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, NULL, WITH("exec nohup \"$@\" 2>/dev/null", with));
	cr_expect_eq(signals_of(h.command, "SigIgn:"), BIT(SIGHUP));
	kill(h.r.pid, SIGHUP);
	hears_no_more(&h);
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	end_hearing(&h, &e);
}

EVERY_WAY(under_setsid)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, NULL, WITH("exec setsid \"$@\"", with));
	cr_expect_eq(getsid(h.r.pid), h.r.pid);
	cr_expect_eq(getsid(h.command), h.r.pid);
	kill(h.r.pid, SIGHUP);
	hears(&h, SIGHUP);
	end_hearing(&h, &e);
}

/* sh(1): without job control it ignores INT and QUIT, and reads /dev/null. */
EVERY_WAY(in_the_background)
{
	struct running r;
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "\"$@\" exit 42 & wait $!; "
			   "exit $?", "sh", spawnfd, with, actor));
	expect_exit(&e, 42);
	start(&r, NULL, ARGV("/bin/sh", "-c", "\"$@\" hang & read x; "
			     "kill -INT $!; kill -TERM $!; wait $!; exit $?",
			     "sh",
			     spawnfd, with, actor));
	read_pid(r.out);
	cr_assert_eq(write(r.in, "\n", 1), 1);
	finish(&r, &e);
	expect_exit(&e, 128 + SIGTERM);
}

/* ---- as the first process of a PID namespace ---- */

#define AS_PID_1 spawnfd, "--raw-flags=CLONE_NEWPID", spawnfd

/* All children of pid, the number of which it gives */
/* They have ended before it hears of them, and nobody else is told of it. */
static void litter(const char *with, int n)
{
	time_t limit = time(NULL) + PATIENCE_MS / 1000;
	struct running r;
	struct ended e;
	char hundreds[16];
	pid_t inner;

	snprintf(hundreds, sizeof(hundreds), "%d", n);
	start(&r, NULL, ARGV(AS_PID_1, with, actor, "litter", hundreds));
	read_pid(r.out);
	inner = child_of(r.pid);
	while (count_children(inner) != 1) {
		cr_assert_lt(time(NULL), limit, "%d children are left",
			     count_children(inner));
		sched_yield();
	}
	ping(&r);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
}

/* An orphan from before the exec of spawnfd sends no signal any more. */
static void leave_zombie(const void *arg)
{
	siginfo_t info;

	(void)arg;
	if (unshare(CLONE_NEWPID))
		_exit(96);
	if (fork() > 0) {
		int status;

		wait(&status);
		_exit(WEXITSTATUS(status));
	}
	if (fork() == 0)
		_exit(0);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT))
		_exit(96);
}

EVERY_WAY(pid_1_reaps_an_older_orphan)
{
	const struct way way = { .prepare = leave_zombie };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, with, actor, "await-gone", "2"));
	expect_exit(&e, 0);
}

/* Many, so that a command ends before they are all read; or none is. */
static void queue_many(const void *arg)
{
	const union sigval value = { .sival_int = 0 };
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (unshare(CLONE_NEWPID))
		_exit(96);
	if (fork() > 0) {
		int status;

		wait(&status);
		_exit(WEXITSTATUS(status));
	}
	for (int i = 0; i < 2500; i++)
		sigqueue(getpid(), SIGRTMAX, value);
}

/* Where every end is noticed at once, the exec is still noticed first. */
EVERY_WAY(pid_1_knows_what_was_not_executed)
{
	const struct way way = { .prepare = queue_many };
	struct ended e;

	for (int i = 0; i < 10; i++) {
		run(&e, &way, ARGV(spawnfd, "--status-fd=1", with,
				   "/etc/passwd"));
		expect_exit(&e, 126);
		cr_expect_str_eq(e.out, "{\"exit-code\":126,\"error\":\"exec\","
				 "\"errno\":\"EACCES\"}\n", "%s", e.out);
	}
}

EVERY_WAY(a_thousand_orphans_of_pid_1)
{
	litter(with, 10);
}

SystemTest(flags, ten_thousand_orphans_of_pid_1)
{
	litter("--autoreap", often(100));
}

/* From outside, and through the spawnfd outside */
EVERY_WAY(signals_for_pid_1_reach_the_command)
{
	struct hearing h;
	struct ended e;
	pid_t inner;

	start_hearing(&h, &job, ARGV(AS_PID_1, with, actor, "hear"));
	inner = child_of(h.r.pid);
	cr_expect_eq(h.command, child_of(inner));
	kill(inner, SIGTERM);
	hears(&h, SIGTERM);
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	kill(inner, SIGINT);
	hears(&h, SIGINT);
	kill(h.r.pid, SIGCHLD);
	kill(h.r.pid, SIGHUP);
	hears(&h, SIGHUP);
	close(h.r.in);
	h.r.in = -1;
	finish(&h.r, &e);
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "");
}

/* Of a sender that has gone: its command is pid 1's to reap, and no one's. */
#define RECEIVE_FROM_BELOW \
	"exec 8<&0; \"$0\" --wait=20s --pass=\"$1\" -- " \
	"sh -c 'read x; exit 42' <&8 & " \
	"exec \"$0\" --status-fd=2 --receive=\"$1\""

SystemTest(plain, pid_1_reaps_what_it_has_received)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--raw-flags=CLONE_NEWPID", "/bin/sh",
			     "-c", RECEIVE_FROM_BELOW, spawnfd,
			     scratch_path("socket")));
	await_said(&r, "child-pid");
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 42);
}

/* ---- --new-session ---- */

/* A script that does so to its whole group, itself not among the victims */
#define KILL_0 "exec 8<&0; trap : 40; trap 'kill -40 0' USR1; " \
	       "\"$@\" hear <&8 & while kill -0 $! 2>/dev/null; " \
	       "do wait $!; done; exit 5"

static void kill_0(const char *with, const char *session, int times)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV("/bin/sh", "-c", KILL_0, "sh", spawnfd,
				     session, with, actor));
	kill(h.r.pid, SIGUSR1);
	for (int i = 0; i < times; i++)
		hears(&h, 40);
	close(h.r.in);
	h.r.in = -1;
	finish(&h.r, &e);
	expect_exit(&e, 5);
	cr_expect_str_eq(e.out, "");
	cr_expect_eq(h.at, h.end);
}

EVERY_WAY(kill_0_of_a_script_reaches_a_session_once)
{
	kill_0(with, "--new-session", 1);
}

/* The test can tell the difference; and it is what the man page says. */
EVERY_WAY(kill_0_of_a_script_reaches_its_own_group_twice)
{
	kill_0(with, NOTHING, 2);
}

static void start_family(struct running *r, const char *option,
			 const char *with)
{
	start(r, &job, ARGV(spawnfd, "--new-session", option, with, actor,
			    "family", "stay"));
	read_pid(r->out);
	read_pid(r->out);
}

/* The second of the family ends as no concern of spawnfd's, or a tree's. */
static void finish_family(struct running *r, struct ended *e)
{
	finish(r, e);
	cr_expect(kills_tree() || wait(NULL) > 0);
}

EVERY_WAY(signals_reach_the_whole_session)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, 40 };
	struct running r;
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		start_family(&r, NOTHING, with);
		kill(r.pid, signals[i]);
		finish_family(&r, &e);
		expect_signal(&e, signals[i]);
	}
}

EVERY_WAY(ends_reach_the_whole_session)
{
	struct running r;
	struct ended e;

	start_family(&r, "--timeout=1", with);
	finish_family(&r, &e);
	expect_exit(&e, 124);
	start(&r, &job, ARGV(spawnfd, "--new-session", "--timeout=1",
			     "-sKILL", with, actor, "family", "stay"));
	finish_family(&r, &e);
	expect_exit(&e, 137);
}

/* ---- growth ---- */

static void forward(struct hearing *h, int n)
{
	for (int i = 0; i < n; i++) {
		queue(h, 34, i);
		if (i % 100 == 99)
			for (int k = i - 99; k <= i; k++)
				hears_value(h, 34, k);
	}
}

SystemTest(flags, does_not_grow_by_100000_signals)
{
	struct hearing h;
	struct ended e;
	long before;

	start_hearing(&h, &job, ARGV(spawnfd, "--autokill", actor, "hear"));
	forward(&h, 100);
	before = resident_kb(h.r.pid);
	forward(&h, often(100000));
	cr_expect_eq(resident_kb(h.r.pid), before);
	end_hearing(&h, &e);
}
