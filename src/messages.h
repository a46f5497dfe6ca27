/* SPDX-License-Identifier: MIT */
/*
 * messages - writes to standard error and to --status-fd while spawnfd runs:
 * errors, the lines of --verbose, and status lines.
 *
 * An error on standard error is always written. Any other line is dropped if
 * there is no room for it, so that a slow reader cannot hold up spawnfd.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "explain_refusal.h"
#include "held.h"
#include "spawn.h"

/* The readers of the messages */
struct audience {
	int status_fd;		/* the FD of --status-fd, or -1 */
	bool verbose;		/* --verbose was given */
};

/* Error: the command line is wrong; spawnfd exits with status 125 */
void message_mistake(const struct audience *audience,
		     const struct mistake *mistake);

/* Error: spawnfd failed, and exits with this code */
void message_failure(const struct audience *audience,
		     const struct failure *failure, int code);

/* Error: clone3 refused the call; spawnfd exits with status 125 */
void message_refusal(const struct audience *audience,
		     const struct refusal *refusal);

/* --verbose: the flags that spawnfd adds to those that the options name */
void message_flags_added(const struct audience *audience, uint64_t added);

/* --verbose: the flags that --fallback emulates */
void message_emulated(const struct audience *audience, uint64_t emulated);

/*
 * --verbose: the line of --dry-run, and the result of the call. r is the result
 * of spawn; process is used if r is not negative.
 */
void message_call(const struct audience *audience, const struct launch *launch,
		  int r, const struct process *process);

/* --verbose: COMMAND does not run before this cgroup is thawed */
void message_frozen(const struct audience *audience, const char *cgroup);

/* --verbose and status line: --receive accepts connections at the address */
void message_listening(const struct audience *audience, const char *address);

/*
 * --verbose: COMMAND was executed, or a process was received; and the reason
 * why --kill-tree could not mount a /proc
 */
void message_started(const struct audience *audience,
		     const struct process *process);

/* Status line: the pid and the inode of the process, which runs now */
void message_running(const struct audience *audience,
		     const struct process *process);

/* --verbose: the message that carries the pidfd was sent to the address */
void message_passed(const struct audience *audience, const char *address);

/*
 * --verbose: an event of a hold. EVENT_REFUSED is written without --verbose
 * too.
 */
void message_event(const struct audience *audience,
		   const struct process *process, enum hold_event event,
		   int signal, enum cause cause, int error);

/*
 * --verbose: COMMAND has ended and left this process of its tree, or is_killed
 * and the kernel is to kill it. pid is its pid in the tree.
 */
void message_left(const struct audience *audience,
		  const struct process *process, pid_t pid, const char *name,
		  bool is_killed);

/*
 * --verbose and status line: the process has ended with this wait status, and
 * spawnfd exits with this code
 */
void message_ended(const struct audience *audience, const struct hold *hold,
		   int code, int wait_status);

/* Warning, also without --verbose: a received process can outlive its holder */
void message_not_autokill(void);

#endif
