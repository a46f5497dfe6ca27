/* SPDX-License-Identifier: MIT */
/* fallback - see fallback.h. It must never drop a flag that nobody emulates. */
#include "fallback.h"

#include <errno.h>
#include <signal.h>

#include "probe.h"

/*
 * child_emulate does the work, except for two flags: the exec resets signal
 * handlers (execve(2)), and COMMAND's parent reaps it.
 */
static const uint64_t emulated = CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP |
				 CLONE_AUTOREAP | CLONE_NNP |
				 CLONE_PIDFD_AUTOKILL;

uint64_t fallback_not_emulable(uint64_t flags, bool passes)
{
	uint64_t here = emulated;

	/*
	 * Only the kernel can bind COMMAND's life to a pidfd. PR_SET_PDEATHSIG
	 * binds it to spawnfd, which exits after --pass.
	 */
	if (passes)
		here &= ~CLONE_PIDFD_AUTOKILL;
	return flags & ~here;
}

/* clone(2) takes 32 bits of flags, and the lowest 8 are the exit signal */
uint64_t fallback_clone2_lacks(const struct launch *launch)
{
	const uint64_t has = UINT32_MAX & ~(uint64_t)CSIGNAL;

	return launch->args.flags & ~has;
}

uint64_t fallback_lacking_here(const struct launch *launch, enum clone3 clone3,
			       int error)
{
	if (clone3 != CLONE3_AVAILABLE)
		return fallback_clone2_lacks(launch);
	/* The call was clone(2); probing clone3 would say nothing about it. */
	if (launch->use_old_clone)
		return 0;
	/* E2BIG: before Linux 5.7, clone3's struct had no cgroup. */
	return error == EINVAL || error == E2BIG
		       ? probe_unknown(launch->args.flags)
		       : 0;
}

/*
 * qemu-user and gVisor refuse CLONE_PIDFD in clone(2) with EINVAL. The pidfd of
 * a child that is not reaped yet can be opened later: pidfd_open(2). qemu-user
 * also takes no other exit signal than SIGCHLD.
 */
static int leave_out_pidfd(struct launch *launch, int error)
{
	if (error != EINVAL || !(launch->args.flags & CLONE_PIDFD))
		return -error;
	launch->args.flags &= ~(uint64_t)CLONE_PIDFD;
	launch->opens_pidfd = true;
	if (!launch->args.exit_signal)
		launch->args.exit_signal = SIGCHLD;
	return 0;
}

int fallback_adapt(struct launch *launch, bool passes, int error)
{
	struct sys_clone_args *args = &launch->args;
	enum clone3 clone3;
	uint64_t missing;
	bool by_clone;

	if (launch->use_old_clone)
		return leave_out_pidfd(launch, error);
	clone3 = probe_clone3();
	by_clone = clone3 != CLONE3_AVAILABLE;
	missing = fallback_lacking_here(launch, clone3, error);
	if ((!by_clone && !missing) || fallback_not_emulable(missing, passes))
		return -error;
	args->flags &= ~missing;
	/*
	 * CLONE_AUTOREAP goes with exit signal 0. An ordinary child has
	 * SIGCHLD; with another one, a parent that does not use __WALL or
	 * __WCLONE could not wait for it before its exec (wait(2)).
	 */
	if (missing & CLONE_AUTOREAP && !launch->checks_exec)
		args->exit_signal = SIGCHLD;
	launch->use_old_clone = by_clone;
	launch->emulated = missing;
	return 0;
}
