/* SPDX-License-Identifier: MIT */
/*
 * hold_forward - decides which of the signals that a hold receives it forwards
 * to COMMAND. A new reason not to forward a signal goes into forward_signal().
 *
 * The init of --kill-tree calls it too, and gets there the signals with which
 * spawnfd ends COMMAND: with ROLE_INIT, a reason must not hold for a signal
 * that a process has sent. SIGCHLD does not come here: hold.c handles it.
 */
#ifndef HOLD_FORWARD_H
#define HOLD_FORWARD_H

#include <sys/signalfd.h>

#include "held.h"

/*
 * Forwards the signal to COMMAND, with its value if it has one. A signal is not
 * forwarded if COMMAND has received it too, or if COMMAND has sent it. A signal
 * that spawnfd was started with ignored is forwarded: COMMAND may catch it.
 * Starts the clock of --kill-after if the signal is the one that ends COMMAND.
 * With ROLE_OUTER, the signal goes to the init, which calls this function as
 * well.
 */
void forward_signal(struct hold *hold, const struct signalfd_siginfo *from);

#endif
