/* SPDX-License-Identifier: MIT */
/*
 * spawn - starts COMMAND, or the init of --kill-tree: the parent's side of
 * clone3, and how the exec went.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>

#include "child.h"
#include "pid_variables.h"
#include "process.h"
#include "signals.h"
#include "sys.h"
#include "triggers.h"

/* The process to start, and how; launch_from_options fills it */
struct launch {
	struct sys_clone_args args;	/* without pidfd and cgroup */
	const char *cgroup;		/* NULL without CLONE_INTO_CGROUP */
	char **command;			/* argv of COMMAND, ends in NULL */
	char **environment;
	/* set by spawn_prepare: entries of environment that name spawnfd */
	char **pid_variables[PID_VARIABLES];
	const char *path;		/* the value of PATH, or NULL */
	int exec_fd;			/* set by spawn_prepare; or -1 */
	bool exec_by_fd;		/* --empty-mntns: no path leads to it */
	bool new_session;		/* COMMAND calls setsid(2) */
	bool job_control;		/* COMMAND is held: its stops matter */
	/*
	 * spawnfd ends before COMMAND does, so it must know that COMMAND was
	 * executed. COMMAND then starts without the exit signal SIGCHLD.
	 */
	bool checks_exec;
	bool may_vfork;			/* spawnfd may wait for the exec */
	bool ignore_sigchld;		/* COMMAND starts ignoring SIGCHLD */
	/* --kill-tree: what the child runs instead of COMMAND; never returns */
	void (*init)(const struct launch *launch, const struct child *child,
		     const struct signals *signals);
	struct triggers init_triggers;	/* --kill-after and --signal for it */
	bool waits_for_tree;		/* --wait-tree */
	bool tells_left;		/* who is left in the tree is asked */
	bool needs_id_map;		/* --kill-tree in a user namespace */
	bool two_groups;		/* from source_spawn: hold_group.h */
	pid_t group;			/* the group to join, or 0 */
	bool takes_terminal;		/* COMMAND gives it the terminal */
	bool fallback;			/* --fallback was given */
	bool use_old_clone;		/* clone(2) instead of clone3 */
	bool opens_pidfd;		/* that clone(2) has no CLONE_PIDFD */
	uint64_t emulated;		/* flags that --fallback emulates */
};

/*
 * Gives the exit signal as a set for signals_block. A child that ends without
 * an exec, as the init does, sends that signal to spawnfd, which must not end
 * or stop by it. 0 for no exit signal, and for SIGCHLD, which does neither.
 */
uint64_t spawn_exit_signal_set(const struct launch *launch);

/*
 * Finds the environment variables that name spawnfd. With exec_by_fd, also
 * looks up COMMAND and opens its file; launch owns that descriptor, which is
 * close-on-exec and above 2. Errors of search_try and open(2).
 */
int spawn_prepare(struct launch *launch, struct failure *ret_failure);

/*
 * Makes the process; needs spawn_prepare, and the signals of signals_block.
 * Returns before the exec, unless the child shares spawnfd's memory. The caller
 * owns the descriptors in *ret_process. On failure nothing is left of the
 * process, and *ret_failure has the step: STEP_CGROUP, STEP_PREPARE,
 * STEP_CLONE3 or STEP_MAP.
 */
int spawn(const struct launch *launch, const struct signals *signals,
	  struct process *ret_process, struct failure *ret_failure);

/*
 * Finds out how the exec went. The caller knows from poll(2) that exec_pipe has
 * something to read, or has put the init's notice into exec_outcome. Gives 0 if
 * COMMAND was executed. Without launch->checks_exec, it also gives 0 if COMMAND
 * was killed before that. On failure nothing is left of the process; the step
 * says what failed.
 */
int spawn_read_outcome(const struct launch *launch, struct process *process,
		       struct failure *ret_failure);

/*
 * Waits for the exec, then does what spawn_read_outcome does. Also fails with
 * the errors of signals_poll: -EINTR if a signal is to end spawnfd. Nothing is
 * left of the process then either.
 */
int spawn_await_exec(const struct launch *launch, struct signals *signals,
		     struct process *process, struct failure *ret_failure);

#endif
