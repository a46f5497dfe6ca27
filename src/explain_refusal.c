/* SPDX-License-Identifier: MIT */
/*
 * explain_refusal - see explain_refusal.h. It must never ask the kernel
 * anything.
 */
#include "explain_refusal.h"

#include <errno.h>
#include <string.h>

#include "names.h"
#include "sys.h"

static bool is_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void explain_not_emulable(uint64_t not_emulable, struct text *text)
{
	text_add(text, "; --fallback cannot emulate ");
	explain_flags(not_emulable, text);
	/* Without --pass, --fallback emulates it with PR_SET_PDEATHSIG. */
	if (not_emulable & CLONE_PIDFD_AUTOKILL)
		text_add(text, " with --pass");
}

/* Whether --fallback, which was not given, could make this call work */
static bool can_fall_back(const struct refusal *refusal)
{
	return !refusal->not_emulable && !refusal->fallback && !refusal->exact;
}

/*
 * Lists the flags that this kernel lacks. The first Linux that has a flag
 * follows it in parentheses. Neighbours from the same Linux share one mention.
 */
static void explain_unknown(const struct refusal *refusal, struct text *text)
{
	const char *separator = "", *newest = NULL;
	uint64_t left = refusal->unknown;

	text_add(text, "Linux %s has no ", refusal->release);
	while (left) {
		struct flag flag = table_flag(left & -left), next;

		left &= left - 1;
		next = table_flag(left & -left);
		text_add(text, "%s", separator);
		if (flag.symbol)
			text_add(text, "%s", flag.symbol);
		else
			text_add(text, "flag 0x%llx",
				 (unsigned long long)flag.bit);
		if (flag.since && !(left && is_equal(flag.since, next.since)))
			text_add(text, " (since %s)", flag.since);
		separator = ", ";
		newest = flag.since;
	}
	if (newest)
		text_add(text, EXPLAIN_HINT "run it on Linux %s or newer",
			 newest);
	if (newest && can_fall_back(refusal))
		text_add(text, ", or with --fallback");
	if (newest && refusal->not_emulable && refusal->fallback)
		explain_not_emulable(refusal->not_emulable, text);
}

/* An emulator answers for the kernel here, and has reasons of its own */
static void explain_clone2(const struct refusal *refusal, struct text *text)
{
	text_add(text, "clone(2), which is called instead, does not take ");
	explain_flags(refusal->flags, text);
}

static void explain_einval(const struct refusal *refusal, struct text *text)
{
	if (refusal->unknown)
		explain_unknown(refusal, text);
	else if (refusal->rule)
		text_add(text, "%s", refusal->rule);
	else if (refusal->flags & CLONE_PARENT)
		text_add(text, "CLONE_PARENT is not for a process that is "
			 "itself autoreaped, or the init of a PID namespace");
	else if (refusal->is_unshared && refusal->flags & CLONE_NEWPID)
		text_add(text, "the children of this process already have a "
			 "PID namespace of their own, so no other can be made "
			 "for them" EXPLAIN_HINT "use unshare(1) with --fork");
	else if (refusal->used_clone2)
		explain_clone2(refusal, text);
	else
		text_add(text, "the kernel knows these flags, but does not "
			 "take them together");
}

/* In a container root may lack the capability that root has elsewhere */
static const char *privilege(const struct refusal *refusal)
{
	return refusal->is_root ? "give it CAP_SYS_ADMIN, which root lacks here"
				: "run it as root";
}

/*
 * The remedy for a switch of AppArmor. apparmor.d(5): the rule "userns," lets a
 * program make user namespaces, and use them.
 */
#define AN_APPARMOR_PROFILE "give spawnfd an AppArmor profile with \"userns,\""

#define ROOT_NEEDS_NONE \
	"root (CAP_SYS_ADMIN) needs no user namespace for --kill-tree"

