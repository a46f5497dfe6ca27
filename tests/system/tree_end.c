/* SPDX-License-Identifier: MIT */
/*
 * --kill-tree with --kill-after: when COMMAND has ended, what is left of its
 * tree gets a signal, and time to end by itself.
 */
#include "ending.h"
#include "groves.h"

#include <stdlib.h>

#define IN_TIME "--kill-after=4"	/* a busy machine needs some of it */
#define FOR_EVER "--kill-after=0"

/* Expects that each member that can catch the signal has said it. */
static void expect_caught(const struct ended *e, int number, const char *sig)
{
	int wanted = 0;

	for (int kind = 0; kind < CATCHERS; kind++)
		wanted += of_kind(number, kind);
	cr_expect_eq(count_lines(e->out, sig), wanted, "%s: %d of %d caught it",
		     e->words, count_lines(e->out, sig), wanted);
}

/* Expects the end of the last status line. */
static void expect_counted(const struct ended *e, int left, int killed)
{
	char text[64];

	snprintf(text, sizeof(text), ",\"left\":%d,\"killed\":%d}\n", left,
		 killed);
	expect_said(e, text);
}

/* ---- the signal, and the time ---- */

static void end_200(enum holding holding, uid_t uid)
{
	const char *const options[] = { IN_TIME, "--status-fd=2", NULL };
	struct grove g;
	struct ended e;

	plant(&g, holding, uid, options, "200", "7", NULL);
	end_input(&g.r);
	finish_grove(&g, &e);
	expect_exit(&e, 7);
	expect_caught(&e, 200, "15");
	if (holding == HELD)
		expect_counted(&e, 200, of_kind(200, IGNORES));
	else
		cr_expect_null(strstr(e.err, "left"), "%s", e.err);
}

SystemTest(flags, tree_of_200_ends_in_order_held)
{
	for (EVERY(u, users))
		end_200(HELD, users[u]);
}

SystemTestWith(flags, tree_of_200_ends_in_order_passed, PLAIN_IS_ENOUGH)
{
	for (EVERY(u, users))
		end_200(PASSED, users[u]);
}

SystemTestWith(flags, tree_of_200_ends_in_order_detached, PLAIN_IS_ENOUGH)
{
	for (EVERY(u, users))
		end_200(DETACHED, users[u]);
}

/* Kills spawnfd or the receiver; returns when the last process has ended. */
static void expect_killed(struct grove *g)
{
	struct ended e;

	if (g->holding == PASSED)
		kill(g->receiver.r.pid, SIGKILL);
	else
		kill(g->r.pid, SIGKILL);
	finish(&g->r, &e);
	if (g->holding == PASSED)
		expect_died_of(bury(&g->receiver), SIGKILL);
	else
		expect_signal(&e, SIGKILL);
	nothing_left();
}

/*
 * The members that ignore the signal would stay for ever. So the end of the
 * tree proves that it was killed, at whichever moment of the wait.
 */
static void kill_in_the_wait(enum holding holding)
{
	const char *const options[] = { FOR_EVER, NULL };
	const int n = often(100);

	for (int i = 0; i < n; i++) {
		struct grove g;

		plant(&g, holding, users[i % 2], options, "24", "0", NULL);
		end_input(&g.r);
		if (i / 2 % 2)
			await_events(g.r.out, POLLIN);
		sleep_at_random(20000);
		expect_killed(&g);
	}
}

SystemTest(flags, tree_dies_with_spawnfd_in_the_wait)
{
	kill_in_the_wait(HELD);
}

SystemTest(flags, tree_dies_with_its_receiver_in_the_wait)
{
	kill_in_the_wait(PASSED);
}

/* ---- COMMAND comes first ---- */

/* Expects that the line is there, and that no other line comes before it. */
static void expect_first(const struct ended *e, const char *line)
{
	cr_expect(begins(e->out, line), "%s: %s", e->words, e->out);
}

SystemTest(flags, tree_gets_its_signal_after_the_command)
{
	for (EVERY(u, users)) {
		const char *const options[] = { IN_TIME, "--signal=USR1",
						"--status-fd=2", NULL };
		struct grove g;
		struct ended e;
		char line[16];

		plant(&g, HELD, users[u], options, "24", "7", "obeys");
		kill(g.r.pid, SIGUSR1);
		read_line(g.r.out, line, sizeof(line));
		cr_expect_str_eq(line, "10");
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		expect_first(&e, "over\n");
		expect_caught(&e, 24, "10");
		expect_counted(&e, 24, of_kind(24, IGNORES));
	}
}

SystemTest(flags, tree_gets_its_signal_after_sigkill_of_the_command)
{
	for (EVERY(u, users)) {
		const char *const options[] = { IN_TIME, "--status-fd=2",
						NULL };
		struct grove g;
		struct ended e;

		plant(&g, HELD, users[u], options, "24", "7", "ignores");
		kill(g.r.pid, SIGTERM);
		finish_grove(&g, &e);
		expect_signal(&e, SIGKILL);
		expect_caught(&e, 24, "15");
		expect_said(&e, ",\"ended-by\":\"signal\",");
		expect_counted(&e, 24, of_kind(24, IGNORES));
	}
}

