/* SPDX-License-Identifier: MIT */
/*
 * held - what a hold knows: its state, in one group of fields for each job, and
 * the events that it reports.
 *
 * Only hold.c and the files hold_*.c look at the groups. A caller fills the
 * fields above them, and reads `ending` when the hold is over.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"
#include "signals.h"
#include "triggers.h"

/*
 * Without --kill-tree, spawnfd holds COMMAND alone. With it there are two
 * holds: the outer one is spawnfd's and holds the init; the init's own one, in
 * the new PID namespace, holds COMMAND.
 */
enum role {
	ROLE_ALONE,
	ROLE_OUTER,
	ROLE_INIT
};

/* What a hold tells its observer. Each event comes with a signal */
enum hold_event {
	EVENT_FORWARDED,	/* a signal that spawnfd got was sent on */
	EVENT_NOT_SENT,		/* a signal that spawnfd got could not be */
	EVENT_ENDING,		/* an end began, with this signal */
	EVENT_SIGKILL,		/* the time of --kill-after ran out */
	EVENT_REFUSED,		/* the kernel refused a signal of an end */
	EVENT_STOPPED,		/* COMMAND stopped, and spawnfd stops too */
	EVENT_STOPPED_ALONE	/* COMMAND stopped in a group of its own */
};

struct hold_observer {
	void *context;
	/*
	 * COMMAND has been executed, or a process was received. A negative
	 * return value ends the hold with that error; the observer has killed
	 * the process then, if it had to.
	 */
	int (*running)(void *context);
	void (*event)(void *context, enum hold_event event, int signal,
		      enum cause cause);
};

/* Of hold_ending.c; deadlines are those of clock.h */
struct hold_ending {
	uint64_t timeout_deadline;	/* of --timeout */
	uint64_t kill_deadline;		/* when SIGKILL follows */
	uint64_t reap_deadline;		/* when somebody else must have reaped */
	enum cause cause;		/* why spawnfd ends COMMAND */
	bool end_was_sent;		/* the kernel took a signal of the end */
	bool sigkill_sent;
};

/* Of hold_stop.c */
struct hold_stop {
	/* a terminal's stop signal was forwarded to COMMAND in another group */
	bool is_shared;
	/* ROLE_INIT: the outer hold was told of a stop, and has not asked yet */
	bool is_reported;
	/* ROLE_INIT: the outer hold knows that COMMAND is stopped */
	bool outer_knows;
};

/* Of hold_tree.c: what the init has told the outer hold */
struct hold_tree {
	bool exec_known;		/* COMMAND was executed, or was not */
	int reported_stop;		/* the signal of a stop, or 0 */
	int reply;			/* to a question: 1, 0, or -1 for none */
	int init_error;			/* an errno: the init failed later on */
	bool command_ended;
	int command_status;		/* the wait status of COMMAND */
};

struct hold {
	struct process *process;
	struct signals *signals;
	const struct triggers *triggers;
	enum role role;
	bool leads_session;		/* COMMAND does: --new-session */
	bool clocks_from_clone;		/* --cgroup: the exec may be frozen */
	/* socket between the outer hold and the init's, or -1 */
	int notice_fd;
	const struct hold_observer *observer;

	bool is_pid_1;			/* this process is */
	struct hold_ending ending;
	struct hold_stop stop;
	struct hold_tree tree;
};

static inline void held_report(const struct hold *hold, enum hold_event event,
			       int signal, enum cause cause)
{
	hold->observer->event(hold->observer->context, event, signal, cause);
}

#endif
