/* SPDX-License-Identifier: MIT */
/*
 * hold - keeps the pidfd, and with it the process, until that ends: one loop
 * over the process, the signals to be passed on, all that may end it, and the
 * clocks.
 */
#ifndef HOLD_H
#define HOLD_H

#include "triggers.h"
#include "process.h"
#include "signals.h"

/* With --kill-tree there are two: spawnfd, and the init before COMMAND */
enum half {
	HALF_NEITHER,
	HALF_SPAWNFD,
	HALF_INIT
};

/* What is to be held, and what came of it */
struct hold {
	struct process *process;
	struct signals *signals;
	const struct triggers *triggers;
	bool session;		/* COMMAND leads one: --new-session */
	bool init;		/* this is process 1 */
	bool stopping;		/* the terminal meant both, in two groups */
	bool early;		/* it may be frozen: clocks begin with clone3 */
	enum half half;
	int other;		/* socket to the other half, or -1 */
	const struct hold_observer *observer;

	uint64_t timeout;	/* deadlines of clock.h */
	uint64_t grace;
	uint64_t patience;	/* with who has to reap it */
	enum cause cause;	/* that has ended it, */
	bool reached;		/* if it could be sent the signal for it */
	bool killed;		/* by SIGKILL of spawnfd */

	bool told;		/* a stop, and it is still to be taken */
	bool stopped;		/* HALF_INIT: spawnfd knows of a stop */
	/* HALF_SPAWNFD: */
	bool settled;		/* whether COMMAND is executed is known */
	int stop;		/* what was told of it: this signal, */
	int answer;		/* this, or -1, */
	int failed;		/* or the init did: this errno, */
	bool ended;		/* or that it ended, */
	int status;		/* in this way */
};

/* What happens to the process meanwhile */
enum happening {
	HAPPENED_PASSED_ON,	/* a signal */
	HAPPENED_LOST,		/* or it could not be */
	HAPPENED_END,		/* for cause, beginning with that signal */
	HAPPENED_KILL,		/* the time to end was over */
	HAPPENED_REFUSED,	/* nobody here may send it that signal */
	HAPPENED_STOP,		/* by that signal, and spawnfd is to stop too */
	HAPPENED_STOP_APART	/* or perhaps not: its group is another one */
};

struct hold_observer {
	void *context;
	/*
	 * It is executed, or was received: from now on it runs. -errno is to
	 * end the hold; what is to be done then has been done.
	 */
	int (*running)(void *context);
	void (*happened)(void *context, enum happening what, int signal,
			 enum cause cause);
};

/*
 * Lets go of every descriptor but those to be kept (negative ones are none), so
 * that a reader sees end of file, and a lock is free, when the command lets go
 * of its own.
 */
void hold_release(const int *keep, size_t count);

/*
 * Leaves the reaping of children, also of those that have ended already, to the
 * kernel: what is received may be a child of this process, by descent to
 * process 1 or by exec(2), and is watched as if it were not.
 */
void hold_leave_children(void);

/*
 * Waits for the end of the process and gives its wait status. Signals are those
 * of signals_hold, and stay blocked. One that is to be reaped by others is
 * given a second for that: -ETIMEDOUT. As process 1 it reaps every orphan
 * meanwhile. What else goes wrong is that the status cannot be known, or an
 * error of the observer.
 */
int hold_run(struct hold *hold, int *ret_status);

#endif
