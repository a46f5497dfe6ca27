/* SPDX-License-Identifier: MIT */
/* --timeout gives the statuses of timeout(1), by a clock that cannot be set. */
#include "ending.h"
#include "harness.h"

#include <errno.h>
#include <time.h>

static const struct limit {
	const char *duration, *signal, *after;
	const char *command[4];
	int code;
} limits[] = {
	{ "0.05", NULL, NULL, { "hang" }, 124 },
	{ ".05", NULL, NULL, { "hang" }, 124 },
	{ "0.05s", NULL, NULL, { "hang" }, 124 },
	{ "00.050", NULL, NULL, { "hang" }, 124 },
	{ "0.001m", NULL, NULL, { "hang" }, 124 },
	{ "0.00002h", NULL, NULL, { "hang" }, 124 },
	{ "0.000001d", NULL, NULL, { "hang" }, 124 },
	{ "99.", NULL, NULL, { "exit", "7" }, 7 },
	{ "0.0000000001", NULL, NULL, { "hang" }, 124 },
	/* There is no limit. */
	{ "0", NULL, NULL, { "exit", "3" }, 3 },
	{ "0s", NULL, NULL, { "exit", "0" }, 0 },
	{ "0.0d", NULL, NULL, { "exit", "7" }, 7 },
	{ "99999999999999999999", NULL, NULL, { "exit", "7" }, 7 },
	{ "99999999999999999999d", NULL, NULL, { "exit", "7" }, 7 },
	/* The command ends before the limit. */
	{ "1m", NULL, NULL, { "exit", "0" }, 0 },
	{ "1h", "KILL", "1d", { "exit", "42" }, 42 },
	{ "1d", NULL, NULL, { "die", "15" }, 143 },
	{ "1d", NULL, NULL, { "die", "9" }, 137 },
	/* The command handles the signal, ignores it, or dies of it. */
	{ ENOUGH, NULL, NULL, { "witness", "15", "0" }, 124 },
	{ ENOUGH, NULL, NULL, { "witness", "15", "7" }, 124 },
	{ ENOUGH, NULL, NULL, { "witness", "18", "7" }, 124 },
	{ ENOUGH, NULL, "0", { "witness", "18", "7" }, 124 },
	{ ENOUGH, NULL, "60", { "witness", "15", "7" }, 124 },
	{ ENOUGH, "INT", NULL, { "witness", "2", "7" }, 124 },
	{ ENOUGH, "sigint", NULL, { "hang" }, 124 },
	{ ENOUGH, "1", NULL, { "hang" }, 124 },
	{ ENOUGH, NULL, ".1", { "witness", "0", "7" }, 137 },
	{ ENOUGH, "HUP", "0.1s", { "witness", "0", "7" }, 137 },
	{ ENOUGH, "KILL", NULL, { "hang" }, 137 },
	{ ENOUGH, "KILL", "9", { "witness", "0", "7" }, 137 },
	/* The command gets the signal, then kills itself by another one. */
	{ ENOUGH, NULL, NULL, { "witness", "15", "-9" }, 137 },
	{ ENOUGH, NULL, NULL, { "witness", "15", "-10" }, 124 },
	/* The command is stopped. */
	{ ENOUGH, NULL, NULL, { "witness", "15", "7", "stop" }, 124 },
	{ ENOUGH, NULL, ".1", { "witness", "0", "7", "stop" }, 137 },
	{ ENOUGH, "KILL", NULL, { "witness", "0", "7", "stop" }, 137 },
	/* The arguments are wrong. */
	{ "", NULL, NULL, { "exit", "7" }, 125 },
	{ "-1", NULL, NULL, { "exit", "7" }, 125 },
	{ "1x", NULL, NULL, { "exit", "7" }, 125 },
	{ "1 s", NULL, NULL, { "exit", "7" }, 125 },
	{ "1ss", NULL, NULL, { "exit", "7" }, 125 },
	{ "1s1", NULL, NULL, { "exit", "7" }, 125 },
	{ "1,5", NULL, NULL, { "exit", "7" }, 125 },
	{ "x", NULL, NULL, { "exit", "7" }, 125 },
	{ ".", NULL, NULL, { "exit", "7" }, 125 },
	{ "1", NULL, "x", { "exit", "7" }, 125 },
	{ "1", "NONE", NULL, { "exit", "7" }, 125 },
	{ "1", "65", NULL, { "exit", "7" }, 125 },
};

static size_t add_command(const char *argv[], size_t n, const struct limit *l)
{
	argv[n++] = actor;
	for (size_t i = 0; i < ARRAY_SIZE(l->command) && l->command[i]; i++)
		argv[n++] = l->command[i];
	argv[n] = NULL;
	return n;
}

static void start_timeout(struct running *r, const struct limit *l)
{
	const char *argv[16] = { "/usr/bin/env", "timeout" };
	size_t n = 2;

	if (l->signal) {
		argv[n++] = "-s";
		argv[n++] = l->signal;
	}
	if (l->after) {
		argv[n++] = "-k";
		argv[n++] = l->after;
	}
	argv[n++] = "--";
	argv[n++] = l->duration;
	add_command(argv, n, l);
	start(r, NULL, argv);
}

/* --new-session gives a process group, as timeout(1) makes one. */
static void start_limited(struct running *r, const char *with,
			  const struct limit *l)
{
	const char *argv[16] = { spawnfd, "--new-session", "-t",
				 l->duration };
	size_t n = 4;

	if (l->signal) {
		argv[n++] = "--signal";
		argv[n++] = l->signal;
	}
	if (l->after) {
		argv[n++] = "--kill-after";
		argv[n++] = l->after;
	}
	argv[n++] = with;
	add_command(argv, n, l);
	start(r, NULL, argv);
}

