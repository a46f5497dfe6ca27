/* SPDX-License-Identifier: MIT */
/*
 * child - what runs between clone3 and exec.
 *
 * No allocation, no stdio, no return, and the only _exit of the program: it
 * runs on a copy of the parent's memory.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdnoreturn.h>

#include "notice.h"
#include "sys.h"

/* What names a process to it: sd_listen_fds(3), sd_watchdog_enabled(3) */
enum pid_variable {
	VARIABLE_LISTEN_PID,
	VARIABLE_WATCHDOG_PID,
	VARIABLE_LISTEN_PIDFDID, /* since systemd 258: the inode of its pidfd */
	PID_VARIABLES
};

struct child {
	char **command;			/* argv, ends in NULL */
	char **environment;
	char **const *pid_variables;	/* variables with spawnfd's, or NULL */
	const char *path;		/* the value of PATH, or NULL */
	int exec_fd;			/* COMMAND, opened before; or -1 */
	struct sys_sigset mask;		/* the signals that COMMAND blocks */
	bool ignore_sigchld;		/* what spawnfd found, and changed */
	bool new_session;
	uint64_t emulated;		/* flags to make up for: --fallback */
	int cgroup;			/* of CLONE_INTO_CGROUP among them */
	int stop_signal;		/* the signal that stops it, or 0 */
	struct notice *exec_outcome;	/* in shared memory; or NULL, and */
	int notice_fd;			/* close-on-exec: for notices */
	int parent_notice_fd;		/* the end of it for spawnfd alone */
};

/*
 * Gives COMMAND the surroundings that spawnfd found and executes it. If that
 * fails, outcome or report gets a NOTICE_FAILED. With an outcome a signal that
 * stops a process ends this one before: NOTICE_STOPPED.
 */
noreturn void child_run(const struct child *child);

/* Its first part: makes up for what clone3 could not do */
int child_emulate(const struct child *child, struct failure *ret_failure);

/* Its end, if it comes to that: exits, and leaves what is the parent's alone */
noreturn void child_exit(int code);

#endif
