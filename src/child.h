/* SPDX-License-Identifier: MIT */
/*
 * child - what the child does between clone3 and the exec.
 *
 * The child has a copy of spawnfd's memory, or shares it (vfork.h). It must not
 * allocate memory, write to stdio streams or return. No other file of the
 * program calls _exit(2).
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdnoreturn.h>

#include "notice.h"
#include "sys.h"

struct child {
	char **command;			/* argv of COMMAND, ends in NULL */
	char **environment;
	/* PID_VARIABLES entries of environment that name spawnfd, or NULL */
	char **const *pid_variables;
	const char *path;		/* the value of PATH, or NULL */
	int exec_fd;			/* the file of COMMAND, or -1 */
	struct sys_sigset mask;		/* the signals that COMMAND blocks */
	bool ignore_sigchld;		/* COMMAND starts ignoring SIGCHLD */
	bool new_session;		/* COMMAND calls setsid(2) */
	pid_t group;			/* the group to join, or 0 */
	bool takes_terminal;		/* gives that group the terminal */
	uint64_t emulated;		/* clone flags to emulate */
	int cgroup;			/* the directory of --cgroup, or -1 */
	int stop_signal;		/* raised before the exec; or 0 */
	/* in memory that the child shares with spawnfd; or NULL */
	struct notice *exec_outcome;
	/* without exec_outcome: where notices go; close-on-exec */
	int notice_fd;
	/* spawnfd's end of it, of which the child has a copy to close */
	int parent_notice_fd;
};

/*
 * Emulates flags, restores what spawnfd changed for itself (signal mask,
 * SIGCHLD), and executes COMMAND. If that fails, writes a NOTICE_FAILED to
 * exec_outcome or notice_fd, and exits. If it cannot write the notice, it dies
 * by SIGKILL. A child that shares memory also exits
 * when a stop signal reaches it before the exec; the notice is
 * NOTICE_LEFT_TO_STOP then.
 */
noreturn void child_run(const struct child *child);

/*
 * The first part of child_run, for the init too: emulates flags. Gives 0, or
 * -errno with *ret_failure. Exits if spawnfd has ended already and the child
 * must not outlive it.
 */
int child_emulate(const struct child *child, struct failure *ret_failure);

/* _exit(2): runs no exit handlers, and flushes no streams of the parent */
noreturn void child_exit(int code);

#endif
