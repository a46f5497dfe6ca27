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

#include "explain.h"
#include "sys.h"

/* What names a process to it: sd_listen_fds(3), sd_watchdog_enabled(3) */
enum child_name {
	CHILD_LISTEN_PID,
	CHILD_WATCHDOG_PID,
	CHILD_LISTEN_PIDFDID,	/* since systemd 258: the inode of its pidfd */
	CHILD_NAMES
};

/* What comes out of the pipe of a child that could not execute COMMAND */
struct child_failure {
	enum step step;
	int error;
};

struct child {
	char **command;			/* argv, ends in NULL */
	char **environment;
	char **names[CHILD_NAMES];	/* variables with spawnfd's, or NULL */
	const char *path;		/* the value of PATH, or NULL */
	struct sys_sigset mask;		/* the signals that COMMAND blocks */
	bool ignore_sigchld;		/* what spawnfd found, and changed */
	bool new_session;
	uint64_t emulated;		/* flags to be made up for: --fallback */
	int cgroup;			/* of CLONE_INTO_CGROUP among them */
	int report;			/* write end of a close-on-exec pipe */
	int parent;			/* its read end, which only spawnfd has */
};

/*
 * Gives COMMAND the surroundings that spawnfd found and executes it. If that
 * fails, report gets a struct child_failure.
 */
noreturn void child_run(const struct child *child);

#endif