/* The kernel denies the user namespace that --kill-tree wants */
static void explain_no_userns(const struct refusal *refusal, struct text *text)
{
	static const char *const why[] = {
		[USERNS_SWITCH_NONE] =
			("in a chroot no user may, and a security module or a "
			 "seccomp filter can deny it"),
		[USERNS_SWITCH_CLONE] = "kernel.unprivileged_userns_clone is 0",
		[USERNS_SWITCH_APPARMOR] =
			"kernel.apparmor_restrict_unprivileged_userns is 1",
	};

	text_add(text, "this user may make no user namespace: %s" EXPLAIN_HINT,
		 why[refusal->userns]);
	if (refusal->userns == USERNS_SWITCH_APPARMOR)
		text_add(text, AN_APPARMOR_PROFILE "; ");
	text_add(text, ROOT_NEEDS_NONE);
}

/*
 * The kernel permits the user namespace, but denies the capabilities that other
 * flags need in it. On Ubuntu 24.04, AppArmor moves the first process there to
 * the profile "unprivileged_userns", which denies all capabilities.
 */
static void explain_weak_userns(const struct refusal *refusal,
				struct text *text)
{
	text_add(text, "this user gets no capabilities in a user namespace: ");
	if (refusal->userns != USERNS_SWITCH_APPARMOR)
		text_add(text, "a security module denies them, as AppArmor "
			 "does where ");
	text_add(text, "kernel.apparmor_restrict_unprivileged_userns is 1"
		 EXPLAIN_HINT AN_APPARMOR_PROFILE ", or %s",
		 privilege(refusal));
}

/* Names the flags that are denied, if it is known which they are */
static void explain_denied(const struct refusal *refusal, struct text *text)
{
	text_add(text, "not permitted here");
	if (!refusal->denied)
		return;
	text_add(text, ": ");
	explain_flags(refusal->denied, text);
	/* No flag but CLONE_NEWUSER takes more than CAP_SYS_ADMIN. */
	if (refusal->is_admin && !(refusal->denied & CLONE_NEWUSER))
		text_add(text, EXPLAIN_HINT "this process has CAP_SYS_ADMIN, "
			 "so a seccomp filter or a security module denies "
			 "it: see the AppArmor profile of spawnfd");
}

static void explain_eperm(const struct refusal *refusal, struct text *text)
{
	const uint64_t denied = refusal->denied;

	if (denied & CLONE_PIDFD_AUTOKILL && !refusal->is_admin) {
		text_add(text, "CLONE_PIDFD_AUTOKILL without CLONE_NNP takes "
			 "CAP_SYS_ADMIN" EXPLAIN_HINT "use --nnp in place of "
			 "--allow-new-privs, or %s", privilege(refusal));
	} else if (denied & CLONE_NEWUSER && refusal->lacks_id) {
		text_add(text, "this user or its group has no id in this user "
			 "namespace" EXPLAIN_HINT "map both, with unshare "
			 "--map-current-user for example");
	} else if (denied & CLONE_NEWUSER && refusal->needs_id_map) {
		explain_no_userns(refusal, text);
	} else if (denied && !(denied & CLONE_NEWUSER) &&
		   refusal->flags & CLONE_NEWUSER) {
		explain_weak_userns(refusal, text);
	} else if (denied & CLONE_EMPTY_MNTNS && !refusal->is_admin) {
		text_add(text, "CLONE_EMPTY_MNTNS takes CAP_SYS_ADMIN"
			 EXPLAIN_HINT "%s, or %sin a user namespace: "
			 "--kill-tree makes one", privilege(refusal),
			 refusal->is_root ? "run it " : "");
	} else {
		explain_denied(refusal, text);
	}
}

/* A filter or an old kernel has refused clone3 without looking at the flags */
static void explain_absence(const struct refusal *refusal, struct text *text)
{
	if (refusal->clone3 == CLONE3_MISSING)
		text_add(text, "Linux %s has no clone3 (since 5.3)" EXPLAIN_HINT
			 "run it on Linux 5.3 or newer", refusal->release);
	else
		text_add(text, "%s" EXPLAIN_HINT "container runtimes do so "
			 "unless CAP_SYS_ADMIN is given, and systemd's "
			 "RestrictNamespaces= does so; use another seccomp "
			 "profile",
			 explain_no_support(refusal->clone3, SUPPORT_NO));
	if (refusal->fallback && refusal->not_emulable)
		explain_not_emulable(refusal->not_emulable, text);
	else if (can_fall_back(refusal))
		text_add(text, ", or --fallback");
}

