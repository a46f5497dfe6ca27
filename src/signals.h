/* SPDX-License-Identifier: MIT */
/*
 * signals - spawnfd's own, from before it has anything to lose until it holds
 * or has passed the process on: blocked, but looked at.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

/* signal(7): these stop a process, and it can block, catch or ignore them */
#define SIGNALS_STOPPING \
	(SYS_SIGBIT(SIGTSTP) | SYS_SIGBIT(SIGTTIN) | SYS_SIGBIT(SIGTTOU))

struct signals {
	struct sys_sigset inherited;	/* the mask that spawnfd was given */
	int fd;				/* signalfd(2) of those to look at */
	int fatal;			/* one that is to end spawnfd, or 0 */
	const struct pollfd *also_watched; /* what else ends a signals_poll */
	size_t also_watched_count;	   /* SIGNALS_ALSO_WATCHED at most */
};

enum { SIGNALS_ALSO_WATCHED = 3 };

/*
 * Blocks all signals but those that stop a process; those too, as signals_hold
 * does, where hold says that this is for one. exit_signal_set holds further
 * ones that the end of the child sends: they stay blocked for good, for nobody
 * expects them to have an effect. The descriptor is signals'.
 */
int signals_block(uint64_t exit_signal_set, bool hold,
		  struct signals *ret_signals);

/*
 * From now on all are blocked, those that stop a process too, and all are to be
 * read from the descriptor: nothing but SIGKILL ends a hold before its time.
 */
int signals_hold(struct signals *signals);

/*
 * Lets a pending signal have its default effect; returns if that was none, or
 * over. Or takes it away.
 */
void signals_deliver(int signal);
void signals_discard(int signal);

/*
 * Waits for events of poll(2) on fd, but no longer than until deadline, a
 * time of clock.h: -ETIMEDOUT. -EINTR when a
 * signal has come that would have ended spawnfd; signals->deadly tells which.
 * -ECANCELED when one of the others has an event.
 */
int signals_poll(struct signals *signals, int fd, short events,
		 uint64_t deadline);

/* The same without waiting: has one come? 0 or -EINTR */
int signals_check(struct signals *signals);

/*
 * Around a write: that nobody reads it (SIGPIPE) or that the file may not grow
 * (SIGXFSZ) is an error, and that others use the terminal (SIGTTOU) is not even
 * that: no reason to end or to stop.
 */
struct signals_write_mask {
	struct sys_sigset inherited;
};

void signals_mask_writes(struct signals_write_mask *ret_write_mask);
void signals_unmask_writes(const struct signals_write_mask *write_mask);

#endif
