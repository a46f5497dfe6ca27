/* SPDX-License-Identifier: MIT */
/*
 * explain_refusal - says in words why clone3 has refused a call.
 *
 * Pure. diagnose.c finds out the reasons, by asking the kernel.
 */
#ifndef EXPLAIN_REFUSAL_H
#define EXPLAIN_REFUSAL_H

#include "explain.h"

/* The sysctl that keeps users from making or using a user namespace */
enum userns_switch {
	USERNS_SWITCH_NONE,
	USERNS_SWITCH_CLONE,	/* kernel.unprivileged_userns_clone is 0 */
	/* kernel.apparmor_restrict_unprivileged_userns is 1 */
	USERNS_SWITCH_APPARMOR
};

/* Everything that is known when clone3 has refused a call */
struct refusal {
	int error;		/* the errno of the call */
	uint64_t flags;		/* the flags of the call */
	uint64_t unknown;	/* flags that this kernel lacks */
	uint64_t denied;	/* flags that the kernel denies to this user */
	enum clone3 clone3;
	bool used_clone2;	/* the call was clone(2), after clone3 */
	bool opened_pidfd;	/* and was followed by pidfd_open(2) */
	bool fallback;		/* --fallback was given, and did not help */
	bool exact;		/* --exact was given, which excludes it */
	uint64_t not_emulable;	/* unknown flags that --fallback cannot do */
	const char *rule;	/* the rule that the flags break, or NULL */
	char release[65];	/* the kernel's release, from uname(2) */
	const char *cgroup;	/* the directory of --cgroup, or NULL */
	const char *limit;	/* a file in /proc/sys/user with 0, or NULL */
	bool is_root;		/* the effective user id is 0 */
	bool is_admin;		/* this process has CAP_SYS_ADMIN */
	bool is_unshared;	/* unshare(2) gave children a PID namespace */
	bool needs_id_map;	/* --kill-tree added CLONE_NEWUSER */
	/* known if the call has CLONE_NEWUSER, and a flag is denied */
	enum userns_switch userns;
	bool lacks_id;		/* id_map_lacks_us() */
};

/*
 * Appends the message, which begins with "clone3: " and the name of the error.
 * It has a second line if the user can do something about the refusal.
 */
void explain_refusal(const struct refusal *refusal, struct text *text);

#endif
