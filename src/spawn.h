/* SPDX-License-Identifier: MIT */
/*
 * spawn - the parent's half of clone3, and the confirmation of the exec.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>

#include "child.h"
#include "process.h"
#include "signals.h"
#include "sys.h"

/* What is to be run, and how */
struct launch {
	struct sys_clone_args args;	/* of clone_args_fill */
	const char *cgroup;		/* NULL without CLONE_INTO_CGROUP */
	char **command;
	char **environment;
	char **pid_variables[PID_VARIABLES]; /* of spawn_prepare */
	const char *path;		/* the value of PATH, or NULL */
	int exec_fd;			/* of spawn_prepare, or -1 */
	bool exec_by_fd;		/* there will be no path to it */
	bool new_session;
	bool job_control;		/* its stops are to be noticed */
	bool may_vfork;			/* spawnfd may wait for the exec */
	bool ignore_sigchld;		/* as whoever started spawnfd did */
	/* of --kill-tree: */
	void (*init)(const struct launch *launch, const struct child *child,
		     const struct signals *signals);	/* never returns */
	bool needs_id_map; /* its user namespace gets this user */
	/* of --fallback: */
	bool fallback;			/* was asked for */
	bool use_old_clone;		/* clone(2), for there is no clone3 */
	uint64_t emulated;		/* flags that args has no longer */
};

/*
 * The exit signal as a set, if it is one that has an effect where nobody
 * expects it: for signals_block
 */
uint64_t spawn_exit_signal_set(const struct launch *launch);

/*
 * Finds what only spawnfd can: the variables that name it, and the file of a
 * COMMAND that is executed where no path leads to it. -errno of that file.
 */
int spawn_prepare(struct launch *launch, struct failure *ret_failure);

/*
 * Makes the process; signals are those of signals_block. On failure nothing is
 * left of it.
 */
int spawn(const struct launch *launch, const struct signals *signals,
	  struct process *ret_process, struct failure *ret_failure);

/*
 * Reads the report, once there is one: COMMAND is executed, or was killed on
 * the way there. -errno if it could not be executed: nothing is
 * left of the process then.
 */
int spawn_read_outcome(const struct launch *launch, struct process *process,
		       struct failure *ret_failure);

/*
 * Waits until COMMAND is executed, or was killed on the way there. Errors
 * as above, and of signals_poll.
 */
int spawn_await_exec(const struct launch *launch, struct signals *signals,
		     struct process *process, struct failure *ret_failure);

/*
 * Kills the process and leaves nothing of it. One that the kernel lets nobody
 * kill, for it is of another user now, goes only with an autokill pidfd.
 */
void spawn_kill(struct process *process);

#endif
