/* SPDX-License-Identifier: MIT */
/* explain: each message has the right words, and one line or two */
#include "explain.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "said.h"
#include "sys.h"

static void fail(enum step step, int error, const char *subject)
{
	const int number = step == STEP_ADDRESS ? OPT_PASS : 7;
	const struct failure failure = { step, error, subject, number, false };

	explain_failure(&failure, &said);
}

Test(explain, exec)
{
	fail(STEP_EXEC, ENOENT, "cmd");
	expect(1, "cmd: not found in PATH");
	fail(STEP_EXEC, ENOENT, "./cmd");
	expect(1, "./cmd: No such file or directory");
	fail(STEP_EXEC, EACCES, "cmd");
	expect(2, "cmd: Permission denied\nspawnfd: see the permissions of the "
		  "file and of the directories in PATH");
	fail(STEP_EXEC, EACCES, "./cmd");
	expect(2, "./cmd: Permission denied\nspawnfd: it must be a file "
		  "that you may execute");
	fail(STEP_EXEC, ENOENT, "sleep 1");
	expect(2, "sleep 1: not found in PATH\nspawnfd: give each "
		  "argument as a word of its own");
	fail(STEP_EXEC, ENOENT, "--autokill");
	expect(2, "not found in PATH\nspawnfd: options go before the word --");
	fail(STEP_EXEC, ENOENT, "\xe2\x80\x93" "autokill");
	expect(2, "not found in PATH\nspawnfd: an option begins with -,");
	fail(STEP_EXEC, ENOENT, "\xe2\x80\x9c" "autokill");
	expect(1, "not found in PATH");
	fail(STEP_EXEC, ENOENT, "A=1");
	expect(2, "A=1: not found in PATH\nspawnfd: to set a variable, put env");
	fail(STEP_EXEC, ENOENT, "./sleep 1");
	expect(1, "./sleep 1: No such file or directory");
	fail(STEP_EXEC, EPERM, "cmd");
	expect(2, "--allow-new-privs");
	fail(STEP_EXEC, ENOEXEC, "a\nb");
	expect(2, "a?b: Exec format error\n"
		  "spawnfd: if it is a script, add a #!");
	fail(STEP_INTERPRETER, ENOENT, "./cmd");
	expect(2, "./cmd: its interpreter is missing\nspawnfd: check");
	fail(STEP_EXEC, E2BIG, "cmd");
	expect(2, "too long");
	fail(STEP_EXEC_NOT_STATIC, ENOENT, "a\nb");
	expect(2, "a?b: --empty-mntns leaves it no interpreter and no "
		  "libraries\nspawnfd: only a static program");
}

Test(explain, exec_that_ends_what_was_received)
{
	struct failure failure = { .step = STEP_EXEC, .error = EACCES,
				   .subject = "cmd", .ends_received = true };

	explain_failure(&failure, &said);
	expect(2, "cmd: Permission denied; the received process has ended "
		  "too\nspawnfd: see the permissions");
	failure.step = STEP_INTERPRETER;
	explain_failure(&failure, &said);
	expect(2, "cmd: its interpreter is missing; the received process "
		  "has ended too\nspawnfd: check");
}

Test(explain, other_steps)
{
	fail(STEP_EXEC_FD, EBADF, NULL);
	expect(1, "--exec-fd: 7: not below the limit of open files");
	fail(STEP_CGROUP, ENOENT, "/no");
	expect(1, "--cgroup: /no: No such file or directory");
	fail(STEP_MAP, ENOENT, NULL);
	expect(2, "--kill-tree: ids of the user namespace: no /proc of this "
		  "PID namespace is mounted\nspawnfd: mount one");
	fail(STEP_MAP, EPERM, NULL);
	expect(1, "user namespace: not permitted; root needs CAP_SETFCAP");
	fail(STEP_PRINT, ENOSPC, NULL);
	expect(1, "standard output: No space left on device");
	fail(STEP_BEGIN, EPERM, NULL);
	expect(1, "setuid");
	fail(STEP_PREPARE, EMFILE, NULL);
	expect(1, "cannot start: ");
	fail(STEP_PREPARE, EMFILE, NULL);
	expect(1, "; see ulimit -n");
	fail(STEP_HOLD, ENODATA, NULL);
	expect(1, "hold: the status cannot be known: ENODATA");
	fail(STEP_HOLD, ETIMEDOUT, NULL);
	expect(2, "hold: the status cannot be known: the process has exited, "
		  "but its parent has not reaped it\nspawnfd: its parent must");
}

