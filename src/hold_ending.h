/* SPDX-License-Identifier: MIT */
/*
 * hold_ending - ends COMMAND: when --timeout runs out, when a watched thing is
 * gone, and with SIGKILL when the time of --kill-after is over.
 */
#ifndef HOLD_ENDING_H
#define HOLD_ENDING_H

#include "held.h"

/* Starts the clock of --timeout */
void ending_start_timeout(struct hold *hold);

/*
 * Sends the first signal of an end for that cause, and starts the clock of
 * --kill-after. Does nothing when an end is under way already.
 */
void ending_begin(struct hold *hold, enum cause cause);

/* A forwarded signal starts the clock of --kill-after if ends begin with it */
void ending_note_forwarded(struct hold *hold, int signal);

/*
 * COMMAND has ended and somebody else must reap it: stops all clocks, and gives
 * that process CLOCK_PATIENCE_NS.
 */
void ending_await_reaper(struct hold *hold);

/* The next deadline of clock.h, or 0 for none */
uint64_t ending_next_deadline(const struct hold *hold);

/* Acts on the deadlines that are over. -ETIMEDOUT: nobody reaped COMMAND */
int ending_handle_deadlines(struct hold *hold);

#endif
