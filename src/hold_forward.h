/* SPDX-License-Identifier: MIT */
/*
 * hold_forward - decides which signals that a hold gets are forwarded to
 * COMMAND. A signal that is never to be forwarded gets its line here, in
 * forward_signal().
 */
#ifndef HOLD_FORWARD_H
#define HOLD_FORWARD_H

#include <sys/signalfd.h>

#include "held.h"

/*
 * Sends the signal on to COMMAND, with its value if it has one; or leaves it
 * out, because COMMAND has had it too, sent it itself, or spawnfd ignored it
 * from the start.
 */
void forward_signal(struct hold *hold, const struct signalfd_siginfo *from);

#endif
