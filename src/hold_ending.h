/* SPDX-License-Identifier: MIT */
/*
 * hold_ending - ends COMMAND when --timeout runs out or a watch fires, and with
 * SIGKILL when --kill-after runs out.
 */
#ifndef HOLD_ENDING_H
#define HOLD_ENDING_H

#include "held.h"

/* Starts the clock of --timeout, if the option was given */
void ending_start_timeout(struct hold *hold);

/*
 * Sends the first signal that ends COMMAND for this cause, and starts the clock
 * of --kill-after. Any signal but SIGKILL is followed by SIGCONT. Does nothing
 * if that clock runs already or SIGKILL was sent. If COMMAND has ended and the
 * init of its tree has not, gives the init CLOCK_PATIENCE_NS before SIGKILL,
 * unless --kill-after or --wait-tree gives the rest time.
 */
void ending_begin(struct hold *hold, enum cause cause);

/*
 * This signal is to be forwarded to COMMAND. Starts the clock of --kill-after
 * if the signal is the one that ends COMMAND, and spawnfd has not begun to end
 * it.
 */
void ending_note_forwarded(struct hold *hold, int signal);

/*
 * The process has ended, and its parent, which is not spawnfd, must reap it.
 * Stops all clocks, and gives the parent CLOCK_PATIENCE_NS.
 */
void ending_await_reaper(struct hold *hold);

/*
 * COMMAND has ended, and its tracer must reap it before spawnfd can: ptrace(2).
 * ROLE_INIT: gives a tracer in the tree CLOCK_PATIENCE_NS, and then kills it.
 */
void ending_await_tracer(struct hold *hold);

/*
 * ROLE_OUTER: if COMMAND has ended, and the init has not, the init has a clock
 * for the rest of the tree. Starts a clock for the case that the init is
 * stopped or frozen.
 */
void ending_follow_init(struct hold *hold);

/* The next deadline, a time of clock.h; 0 if there is none */
uint64_t ending_next_deadline(const struct hold *hold);

/*
 * Handles the deadlines that have passed. Gives 0, or -ETIMEDOUT if the process
 * was not reaped in time.
 */
int ending_handle_deadlines(struct hold *hold);

#endif