Test(explain, addresses_and_messages)
{
	const struct {
		enum step step;
		int error, lines;
		const char *text;
	} cases[] = {
		{ STEP_STATUS_FD, EBADF, 1, "--status-fd: 7: not open for" },
		{ STEP_ADDRESS, ENOTSOCK, 1, "--pass: a?b: not a socket" },
		{ STEP_ADDRESS, ENOTCONN, 1, "--pass: a?b: not a connected" },
		{ STEP_ADDRESS, EINVAL, 1, "--pass: a?b: neither a connected nor" },
		{ STEP_CONNECT, ENOENT, 2, "connect: a?b: there is no such" },
		{ STEP_CONNECT, ECONNREFUSED, 2,
		  "nobody listens there\nspawnfd: start its listener, or " },
		{ STEP_CONNECT, ENOTSOCK, 1, "connect: a?b: not a socket" },
		{ STEP_CONNECT, EPROTOTYPE, 1, "neither a stream nor a" },
		{ STEP_CONNECT, EAGAIN, 1, "backlog is full" },
		{ STEP_CONNECT, EACCES, 2, "connect: a?b: Permission denied" },
		{ STEP_PEER, EPERM, 2, "peer: a?b: its user has uid 7, and" },
		{ STEP_PASS, EPIPE, 1, "pass: a?b: the receiver has closed the "
		  "connection: it has ended, has taken another process, or "
		  "does not allow this user" },
		{ STEP_PASS, ECONNRESET, 1, "the receiver has closed" },
		{ STEP_PASS, EAGAIN, 1, "queue is full" },
		{ STEP_PASS, EPERM, 1, "refuses descriptors" },
		{ STEP_PASS, ETOOMANYREFS, 1, "ulimit -n" },
		{ STEP_LISTEN, EADDRINUSE, 1, "receive: a?b: somebody" },
		{ STEP_LISTEN, ENOSYS, 2, "receive: a?b: --receive needs /pr" },
		{ STEP_CONNECT, ENOSYS, 2, "a?b: so long a path needs /proc" },
		{ STEP_LISTEN, EEXIST, 1, "in the way" },
		{ STEP_RECEIVE, ENOMSG, 1, "has hung up without a message" },
		{ STEP_RECEIVE, ETIMEDOUT, 1, "no message came within the" },
		{ STEP_RECEIVE, EBADMSG, 1, "message has no descriptor" },
		{ STEP_RECEIVE, E2BIG, 1, "more than one descriptor" },
		{ STEP_RECEIVE, EMFILE, 1, "ulimit -n" },
		{ STEP_RECEIVE, EMSGSIZE, 1, "4096 bytes" },
		{ STEP_RECEIVE, ENOTTY, 1, "not a pidfd" },
		{ STEP_RECEIVE, EREMOTE, 1, "PID namespace" },
		{ STEP_RECEIVE, ECHILD, 2, "has exited, but its parent has not" },
		{ STEP_PID_FILE, EEXIST, 1, "--pid-file: a?b: in the way" },
		{ STEP_PID_FILE, EROFS, 1, "Read-only file system" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fail(cases[i].step, cases[i].error, "a\nb");
		expect(cases[i].lines, cases[i].text);
	}
}

Test(explain, errors)
{
	explain_error(EINVAL, &said);
	expect(1, "EINVAL (Invalid argument)");
	explain_error(4000, &said);
	expect(1, "error 4000 (");
}
