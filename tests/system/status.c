/* SPDX-License-Identifier: MIT */
/*
 * spawnfd ends as its command has ended: with the same exit status, or by the
 * same signal but without a core of its own.
 */
#include "cores.h"
#include "harness.h"

#include <sys/syscall.h>

static void run_actor(struct ended *e, const struct way *way, const char *with,
		      const char *verb, int number)
{
	char word[16];

	snprintf(word, sizeof(word), "%d", number);
	run(e, way, ARGV(spawnfd, with, actor, verb, word));
}

EVERY_WAY(ends_with_the_exit_status)
{
	static const int codes[] = { 0, 1, 42, 124, 125, 126, 127, 128, 255 };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		run_actor(&e, NULL, with, "exit", codes[i]);
		expect_exit(&e, codes[i]);
		cr_expect_str_eq(e.err, "");
	}
}

/* Tries signals 1 to 64, also 32 and 33, which libc hides. */
EVERY_WAY_WITH(dies_of_the_same_signal, REPEATS_PATHS)
{
	struct ended e;
	int tried = 0;

	for (int sig = 1; sig <= 64; sig++) {
		if (!ends_a_process(sig))
			continue;
		run_actor(&e, NULL, with, "die", sig);
		expect_signal(&e, sig);
		tried++;
	}
	cr_assert_eq(tried, 64 - 8);
}

EVERY_WAY(a_shell_sees_128_plus_the_signal)
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "\"$0\" \"$1\" \"$2\" die 15; "
			   "exit $?", spawnfd, with, actor));
	expect_exit(&e, 128 + SIGTERM);
}

static void remove_cores(const char *path)
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "rm -f \"$0\"/core*", path));
	expect_exit(&e, 0);
}

/* The command's core is the only one; spawnfd's wait status shows no core. */
EVERY_WAY(leaves_no_core_of_its_own)
{
	const struct way way = { .dir = scratch(), .prepare = allow_cores };
	struct ended e;

	need_core_files();
	for (int sig = 1; sig < 32; sig++) {
		if (!dumps_core(sig))
			continue;
		run_actor(&e, &way, with, "die", sig);
		expect_signal(&e, sig);
		cr_expect_eq(count_cores(way.dir), 1, "signal %d: %d cores",
			     sig, count_cores(way.dir));
		remove_cores(way.dir);
	}
}

EVERY_WAY(multithreaded_command_whose_leader_leaves_first)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, with, actor, "leaderless", "exit", "7"));
	expect_exit(&e, 7);
	run(&e, NULL, ARGV(spawnfd, with, actor, "leaderless", "last", "3"));
	expect_exit(&e, 3);
}

/*
 * The exec sets the exit signal back to SIGCHLD. Until then wait(2) needs
 * __WALL to see the child.
 */
SystemTest(plain, whatever_the_exit_signal_was)
{
	static const char *const signals[] = { "--exit-signal=0",
		"--exit-signal=USR1", "--exit-signal=KILL",
		"--exit-signal=RTMAX", "--exit-signal=CHLD" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		run_actor(&e, NULL, signals[i], "exit", 42);
		expect_exit(&e, 42);
		run_actor(&e, NULL, signals[i], "die", SIGTERM);
		expect_signal(&e, SIGTERM);
	}
}

/* ---- as the first process of a PID namespace ---- */

#define AS_PID_1 spawnfd, "--raw-flags=CLONE_NEWPID", spawnfd

/* A signal with its default action does nothing to pid 1. */
EVERY_WAY_WITH(exits_with_128_plus_the_signal_as_pid_1, MAKES_PID_NAMESPACE)
{
	struct ended e;

	run(&e, NULL, ARGV(AS_PID_1, with, actor, "exit", "42"));
	expect_exit(&e, 42);
	run(&e, NULL, ARGV(AS_PID_1, with, actor, "die", "15"));
	expect_exit(&e, 128 + SIGTERM);
	run(&e, NULL, ARGV(AS_PID_1, with, actor, "die", "64"));
	expect_exit(&e, 128 + 64);
}

/* Opens the second child of the inner spawnfd: the orphan it has inherited. */
static int open_orphan(pid_t inner)
{
	char path[64], text[64];
	int command = 0, orphan = 0, fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", inner, inner);
	read_file(path, text, sizeof(text));
	cr_assert_eq(sscanf(text, "%d %d", &command, &orphan), 2, "%s", text);
	fd = (int)syscall(SYS_pidfd_open, orphan, 0);
	cr_assert_geq(fd, 0);
	return fd;
}

EVERY_WAY_WITH(reaps_every_orphan_as_pid_1, MAKES_PID_NAMESPACE)
{
	struct running r;
	int orphan;

	start(&r, NULL, ARGV(AS_PID_1, with, actor, "orphan"));
	read_pid(r.out);
	read_pid(r.out);
	orphan = open_orphan(child_of(r.pid));
	end_input(&r);
	await_events(orphan, POLLIN);
	await_events(orphan, 0);	/* POLLHUP: reaped */
	close(orphan);
	kill(child_of(r.pid), SIGKILL);
	expect_dies(&r, SIGKILL);
}

/* SIGTERM sent to spawnfd is forwarded, and both die of it. */
EVERY_WAY(dies_of_a_signal_sent_to_itself)
{
	struct running r;
	pid_t command;
	int status;

	start(&r, NULL, ARGV(spawnfd, with, actor, "hang"));
	command = read_pid(r.out);
	kill(r.pid, SIGTERM);
	status = await_end(&r);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	if (strcmp(with, "--autokill") != 0) {
		kill(command, SIGKILL);
		waitpid(command, NULL, __WALL);
	}
	close(r.in);
	close(r.out);
	close(r.err);
	close(r.pidfd);
	nothing_left();
}

/* The status is not known then. COMMAND must not run on without a holder. */
EVERY_WAY(command_is_ended_by_a_hold_that_fails)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/strace", "-o", "/dev/null", "-e",
			   "trace=ppoll", "-e", "inject=ppoll:error=ENOMEM",
			   spawnfd, with, "sleep", "1000"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: hold: ");
	nothing_left();
}
