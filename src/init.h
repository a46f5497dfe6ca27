/* SPDX-License-Identifier: MIT */
/*
 * init - the process 1 of --kill-tree, between spawnfd and COMMAND.
 *
 * It is a hold within the new PID namespace: it starts COMMAND, passes signals
 * on to it, reaps, and ends as COMMAND did. Then, or when it is killed, the
 * kernel kills all that is left in there: pid_namespaces(7).
 */
#ifndef INIT_H
#define INIT_H

#include "child.h"
#include "spawn.h"

/*
 * For launch->init. What becomes of COMMAND goes to child->report, as notices.
 * Where --empty-mntns leaves no place for it, no /proc is mounted.
 */
noreturn void init_run(const struct launch *launch, const struct child *child,
		       const struct signals *signals);

#endif
