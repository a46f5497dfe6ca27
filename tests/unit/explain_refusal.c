/* SPDX-License-Identifier: MIT */
/* explain_refusal: each refusal has the right words, and one line or two */
#include "explain_refusal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "said.h"
#include "sys.h"

static void refuse(struct refusal refusal)
{
	if (!refusal.release[0])
		strcpy(refusal.release, "7.0.1");
	explain_refusal(&refusal, &said);
}

Test(explain_refusal, a_kernel_without_the_flags)
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
	expect(2, "or newer; --fallback cannot emulate "
		  "CLONE_EMPTY_MNTNS");
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = CLONE_EMPTY_MNTNS,
				 .not_emulable = CLONE_EMPTY_MNTNS });
	cr_expect_null(strstr(said.bytes, "--fallback"));
	expect(2, "run it on Linux 7.1 or newer");
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = UINT64_C(1) << 62 });
	expect(1, "has no flag 0x4000000000000000");
	refuse((struct refusal){ .error = EINVAL,
				 .unknown = CLONE_NNP | UINT64_C(1) << 62 });
	expect(1, "CLONE_NNP (since 7.1), flag 0x4000000000000000");
}

Test(explain_refusal, exact_excludes_fallback)
{
	refuse((struct refusal){ .error = EINVAL, .unknown = CLONE_NNP,
				 .exact = true });
	cr_expect_null(strstr(said.bytes, "--fallback"));
	expect(2, "run it on Linux 7.1 or newer");
	refuse((struct refusal){ .error = ENOSYS, .clone3 = CLONE3_FILTERED,
				 .exact = true });
	cr_expect_null(strstr(said.bytes, "--fallback"));
	expect(2, "seccomp");
}

Test(explain_refusal, other_reasons_for_einval)
{
	refuse((struct refusal){ .error = EINVAL, .rule = "the rule" });
	expect(1, "clone3: EINVAL: the rule");
	refuse((struct refusal){ .error = EINVAL, .flags = CLONE_PARENT });
	expect(1, "CLONE_PARENT is not for");
	refuse((struct refusal){ .error = EINVAL, .flags = CLONE_NNP });
	expect(1, "does not take them together");
	refuse((struct refusal){ .error = EINVAL, .flags = CLONE_NEWPID,
				 .is_unshared = true });
	expect(2, "use unshare(1) with --fork");
	/* an emulator, and one without a pidfd */
	refuse((struct refusal){ .error = EINVAL, .flags = CLONE_NEWPID,
				 .used_clone2 = true });
	expect(1, "clone(2), which is called instead, does not take "
		  "CLONE_NEWPID");
	refuse((struct refusal){ .error = ENOSYS, .used_clone2 = true,
				 .opened_pidfd = true });
	expect(1, "there is no way to a pidfd");
}

Test(explain_refusal, permission)
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
	/* "run it as root" would be no advice to root */
	refuse((struct refusal){ .error = EPERM, .is_root = true,
				 .denied = CLONE_PIDFD_AUTOKILL });
	expect(2, "or give it CAP_SYS_ADMIN, which root lacks here");
	refuse((struct refusal){ .error = EPERM, .is_root = true,
				 .denied = CLONE_EMPTY_MNTNS });
	expect(2, "give it CAP_SYS_ADMIN, which root lacks here, or run it in");
}

/* Then only a filter or a security module can have denied it. */
Test(explain_refusal, permission_with_the_capability)
{
	static const uint64_t denied[] = {
		CLONE_NEWPID, CLONE_EMPTY_MNTNS, CLONE_PIDFD_AUTOKILL,
	};

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		refuse((struct refusal){ .error = EPERM, .is_root = true,
					 .is_admin = true,
					 .denied = denied[i] });
		cr_expect_not_null(strstr(said.bytes, "clone3: EPERM: not "
					  "permitted here: CLONE_"));
		expect(2, "this process has CAP_SYS_ADMIN, so a seccomp filter "
			  "or a security module denies it: see the AppArmor");
	}
	/* user_namespaces(7): in a chroot no capability helps. */
	refuse((struct refusal){ .error = EPERM, .is_root = true,
				 .is_admin = true, .denied = CLONE_NEWUSER });
	expect(1, "clone3: EPERM: not permitted here: CLONE_NEWUSER");
}

Test(explain_refusal, no_user_namespace)
{
	refuse((struct refusal){ .error = EPERM, .denied = CLONE_NEWUSER,
				 .needs_id_map = true });
	expect(2, "clone3: EPERM: this user may make no user namespace: "
		  "in a chroot no user may");
	refuse((struct refusal){ .error = EPERM, .denied = CLONE_NEWUSER,
				 .needs_id_map = true,
				 .userns = USERNS_SWITCH_CLONE });
	expect(2, "clone3: EPERM: this user may make no user namespace: "
		  "kernel.unprivileged_userns_clone is 0\n"
		  "spawnfd: root (CAP_SYS_ADMIN) needs no user namespace for --kill-tree");
	/* EACCES comes from a security module. */
	refuse((struct refusal){ .error = EACCES, .denied = CLONE_NEWUSER,
				 .needs_id_map = true,
				 .userns = USERNS_SWITCH_APPARMOR });
	expect(2, "clone3: EACCES: this user may make no user namespace: "
		  "kernel.apparmor_restrict_unprivileged_userns is 1\n"
		  "spawnfd: give spawnfd an AppArmor profile with \"userns,\"; "
		  "root (CAP_SYS_ADMIN) needs no user namespace for --kill-tree");
	/* --raw-flags named CLONE_NEWUSER, not --kill-tree. */
	refuse((struct refusal){ .error = EPERM, .denied = CLONE_NEWUSER });
	expect(1, "clone3: EPERM: not permitted here: CLONE_NEWUSER");
}

