/* SPDX-License-Identifier: MIT */
/* explain: what is said, and that it is a line or two */
#include "explain.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sys.h"

static struct text said;

/* Whether text stands in what was said, and that is one line, or two */
static void expect(int lines, const char *text)
{
	const char *second = strchr(said.bytes, '\n');

	cr_expect_not_null(strstr(said.bytes, text), "'%s' in '%s'", text,
			   said.bytes);
	cr_expect_eq(second ? 2 : 1, lines, "%s", said.bytes);
	if (second) {
		cr_expect_null(strchr(second + 1, '\n'), "%s", said.bytes);
		cr_expect(!strncmp(second + 1, "spawnfd: ", 9), "%s", second);
	}
	said = (struct text){ 0 };
}

static void refuse(struct refusal refusal)
{
	if (!refusal.release)
		refusal.release = "7.0.1";
	explain_refusal(&refusal, &said);
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
		{ { MISTAKE_AMBIGUOUS, .word = "--a" }, "--a: stands for" },
		{ { MISTAKE_NO_ARGUMENT, cgroup }, "--cgroup: needs an argu" },
		{ { MISTAKE_ARGUMENT, nnp }, "--nnp: takes no argument" },
		{ { MISTAKE_VALUE, &table[OPT_EXIT_SIGNAL], .word = "X" },
		  "--exit-signal: X: not a signal" },
		{ { MISTAKE_VALUE, &table[OPT_RAW_FLAGS], .word = "X" },
		  "--raw-flags: X: not clone flags" },
		{ { MISTAKE_REFUSED, &table[OPT_RAW_FLAGS],
		    .flags = CLONE_VM | CLONE_FS },
		  "CLONE_VM|CLONE_FS: refused" },
		{ { MISTAKE_NO_COMMAND }, "COMMAND is missing" },
		{ { MISTAKE_VALUE, &table[OPT_PASS], .word = "" },
		  "--pass: '': not an address" },
		{ { MISTAKE_VALUE, &table[OPT_WAIT], .word = "-1" },
		  "--wait: -1: not a duration" },
		{ { MISTAKE_VALUE, &table[OPT_STATUS_FD], .word = "x" },
		  "--status-fd: x: not a number of a descriptor" },
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
	explain_step(STEP_EXEC, ENOENT, "cmd", &said);
	expect(1, "cmd: not found in PATH");
	explain_step(STEP_EXEC, ENOENT, "./cmd", &said);
	expect(1, "./cmd: No such file or directory");
	explain_step(STEP_EXEC, EACCES, "cmd", &said);
	expect(1, "cmd: Permission denied");
	explain_step(STEP_EXEC, ENOEXEC, "a\nb", &said);
	expect(2, "a?b: Exec format error\n"
		  "spawnfd: if it is a script, add a #!");
	explain_step(STEP_INTERPRETER, ENOENT, "./cmd", &said);
	expect(2, "./cmd: its interpreter is missing");
	explain_step(STEP_EXEC, E2BIG, "cmd", &said);
	expect(2, "too long");
	explain_step(STEP_STATIC, ENOENT, "a\nb", &said);
	expect(2, "a?b: --empty-mntns leaves it no interpreter and no "
		  "libraries\nspawnfd: only a static program");
}

