/* SPDX-License-Identifier: MIT */
/*
 * status_lines - the lines of --status-fd, and the payload of the message that
 * --pass sends. Each function appends one JSON object and a newline to text.
 *
 * Pure. The man page promises the members of these objects to programs.
 */
#ifndef STATUS_LINES_H
#define STATUS_LINES_H

#include <stdint.h>

#include "text.h"

/* --receive is ready at this address */
void status_line_listening(const char *address, struct text *text);

/*
 * COMMAND runs, or was received. pid is 0 if COMMAND had ended before it was
 * received. inode is 0 if there is no pidfd. emulated has the flags that
 * --fallback emulates.
 */
void status_line_running(int pid, uint64_t inode, uint64_t emulated,
			 struct text *text);

/*
 * COMMAND has ended while spawnfd held it. code is the value of $? after
 * spawnfd, wait_status that of COMMAND. ended_by says why spawnfd ended
 * COMMAND; it is NULL if spawnfd did not. left and killed count the processes
 * of a tree that COMMAND left, and that had to be killed; -1 if not known.
 */
void status_line_ended(int code, int wait_status, const char *ended_by,
		       int left, int killed, struct text *text);

/*
 * spawnfd itself failed, and exits with this code. class is the word that
 * step_class gives. error is an errno; 0 if no system call failed.
 */
void status_line_failed(int code, const char *class, int error,
			struct text *text);

/*
 * The payload of the message that carries the pidfd. flags are those that
 * clone3 was called with.
 */
void status_line_payload(int pid, uint64_t inode, uint64_t flags,
			 struct text *text);

#endif
