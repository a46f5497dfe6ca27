/* SPDX-License-Identifier: MIT */
/* --detach: spawnfd exits as soon as the command runs; the command goes on. */
#include "harness.h"

/* The command's new parent is this test, a subreaper, which gets its status. */
static void expect_orphan(int code)
{
	int status = -1;

	cr_expect_gt(waitpid(-1, &status, 0), 0);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

SystemTest(plain, detach_leaves_the_command_running)
{
	static const char *const names[] = { "-d", "--detach" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct running r;

		start(&r, NULL, ARGV(spawnfd, names[i], actor, "echo"));
		read_pid(r.out);
		await_events(r.pidfd, POLLIN);
		ping(&r);
		end_input(&r);
		expect_exits(&r, 0);
		expect_orphan(0);
	}
}

/* spawnfd exits with 0 if the command was executed, whatever its status is. */
SystemTest(plain, detach_ignores_the_status_of_the_command)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "-d", actor, "exit", "42"));
	expect_exit(&e, 0);
	expect_orphan(42);
}

SystemTest(plain, detach_confirms_the_exec)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--detach", "/none"));
	expect_refusal(&e, 127);
	run(&e, NULL, ARGV(spawnfd, "--detach", "/"));
	expect_refusal(&e, 126);
}

static void leave_pending(const void *arg)
{
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
}

/*
 * The caller has blocked SIGUSR1, and it is pending. spawnfd does not take it,
 * nor does the init of --kill-tree.
 */
SystemTest(plain, detach_leaves_blocked_signals_alone)
{
	static const char *const trees[] = { "--pidfd", "--kill-tree" };
	const struct way way = { .prepare = leave_pending };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		run(&e, &way, ARGV(spawnfd, "-d", trees[i], actor, "exit",
				   "42"));
		expect_exit(&e, 0);
		expect_orphan(42);
	}
}