/* However COMMAND ends, the rest has its time. */
SystemTest(flags, tree_ends_in_order_whatever_ends_the_command)
{
	static const int deaths[] = { SIGTERM, SIGKILL, SIGINT };

	for (EVERY(i, deaths)) {
		const char *const options[] = { IN_TIME, "--status-fd=2",
						NULL };
		char code[8];
		struct grove g;
		struct ended e;

		snprintf(code, sizeof(code), "-%d", deaths[i]);
		plant(&g, HELD, users[i % 2], options, "6", code, NULL);
		finish_grove(&g, &e);
		expect_signal(&e, deaths[i]);
		expect_caught(&e, 6, "15");
		expect_counted(&e, 6, 1);
	}
}

/* --timeout has ended COMMAND: spawnfd exits with 124, as without the rest. */
SystemTest(flags, tree_ends_in_order_after_a_timeout)
{
	for (EVERY(u, users)) {
		const char *const options[] = { IN_TIME, "--timeout=" ENOUGH,
						"--status-fd=2", NULL };
		struct grove g;
		struct ended e;
		char line[16];

		plant(&g, HELD, users[u], options, "12", "7", "obeys");
		read_line(g.r.out, line, sizeof(line));
		cr_expect_str_eq(line, "15");
		finish_grove(&g, &e);
		expect_exit(&e, 124);
		expect_caught(&e, 12, "15");
		expect_said(&e, ",\"ended-by\":\"timeout\",");
		expect_counted(&e, 12, 2);
	}
}

/* Without --kill-after, the kernel kills the rest at once. */
SystemTest(flags, tree_without_kill_after_gets_no_signal)
{
	const char *const options[] = { "--timeout=0", "--signal=USR1",
					"--status-fd=2", NULL };
	struct grove g;
	struct ended e;

	plant(&g, HELD, 0, options, "24", "7", NULL);
	finish_grove(&g, &e);
	expect_exit(&e, 7);
	cr_expect_str_eq(e.out, "");
	expect_said(&e, "{\"exit-code\":7,\"left\":24}\n");
}

/* ---- a second end ---- */

/* The pid of a process that forwards signals to the tree. */
static pid_t holder_of(const struct grove *g, pid_t member)
{
	if (g->holding == HELD)
		return g->r.pid;
	return g->holding == PASSED ? g->receiver.r.pid : parent_of(member);
}

/*
 * A process that blocks all signals says each SIGTERM, and is sent the next one
 * for that. If each of them started the clock again, this would go on for ever.
 */
SystemTest(flags, tree_is_killed_in_time_whatever_signals_come)
{
	const char *const options[] = { "--kill-after=2", NULL };

	for (int i = 0; i < 2 * HOLDINGS; i++) {
		const long begin = now_us();
		int repeated = 0;
		struct grove g;
		struct ended e;
		char line[64];
		pid_t holder;

		start_grove(&g, i / 2, users[i % 2], options,
			    ARGV(actor, "daemonize", "7", "deaf", "hear"));
		holder = holder_of(&g, read_pid(g.r.out));
		for (;;) {
			await_events(g.r.out, POLLIN | POLLHUP);
			if (is_at_end(g.r.out))
				break;
			read_line(g.r.out, line, sizeof(line));
			if (atoi(line) != SIGTERM)
				continue;
			cr_assert_lt(now_us() - begin, 60 * 1000000L,
				     "%s: still there", g.r.words);
			repeated++;
			kill(holder, SIGTERM);
		}
		cr_expect_gt(repeated, 1);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
	}
}

/* Descriptor 0 hangs up when COMMAND has ended. The rest keeps its time. */
SystemTest(flags, tree_keeps_its_time_when_a_watch_fires)
{
	const char *const options[] = { IN_TIME, "--die-with-fd=0",
					"--status-fd=2", NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;
		char line[16];

		plant(&g, HELD, users[u], options, "6", "7", NULL);
		cr_assert_eq(write(g.r.in, "x", 1), 1);
		for (int i = 0; i < CATCHERS; i++)
			read_line(g.r.out, line, sizeof(line));
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		expect_said(&e, "{\"exit-code\":7,\"left\":6,\"killed\":1}\n");
	}
}

/*
 * A tracer reaps COMMAND before its parent can: ptrace(2). This one is in the
 * tree, and never does so. The init kills it, and so learns the status.
 */
SystemTest(flags, tree_with_a_tracer_that_never_waits)
{
	const char *const options[] = { "--pidfd", "--timeout=1000", IN_TIME,
					"--wait-tree" };

	for (EVERY(i, options)) {
		struct ended e;

		run(&e, NULL, ARGV(spawnfd, "--kill-tree", options[i],
				   "--status-fd=2", actor, "traced", "7"));
		expect_exit(&e, 7);
		expect_said(&e, "{\"exit-code\":7,\"left\":0");
	}
}