/*
 * Errors of clone3 that have one cause, or one kind of cause: clone3(2),
 * cgroups(7), kernel/fork.c of Linux 7.3. Rows that need a cgroup come first.
 */
static const struct {
	int error;
	bool cgroup;		/* the cause needs CLONE_INTO_CGROUP */
	const char *why;	/* the cause, in words */
} meanings[] = {
	{ EBADF, true, "not a directory of a cgroup v2 file system" },
	{ ENOENT, true, "the cgroup has been removed, or is outside of "
			"this cgroup namespace" },
	{ ENODEV, true, "the cgroup has been removed" },
	{ EACCES, true, "no write permission on cgroup.procs, there or in the "
			"common ancestor" EXPLAIN_HINT
			"delegate the subtree that holds "
			"both, or run it as root" },
	{ EBUSY, true, "it gives domain controllers to its children "
		       "(cgroup.subtree_control), so no process may be in it"
		       EXPLAIN_HINT "use a cgroup below it" },
	{ EOPNOTSUPP, true, "its type is 'domain invalid', because its "
			    "parent is threaded" EXPLAIN_HINT
			    "write 'threaded' to its cgroup.type" },
	{ EAGAIN, true, "pids.max there or above, or another limit on "
			"processes (ulimit -u, kernel.threads-max, "
			"kernel.pid_max)" },
	{ ENOSPC, true, "its cpuset has no CPUs, or a limit on namespaces "
			"(/proc/sys/user/max_*)" },
	{ EAGAIN, false, "a limit on processes: ulimit -u, pids.max of the "
			 "cgroup, kernel.threads-max or kernel.pid_max" },
	{ ENOSPC, false, "a limit on namespaces: /proc/sys/user/max_*, or more "
			 "than 32 of them inside of one another" },
	{ ENOMEM, false, "no memory, or a PID namespace whose init has ended" },
	{ EMFILE, false, "no descriptor is free for the pidfd; see ulimit -n" },
	{ ENFILE, false, "the system's table of open files is full" },
};

static void explain_meaning(const struct refusal *refusal, struct text *text)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].error != refusal->error ||
		    (meanings[i].cgroup && !refusal->cgroup))
			continue;
		if (meanings[i].cgroup)
			text_add_word(text, refusal->cgroup);
		text_add(text, "%s%s", meanings[i].cgroup ? ": " : "",
			 meanings[i].why);
		return;
	}
	text_add(text, "%s", strerror(refusal->error));
}

/* No limit but one of 0 is known to be reached: the kernel tells no count. */
static void explain_limit(const struct refusal *refusal, struct text *text)
{
	text_add(text, "a limit on namespaces: %s is 0" EXPLAIN_HINT
		 "write a higher number to that file, as root", refusal->limit);
	if (refusal->needs_id_map && strstr(refusal->limit, "user_namespaces"))
		text_add(text, "; " ROOT_NEEDS_NONE);
}

void explain_refusal(const struct refusal *refusal, struct text *text)
{
	const char *name = name_error(refusal->error);

	text_add(text, "clone3: %s: ", name ? name : "unknown error");
	if (refusal->clone3 != CLONE3_AVAILABLE)
		explain_absence(refusal, text);
	else if (refusal->opened_pidfd && refusal->error == ENOSYS)
		text_add(text, "there is no way to a pidfd: clone(2) does not "
			 "take CLONE_PIDFD, and pidfd_open (since Linux 5.3) "
			 "is missing");
	else if (refusal->error == EINVAL)
		explain_einval(refusal, text);
	else if (refusal->error == EPERM || refusal->denied)
		explain_eperm(refusal, text);
	else if (refusal->limit)
		explain_limit(refusal, text);
	else
		explain_meaning(refusal, text);
}
