/* SPDX-License-Identifier: MIT */
/* fallback - see fallback.h. It must never leave out what none makes up for. */
#include "fallback.h"

#include <errno.h>
#include <signal.h>

#include "probe.h"

/* See child.c; but for two: exec clears signal handlers, and spawnfd reaps */
static const uint64_t emulated = CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP |
				 CLONE_AUTOREAP | CLONE_NNP |
				 CLONE_PIDFD_AUTOKILL;

uint64_t fallback_not_emulable(uint64_t flags, bool passes)
{
	uint64_t here = emulated;

	/* nothing but the kernel can bind it to an open file */
	if (passes)
		here &= ~CLONE_PIDFD_AUTOKILL;
	return flags & ~here;
}

/* It has the lower half, the lowest byte of which is the exit signal */
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
	/* clone(2) has answered for itself */
	if (launch->use_old_clone)
		return 0;
	/* E2BIG: before 5.7 there was no room for a cgroup */
	return error == EINVAL || error == E2BIG
		       ? probe_unknown(launch->args.flags)
		       : 0;
}

int fallback_adapt(struct launch *launch, bool passes, int error)
{
	struct sys_clone_args *args = &launch->args;
	enum clone3 clone3 = probe_clone3();
	bool by_clone = clone3 != CLONE3_AVAILABLE;
	uint64_t missing = fallback_lacking_here(launch, clone3, error);

	if ((!by_clone && !missing) || fallback_not_emulable(missing, passes))
		return -error;
	args->flags &= ~missing;
	/* init, to whom it may come, waits for none without one: wait(2) */
	if (missing & CLONE_AUTOREAP)
		args->exit_signal = SIGCHLD;
	launch->use_old_clone = by_clone;
	launch->emulated = missing;
	return 0;
}
