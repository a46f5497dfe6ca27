/* SPDX-License-Identifier: MIT */
/*
 * init - process 1 of the PID namespace of --kill-tree, between spawnfd and
 * COMMAND.
 *
 * The init is the inner one of two holds: it starts COMMAND, forwards signals
 * to it, reaps orphans, and exits with the exit status of COMMAND. When the
 * init ends, also by SIGKILL, the kernel kills every process that is left in
 * the namespace (pid_namespaces(7)).
 */
#ifndef INIT_H
#define INIT_H

#include "child.h"
#include "spawn.h"

/*
 * For launch->init: runs in the child of clone3, in place of child_run. Tells
 * spawnfd over child->notice_fd what becomes of COMMAND. Mounts a /proc for the
 * PID namespace, except with --empty-mntns, where there is no place for one.
 */
noreturn void init_run(const struct launch *launch, const struct child *child,
		       const struct signals *signals);

#endif
