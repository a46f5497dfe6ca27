/* SPDX-License-Identifier: MIT */
/* The options --die-with-parent and --die-with-pid. */
#include "ending.h"
#include "harness.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define TIMES 500
#define LONGEST_US 10000

#define AS_PID_1 spawnfd, "--raw-flags=CLONE_NEWPID"

/* ---- the parent ---- */

/* Uses the three ways in turn. */
SystemTestWith(flags, dies_with_the_shell_500_times, REPEATS_PATHS,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	for (int i = 0; i < often(TIMES); i++) {
		struct running r;
		int command;

		start(&r, NULL, ARGV(FROM_SH, spawnfd, "--die-with-parent",
				     NOTHING, ways[i % 3], actor, "hang"));
		command = open_pidfd(read_running(r.err));
		/* The shell stays a zombie, which counts as ended. */
		kill(r.pid, SIGKILL);
		expect_gone(command);
		await_end(&r);
		close_running(&r);
		reap_orphans();
		nothing_left();
	}
}

EVERY_WAY(a_thread_of_the_parent_may_end)
{
	struct running r;
	pid_t pid;
	int command;
	char line[64];

	start(&r, NULL, ARGV(actor, "by-thread", spawnfd, "--die-with-parent",
			     with, actor, "witness", "0", "0"));
	pid = read_pid(r.out);
	command = open_pidfd(pid);
	cr_assert_eq(write(r.in, "x", 1), 1);
	read_line(r.out, line, sizeof(line));
	cr_assert_str_eq(line, "joined");
	ping_twice(&r, parent_of(pid));
	kill(r.pid, SIGKILL);
	expect_gone(command);
	await_end(&r);
	close_running(&r);
	reap_orphans();
}

EVERY_WAY_WITH(pid_1_of_a_namespace_is_a_parent, MAKES_PID_NAMESPACE)
{
	struct ended e;

	run(&e, NULL, ARGV(AS_PID_1, "/bin/sh", "-c", "\"$@\"; exit $?", "sh",
			   spawnfd, "--die-with-parent", with, actor, "exit",
			   "42"));
	expect_exit(&e, 42);
	cr_expect_str_eq(e.err, "");
}

/*
 * spawnfd cannot see its parent if spawnfd is process 1 of a PID namespace, or
 * if nsenter(1) has put it into one.
 */
EVERY_WAY_WITH(a_parent_that_cannot_be_seen_is_refused, MAKES_PID_NAMESPACE)
{
	const char *mark = scratch_path("mark");
	struct running r;
	struct ended e;
	char pid_ns[64];

	run(&e, NULL, ARGV(AS_PID_1, spawnfd, "--die-with-parent", with, actor,
			   "mark", mark));
	expect_refusal(&e, 125);
	expect_said(&e, "--die-with-parent: ");

	start(&r, NULL, ARGV(AS_PID_1, actor, "echo"));
	read_pid(r.out);
	snprintf(pid_ns, sizeof(pid_ns), "--pid=/proc/%d/ns/pid",
		 child_of(r.pid));
	run(&e, NULL, ARGV("/usr/bin/nsenter", pid_ns, spawnfd,
			   "--die-with-parent", with, actor, "mark", mark));
	expect_refusal(&e, 125);
	expect_said(&e, "--die-with-parent: ");
	cr_expect(!exists(mark));
	ping(&r);
	end_input(&r);
	expect_exits(&r, 0);
}

/* ---- another process ---- */

/* In all of these scripts $$ is the script, also in a subshell. */
#define RUN "run() { \"$1\" --die-with-pid=$$ --status-fd=2 \"$2\" \"$3\" " \
	    "hang; }; "
static const char *const scripts[] = {
	RUN "run \"$@\"; :",
	RUN "(run \"$@\"; :); :",
	RUN ": | run \"$@\" | cat; :",
	RUN "all=$(run \"$@\"); :",
	RUN "run \"$@\" & wait",
	RUN "(run \"$@\" &); read -r all",
};

/*
 * Kills the script, and waits until all its processes have ended: all of them
 * have standard error open, which finish() reads to its end. Returns whether
 * the command had been started, as a status line there says.
 */
static bool kill_script(const char *script, const char *with, bool patient)
{
	struct running r;
	struct ended e;
	bool ran;

	start(&r, NULL, ARGV("/bin/sh", "-c", script, "sh", spawnfd, with,
			     actor));
	if (patient)
		read_running(r.err);
	wait_at_random(r.pidfd, LONGEST_US);
	kill(r.pid, SIGKILL);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	ran = patient || strstr(e.err, "child-pid");
	cr_assert(!ran || !strstr(e.err, "\"error\""), "%s", e.err);
	reap_orphans();
	nothing_left();
	return ran;
}

