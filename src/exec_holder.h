/* SPDX-License-Identifier: MIT */
/*
 * exec_holder - executes COMMAND in the place of spawnfd, with a received pidfd
 * as one of its descriptors.
 */
#ifndef EXEC_HOLDER_H
#define EXEC_HOLDER_H

#include "process.h"
#include "step.h"
#include "sys.h"

/* The COMMAND of --exec-fd, and how it is executed */
struct exec_holder {
	char **command;			/* argv of COMMAND, ends in NULL */
	char **environment;
	const char *path;		/* the value of PATH, or NULL */
	int fd;				/* the FD of the option */
	const struct sys_sigset *mask;	/* the signal mask of COMMAND */
};

/*
 * Checks that the limit on open files (RLIMIT_NOFILE) allows fd, before there
 * is a process that the failure would end. Gives 0; or -EBADF, and fills
 * *ret_failure.
 */
int exec_holder_check(int fd, struct failure *ret_failure);

/*
 * Puts the pidfd of the process at holder->fd, and executes COMMAND. COMMAND
 * inherits the environment, with SPAWNFD_PIDFD, and with SPAWNFD_PROCESS unless
 * the process has ended. Returns on failure only: gives -errno with
 * *ret_failure. What was open at holder->fd is there again then, and spawnfd
 * has the signal mask of COMMAND.
 */
int exec_holder_run(const struct exec_holder *holder,
		    const struct process *process,
		    struct failure *ret_failure);

#endif
