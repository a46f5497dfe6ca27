/* SPDX-License-Identifier: MIT */
/*
 * fallback - another call in place of a clone3 that the kernel, or a seccomp
 * filter, has refused: with the flags that there are, and the rest left to the
 * child and to spawnfd.
 */
#ifndef FALLBACK_H
#define FALLBACK_H

#include "explain.h"
#include "spawn.h"

/* The flags that clone(2), in place of a clone3 that is not there, lacks */
uint64_t fallback_clone2_lacks(const struct launch *launch);

/* Those that are lacking here, when the call of the launch has failed so */
uint64_t fallback_lacking_here(const struct launch *launch, enum clone3 clone3,
			       int error);

/* Those of flags that there is nothing for, if the pidfd is to be passed on */
uint64_t fallback_not_emulable(uint64_t flags, bool passes);

/*
 * error is that of clone3 for this launch. 0: the launch is now one that does
 * the nearest thing; else -error, and it is as it was: what was wrong was no
 * lack of the kernel's, or one that nothing honest helps against.
 */
int fallback_adapt(struct launch *launch, bool passes, int error);

#endif
