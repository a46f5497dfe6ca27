/* SPDX-License-Identifier: MIT */
/*
 * hold_group - --kill-tree at a terminal, where a job has two process groups:
 * that of spawnfd, and that of COMMAND.
 *
 * A shell inside the tree asks whether the terminal belongs to its own group,
 * and gives the terminal back at its end. spawnfd's group has no number inside
 * the PID namespace, nor has that of a shell outside. The kernel says 0 for
 * both, and the terminal cannot be given to 0 (tcsetpgrp(3)). So COMMAND gets a
 * group of its own, and this group gets the terminal if spawnfd's group has it.
 * group_leader.h says who leads it.
 *
 * The terminal sends its signals to one group only. The init hears of those for
 * the group of COMMAND from the group's leader, and tells spawnfd, which sends
 * them to its own group. spawnfd tells the init of those for its own group, and
 * the init sends them to the group of COMMAND.
 *
 * Without two groups, hold->group is 0. Then only group_had_signal does
 * something.
 */
#ifndef HOLD_GROUP_H
#define HOLD_GROUP_H

#include <sys/signalfd.h>

#include "held.h"

/*
 * Whether a terminal has sent the signal to the whole process group of this
 * process: tty_ioctl(4), termios(3).
 */
bool group_had_signal(const struct signalfd_siginfo *from);

/*
 * ROLE_INIT: if the leader of the group has passed on the signal, makes it look
 * as if the terminal had sent it to this process, and tells spawnfd. Gives true
 * if COMMAND itself has sent it to the group: it needs nothing else then.
 */
bool group_read_leader(struct hold *hold, struct signalfd_siginfo *from);

/*
 * Whether the signal needs nothing else: the terminal has sent it to the group
 * of spawnfd, and COMMAND gets it with its own group; or this process itself
 * has sent it to the group.
 */
bool group_took_signal(struct hold *hold, const struct signalfd_siginfo *from);

/*
 * ROLE_OUTER: if there are two groups, and the signal is SIGINT or SIGQUIT,
 * makes the init send it to the group of COMMAND. Gives whether it did. Nobody
 * can tell whether such a signal was sent to spawnfd or to its whole group, as
 * the kill of a shell does it. It is taken for the second.
 */
bool group_sends(struct hold *hold, int signal);

/* ROLE_OUTER: whether the group of COMMAND is in the foreground */
bool group_has_terminal(struct hold *hold);

/* ROLE_OUTER: sends what the group of COMMAND has had to this group */
void group_handle_signals(struct hold *hold);

/*
 * ROLE_OUTER: if COMMAND was stopped because it used the terminal from the
 * background (SIGTTIN, SIGTTOU), and spawnfd's group is in the foreground,
 * gives COMMAND the terminal, and continues it. Gives whether it did.
 */
bool group_hands_over(struct hold *hold, int stop_signal);

/*
 * ROLE_INIT: to be called before SIGCONT is sent to COMMAND, which discards the
 * stop signals that came before it (signal(7)). Discards those that the leader
 * of the group has had and passes on: they would stop a COMMAND that leaves the
 * group as soon as it goes on. Waits at most CLOCK_PATIENCE_NS for the leader.
 */
void group_discard_stops(const struct hold *hold);

/*
 * ROLE_INIT with a leader: sends SIGCONT to the group of COMMAND. Notes in
 * stop.undone the stop signals that the group had before it, as of a Ctrl-Z
 * right after the group was given the terminal.
 */
void group_continue(struct hold *hold);

/*
 * ROLE_INIT: COMMAND has ended; tells spawnfd of the signals that the leader of
 * the group has not passed on yet. Waits at most CLOCK_PATIENCE_NS for it.
 */
void group_finish(struct hold *hold);

#endif