SystemTestWith(flags, dies_with_the_script_500_times, REPEATS_PATHS,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	int n = often(TIMES), ran = 0;

	for (int i = 0; i < n; i++)
		ran += kill_script(scripts[i % (int)ARRAY_SIZE(scripts)],
				   ways[i / 2 % 3], i / 6 % 2);
	cr_assert_geq(ran, n / 3, "only %d of %d commands ran", ran, n);
}

/* GONE kills the script, waits until it is a zombie, and starts spawnfd. */
#define GONE "(kill -9 $$; while read -r pid name state rest </proc/$$/stat " \
	     "&& [ $state != Z ]; do :; done; exec \"$1\" " \
	     "--die-with-pid=$$ \"$2\" \"$3\" mark \"$4\"); :"

EVERY_WAY(a_script_that_is_gone_before_is_noticed)
{
	const char *mark = scratch_path("mark");
	struct running r;
	struct ended e;
	int status = 0;

	start(&r, NULL, ARGV("/bin/sh", "-c", GONE, "sh", spawnfd, with, actor,
			     mark));
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_begun(&e, "spawnfd: --die-with-pid: ");
	cr_expect_gt(waitpid(-1, &status, 0), 0);
	cr_expect_eq(WEXITSTATUS(status), 125);
	cr_expect(!exists(mark));
}

static const char *die_with(pid_t pid, unsigned long long inode)
{
	static char option[64];

	if (inode)
		snprintf(option, sizeof(option), "--die-with-pid=%d:%llu", pid,
			 inode);
	else
		snprintf(option, sizeof(option), "--die-with-pid=%d", pid);
	return option;
}

static void expect_watched(pid_t pid, unsigned long long inode,
			   const struct way *way)
{
	struct ended e;

	run(&e, way, ARGV(spawnfd, die_with(pid, inode), actor, "exit", "3"));
	expect_exit(&e, 3);
	cr_expect_str_eq(e.err, "");
}

/* Expects a refusal, and the status line of it, which goes to descriptor 1. */
static void expect_unwatched(pid_t pid, unsigned long long inode,
			     const char *why)
{
	const char *mark = scratch_path("mark");
	const char *line = "{\"exit-code\":125,\"error\":\"usage\",";
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, die_with(pid, inode), actor, "mark", mark));
	expect_refusal(&e, 125);
	expect_said(&e, why);
	run(&e, NULL, ARGV(spawnfd, die_with(pid, inode), "--status-fd=1",
			   actor, "mark", mark));
	expect_exit(&e, 125);
	cr_expect_eq(strncmp(e.out, line, strlen(line)), 0, "%s", e.out);
	cr_expect(!exists(mark));
}

SystemTest(plain, any_process_that_lives_can_be_watched)
{
	const struct way nobody = { .uid = NOBODY };
	struct running r;

	start(&r, NULL, ARGV(actor, "hang"));
	expect_watched(getpid(), 0, NULL);
	expect_watched(1, 0, NULL);
	expect_watched(1, 0, &nobody);
	expect_watched(r.pid, 0, NULL);
	expect_watched(r.pid, inode_of(r.pid), NULL);
	expect_watched(r.pid, inode_of(r.pid), &nobody);
	expect_unwatched(r.pid, inode_of(r.pid) + 1, "another process: ");
	expect_unwatched(r.pid, inode_of(getpid()), "another process: ");
	kill_and_close(&r);
}

SystemTest(plain, a_process_that_has_ended_is_refused)
{
	struct running r;

	start(&r, NULL, ARGV(actor, "exit", "0"));
	await_events(r.pidfd, POLLIN);
	expect_unwatched(r.pid, 0, "has ended");
	await_end(&r);
	expect_unwatched(r.pid, 0, "no such process");
	expect_unwatched(r.pid, 5, "no such process");
	close_running(&r);
}

struct thread {
	int told[2];
	pid_t tid;
};

static void *be_thread(void *arg)
{
	struct thread *thread = arg;
	char byte;

	thread->tid = (pid_t)syscall(SYS_gettid);
	cr_assert_eq(write(thread->told[1], "x", 1), 1);
	/* The read ends when the test closes the other end. */
	while (read(thread->told[1], &byte, 1) > 0)
		;
	return NULL;
}

SystemTest(plain, a_thread_is_no_process)
{
	struct thread thread;
	pthread_t handle;
	char byte;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				thread.told), 0);
	cr_assert_eq(pthread_create(&handle, NULL, be_thread, &thread), 0);
	cr_assert_eq(read(thread.told[0], &byte, 1), 1);
	cr_assert_neq(thread.tid, getpid());
	expect_unwatched(thread.tid, 0, "thread");
	close(thread.told[0]);
	pthread_join(handle, NULL);
	close(thread.told[1]);
}
