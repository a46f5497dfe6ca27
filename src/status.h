/* SPDX-License-Identifier: MIT */
/*
 * status - how a command ended, to exit statuses and to words.
 *
 * Pure. A wait status is what wait(2) gives; the exit_code of pidfd_info is
 * one too.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdint.h>

#include "text.h"

/* spawnfd's own exit statuses; timeout(1) and env(1) use the same */
enum {
	EXIT_TIMED_OUT = 124,
	EXIT_FAILED = 125,	/* spawnfd itself */
	EXIT_CANNOT_RUN = 126,	/* COMMAND is there, but cannot be run */
	EXIT_NOT_FOUND = 127	/* COMMAND is not there */
};

/* What $? will show: the exit status, or 128+N for signal N */
int status_code(int wait_status);

/* The signal that ended it, or 0 */
int status_signal(int wait_status);

/* "SIGTERM", "signal 34" */
void status_print_signal(int signal, struct text *text);

/* "exited with 42", "killed by SIGSEGV (core dumped)" */
void status_print(int wait_status, struct text *text);

/*
 * The lines of --status-fd, each one JSON object and a newline: where --receive
 * listens; what runs (inode 0: there is no pidfd), with the flags emulated; how
 * a hold ended, with what $? will be, and what spawnfd ended it for, or NULL;
 * and what spawnfd failed at, with error 0 where no system call is to blame.
 */
void status_listening(const char *address, struct text *text);
void status_running(int pid, uint64_t inode, uint64_t emulated,
		    struct text *text);
void status_ended(int code, int wait_status, const char *ended_by,
		  struct text *text);
void status_failed(int code, const char *class, int error, struct text *text);

/* The payload that a pidfd is passed on with, in the same form */
void status_message(int pid, uint64_t inode, uint64_t flags,
		    struct text *text);

#endif
