/* SPDX-License-Identifier: MIT */
/*
 * status_lines - the lines of --status-fd, and the payload of a pass: each one
 * JSON object and a newline, at the end of text.
 *
 * Pure. The man page promises these lines to programs.
 */
#ifndef STATUS_LINES_H
#define STATUS_LINES_H

#include <stdint.h>

#include "text.h"

/* --receive is ready at this address */
void status_line_listening(const char *address, struct text *text);

/*
 * COMMAND runs, or was received. A pid of 0: it had ended before it was
 * received; an inode of 0: there is no pidfd. emulated are the flags that
 * --fallback makes up for.
 */
void status_line_running(int pid, uint64_t inode, uint64_t emulated,
			 struct text *text);

/*
 * A hold has ended. code is what $? will be, wait_status how COMMAND ended, and
 * ended_by why spawnfd ended it, or NULL.
 */
void status_line_ended(int code, int wait_status, const char *ended_by,
		       struct text *text);

/* spawnfd itself failed; class is that of step.h, error an errno or 0 */
void status_line_failed(int code, const char *class, int error,
			struct text *text);

/* The payload that a pidfd is passed with; flags are those of clone3 */
void status_line_payload(int pid, uint64_t inode, uint64_t flags,
			 struct text *text);

#endif
