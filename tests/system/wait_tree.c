/* SPDX-License-Identifier: MIT */
/*
 * --wait-tree: the hold is over when the last process of the tree has ended.
 * Until then, signals and ends go to what COMMAND has left.
 */
#include "ending.h"
#include "groves.h"

#include <sched.h>
#include <stdlib.h>

static const char *const waits[] = { "--wait-tree", NULL };

/* Expects that the daemon says this signal next. */
static void says(const struct grove *g, int sig)
{
	char line[64];

	read_line(g->r.out, line, sizeof(line));
	cr_assert_eq(atoi(line), sig, "%s: wanted %d; saw %s", g->r.words, sig,
		     line);
}

/* Starts a daemon that says signals, whose COMMAND exits with 7; its pid. */
static pid_t start_daemon(struct grove *g, enum holding holding, uid_t uid,
			  const char *const options[], const char *where)
{
	start_grove(g, holding, uid, options,
		    ARGV(actor, "daemonize", "7", where, "hear"));
	/* The daemon says so when COMMAND has been reaped. */
	return read_pid(g->r.out);
}

/* ---- COMMAND puts itself into the background ---- */

/* The process that waits for the tree; it forwards signals. */
static pid_t holder_of(const struct grove *g, pid_t daemon)
{
	switch (g->holding) {
	case HELD:
		return g->r.pid;
	case PASSED:
		return g->receiver.r.pid;
	default:
		return parent_of(daemon);
	}
}

SystemTest(flags, wait_tree_stays_until_a_daemon_ends)
{
	for (int i = 0; i < 2 * HOLDINGS; i++) {
		struct grove g;
		struct ended e;
		pid_t daemon, holder;

		daemon = start_daemon(&g, i / 2, users[i % 2], waits,
				      "session");
		holder = holder_of(&g, daemon);
		kill(holder, SIGUSR1);
		says(&g, SIGUSR1);
		cr_expect_neq(state_of(holder), 'Z');
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		cr_expect_str_eq(e.out, "");
	}
}

SystemTest(flags, wait_tree_forwards_signals_to_a_daemon)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2,
				       SIGCONT, 40, 64 };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;

		start_daemon(&g, HELD, users[u], waits, "session");
		for (EVERY(i, signals)) {
			kill(g.r.pid, signals[i]);
			says(&g, signals[i]);
		}
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		cr_expect_str_eq(e.out, "");
	}
}

/* A stopped process handles the signal after a SIGCONT, which is forwarded. */
SystemTest(flags, wait_tree_forwards_signals_to_all)
{
	const char *const options[] = { "--wait-tree", "-v", "--status-fd=2",
					NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;

		plant(&g, HELD, users[u], options, "3", "7", NULL);
		end_input(&g.r);
		for (int i = 0; i < 3; i++)
			await_said(&g.r, ": leaves ");
		kill(g.r.pid, SIGTERM);
		says(&g, SIGTERM);
		says(&g, SIGTERM);
		cr_expect_not(is_at_end(g.r.out));
		kill(g.r.pid, SIGCONT);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		cr_expect_str_eq(e.out, "15\n");
		expect_said(&e, "{\"exit-code\":7,\"left\":3}\n");
	}
}

SystemTest(flags, wait_tree_ends_a_daemon_by_timeout)
{
	const char *const options[] = { "--wait-tree", "--timeout=" ENOUGH,
					"--status-fd=2", NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;

		start_daemon(&g, HELD, users[u], options, "session");
		says(&g, SIGTERM);
		says(&g, SIGCONT);
		finish_grove(&g, &e);
		expect_exit(&e, 124);
		cr_expect_str_eq(e.out, "");
		expect_said(&e, "{\"exit-code\":124,\"ended-by\":\"timeout\","
			    "\"left\":1}\n");
	}
}

/* A daemon that handles no signal gets SIGKILL in the end. */
SystemTest(flags, wait_tree_kills_a_daemon_after_that_time)
{
	const char *const options[] = { "--wait-tree", "--kill-after=1",
					"--status-fd=2", NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;

		start_daemon(&g, HELD, users[u], options, "deaf");
		kill(g.r.pid, SIGTERM);
		says(&g, SIGTERM);
		/* Its input is still open, so it ends by SIGKILL alone. */
		await_events(g.r.pidfd, POLLIN);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		expect_said(&e, "\"left\":1,\"killed\":1}\n");
	}
}

/* ---- an end while COMMAND runs ---- */

/* Some members ignore signals: waiting for them would last for ever. */
static void end_before(uid_t uid, const char *option, const char *limit,
		       int code, const char *line, int caught)
{
	const char *const options[] = { "--wait-tree", option, limit,
					"--status-fd=2", NULL };
	struct grove g;
	struct ended e;

	plant(&g, HELD, uid, options, "12", "7", "obeys");
	if (code == 7)
		kill(g.r.pid, SIGTERM);
	says(&g, SIGTERM);
	finish_grove(&g, &e);
	expect_exit(&e, code);
	cr_expect(begins(e.out, "over\n"), "%s", e.out);
	cr_expect_eq(count_lines(e.out, "15"), caught, "%s", e.out);
	expect_said(&e, line);
}

SystemTest(flags, wait_tree_does_not_wait_once_it_has_begun_to_end)
{
	for (EVERY(u, users)) {
		end_before(users[u], "--timeout=" ENOUGH, "--pidfd", 124,
			   ",\"ended-by\":\"timeout\",\"left\":12}\n", 0);
		end_before(users[u], "--timeout=" ENOUGH, "--kill-after=4", 124,
			   ",\"left\":12,\"killed\":2}\n", 6);
		end_before(users[u], "--pidfd", "--kill-after=4", 7,
			   ",\"left\":12,\"killed\":2}\n", 6);
	}
}

/* ---- a signal at the end of COMMAND ---- */

static void await_pending(pid_t pid, int sig)
{
	struct patience patience = { 0 };

	while (!(signals_of(pid, "ShdPnd:") & (UINT64_C(1) << (sig - 1)))) {
		cr_assert(is_patient(&patience), "%d is not pending", sig);
		sched_yield();
	}
}

/*
 * COMMAND has ended when the signal comes, and the init, which is stopped, has
 * not reaped it. Were the signal sent to COMMAND, nobody would get it.
 */
SystemTest(flags, wait_tree_gets_a_signal_that_comes_with_the_end)
{
	const char *const options[] = { "--wait-tree", "--timeout=20", NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;
		pid_t init, command;

		plant(&g, HELD, users[u], options, "2", "7", NULL);
		init = child_of(g.r.pid);
		command = child_of(init);
		kill(init, SIGSTOP);
		await_state(init, 'T');
		end_input(&g.r);
		await_state(command, 'Z');
		kill(g.r.pid, SIGTERM);
		await_pending(init, SIGTERM);
		kill(init, SIGCONT);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		cr_expect_eq(count_lines(e.out, "15"), 2, "%s", e.out);
	}
}
