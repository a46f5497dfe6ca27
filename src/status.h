/* SPDX-License-Identifier: MIT */
/*
 * status - turns the end of COMMAND, or a failure, into an exit status and into
 * words.
 *
 * Pure. A wait status is encoded as in wait(2). The exit_code of struct
 * pidfd_info is one too (ioctl_pidfd(2)).
 */
#ifndef STATUS_H
#define STATUS_H

#include "step.h"
#include "text.h"

/* spawnfd's own exit statuses; timeout(1) and env(1) use the same */
enum {
	EXIT_TIMED_OUT = 124,	/* --timeout ran out */
	EXIT_FAILED = 125,	/* spawnfd itself failed */
	EXIT_CANNOT_RUN = 126,	/* COMMAND exists, but cannot be run */
	EXIT_NOT_FOUND = 127	/* COMMAND does not exist */
};

/* The value of $? in a shell: the exit status, or 128+N after signal N */
int status_code(int wait_status);

/* The signal that killed COMMAND; 0 if it exited */
int status_signal(int wait_status);

/* The exit status of spawnfd after this failure: 125, 126 or 127 */
int status_of_failure(const struct failure *failure);

/* Appends the name of the signal, as "SIGTERM"; "signal 34" without a name */
void status_print_signal(int signal, struct text *text);

/*
 * Appends how COMMAND ended, as "exited with 42" or "killed by SIGSEGV (core
 * dumped)"
 */
void status_print(int wait_status, struct text *text);

#endif
