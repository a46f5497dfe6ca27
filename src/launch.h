/* SPDX-License-Identifier: MIT */
/* launch - turns options and environment into what spawn runs, and how. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "options.h"
#include "spawn.h"

/*
 * Says what COMMAND is, in a launch that is all zero: its argv, its environment
 * and the PATH to find it in. The launch points into options and environment,
 * which must outlive it. --exec-fd needs no more.
 */
void launch_name_command(const struct options *options, char **environment,
			 struct launch *launch);

/*
 * Fills a launch that is all zero. The launch points into options and
 * environment, which must outlive it. With --kill-tree, asks the kernel whether
 * this process has CAP_SYS_ADMIN; changes nothing. -EINVAL with *ret_mistake if
 * clone3 would refuse the flags on every kernel (not checked with --exact), or
 * if an option needs a pidfd that --exact leaves out.
 */
int launch_from_options(const struct options *options, char **environment,
			struct launch *launch, struct mistake *ret_mistake);

#endif
