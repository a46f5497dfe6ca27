/* SPDX-License-Identifier: MIT */
/*
 * hold - keeps the pidfd until the process ends. One loop waits for the end of
 * the process, for signals to forward, and for reasons to end COMMAND.
 *
 * The jobs of the loop have files of their own: hold_forward, hold_stop,
 * hold_ending, hold_tree, hold_rest and hold_target. Their state is in held.h.
 */
#ifndef HOLD_H
#define HOLD_H

#include "held.h"

/*
 * Waits until the process ends, and gives 0 and its wait status; with
 * ROLE_OUTER, the wait status of COMMAND. Needs signals that are blocked and
 * read as after signals_hold; they stay so. As process 1, reaps every orphan
 * meanwhile.
 *
 * -ETIMEDOUT: the process has ended, but its parent has not reaped it within
 * CLOCK_PATIENCE_NS. Any other error comes from the observer, or says that the
 * wait status cannot be known. The descriptors of hold stay the caller's; the
 * pidfd may have become another one of the same process (target_kill).
 */
int hold_run(struct hold *hold, int *ret_status);

#endif
