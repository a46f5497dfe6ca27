/* SPDX-License-Identifier: MIT */
/*
 * triggers - why spawnfd may end COMMAND while it holds it, and with which
 * signals. Each process or descriptor that spawnfd watches for this is a watch.
 */
#ifndef TRIGGERS_H
#define TRIGGERS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "step.h"

enum cause {
	CAUSE_NONE,
	CAUSE_TIMEOUT,	/* --timeout ran out */
	CAUSE_PARENT,	/* --die-with-parent: the parent process ended */
	CAUSE_PID,	/* --die-with-pid: that process ended */
	CAUSE_FD,	/* --die-with-fd: that descriptor hung up */
	CAUSE_SIGNAL,	/* a forwarded signal started --kill-after */
	CAUSES
};

/* A descriptor; spawnfd ends COMMAND when poll(2) reports an event on it */
struct watch {
	enum cause cause;
	int fd;			/* a close-on-exec pidfd, or the FD given */
	short events;		/* to ask poll(2) for */
};

enum { WATCHES = 3 };

struct triggers {
	struct watch watches[WATCHES];
	size_t count;
	uint64_t timeout_ns;	/* --timeout; 0 for no limit */
	int signal;		/* --signal; 0 if it was not given */
	bool has_kill_after;	/* --kill-after was given */
	uint64_t kill_after_ns;	/* 0: SIGKILL never follows */
};

/*
 * Opens what the options ask to watch, and copies their times and signals. The
 * descriptors stay open until spawnfd exits, also after a failure.
 *
 * -ESRCH: the process has ended already. -ESTALE: another one has its pid.
 * -EREMOTE: the parent is outside this PID namespace, or there is none. -EPIPE:
 * FD has hung up already. -EBADF: FD is not open. -EINVAL: FD is of a kind that
 * cannot hang up. -EDEADLK: spawnfd has the other end of the pipe as well.
 * Otherwise the errors of pidfd_open(2).
 */
int triggers_open(const struct options *options, struct triggers *ret_triggers,
		  struct failure *ret_failure);

/* The signals and the time of an end, with nothing that would begin one */
struct triggers triggers_of_end(const struct options *options);

/*
 * Whether this signal, sent to spawnfd or to an init, starts the clock of
 * --kill-after: it is the first signal of an end. A signal that spawnfd was
 * started with ignored is to end nothing.
 */
bool triggers_start_clock(const struct triggers *triggers, int signal);

/* Fills an array of WATCHES entries for poll(2); gives how many it filled */
size_t triggers_poll(const struct triggers *triggers, struct pollfd *ret_fds);

/*
 * For --receive, which polls the watches while it waits for a process: gives
 * the error of triggers_open for the first watch that has an event. At least
 * one must have one.
 */
int triggers_error(const struct options *options,
		   const struct triggers *triggers,
		   struct failure *ret_failure);

/*
 * Gives the first signal that spawnfd sends to COMMAND for this cause: that of
 * --signal; otherwise SIGTERM for --timeout and with --kill-after; otherwise
 * SIGKILL.
 */
int triggers_first_signal(const struct triggers *triggers, enum cause cause);

#endif
