/* SPDX-License-Identifier: MIT */
/*
 * status - how a command ended, and what failed, to exit statuses and to words.
 *
 * Pure. A wait status is what wait(2) gives; the exit_code of pidfd_info is
 * one too.
 */
#ifndef STATUS_H
#define STATUS_H

#include "step.h"
#include "text.h"

/* spawnfd's own exit statuses; timeout(1) and env(1) use the same */
enum {
	EXIT_TIMED_OUT = 124,
	EXIT_FAILED = 125,	/* spawnfd itself */
	EXIT_CANNOT_RUN = 126,	/* COMMAND exists, but cannot be run */
	EXIT_NOT_FOUND = 127	/* COMMAND does not exist */
};

/* What $? will show: the exit status, or 128+N for signal N */
int status_code(int wait_status);

/* The signal that ended COMMAND, or 0 */
int status_signal(int wait_status);

/* The exit status for this failure: 125, 126 or 127 */
int status_of_failure(const struct failure *failure);

/* "SIGTERM", "signal 34" */
void status_print_signal(int signal, struct text *text);

/* "exited with 42", "killed by SIGSEGV (core dumped)" */
void status_print(int wait_status, struct text *text);

#endif
