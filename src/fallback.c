/* SPDX-License-Identifier: MIT */
/* fallback - see fallback.h. It must never leave out what nobody makes up for. */
#include "fallback.h"

#include <errno.h>
#include <signal.h>

#include "probe.h"

/* See child.c; but for two: exec clears signal handlers, and spawnfd reaps */
static const uint64_t emulated = CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP |
				 CLONE_AUTOREAP | CLONE_NNP |
				 CLONE_PIDFD_AUTOKILL;

uint64_t fallback_beyond(uint64_t flags, bool passes)
{
	uint64_t here = emulated;

	/* nothing but the kernel can bind it to an open file */
	if (passes)
		here &= ~CLONE_PIDFD_AUTOKILL;
	return flags & ~here;
}

/* It has the lower half, the lowest byte of which is the exit signal */
uint64_t fallback_needed(const struct launch *launch)
{
	const uint64_t has = UINT32_MAX & ~(uint64_t)CSIGNAL;

	return launch->args.flags & ~has;
}

int fallback_adapt(struct launch *launch, bool passes, int error)
{
	struct sys_clone_args *args = &launch->args;
	bool by_clone = probe_clone3() != CLONE3_AVAILABLE;
	uint64_t missing = 0;

	if (by_clone)
		missing = fallback_needed(launch);
	else if (error == EINVAL || error == E2BIG)
		/* E2BIG: before 5.7 there was no room for a cgroup */
		missing = probe_unknown(args->flags);
	if ((!by_clone && !missing) || fallback_beyond(missing, passes))
		return -error;
	args->flags &= ~missing;
	/* init, to whom it may come, waits for none without one: wait(2) */
	if (missing & CLONE_AUTOREAP)
		args->exit_signal = SIGCHLD;
	launch->by_clone = by_clone;
	launch->emulated = missing;
	return 0;
}
