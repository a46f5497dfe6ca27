/* SPDX-License-Identifier: MIT */
/*
 * spawn - the parent's half of clone3, and the confirmation of the exec.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "explain.h"
#include "sys.h"

/* What is to be run, and how */
struct launch {
	struct sys_clone_args args;	/* of clone_args_fill */
	const char *cgroup;		/* NULL without CLONE_INTO_CGROUP */
	char **command;
	char **environment;
	const char *path;		/* the value of PATH, or NULL */
	bool holds;			/* its end will be waited for */
};

/* Whether that takes wait(2): an autoreaped child leaves nothing to it */
static inline bool launch_reaps(const struct launch *launch)
{
	return launch->holds && !(launch->args.flags & CLONE_AUTOREAP);
}

/* A process that spawn has made; its descriptors are the caller's */
struct process {
	pid_t pid;
	int pidfd;			/* -1 without CLONE_PIDFD */
	int report;			/* see child.h; -1 once confirmed */
	struct sys_sigset mask;		/* for the time of holding it */
};

/*
 * Makes the process. All signals are blocked from then on, so that one that the
 * child's end sends (its exit signal) cannot hide why it ended. On failure
 * *ret_step says which step it was, and nothing is left.
 */
int spawn(const struct launch *launch, struct process *ret_process,
	  enum step *ret_step);

/*
 * Waits until COMMAND is executed, or was killed on the way there; -errno with
 * *ret_step if it could not be executed, and nothing is left of the process.
 * Signals are as they were if it is to be held, but for an exit signal of its
 * own, which stays blocked; else they stay blocked: the rest is exit(2).
 */
int spawn_confirm(const struct launch *launch, struct process *process,
		  enum step *ret_step);

#endif
