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
int tell_mistake(const struct audience *audience,
		 const struct mistake *mistake);
int tell_failure(const struct audience *audience, enum step step, int error,
		 const char *subject);
int tell_refusal(const struct audience *audience, const struct launch *launch,
		 bool passes, int error);
/* What was added to the flags named, if anything */
void tell_added(const struct audience *audience, uint64_t added);

/* What spawnfd is to do in place of the kernel, if anything */
void tell_emulated(const struct audience *audience, uint64_t emulated);

/* The line of --dry-run with what came of it: r is of spawn */
void tell_call(const struct audience *audience, const struct launch *launch,
	       int r, const struct process *process);

void tell_listening(const struct audience *audience, const char *address);

/* That COMMAND is executed, or a process received */
void tell_source(const struct audience *audience,
		 const struct process *process);

/* That it may be known by its pid now */
void tell_running(const struct audience *audience,
		  const struct process *process);

void tell_passed(const struct audience *audience, const char *address);

/* For observers of a hold */
void tell_happened(const struct audience *audience,
		   const struct process *process, enum happening what,
		   int signal, enum cause cause);

void tell_ended(const struct audience *audience, const struct hold *hold,
		int code, int wait_status);

/* To everybody: what is held does not die with spawnfd */
void tell_unkillable(void);

#endif
