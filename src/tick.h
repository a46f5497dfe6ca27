/* SPDX-License-Identifier: MIT */
/*
 * tick - interrupts system calls that might wait, where they cannot be told not
 * to. Between tick_start and tick_stop such a call fails with EINTR after a
 * millisecond at the latest.
 */
#ifndef TICK_H
#define TICK_H

#include "sys.h"

struct tick {
	int timer;			/* timer_create(2); -1 without one */
	struct sys_sigset inherited;	/* the mask to restore */
};

/*
 * Starts a timer whose signal, SIGCHLD, interrupts system calls. It needs the
 * signals of signals_block without hold, and SIGCHLD ignored. Children are
 * reaped meanwhile as if SIGCHLD were ignored. If the kernel gives no timer,
 * nothing is interrupted.
 */
void tick_start(struct tick *ret_tick);

/* Ends the timer and restores the mask. SIGCHLD is ignored again */
void tick_stop(const struct tick *tick);

#endif
