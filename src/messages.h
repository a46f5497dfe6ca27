/* SPDX-License-Identifier: MIT */
/*
 * messages - what goes to standard error and to --status-fd while spawnfd runs:
 * errors, and what --verbose and a status line say of events.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "hold.h"
#include "spawn.h"

/* Who is to hear of it */
struct audience {
	int status_fd;		/* -1: nobody */
	bool verbose;
};

/* Each tells what went wrong, and gives the exit status for it, never 0 */
int message_mistake(const struct audience *audience,
		    const struct mistake *mistake);
int message_failure(const struct audience *audience, enum step step, int error,
		    const char *subject);
int message_refusal(const struct audience *audience,
		    const struct launch *launch, bool passes, int error);
/* What was added to the flags named, if anything */
void message_flags_added(const struct audience *audience, uint64_t added);

/* What spawnfd is to do in place of the kernel, if anything */
void message_emulated(const struct audience *audience, uint64_t emulated);

/* The line of --dry-run with what came of it: r is of spawn */
void message_call(const struct audience *audience, const struct launch *launch,
		  int r, const struct process *process);

void message_listening(const struct audience *audience, const char *address);

/* That COMMAND is executed, or a process received */
void message_started(const struct audience *audience,
		     const struct process *process);

/* That it may be known by its pid now */
void message_running(const struct audience *audience,
		     const struct process *process);

void message_passed(const struct audience *audience, const char *address);

/* For observers of a hold */
void message_event(const struct audience *audience,
		   const struct process *process, enum hold_event event,
		   int signal, enum cause cause);

void message_ended(const struct audience *audience, const struct hold *hold,
		   int code, int wait_status);

/* To everybody: what is held does not die with spawnfd */
void message_not_autokill(void);

#endif
