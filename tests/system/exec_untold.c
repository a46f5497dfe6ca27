/* SPDX-License-Identifier: MIT */
/*
 * How the exec went when nobody tells spawnfd: the child was killed before it,
 * or the child or the init of --kill-tree cannot send its notice. With --pass
 * and --detach an exit status of 0 says that COMMAND was executed.
 */
#include "harness.h"
#include "passing.h"
#include "sockets.h"
#include "trees.h"

/* Words of strace(1): it injects the faults into all processes. */
#define FAULTS(calls, fault) "/usr/bin/strace", "-f", "-o", "/dev/null", \
	"-e", "trace=" calls, "-e", "inject=" calls ":" fault

static const char *const kinds[] = {
	"--pidfd", "--autoreap", "--autokill", "--new-session", "--kill-tree"
};

/* Autokill would kill what is detached. */
static bool may_detach(const char *kind)
{
	return strcmp(kind, "--autokill");
}

/* Runs spawnfd with --pass; `sent` says whether it is to send a message. */
static void run_pass(struct ended *e, const struct way *way,
		     const char *const argv[], bool sent)
{
	int listener = listen_at(abstract(), SOCK_STREAM), peer;

	run(e, way, argv);
	if (sent) {
		close(expect_one_connection(listener));
	} else {
		peer = accept_one(listener);
		expect_nothing_more(peer, SOCK_STREAM);
		close(peer);
	}
	close(listener);
}

/* ---- the child is killed before the exec, or ends right after it ---- */

#define KILLED_BEFORE FAULTS("execve", "signal=KILL"), "-P", actor

static void expect_unexecuted(const struct ended *e)
{
	expect_refusal(e, 125);
	expect_said(e, ": it was killed before it was executed\n");
}

SystemTest(flags, killed_before_the_exec_is_not_executed)
{
	struct ended e;

	for (EVERY(i, kinds)) {
		if (may_detach(kinds[i])) {
			run(&e, NULL, ARGV(KILLED_BEFORE, spawnfd, kinds[i],
					   "--detach", actor, "exit", "0"));
			expect_unexecuted(&e);
		}
		run_pass(&e, NULL, ARGV(KILLED_BEFORE, spawnfd, kinds[i],
					PASS(abstract()), actor, "exit", "0"),
			 false);
		expect_unexecuted(&e);
	}
}

/*
 * COMMAND is killed at its second execve, and reaped by the init. The init goes
 * on after that.
 */
SystemTest(flags, killed_before_the_exec_and_before_the_init_looks)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "PATH=/none:/usr/bin:/bin",
			   "/usr/bin/strace", "-f", "-o", "/dev/null", "-e",
			   "trace=execve,clone", "-e",
			   "inject=execve:error=EACCES:signal=INT:when=2", "-e",
			   "inject=clone:delay_exit=200000", spawnfd,
			   "--kill-tree", "--detach", "sleep", "1000"));
	expect_unexecuted(&e);
}

/* Collects a command that spawnfd has left to this test, a subreaper. */
static void collect(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* strace(1) delays spawnfd until COMMAND has ended. */
static void expect_executed(const char *kind, const char *script)
{
	struct ended e;

	if (may_detach(kind)) {
		run(&e, NULL, ARGV(FAULTS("read", "delay_exit=200000"),
				   spawnfd, kind, "--detach", "sh", "-c",
				   script));
		expect_exit(&e, 0);
		collect();
	}
	run_pass(&e, NULL, ARGV(FAULTS("clone3", "delay_exit=200000"), spawnfd,
				kind, PASS(abstract()), "sh", "-c", script),
		 true);
	expect_exit(&e, 0);
	collect();
}

SystemTestWith(flags, ended_after_the_exec_was_executed, PLAIN_IS_ENOUGH)
{
	for (EVERY(i, kinds)) {
		expect_executed(kinds[i], "exit 127");
		expect_executed(kinds[i], "kill -TERM $$");
	}
	/* The kernel has reaped the others. */
	expect_executed("--pidfd", "kill -KILL $$");
	expect_executed("--new-session", "kill -KILL $$");
}

/* ---- the child cannot write its notice ---- */

SystemTest(flags, failed_exec_that_cannot_be_told_is_no_exec)
{
	struct ended e;

	for (EVERY(i, kinds)) {
		if (!may_detach(kinds[i]))
			continue;
		run(&e, NULL, ARGV(FAULTS("write", "error=ENOMEM"), spawnfd,
				   kinds[i], "--detach", "/none"));
		expect_exit(&e, 125);
		/* Memory comes back. */
		run(&e, NULL, ARGV(FAULTS("write", "error=ENOMEM:when=1"),
				   spawnfd, kinds[i], "--detach", "/none"));
		expect_exit(&e, 127);
	}
}

/* ---- the init cannot send its notice ---- */

/* It is the first that the init of root sends. */
#define SOON FAULTS("sendto", "error=ENOBUFS:when=1")
#define NEVER FAULTS("sendto", "error=ENOMEM")

SystemTest(flags, exec_that_the_init_tells_late)
{
	struct running r;
	struct ended e;

	run(&e, NULL, ARGV(SOON, spawnfd, "--kill-tree", "--timeout=0.3",
			   "sleep", "1000"));
	expect_exit(&e, 124);
	start(&r, NULL, ARGV(SOON, spawnfd, "--kill-tree", "--detach", actor,
			     "echo"));
	read_pid(r.out);
	ping(&r);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
	collect();
	run(&e, NULL, ARGV(SOON, spawnfd, "--kill-tree", "--detach", "/none"));
	expect_exit(&e, 127);
}

SystemTest(flags, exec_that_the_init_cannot_tell_ends_the_tree)
{
	struct ended e;

	run(&e, NULL, ARGV(NEVER, spawnfd, "--kill-tree", "sleep", "1000"));
	expect_exit(&e, 125);
	expect_said(&e, "spawnfd: hold: the status cannot be known: EPIPE");
	run(&e, NULL, ARGV(NEVER, spawnfd, "--kill-tree", "--detach", "sleep",
			   "1000"));
	expect_unexecuted(&e);
	run_pass(&e, NULL, ARGV(NEVER, spawnfd, "--kill-tree",
				PASS(abstract()), "sleep", "1000"), false);
	expect_unexecuted(&e);
}