/* The reason is the same, whichever option named CLONE_NEWUSER. */
Test(explain_refusal, no_id_in_the_user_namespace)
{
	for (int i = 0; i < 4; i++) {
		refuse((struct refusal){ .error = EPERM,
					 .denied = CLONE_NEWUSER,
					 .needs_id_map = i & 1,
					 .is_admin = i & 2,
					 .lacks_id = true });
		expect(2, "clone3: EPERM: this user or its group has no id in "
			  "this user namespace\n"
			  "spawnfd: map both, with unshare --map-current-user ");
	}
	/* The error is about another flag. */
	refuse((struct refusal){ .error = EPERM, .denied = CLONE_EMPTY_MNTNS,
				 .lacks_id = true });
	expect(2, "clone3: EPERM: CLONE_EMPTY_MNTNS takes CAP_SYS_ADMIN\n");
}

Test(explain_refusal, a_user_namespace_without_capabilities)
{
	const uint64_t flags = CLONE_NEWUSER | CLONE_NEWPID;

	refuse((struct refusal){ .error = EPERM, .flags = flags,
				 .denied = CLONE_NEWPID, .needs_id_map = true });
	expect(2, "clone3: EPERM: this user gets no capabilities in a user "
		  "namespace: a security module denies them, as AppArmor does "
		  "where kernel.apparmor_restrict_unprivileged_userns is 1\n"
		  "spawnfd: give spawnfd an AppArmor profile with \"userns,\", "
		  "or run it as root");
	refuse((struct refusal){ .error = EACCES, .denied = CLONE_NEWPID,
				 .flags = flags, .needs_id_map = true,
				 .userns = USERNS_SWITCH_APPARMOR });
	expect(2, "in a user namespace: "
		  "kernel.apparmor_restrict_unprivileged_userns is 1\n");
	/* --kill-tree makes one, so it would be no advice. */
	refuse((struct refusal){ .error = EPERM, .is_root = true,
				 .flags = flags | CLONE_EMPTY_MNTNS,
				 .denied = CLONE_NEWPID | CLONE_EMPTY_MNTNS });
	expect(2, "clone3: EPERM: this user gets no capabilities in a user");
	cr_expect_null(strstr(said.bytes, "--kill-tree"));
	/* The capability for that would have to be in the namespace outside. */
	refuse((struct refusal){ .error = EPERM,
				 .flags = flags | CLONE_PIDFD_AUTOKILL,
				 .denied = CLONE_PIDFD_AUTOKILL });
	expect(2, "clone3: EPERM: CLONE_PIDFD_AUTOKILL without CLONE_NNP");
}

Test(explain_refusal, filters)
{
	refuse((struct refusal){ .error = ENOSYS, .clone3 = CLONE3_FILTERED });
	expect(2, "clone3: ENOSYS: a seccomp filter refuses clone3");
	refuse((struct refusal){ .error = EPERM, .clone3 = CLONE3_FILTERED,
				 .denied = CLONE_PIDFD_AUTOKILL });
	expect(2, "seccomp");
}

Test(explain_refusal, kernels_without_clone3)
{
	refuse((struct refusal){ .error = ENOSYS, .clone3 = CLONE3_MISSING,
				 .release = "4.19.0" });
	expect(2, "Linux 4.19.0 has no clone3 (since 5.3)\n"
		  "spawnfd: run it on Linux 5.3 or newer, or --fallback");
}

Test(explain_refusal, cgroups_and_limits)
{
	const struct {
		int error, lines;
		const char *text;
	} cases[] = {
		{ EBADF, 1, "EBADF: /c?d: not a directory of a cgroup v2" },
		{ ENOENT, 1, "/c?d: the cgroup has been removed" },
		{ ENODEV, 1, "/c?d: the cgroup has been removed" },
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
	refuse((struct refusal){ .error = ENOSPC,
				 .limit = "/proc/sys/user/max_x_namespaces" });
	expect(2, "ENOSPC: a limit on namespaces: /proc/sys/user/"
		  "max_x_namespaces is 0\nspawnfd: write a higher number");
	refuse((struct refusal){ .error = EBUSY });
	expect(1, "EBUSY: Device or resource busy");
	refuse((struct refusal){ .error = ENOSPC, .needs_id_map = true,
				 .limit = "/proc/sys/user/max_user_namespaces" });
	expect(2, "as root; root (CAP_SYS_ADMIN) needs no user namespace");
	/* Root needs a PID namespace as well. */
	refuse((struct refusal){ .error = ENOSPC, .needs_id_map = true,
				 .limit = "/proc/sys/user/max_pid_namespaces" });
	cr_expect_null(strstr(said.bytes, "; root"));
	expect(2, "as root");
}
