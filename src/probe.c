/* SPDX-License-Identifier: MIT */
/* probe - see probe.h. It must never make a process. */
#include "probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "sys.h"

/* Linux 5.3 brought it */
static bool is_too_old(const char *release)
{
	const char *minor = strchr(release, '.');

	return atoi(release) < 5 ||
	       (atoi(release) == 5 && minor && atoi(minor + 1) < 3);
}

enum clone3 probe_meaning(int error, const char *release)
{
	if (error == EINVAL)
		return CLONE3_AVAILABLE;
	return error == ENOSYS && is_too_old(release) ? CLONE3_MISSING
						      : CLONE3_FILTERED;
}

enum clone3 probe_clone3(void)
{
	struct utsname system = { 0 };

	uname(&system);
	return probe_meaning(-sys_clone3(NULL), system.release);
}

/*
 * The error of a clone3 that cannot succeed: the pidfd has nowhere to go, which
 * is noticed after everything else (EFAULT; Linux 7.3, kernel/fork.c). EINVAL:
 * the flag is unknown; EPERM: it is, but not permitted.
 */
static int ask(uint64_t flag, uint64_t with)
{
	const struct sys_clone_args args = {
		.flags = CLONE_PIDFD | flag | with,
		.pidfd = ~UINT64_C(0),
	};

	return -sys_clone3(&args);
}

bool probe_is_denial(int error)
{
	return error == EPERM || error == EACCES;
}

/* What the kernel wants beside a flag before it looks at the flag itself */
static uint64_t companions(uint64_t flag)
{
	return flag == CLONE_PIDFD_AUTOKILL ? CLONE_AUTOREAP : 0;
}

enum support probe_support(enum clone3 clone3, uint64_t flag)
{
	/* which is what --autokill asks for */
	uint64_t with = flag == CLONE_PIDFD_AUTOKILL ? CLONE_NNP : 0;

	if (clone3 != CLONE3_AVAILABLE)
		return clone3 == CLONE3_MISSING ? SUPPORT_NO : SUPPORT_DENIED;
	switch (ask(flag, companions(flag) | with)) {
	case EINVAL:
		return SUPPORT_NO;
	case EPERM:
	case EACCES:
	case ENOSPC:	/* none of these namespaces: /proc/sys/user/max_* */
		return SUPPORT_DENIED;
	default:
		return SUPPORT_YES;
	}
}

uint64_t probe_unknown(uint64_t flags)
{
	uint64_t unknown = 0;

	/* the lower half is as old as clone(2), and has rules of its own */
	flags &= ~(uint64_t)UINT32_MAX;
	for (uint64_t left = flags; left; left &= left - 1) {
		uint64_t flag = left & -left;

		if (ask(flag, companions(flag)) == EINVAL)
			unknown |= flag;
	}
	return unknown;
}

uint64_t probe_denied(uint64_t flags)
{
	const uint64_t permitting = flags & (CLONE_NNP | CLONE_NEWUSER);
	uint64_t denied = 0;

	/* with a user namespace that is denied all the others seem to be */
	if (flags & CLONE_NEWUSER && probe_is_denial(ask(CLONE_NEWUSER, 0)))
		return CLONE_NEWUSER;
	for (uint64_t left = flags; left; left &= left - 1) {
		uint64_t flag = left & -left;

		if (probe_is_denial(ask(flag, companions(flag) | permitting)))
			denied |= flag;
	}
	return denied;
}