/* Gives the status as a shell shows it in $?. */
static int finish_code(struct running *r, struct ended *e)
{
	end_input(r);
	finish(r, e);
	return WIFEXITED(e->status) ? WEXITSTATUS(e->status) :
				      128 + WTERMSIG(e->status);
}

static void compare(const struct limit *l, struct running *theirs,
		    struct running *ours)
{
	struct ended e;
	int code = finish_code(theirs, &e), own;

	cr_expect_eq(code, l->code, "%s: %d", e.words, code);
	own = finish_code(ours, &e);
	cr_expect_eq(own, l->code, "%s: %d, and timeout %d", e.words, own,
		     code);
}

/* Compares all limits, as many at once as the machine can start in time. */
static void agree_with_timeout(const char *with)
{
	enum { ROWS = ARRAY_SIZE(limits) };
	const size_t most = is_slow() ? 4 : ROWS;
	struct running theirs[ROWS], ours[ROWS];

	for (size_t from = 0, to; from < ROWS; from = to) {
		to = from + most < ROWS ? from + most : ROWS;
		for (size_t i = from; i < to; i++) {
			start_timeout(&theirs[i], &limits[i]);
			start_limited(&ours[i], with, &limits[i]);
		}
		for (size_t i = from; i < to; i++)
			compare(&limits[i], &theirs[i], &ours[i]);
	}
	/* timeout -s KILL kills itself too, and leaves its child behind. */
	reap_orphans();
}

SystemTest(plain, agrees_with_timeout)
{
	agree_with_timeout("--");
}

SystemTestWith(flags, agrees_with_timeout_under_autokill, PLAIN_IS_ENOUGH,
	       ALSO_UNDER(FALLBACK | FILTERED | TREE))
{
	agree_with_timeout("--autokill");
}

/*
 * A limit of 0 means none. If 0 meant "at once", the command would have ended
 * before it answers the pings.
 */
EVERY_WAY(zero_is_never)
{
	struct running r;

	start(&r, NULL, ARGV(spawnfd, "-t0", "--die-with-pid=1",
			     "--kill-after=0", with, actor, "witness", "12",
			     "5"));
	read_pid(r.out);
	ping_twice(&r, r.pid);
	kill(r.pid, SIGTERM);
	cr_expect_eq(read_pid(r.out), SIGTERM);
	ping_twice(&r, r.pid);
	kill(r.pid, SIGUSR2);
	expect_exits(&r, 5);
}

/* Sets the real-time clock forward, or back if seconds is negative. */
static void shift_clock(long seconds)
{
	struct timespec time;

	cr_assert_eq(clock_gettime(CLOCK_REALTIME, &time), 0);
	time.tv_sec += seconds;
	cr_assert_eq(clock_settime(CLOCK_REALTIME, &time), 0, "%s",
		     strerror(errno));
}

static void limit_while_clock_moves(long seconds)
{
	long long began = now_ms(CLOCK_MONOTONIC), took;
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--timeout=1.5", "--kill-after=0.5",
			     "--autokill", actor, "witness", "0", "0"));
	read_pid(r.out);
	shift_clock(seconds);
	finish(&r, &e);
	shift_clock(-seconds);
	took = now_ms(CLOCK_MONOTONIC) - began;
	expect_exit(&e, 137);
	cr_expect(took >= 2000 && took < 38000, "%+ld s: %lld ms", seconds,
		  took);
}

/* Sets the clock only in a test kernel, which tests/kernel/run has booted. */
SystemTest(flags, setting_the_clock_does_not_matter)
{
	char command_line[4096];

	read_file("/proc/cmdline", command_line, sizeof(command_line));
	if (!strstr(command_line, "output=/dev/tty")) {
		not_tested("--timeout while the clock is set",
			   "this machine's clock is not a test's to set");
		return;
	}
	/* Not further: other tests may use this clock at the same time. */
	limit_while_clock_moves(40);
	limit_while_clock_moves(-40);
}

/*
 * The command ends by itself before the limit, while spawnfd is stopped.
 * spawnfd goes on after the limit, and must not report that the limit ended the
 * command.
 */
EVERY_WAY(a_command_that_ended_in_time_was_not_ended)
{
	const int limit_ms = is_slow() ? 4000 : 400;
	char option[32];
	struct running r;
	struct ended e;
	int pidfd;

	snprintf(option, sizeof(option), "--timeout=%dms", limit_ms);
	start(&r, NULL, ARGV(spawnfd, option, "--status-fd=2", with, "/bin/sh",
			     "-c", "echo $$; read -r go; exit 5"));
	read_pid(r.out);
	pidfd = open_pidfd(command_of(r.pid));
	kill(r.pid, SIGSTOP);
	await_state(r.pid, 'T');
	cr_assert_eq(write(r.in, "\n", 1), 1);
	await_events(pidfd, POLLIN);
	close(pidfd);
	/* The limit must be over before spawnfd goes on. */
	poll(NULL, 0, limit_ms + 100);
	kill(r.pid, SIGCONT);
	finish(&r, &e);
	expect_exit(&e, 5);
	cr_expect_null(strstr(e.err, "ended-by"), "%s", e.err);
}

/* COMMAND handles SIGTERM and lives on: the line must not say that it ended. */
EVERY_WAY(verbose_names_the_signal_and_the_cause)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "-v", "-t", ENOUGH, "--kill-after=.1",
			   with, actor, "witness", "0", "7"));
	expect_exit(&e, 137);
	expect_said(&e, ": sending SIGTERM: timeout\n");
	expect_said(&e, ": sending SIGKILL: timeout\n");
}
