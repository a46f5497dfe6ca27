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
	const struct failure failure = { step, error, subject, 7, false };

	explain_failure(&failure, &said);
}

Test(explain, mistakes_are_one_line)
{
	const struct option_row *nnp = &table[OPT_NNP];
	const struct option_row *cgroup = &table[OPT_CGROUP];
	const struct {
		struct mistake mistake;
		const char *text;
	} cases[] = {
		{ { MISTAKE_UNKNOWN, .word = "--x\ny" }, "--x?y: unknown" },
		{ { MISTAKE_LETTER, .word = "xz" }, "-x: unknown" },
		{ { MISTAKE_UNKNOWN, .others = OPTION_BIT(OPT_TIMEOUT),
		    .word = "--timout" },
		  "--timout: unknown option; did you mean --timeout?" },
		{ { MISTAKE_AMBIGUOUS, .others = ~UINT64_C(0) >> 30,
		    .word = "--" },
		  "--: ambiguous; see spawnfd --help" },
		{ { MISTAKE_AMBIGUOUS, .word = "--auto",
		    .others = OPTION_BIT(OPT_AUTOKILL) |
			      OPTION_BIT(OPT_AUTOREAP) },
		  "--auto: ambiguous; did you mean --autokill or "
		  "--autoreap?" },
		{ { MISTAKE_VALUE, &table[OPT_PROBE], .word = "killtree",
		    .others = OPTION_BIT(OPT_KILL_TREE) },
		  "--probe: killtree: not a clone flag; did you mean "
		  "kill-tree?" },
		{ { MISTAKE_VALUE, &table[OPT_PROBE], .word = "x" },
		  "--probe: x: not a clone flag: give the name" },
		{ { MISTAKE_NO_ARGUMENT, cgroup }, "--cgroup: needs an argu" },
		{ { MISTAKE_ARGUMENT, nnp }, "--nnp: takes no argument" },
		{ { MISTAKE_VALUE, &table[OPT_EXIT_SIGNAL], .word = "X" },
		  "--exit-signal: X: not a signal" },
		{ { MISTAKE_VALUE, &table[OPT_RAW_FLAGS], .word = "X" },
		  "--raw-flags: X: not clone flags" },
		{ { MISTAKE_REFUSED, &table[OPT_RAW_FLAGS],
		    .flags = CLONE_VM | CLONE_FS },
		  "CLONE_VM|CLONE_FS: refused: COMMAND could not run" },
		{ { MISTAKE_NO_COMMAND }, "COMMAND is missing" },
		{ { MISTAKE_VALUE, &table[OPT_PASS], .word = "" },
		  "--pass: '': not an address" },
		{ { MISTAKE_VALUE, &table[OPT_WAIT], .word = "-1" },
		  "--wait: -1: not a duration" },
		{ { MISTAKE_VALUE, &table[OPT_STATUS_FD], .word = "x" },
		  "--status-fd: x: not a descriptor number" },
		{ { MISTAKE_VALUE, &table[OPT_PEER_UID], .word = "me" },
		  "--peer-uid: me: not a numeric user id" },
		{ { MISTAKE_EXCLUDES, nnp, OPTION_BIT(OPT_CGROUP) },
		  "--nnp: cannot be combined with --cgroup" },
		{ { MISTAKE_NEEDS, nnp,
		    OPTION_BIT(OPT_CGROUP) | OPTION_BIT(OPT_EXACT) },
		  "--nnp: needs --cgroup or --exact" },
		{ { MISTAKE_FLAGS, .word = "because" }, "clone flags: because" },
		{ { MISTAKE_RULE, .word = "because" }, "because" },
		{ { MISTAKE_RULE, nnp, .word = "because" }, "--nnp: because" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		explain_mistake(&cases[i].mistake, &said);
		expect(1, cases[i].text);
	}
}

Test(explain, exec)
{
	fail(STEP_EXEC, ENOENT, "cmd");
	expect(1, "cmd: not found in PATH");
	fail(STEP_EXEC, ENOENT, "./cmd");
	expect(1, "./cmd: No such file or directory");
	fail(STEP_EXEC, EACCES, "cmd");
	expect(2, "cmd: Permission denied\nspawnfd: see its permissions");
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
		  "too\nspawnfd: see its permissions");
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
	expect(1, "--kill-tree: ids of the user namespace: there is no /proc");
	fail(STEP_MAP, EPERM, NULL);
	expect(1, "user namespace: not permitted; root needs CAP_SETFCAP");
	fail(STEP_PRINT, ENOSPC, NULL);
	expect(1, "standard output: No space left on device");
	fail(STEP_BEGIN, EPERM, NULL);
	expect(1, "setuid");
	fail(STEP_PREPARE, EMFILE, NULL);
	expect(1, "cannot start: ");
	fail(STEP_HOLD, ENODATA, NULL);
	expect(1, "hold: the status cannot be known: ENODATA");
	fail(STEP_HOLD, ETIMEDOUT, NULL);
	expect(1, "hold: the status cannot be known: the process has exited, "
		  "but its parent has not reaped it");
}

Test(explain, addresses_and_messages)
{
	const struct {
		enum step step;
		int error, lines;
		const char *text;
	} cases[] = {
		{ STEP_STATUS_FD, EBADF, 1, "--status-fd: a?b: not open for" },
		{ STEP_ADDRESS, ENOTSOCK, 1, "a?b: not a socket" },
		{ STEP_ADDRESS, ENOTCONN, 1, "a?b: not a connected" },
		{ STEP_ADDRESS, EINVAL, 1, "a?b: neither a connected nor" },
		{ STEP_CONNECT, ENOENT, 2, "connect: a?b: there is no such" },
		{ STEP_CONNECT, ECONNREFUSED, 2,
		  "nobody listens there\nspawnfd: start its listener, or " },
		{ STEP_CONNECT, ENOTSOCK, 1, "connect: a?b: not a socket" },
		{ STEP_CONNECT, EPROTOTYPE, 1, "neither a stream nor a" },
		{ STEP_CONNECT, EAGAIN, 1, "backlog is full" },
		{ STEP_CONNECT, EACCES, 1, "connect: a?b: Permission denied" },
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
		{ STEP_RECEIVE, ECHILD, 1, "has exited, but its parent has not" },
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
