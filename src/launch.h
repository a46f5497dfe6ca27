/* SPDX-License-Identifier: MIT */
/* launch - options and environment to what spawn is to run, and how. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "options.h"
#include "spawn.h"

/*
 * Fills a launch that is all zero; it points into options and environment from
 * then on. Asks the kernel for this process's capabilities under --kill-tree,
 * and nothing else. -EINVAL with *ret_mistake if clone3 would refuse the flags
 * on every kernel.
 */
int launch_from_options(const struct options *options, char **environment,
			struct launch *launch, struct mistake *ret_mistake);

#endif
