/* SPDX-License-Identifier: MIT */
/*
 * hold_stop - job control. When COMMAND stops on Ctrl-Z, spawnfd stops too, so
 * that the shell which waits for spawnfd sees a stopped job. SIGCONT to both
 * continues both.
 *
 * spawnfd does not stop on the SIGTSTP of the terminal itself: COMMAND may
 * catch that signal, and run on. spawnfd waits until the kernel reports that
 * COMMAND has stopped.
 *
 * With --kill-tree only the init, the parent of COMMAND, gets that report:
 *
 *	COMMAND stops		init: NOTICE_STOPPED to spawnfd
 *	spawnfd asks		ASK_STILL_STOPPED, and stops if the reply is 1
 *	fg(1): SIGCONT to all	COMMAND, the init and spawnfd go on
 *	spawnfd asks		ASK_CHANGED, and forwards no SIGCONT if so
 *
 * Other files have their part: hold_forward.c leaves out the signals that the
 * terminal has sent to COMMAND as well, and child.c handles a stop before the
 * exec.
 */
#ifndef HOLD_STOP_H
#define HOLD_STOP_H

#include "held.h"

/* Whether this process and the process of the hold are in one process group */
bool stop_shares_our_group(const struct hold *hold);

/*
 * To be called after SIGCHLD. If COMMAND has stopped, and it is in the same
 * process group, or spawnfd has forwarded a Ctrl-Z to it, stops this process
 * until it is continued. ROLE_INIT: reports every stop to the outer hold
 * instead.
 */
void stop_check(struct hold *hold);

/*
 * ROLE_OUTER: handles the stops that the init has reported. Stops this process
 * if it must stop with COMMAND.
 */
void stop_handle_reports(struct hold *hold);

/* ROLE_INIT: replies to the questions of the outer hold, and follows orders */
void stop_answer_questions(struct hold *hold);

/*
 * ROLE_INIT with two groups: the group of COMMAND gets the signal, and COMMAND
 * if it has left the group. --wait-tree: what COMMAND has left gets it.
 */
void stop_send_to_group(const struct hold *hold, int signal);

/*
 * To be called for a SIGCONT if stop.command_waits: continues COMMAND, and its
 * process group. If spawnfd's group is in the foreground, COMMAND's group gets
 * the terminal, as su(1) does it.
 */
void stop_continue(struct hold *hold);

/*
 * Whether the signal is a SIGCONT, spawnfd was told to stop with COMMAND, and
 * COMMAND runs again: it must not be forwarded then. Forgets the stop if the
 * signal is SIGCONT. Only ROLE_INIT knows such stops.
 */
bool stop_command_had_cont(struct hold *hold, int signal);

#endif
