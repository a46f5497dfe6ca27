/* SPDX-License-Identifier: MIT */
/*
 * messages - what goes to standard error and to --status-fd while spawnfd runs:
 * errors, and what --verbose and a status line say of events.
 *
 * Errors are always written. Everything else is dropped when the reader is slow
 * or gone, so that nobody can hold up spawnfd.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "explain_refusal.h"
#include "held.h"
#include "spawn.h"

/* Who reads the messages */
struct audience {
	int status_fd;		/* of --status-fd; -1 for none */
	bool verbose;
};

/* A wrong command line; the exit status is 125 */
void message_mistake(const struct audience *audience,
		     const struct mistake *mistake);

/* spawnfd failed; code is the exit status for that */
void message_failure(const struct audience *audience,
		     const struct failure *failure, int code);

/* clone3 refused the call; the exit status is 125 */
void message_refusal(const struct audience *audience,
		     const struct refusal *refusal);

/* --verbose: flags that spawnfd adds to those that were requested */
void message_flags_added(const struct audience *audience, uint64_t added);

/* --verbose: flags that --fallback emulates */
void message_emulated(const struct audience *audience, uint64_t emulated);

/* --verbose: the line of --dry-run with its result, where r is that of spawn */
void message_call(const struct audience *audience, const struct launch *launch,
		  int r, const struct process *process);

/* --receive is ready */
void message_listening(const struct audience *audience, const char *address);

/* --verbose: COMMAND was executed, or a process received */
void message_started(const struct audience *audience,
		     const struct process *process);

/* Status line: the process may be known by its pid now */
void message_running(const struct audience *audience,
		     const struct process *process);

/* --verbose: the message has been sent */
void message_passed(const struct audience *audience, const char *address);

/* An event of a hold: --verbose, and for everybody what has no effect */
void message_event(const struct audience *audience,
		   const struct process *process, enum hold_event event,
		   int signal, enum cause cause);

/* A hold has ended; code is the exit status */
void message_ended(const struct audience *audience, const struct hold *hold,
		   int code, int wait_status);

/* For everybody: what was received does not die with spawnfd */
void message_not_autokill(void);

#endif
