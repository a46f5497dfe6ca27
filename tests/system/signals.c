/* SPDX-License-Identifier: MIT */
/*
 * Signals while spawnfd holds COMMAND: each signal that is sent to spawnfd
 * reaches COMMAND once, by whatever call it was sent, and reaches nobody else.
 */
#include "cores.h"
#include "harness.h"
#include "hearing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

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

EVERY_WAY_WITH(each_signal_reaches_the_command_once, ALSO_UNDER(TREE_OF_USER))
{
	hear_each(with, "");
}

EVERY_WAY_WITH(each_signal_reaches_it_in_another_group,
	       ALSO_UNDER(TREE_OF_USER))
{
	hear_each(with, "group");
}

EVERY_WAY_WITH(each_signal_reaches_it_in_another_session,
	       ALSO_UNDER(TREE_OF_USER))
{
	hear_each(with, "session");
}

EVERY_WAY_WITH(each_signal_reaches_the_leader_of_its_session,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "--new-session", with, actor,
				     "hear"));
	cr_expect_eq(getsid(h.command), h.command);
	send_each(&h);
	end_hearing(&h, &e);
}

/* raise(3) and pthread_kill(3) send by tgkill(2). */
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

EVERY_WAY_WITH(real_time_signals_in_order, ALSO_UNDER(TREE_OF_USER))
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

/*
 * The signals pile up while spawnfd is stopped. The kernel delivers the lowest
 * number first: signal(7).
 */
EVERY_WAY_WITH(real_time_signals_of_several_numbers, ALSO_UNDER(TREE_OF_USER))
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

/*
 * Tells whether a signal stays pending while spawnfd is stopped. SIGCONT would
 * continue spawnfd, and would discard pending stop signals: signal(7).
 */
static bool piles_up(int sig)
{
	return can_be_passed_on(sig) && sig != SIGTSTP && sig != SIGTTIN &&
	       sig != SIGTTOU && sig != SIGCONT;
}

/* Sends all signals while spawnfd is stopped, so that it gets them at once. */
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

/*
 * spawnfd discards the SIGPIPE or SIGXFSZ of its own writes to standard error.
 * It must not lose one that somebody else has sent.
 */
EVERY_WAY(none_is_lost_while_it_speaks)
{
	pile_up(with, "--verbose");
}

static void set_alarm(const void *arg)
{
	/*
	 * The alarm is set before the exec of spawnfd, and must go off after
	 * COMMAND listens: in 300 ms, or in 3 s where programs start slowly.
	 */
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

EVERY_WAY_WITH(a_stopped_command_gets_it_when_continued,
	       ALSO_UNDER(TREE_OF_USER))
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
	await_init(h.r.pid);
	cr_expect_eq(state_of(h.command), 'T');
	kill(h.command, SIGCONT);
	hears(&h, SIGUSR1);
	hears(&h, SIGCONT);
	for (int i = 0; i < 20; i++)
		hears_value(&h, 34, i);
	end_hearing(&h, &e);
}

/* ---- signals to a dead command ---- */

/*
 * Forks a child that gets the pid of a process that is gone. Returns 0 if the
 * kernel does not permit that.
 */
static pid_t recycle(pid_t pid)
{
	const uint64_t args[11] = { [4] = SIGCHLD,
				    [8] = (uintptr_t)&pid, [9] = 1 };
	struct patience patience = { 0 };
	pid_t child;

	/* A process leaves /proc a moment before its pid is free. */
	do
		child = (pid_t)syscall(SYS_clone3, args, sizeof(args));
	while (child < 0 && errno == EEXIST && is_patient(&patience));
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
	expect_dies(&h.r, SIGKILL);
	if (innocent)
		spare(innocent);
	else if (strcmp(with, "--"))
		not_tested("a recycled pid", "clone3 with set_tid: EPERM");
}

EVERY_WAY_WITH(signals_for_a_dead_command_hit_nobody, LOOKS_FOR_ZOMBIES)
{
	strike_dead(with, NOTHING);
	strike_dead(with, "--new-session");
}

/* The time limit runs out while spawnfd is stopped and COMMAND is dead. */
EVERY_WAY_WITH(an_end_of_a_dead_command_hits_nobody, LOOKS_FOR_ZOMBIES)
{
	struct hearing h;
	struct ended e;
	pid_t innocent = 0;

	start_hearing(&h, &job, ARGV(spawnfd, "--timeout=2", "-sKILL", with,
				     actor, "hear"));
	kill(h.r.pid, SIGSTOP);
	await_state(h.r.pid, 'T');
	kill(h.command, SIGTERM);
	kill(h.command, SIGKILL);
	await_state(h.command, strcmp(with, "--") ? '\0' : 'Z');
	if (strcmp(with, "--"))
		innocent = recycle(h.command);
	lives_on(&h.r, 2000);
	kill(h.r.pid, SIGCONT);
	finish(&h.r, &e);
	if (innocent)
		spare(innocent);
}

/*
 * A tracer reaps COMMAND before its parent can: ptrace(2). spawnfd waits for
 * that, does not spin, and hears signals. The test is the tracer.
 */
