/* SPDX-License-Identifier: MIT */
/*
 * COMMAND is not executed if spawnfd cannot give it the signal mask that was
 * found, or a session of its own, or cannot keep a descriptor from it.
 */
#include "files.h"
#include "harness.h"
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A system call that is refused if the low half of an argument has a value */
struct rule {
	unsigned int call, argument, value, error;
};

static void refuse(const void *arg)
{
	const struct rule *rule = arg;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->call, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (unsigned int)offsetof(struct seccomp_data, args) +
				 8 * rule->argument),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | rule->error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(96);
}

/*
 * In spawnfd, only the child before the exec, and the init, set a signal mask
 * without asking for the old one.
 */
EVERY_WAY(no_command_without_its_signal_mask)
{
	const struct rule rule = { SYS_rt_sigprocmask, 2, 0, EINVAL };
	const struct way way = { .prepare = refuse, .arg = &rule };
	const char *mark = scratch_path("mark");
	struct ended e;

	run(&e, &way, ARGV(spawnfd, with, actor, "mark", mark));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: cannot start: EINVAL");
	cr_expect_not(exists(mark));
}

EVERY_WAY(no_command_without_its_session)
{
	const struct denial denial = { EPERM, { SYS_setsid } };
	const struct way way = { .prepare = deny_calls, .arg = &denial };
	const char *mark = scratch_path("mark");
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--new-session", with, actor, "mark",
			   mark));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: cannot start: EPERM");
	cr_expect_not(exists(mark));
}

/* If no signal can be blocked around a write, none is unblocked after it. */
SystemTest(usage, writes_do_not_change_the_signal_mask)
{
	const struct rule rule = { SYS_rt_sigprocmask, 0, SIG_BLOCK, EINVAL };
	const struct way way = { .prepare = refuse, .arg = &rule };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "-v", "grep", "SigBlk",
			   "/proc/self/status"));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "SigBlk:\t0000000000000000\n");
}

static int kept;	/* what 9 is a copy of in the tests below */

static void inherit_and_refuse(const void *arg)
{
	inherit_as(kept, 9);
	refuse(arg);
}

SystemTest(usage, no_command_with_a_descriptor_of_an_option)
{
	static const char *const options[] = { "--status-fd=9",
					       "--die-with-fd=9" };
	const struct rule rule = { SYS_fcntl, 1, F_SETFD, EPERM };
	const struct way way = { .prepare = inherit_and_refuse, .arg = &rule };
	const char *mark = scratch_path("mark");
	struct ended e;
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
		     0);
	kept = ends[0];
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		run(&e, &way, ARGV(spawnfd, options[i], actor, "mark", mark));
		expect_refusal(&e, 125);
		expect_said(&e, "Operation not permitted");
		cr_expect_not(exists(mark), "%s", options[i]);
	}
	close(ends[0]);
	close(ends[1]);
}
