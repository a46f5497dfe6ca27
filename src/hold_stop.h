/* SPDX-License-Identifier: MIT */
/*
 * hold_stop - job control. When COMMAND stops on Ctrl-Z, spawnfd stops too, so
 * that the shell which waits for spawnfd sees a stopped job. SIGCONT continues
 * both.
 *
 * With --kill-tree only the init, the parent of COMMAND, sees the stop. The
 * init reports it, and spawnfd asks whether COMMAND is still stopped before it
 * stops itself.
 */
#ifndef HOLD_STOP_H
#define HOLD_STOP_H

#include "held.h"

/* Whether this process and the process of the hold are in one process group */
bool stop_shares_our_group(const struct hold *hold);

/*
 * To be called after SIGCHLD. If COMMAND has stopped, and it is in the same
 * process group or the terminal meant both, stops this process until it is
 * continued. ROLE_INIT: reports every stop to the outer hold instead.
 */
void stop_check(struct hold *hold);

/*
 * ROLE_OUTER: handles the stops that the init has reported. Stops this process
 * if it must stop with COMMAND.
 */
void stop_handle_reports(struct hold *hold);

/* ROLE_INIT: replies to the questions of the outer hold */
void stop_answer_questions(struct hold *hold);

/*
 * ROLE_INIT: whether this signal is the SIGCONT that ends a stop of which
 * spawnfd knows, and COMMAND has been continued already. It must not be
 * forwarded then. Forgets the stop if the signal is SIGCONT.
 */
bool stop_command_had_cont(struct hold *hold, int signal);

#endif