EVERY_WAY(a_dead_command_that_its_tracer_has_not_reaped)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV(spawnfd, "-v", with, actor, "hear"));
	cr_assert_eq(ptrace(PTRACE_SEIZE, h.command, NULL, NULL), 0);
	kill(h.command, SIGKILL);
	await_state(h.command, 'Z');
	kill(h.r.pid, SIGURG);
	await_said(&h.r, "SIGURG");
	lives_on(&h.r, 200);
	cr_expect_eq(state_of(h.r.pid), 'S');
	cr_assert_eq(waitpid(h.command, NULL, __WALL), h.command);
	finish(&h.r, &e);
	expect_signal(&e, SIGKILL);
}

/* ---- ignored signals, and those that are not forwarded ---- */

/* nohup ignores SIGHUP; a shell ignores SIGINT and SIGQUIT for "job &". */
static const int usually_ignored[] = {
	SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGUSR1, 40,
};

static uint64_t set_of_ignored(void)
{
	uint64_t set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(usually_ignored); i++)
		set |= BIT(usually_ignored[i]);
	return set;
}

EVERY_WAY(an_ignored_signal_reaches_a_command_that_catches_it)
{
	const struct inherited inherited = { .ignored = set_of_ignored() };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct hearing h;
	struct ended e;

	start_hearing(&h, &way, ARGV(spawnfd, with, actor, "hear"));
	cr_expect_eq(signals_of(h.command, "SigIgn:"), inherited.ignored);
	for (size_t i = 0; i < ARRAY_SIZE(usually_ignored); i++) {
		kill(h.r.pid, usually_ignored[i]);
		hears(&h, usually_ignored[i]);
	}
	end_hearing(&h, &e);
}

/* COMMAND gets no signal while it ignores them, and each one after that. */
EVERY_WAY(an_ignored_signal_reaches_a_command_that_catches_it_late)
{
	const struct inherited inherited = { .ignored = set_of_ignored() };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct hearing h = { .at = 0 };
	struct ended e;
	char line[32];

	start(&h.r, &way, ARGV(spawnfd, "--verbose", with, actor, "hear-late"));
	read_line(h.r.out, line, sizeof(line));
	for (size_t i = 0; i < ARRAY_SIZE(usually_ignored); i++) {
		char said[64];

		kill(h.r.pid, usually_ignored[i]);
		snprintf(said, sizeof(said), "passed on %s",
			 i == 5 ? "signal 40" : "SIG");
		await_said(&h.r, said);
	}
	await_init(h.r.pid);
	cr_assert_eq(write(h.r.in, "\n", 1), 1);
	h.command = read_pid(h.r.out);
	hears_no_more(&h);
	for (size_t i = 0; i < ARRAY_SIZE(usually_ignored); i++) {
		kill(h.r.pid, usually_ignored[i]);
		hears(&h, usually_ignored[i]);
	}
	end_hearing(&h, &e);
}

/* A caller that ignores SIGTERM does not want SIGTERM to end anything. */
EVERY_WAY(an_ignored_signal_starts_no_clock)
{
	const struct inherited inherited = { .ignored = set_of_ignored() };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct hearing h;
	struct ended e;

	start_hearing(&h, &way, ARGV(spawnfd, "--kill-after=20ms", with, actor,
				     "hear"));
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	lives_on(&h.r, 200);
	end_hearing(&h, &e);
}

EVERY_WAY(what_was_blocked_is_pending_in_the_command)
{
	struct inherited inherited = {
		.blocked = BIT(SIGTERM) | BIT(SIGUSR1) | BIT(40),
	};
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct running r;
	pid_t command;

	start(&r, &way, ARGV(spawnfd, "--verbose", with, actor, "hang"));
	command = read_pid(r.out);
	kill(r.pid, SIGTERM);
	kill(r.pid, SIGUSR1);
	kill(r.pid, 40);
	await_said(&r, "passed on signal 40");
	await_init(r.pid);
	cr_expect_eq(signals_of(command, "SigBlk:"), inherited.blocked);
	cr_expect_eq(signals_of(command, "ShdPnd:"), inherited.blocked);
	kill(r.pid, SIGHUP);
	expect_dies(&r, SIGHUP);
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

/*
 * Nobody reads the standard error of spawnfd, so the kernel sends it a SIGPIPE
 * for each line. spawnfd must not forward that signal.
 */
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

/* ---- more signals than spawnfd can forward ---- */

/*
 * The kernel counts what is pending for all processes of a user together:
 * getrlimit(2). The limit leaves room for the tests that run at the same time.
 */
EVERY_WAY(a_flood_of_signals_hides_no_end)
{
	static const struct resource_limit pending = { RLIMIT_SIGPENDING,
						       1000 };
	const struct way way = { .prepare = limit_resource, .arg = &pending };
	struct running r;

	start(&r, &way, ARGV(spawnfd, with, actor, "flood", "2"));
	expect_exits(&r, 7);
	reap_orphans();
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

SystemTestWith(flags, does_not_grow_by_100000_signals,
	       ALSO_UNDER(FALLBACK | FILTERED))
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
