/* SPDX-License-Identifier: MIT */
/*
 * fallback - --fallback: another call for a clone3 that the kernel or a seccomp
 * filter has refused. The call has the flags that exist here; the child and
 * spawnfd emulate the others.
 */
#ifndef FALLBACK_H
#define FALLBACK_H

#include "explain.h"
#include "spawn.h"

/* Gives the flags of the launch that clone3 has and clone(2) lacks */
uint64_t fallback_clone2_lacks(const struct launch *launch);

/*
 * Gives the flags of the launch that do not exist here, after its call has
 * failed with `error`, an errno. clone3 is the answer of probe_clone3. May ask
 * the kernel for each flag (probe_unknown).
 */
uint64_t fallback_lacking_here(const struct launch *launch, enum clone3 clone3,
			       int error);

/*
 * Gives those of the flags that --fallback cannot emulate; `passes` if the
 * pidfd goes to another process.
 */
uint64_t fallback_not_emulable(uint64_t flags, bool passes);

/*
 * Adapts the launch after clone3 has failed with `error`, an errno. Gives 0 if
 * spawn can try again: the launch then makes the nearest call that exists here.
 * Gives -error, and leaves the launch as it was, if the kernel lacks nothing,
 * or lacks a flag that cannot be emulated.
 */
int fallback_adapt(struct launch *launch, bool passes, int error);

#endif
