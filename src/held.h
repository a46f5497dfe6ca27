/* SPDX-License-Identifier: MIT */
/*
 * held - the state of a hold, in one group of fields for each job, and the
 * events that a hold reports.
 *
 * A hold keeps the pidfd of a process and waits until the process ends. Its
 * jobs are in the files hold_*.c. Only these and hold.c use the groups, but the
 * caller may read `ending` after the hold.
 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"
#include "signals.h"
#include "sys.h"
#include "triggers.h"

/*
 * Without --kill-tree, spawnfd holds COMMAND alone. With --kill-tree there are
 * two holds. The outer hold is that of spawnfd, and its process is the init.
 * The other hold is that of the init, and its process is COMMAND.
 */
enum role {
	ROLE_ALONE,
	ROLE_OUTER,
	ROLE_INIT
};

/* Events that the observer is told of, each with a signal */
enum hold_event {
	EVENT_FORWARDED,	/* this signal was forwarded to COMMAND */
	EVENT_NOT_SENT,		/* this signal could not be forwarded */
	EVENT_ENDING,		/* spawnfd begins to end COMMAND with it */
	EVENT_SIGKILL,		/* --kill-after ran out: SIGKILL follows */
	EVENT_REFUSED,		/* COMMAND is there, and cannot be sent it */
	EVENT_STOPPED,		/* COMMAND has stopped; spawnfd stops too */
	EVENT_STOPPED_ALONE,	/* COMMAND has stopped in another group */
	EVENT_STOPPED_FOREGROUND /* the same, and that has the terminal */
};

struct hold_observer {
	void *context;
	/*
	 * COMMAND has been executed, or a process was received. Called once. A
	 * negative return value ends the hold with this error. If the process
	 * must not go on then, the observer has killed it.
	 */
	int (*running)(void *context);
	/*
	 * ROLE_OUTER: COMMAND has ended, and this process of the tree has not;
	 * or is_killed, and it did not end in the time of --kill-after.
	 */
	void (*left)(void *context, pid_t pid, const char *name,
		     bool is_killed);
	/*
	 * cause is why the signal was sent; CAUSE_NONE if COMMAND stopped.
	 * error is the errno of EVENT_NOT_SENT and EVENT_REFUSED, and 0 else.
	 */
	void (*event)(void *context, enum hold_event event, int signal,
		      enum cause cause, int error);
};

/* The state of hold_ending.c. A deadline is a time of clock.h, 0 for never. */
struct hold_ending {
	uint64_t timeout_deadline;	/* when --timeout runs out */
	uint64_t kill_deadline;		/* when SIGKILL follows */
	uint64_t reap_deadline;		/* when the process must be reaped */
	enum cause cause;		/* why spawnfd ends COMMAND */
	bool end_was_sent;		/* a signal to end COMMAND was sent */
	bool sigkill_sent;		/* SIGKILL was sent, the last signal */
	int status_error;		/* -errno: the status is lost; or 0 */
	/* ROLE_OUTER: COMMAND has ended; what runs now is for its tree */
	bool is_for_rest;
	bool is_traced;			/* COMMAND: its tracer must reap it */
};

/* The state of hold_stop.c */
struct hold_stop {
	/* spawnfd must stop as well when COMMAND stops, whatever its group */
	bool is_shared;
	/* COMMAND stopped in a group of its own, which has the terminal */
	bool in_foreground;
	/* ROLE_INIT: a stop was reported, and spawnfd has not asked about it */
	bool is_reported;
	/* ROLE_INIT: spawnfd was told to stop with COMMAND; until SIGCONT */
	bool outer_knows;
	/* ROLE_INIT: spawnfd was told that COMMAND went on after that */
	bool went_on_sent;
	/* ROLE_INIT: a stop signal was sent since COMMAND was seen stopped */
	bool may_stop_again;
	/* COMMAND has had these stop signals; SIGCONT may have undone them */
	struct sys_sigset undone;
	/* spawnfd stopped with a COMMAND that the same SIGCONT did not reach */
	bool command_waits;
};

/* The state of hold_tree.c: the init has told the outer hold this */
struct hold_tree {
	bool exec_known;		/* process->exec_outcome is known */
	int reported_stop;		/* signal that stopped COMMAND, or 0 */
	struct sys_sigset group_signals; /* the init's group had these */
	int question;			/* the number of the last question */
	int reply;			/* its reply: 1, 0; -1: not yet */
	int init_error;			/* errno, if the init failed later */
	bool command_ended;		/* COMMAND ended; the init may go on */
	int command_status;		/* the wait status of COMMAND */
	int left;			/* how many processes it left, or -1 */
	int killed;			/* how many had to be killed, or -1 */
};

/* The state of hold_rest.c, for ROLE_INIT */
struct hold_rest {
	bool begun;			/* COMMAND ended, the init stays */
	bool is_ending;			/* spawnfd has begun to end the tree */
	bool is_stopped;		/* a stop signal went to all of it */
	int question;			/* ASK_ENDED without a reply, or 0 */
	uint64_t deadline;		/* when the kernel kills it, or 0 */
};

struct hold {
	/* The caller fills these fields. */
	struct process *process;	/* the process to wait for */
	struct signals *signals;	/* the signals to spawnfd */
	const struct triggers *triggers; /* why spawnfd might end COMMAND */
	enum role role;
	bool leads_session;		/* the process does: --new-session */
	/*
	 * hold_group.h: the group of COMMAND, if it is not that of spawnfd. The
	 * outer hold does not know its number, and has 1 here. Otherwise 0.
	 */
	pid_t group;
	struct group_leader *leader;	/* ROLE_INIT: of that group, or NULL */
	bool clocks_from_clone;		/* --cgroup: it may freeze the exec */
	bool waits_for_tree;		/* --wait-tree */
	bool is_held;			/* ROLE_INIT: spawnfd holds the init */
	bool tells_left;		/* ROLE_INIT: somebody wants to know */
	/* ROLE_INIT: socket to spawnfd; else -1, and hold_run may set it */
	int notice_fd;
	const struct hold_observer *observer;

	/* hold_run fills these fields, which are zero before. */
	bool is_pid_1;			/* this process is process 1 */
	struct hold_ending ending;
	struct hold_stop stop;
	struct hold_tree tree;
	struct hold_rest rest;
	uint64_t told_signals;		/* hold_group.c: signals told lately */
};

/* Tells the observer of an event */
static inline void held_report(const struct hold *hold, enum hold_event event,
			       int signal, enum cause cause, int error)
{
	hold->observer->event(hold->observer->context, event, signal, cause,
			      error);
}

#endif
