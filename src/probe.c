/* SPDX-License-Identifier: MIT */
/* probe - see probe.h. It must never make a process. */
#include "probe.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

bool probe_is_older(const char *release, int major, int minor)
{
	const char *point = strchr(release, '.');

	return atoi(release) < major ||
	       (atoi(release) == major && point && atoi(point + 1) < minor);
}

enum clone3 probe_meaning(int error, const char *release)
{
	if (error == EINVAL)
		return CLONE3_AVAILABLE;
	/* clone3(2): Linux 5.3 is the first that has it. */
	return error == ENOSYS && probe_is_older(release, 5, 3)
		       ? CLONE3_MISSING
		       : CLONE3_FILTERED;
}

enum clone3 probe_clone3(void)
{
	struct utsname system = { 0 };

	uname(&system);
	return probe_meaning(-sys_clone3(NULL), system.release);
}

/*
 * The call cannot succeed, because the kernel cannot write the pidfd to this
 * address. It tries to after all checks of the flags, and when the namespaces
 * are made (Linux 7.3, kernel/fork.c). EINVAL: the kernel does not know a flag;
 * EPERM: it knows the flags, but does not permit them.
 */
int probe_call(const struct sys_clone_args *args)
{
	struct sys_clone_args call = *args;

	call.flags |= CLONE_PIDFD;
	call.pidfd = ~UINT64_C(0);
	return -sys_clone3(&call);
}

/* Calls clone3 with a flag, and others with it, and gives the errno */
static int try_flag(uint64_t flag, uint64_t with)
{
	return probe_call(&(struct sys_clone_args){ .flags = flag | with });
}

bool probe_is_denial(int error)
{
	return error == EPERM || error == EACCES;
}

/* Flags without which the kernel answers EINVAL to a flag that it knows */
static uint64_t companions(uint64_t flag)
{
	return flag == CLONE_PIDFD_AUTOKILL ? CLONE_AUTOREAP : 0;
}

/* Whether a flag can be used, from the errno of a call with it */
static enum support support_of(int error)
{
	switch (error) {
	case EINVAL:
	case E2BIG:	/* before Linux 5.7, clone3's struct had no cgroup */
		return SUPPORT_NO;
	case EPERM:
	case EACCES:
	case ENOSPC:	/* a limit in /proc/sys/user/max_* is reached */
		return SUPPORT_DENIED;
	default:
		return SUPPORT_YES;
	}
}

enum support probe_support(enum clone3 clone3, uint64_t flag)
{
	/* --autokill adds CLONE_NNP. Without it, users get EPERM. */
	uint64_t with = flag == CLONE_PIDFD_AUTOKILL ? CLONE_NNP : 0;

	if (clone3 != CLONE3_AVAILABLE)
		return clone3 == CLONE3_MISSING ? SUPPORT_NO : SUPPORT_DENIED;
	return support_of(try_flag(flag, companions(flag) | with));
}

enum support probe_unnamed(enum clone3 clone3, uint64_t flag)
{
	/*
	 * spawnfd does not know what the flag does. Even if it keeps the kernel
	 * from writing the pidfd, the call fails: no such cgroup is open.
	 */
	const struct sys_clone_args args = {
		.flags = flag | CLONE_INTO_CGROUP,
		.cgroup = INT_MAX,
	};

	return clone3 == CLONE3_AVAILABLE ? support_of(probe_call(&args))
					  : SUPPORT_NO;
}

uint64_t probe_unknown(uint64_t flags)
{
	uint64_t unknown = 0;

	/*
	 * Other flags of the lower half are older than clone3, and the kernel
	 * answers EINVAL to some of them for other reasons. CLONE_NEWTIME came
	 * with Linux 5.6.
	 */
	flags &= ~(uint64_t)UINT32_MAX | CLONE_NEWTIME;
	for (uint64_t left = flags; left; left &= left - 1) {
		uint64_t flag = left & -left;

		if (try_flag(flag, companions(flag)) == EINVAL)
			unknown |= flag;
	}
	return unknown;
}

uint64_t probe_denied(uint64_t flags)
{
	const uint64_t permitting = flags & (CLONE_NNP | CLONE_NEWUSER);
	uint64_t denied = 0;

	/* A denied user namespace makes all other flags look denied too. */
	if (flags & CLONE_NEWUSER &&
	    probe_is_denial(try_flag(CLONE_NEWUSER, 0)))
		return CLONE_NEWUSER;
	for (uint64_t left = flags; left; left &= left - 1) {
		uint64_t flag = left & -left;

		if (probe_is_denial(try_flag(flag,
					     companions(flag) | permitting)))
			denied |= flag;
	}
	return denied;
}
