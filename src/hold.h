/* SPDX-License-Identifier: MIT */
/*
 * hold - keeps the pidfd, and with it the process, until the process ends: one
 * loop over the process, the signals to forward, and what ends COMMAND.
 *
 * The jobs of the loop have files of their own: hold_forward, hold_stop,
 * hold_ending, hold_tree and hold_target. Their state is in held.h.
 */
#ifndef HOLD_H
#define HOLD_H

#include "held.h"

/*
 * Waits for the end of the process and gives its wait status. Needs the signals
 * of signals_hold, which stay blocked; as process 1 it reaps every orphan
 * meanwhile. -ETIMEDOUT: the process has ended, but its parent has not reaped
 * it within CLOCK_PATIENCE_NS. Any other error is the observer's, or says that
 * the status cannot be known. The descriptors of hold stay the caller's.
 */
int hold_run(struct hold *hold, int *ret_status);

#endif