Test(explain, other_steps)
{
	explain_step(STEP_CGROUP, ENOENT, "/no", &said);
	expect(1, "--cgroup: /no: No such file or directory");
	explain_step(STEP_MAP, ENOENT, NULL, &said);
	expect(1, "--kill-tree: ids of the user namespace: there is no /proc");
	explain_step(STEP_MAP, EPERM, NULL, &said);
	expect(1, "user namespace: Operation not permitted");
	explain_step(STEP_PRINT, ENOSPC, NULL, &said);
	expect(1, "standard output: No space left on device");
	explain_step(STEP_BEGIN, EPERM, NULL, &said);
	expect(1, "setuid");
	explain_step(STEP_PREPARE, EMFILE, NULL, &said);
	expect(1, "cannot start: ");
	explain_step(STEP_HOLD, ENODATA, NULL, &said);
	expect(1, "hold: the status cannot be known");
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
		{ STEP_CONNECT, ENOENT, 2, "connect: a?b: there is no such" },
		{ STEP_CONNECT, ECONNREFUSED, 2,
		  "nobody listens there\nspawnfd: if its" },
		{ STEP_CONNECT, EPROTOTYPE, 1, "neither a stream nor a" },
		{ STEP_CONNECT, EAGAIN, 1, "backlog is full" },
		{ STEP_CONNECT, EACCES, 1, "connect: a?b: Permission denied" },
		{ STEP_PEER, EPERM, 2, "peer: a?b: its user is neither" },
		{ STEP_PASS, EPIPE, 1, "pass: a?b: the receiver has closed" },
		{ STEP_PASS, ECONNRESET, 1, "the receiver has closed" },
		{ STEP_PASS, EAGAIN, 1, "queue is full" },
		{ STEP_PASS, EPERM, 1, "refuses descriptors" },
		{ STEP_PASS, ETOOMANYREFS, 1, "ulimit -n" },
		{ STEP_LISTEN, EADDRINUSE, 1, "receive: a?b: somebody" },
		{ STEP_LISTEN, EEXIST, 1, "in the way" },
		{ STEP_RECEIVE, ENOMSG, 1, "has hung up without a message" },
		{ STEP_RECEIVE, ETIMEDOUT, 1, "--wait" },
		{ STEP_RECEIVE, EBADMSG, 1, "without a descriptor" },
		{ STEP_RECEIVE, E2BIG, 1, "more than one descriptor" },
		{ STEP_RECEIVE, EMFILE, 1, "ulimit -n" },
		{ STEP_RECEIVE, EMSGSIZE, 1, "4096 bytes" },
		{ STEP_RECEIVE, ENOTTY, 1, "not a pidfd" },
		{ STEP_RECEIVE, EREMOTE, 1, "PID namespace" },
		{ STEP_RECEIVE, ECHILD, 1, "does not reap" },
		{ STEP_PID_FILE, EEXIST, 1, "--pid-file: a?b: in the way" },
		{ STEP_PID_FILE, EROFS, 1, "Read-only file system" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		explain_step(cases[i].step, cases[i].error, "a\nb", &said);
		expect(cases[i].lines, cases[i].text);
	}
}

/* The contract's words: programs look at them */
Test(explain, classes)
{
	static const char *const classes[] = {
		[STEP_BEGIN] = "usage", [STEP_PRINT] = "usage",
		[STEP_STATUS_FD] = "usage", [STEP_ADDRESS] = "usage",
		[STEP_PARENT] = "usage", [STEP_PID] = "usage",
		[STEP_FD] = "usage",
		[STEP_CONNECT] = "connect", [STEP_PEER] = "peer",
		[STEP_CGROUP] = "clone3", [STEP_PREPARE] = "clone3",
		[STEP_CLONE3] = "clone3", [STEP_MAP] = "clone3",
		[STEP_EMULATE] = "clone3", [STEP_EXEC] = "exec",
		[STEP_INTERPRETER] = "exec", [STEP_STATIC] = "exec",
		[STEP_PASS] = "pass",
		[STEP_LISTEN] = "receive", [STEP_RECEIVE] = "receive",
		[STEP_PID_FILE] = "hold", [STEP_HOLD] = "hold",
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		cr_expect_str_eq(explain_class((enum step)i), classes[i]);
}

Test(explain, a_kernel_without_the_flags)
{
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = CLONE_AUTOREAP | CLONE_NNP });
	expect(2, "clone3: EINVAL: Linux 7.0.1 has no CLONE_AUTOREAP, "
		  "CLONE_NNP (since 7.1)\n"
		  "spawnfd: run it on Linux 7.1 or newer, or with --fallback");
	refuse((struct refusal){ .error = EINVAL,
				 .fallback = true,
				 .unknown = CLONE_NNP | CLONE_EMPTY_MNTNS,
				 .not_emulable = CLONE_EMPTY_MNTNS });
	expect(2, "or newer; --fallback has nothing in place of "
		  "CLONE_EMPTY_MNTNS");
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = CLONE_EMPTY_MNTNS,
				 .not_emulable = CLONE_EMPTY_MNTNS });
	cr_expect_null(strstr(said.bytes, "--fallback"));
	expect(2, "run it on Linux 7.1 or newer");
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = UINT64_C(1) << 38 });
	expect(1, "has no flag 0x4000000000");
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = CLONE_NNP | UINT64_C(1) << 38 });
	expect(1, "CLONE_NNP (since 7.1), flag 0x4000000000");
}

