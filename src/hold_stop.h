/* SPDX-License-Identifier: MIT */
/*
 * hold_stop - Ctrl-Z: when COMMAND stops, spawnfd stops too, so that the shell
 * which waits for spawnfd sees a stopped job; SIGCONT continues both.
 */
#ifndef HOLD_STOP_H
#define HOLD_STOP_H

#include "held.h"

/* Whether the hold and COMMAND are in one process group */
bool stop_shares_our_group(const struct hold *hold);

/*
 * A child of this process changed its state. If COMMAND has stopped, stops this
 * process as well; the init reports the stop to the outer hold instead.
 */
void stop_check(struct hold *hold);

/* ROLE_OUTER: stops with COMMAND if the init has reported that it stopped */
void stop_handle_reports(struct hold *hold);

/* ROLE_INIT: answers the outer hold's questions about a stop */
void stop_answer_questions(struct hold *hold);

/*
 * ROLE_INIT: whether this signal is the SIGCONT that has continued COMMAND
 * after a stop of which the outer hold knows.
 */
bool stop_command_had_cont(struct hold *hold, int signal);

#endif
