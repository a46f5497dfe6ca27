/* SPDX-License-Identifier: MIT */
/*
 * triggers - why a hold may end a command before it ends itself, and with which
 * signals: one row for each thing to be watched.
 */
#ifndef TRIGGERS_H
#define TRIGGERS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "options.h"

enum cause {
	CAUSE_NONE,
	CAUSE_TIMEOUT,
	CAUSE_PARENT,
	CAUSE_PID,
	CAUSE_FD,
	CAUSE_SIGNAL,	/* one that was passed on has started the clock */
	CAUSES
};

/* Something whose end is the command's end */
struct watch {
	enum cause cause;
	int fd;			/* a pidfd, close-on-exec; or the FD given */
	short events;		/* of poll(2) */
};

enum { WATCHES = 3 };

struct triggers {
	struct watch watches[WATCHES];
	size_t count;
	uint64_t timeout_ns;	/* 0: never */
	int signal;		/* of --signal; 0 without */
	bool has_kill_after;	/* --kill-after was given */
	uint64_t kill_after_ns;	/* 0: SIGKILL never follows */
};

/*
 * Finds out what the options want watched. What is gone or hung up already is
 * an error, for then nothing is to start: -ESRCH, -EPIPE; -EBADF, -EINVAL: FD
 * is not open, or of no kind that can hang up; -EDEADLK: spawnfd has its other
 * end too. The descriptors stay open until spawnfd exits.
 */
int triggers_open(const struct options *options, struct triggers *ret_ends,
		  struct failure *ret_failure);

/*
 * What is watched, for poll(2), into an array of WATCHES; gives how many. And,
 * once one of them has an event, the error of triggers_open for what is gone.
 */
size_t triggers_poll(const struct triggers *triggers, struct pollfd *ret_fds);
int triggers_error(const struct options *options,
		   const struct triggers *triggers,
		   struct failure *ret_failure);

/* The signal that an end for this cause begins with */
int triggers_first_signal(const struct triggers *triggers, enum cause cause);

#endif
