/* SPDX-License-Identifier: MIT */
/*
 * Signals at every moment of the life of spawnfd, and signals that start
 * --kill-after.
 */
#include "harness.h"
#include "hearing.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>

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

/* Counts the effects of the signals. */
struct effects {
	int got[KINDS];		/* the signal was for COMMAND, or too late */
	int died[KINDS];	/* spawnfd died of it, itself or as COMMAND */
};

/* Starts a program with vfork(2): start() would copy this process each time. */
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

/* Reads to the end of file, when nobody has the other end any more. */
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
 * Judges a run. COMMAND is gone, because read_all() has seen the end of its
 * output. A signal that is blocked from the start must reach COMMAND. Any other
 * signal must reach COMMAND only if it came after COMMAND had said "H".
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

/* Runs spawnfd, and sends it the signal at a random moment; 0 us: no signal. */
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

/* How many runs the three ways have together */
#define TIMES 10000

static bool met_all(const struct effects *effects)
{
	for (int kind = CAUGHT; kind < KINDS; kind++)
		if (!effects->got[kind] || !effects->died[kind])
			return false;
	return true;
}

/*
 * Makes more runs until each kind has had each effect. Otherwise no signal has
 * met some of the moments.
 */
EVERY_WAY_WITH(signals_at_every_moment, REPEATS_PATHS)
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

/* ---- --kill-after, started by a signal ---- */

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

/* Sends signals that COMMAND survives; COMMAND then ends by itself. */
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
	/* --kill-after is missing, without limit, or longer than the test. */
	run_on("--", NOTHING, "--new-session", all);
	run_on("--", "--timeout=1h", "--signal=TERM", all);
	run_on("--", "--kill-after=0", "--signal=HUP", all);
	run_on("--", "--kill-after=1h", "--new-session", all);
}

/* The signal ends COMMAND in time, so "ended-by" must be missing. */
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

/* More of these signals do not restart the time: it would never run out. */
EVERY_WAY(a_clock_is_not_set_back)
{
	struct hearing h;

	start_hearing(&h, &job, ARGV(spawnfd, "--kill-after=200ms", with,
				     actor, "hear"));
	for (struct pollfd p = { h.r.pidfd, POLLIN, 0 }; !poll(&p, 1, 20);)
		kill(h.r.pid, SIGTERM);
	expect_dies(&h.r, SIGKILL);
}

/* The time limit runs out before the signal comes, and "ended-by" says so. */
EVERY_WAY(a_signal_after_the_timeout_does_not_undo_it)
{
	/* Blocked signals stay pending until COMMAND listens. */
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