Test(explain, other_reasons_for_einval)
{
	refuse((struct refusal){ .error = EINVAL, .rule = "the rule" });
	expect(1, "clone3: EINVAL: the rule");
	refuse((struct refusal){ .error = EINVAL, .flags = CLONE_PARENT });
	expect(1, "CLONE_PARENT is not for");
	refuse((struct refusal){ .error = EINVAL, .flags = CLONE_NNP });
	expect(1, "does not take them together");
}

Test(explain, permission)
{
	refuse((struct refusal){ .error = EPERM,
				 .denied = CLONE_PIDFD_AUTOKILL });
	expect(2, "clone3: EPERM: CLONE_PIDFD_AUTOKILL without CLONE_NNP");
	refuse((struct refusal){ .error = EPERM,
				 .denied = CLONE_NEWNS | CLONE_NEWPID });
	expect(1, "CLONE_NEWNS|CLONE_NEWPID");
	refuse((struct refusal){ .error = EPERM,
				 .denied = CLONE_EMPTY_MNTNS | CLONE_NEWNS });
	expect(2, "clone3: EPERM: CLONE_EMPTY_MNTNS takes CAP_SYS_ADMIN\n"
		  "spawnfd: run it as root, or in a user namespace: --kill-tree");
	refuse((struct refusal){ .error = EPERM });
	expect(1, "clone3: EPERM: not permitted here");
}

Test(explain, no_user_namespace)
{
	refuse((struct refusal){ .error = EPERM, .denied = CLONE_NEWUSER,
				 .mapped = true });
	expect(2, "clone3: EPERM: this user may make no user namespace: "
		  "in a chroot no user may");
	/* a security module's error */
	refuse((struct refusal){ .error = EACCES, .denied = CLONE_NEWUSER,
				 .mapped = true, .userns = "the.switch is 0" });
	expect(2, "clone3: EACCES: this user may make no user namespace: "
		  "the.switch is 0\nspawnfd: root (CAP_SYS_ADMIN)");
	/* asked for by hand */
	refuse((struct refusal){ .error = EPERM, .denied = CLONE_NEWUSER });
	expect(1, "clone3: EPERM: not permitted here: CLONE_NEWUSER");
}

Test(explain, filters)
{
	refuse((struct refusal){ .error = ENOSYS, .clone3 = CLONE3_FILTERED });
	expect(2, "clone3: ENOSYS: a seccomp filter refuses clone3");
	refuse((struct refusal){ .error = EPERM, .clone3 = CLONE3_FILTERED,
				 .denied = CLONE_PIDFD_AUTOKILL });
	expect(2, "seccomp");
}

Test(explain, kernels_without_clone3)
{
	refuse((struct refusal){ .error = ENOSYS, .clone3 = CLONE3_MISSING,
				 .release = "4.19.0" });
	expect(2, "Linux 4.19.0 has no clone3 (since 5.3)\n"
		  "spawnfd: a newer Linux helps, or --fallback");
}

Test(explain, cgroups_and_limits)
{
	const struct {
		int error, lines;
		const char *text;
	} cases[] = {
		{ EBADF, 1, "EBADF: /c?d: not a directory of a cgroup v2" },
		{ ENOENT, 1, "/c?d: the cgroup is gone" },
		{ ENODEV, 1, "/c?d: the cgroup is gone" },
		{ EACCES, 2, "/c?d: no write permission on cgroup.procs" },
		{ EBUSY, 2, "cgroup.subtree_control" },
		{ EOPNOTSUPP, 2, "domain invalid" },
		{ EAGAIN, 1, "/c?d: pids.max" },
		{ ENOSPC, 1, "/c?d: its cpuset" },
		{ EMFILE, 1, "EMFILE: no descriptor" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuse((struct refusal){ .error = cases[i].error,
					 .cgroup = "/c\nd" });
		expect(cases[i].lines, cases[i].text);
	}
	refuse((struct refusal){ .error = EAGAIN });
	expect(1, "EAGAIN: a limit on processes");
	refuse((struct refusal){ .error = ENOSPC });
	expect(1, "ENOSPC: a limit on namespaces: /proc/sys/user/max_*, or "
		  "more than 32");
	refuse((struct refusal){ .error = EBUSY });
	expect(1, "EBUSY: Device or resource busy");
}

Test(explain, errors)
{
	explain_error(EINVAL, &said);
	expect(1, "EINVAL (Invalid argument)");
	explain_error(4000, &said);
	expect(1, "error 4000 (");
}
