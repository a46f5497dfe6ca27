/* SPDX-License-Identifier: MIT */
/*
 * hold_rest - what is left of the tree when COMMAND has ended: --kill-tree.
 * Only the init uses it (ROLE_INIT).
 *
 * As a rule the init leaves then, and the kernel kills the rest. It stays in
 * two cases, until no process is left:
 *
 *	--kill-after	The rest gets the first signal of an end. When the time
 *			is over, the init leaves.
 *	--wait-tree	The rest gets no signal. Once spawnfd has begun to end
 *			the tree, the rest is treated as without this option.
 *
 * While the init stays, it forwards signals to all processes of the tree. It
 * does not forward those of the tree itself: who is in there can reach the
 * others, and could make the init repeat a signal for ever.
 */
#ifndef HOLD_REST_H
#define HOLD_REST_H

#include <sys/signalfd.h>

#include "held.h"

/*
 * COMMAND has ended, and was reaped. Tells spawnfd what is left, if somebody
 * wants to know. Gives whether the init stays; sends the first signal then.
 */
bool rest_begin(struct hold *hold);

/*
 * Spawnfd has begun to end the tree. Starts the clock of --kill-after if the
 * init has stayed: the first signal comes from spawnfd then.
 */
void rest_note_end(struct hold *hold);

/*
 * ROLE_INIT: whether signals are for the rest, because COMMAND has ended. The
 * kernel still takes signals for a COMMAND that was not reaped yet, and then
 * nobody gets them.
 */
bool rest_gets_signals(const struct hold *hold);

/*
 * Whether COMMAND has ended, and reaping it brings rest_begin: signals are left
 * pending until then, so that they keep their order.
 */
bool rest_is_next(const struct hold *hold);

/*
 * Makes a signal pending again that was read in the moment in which COMMAND
 * ended. The rest gets it after rest_begin. Gives whether it did.
 */
bool rest_puts_back(const struct hold *hold,
		    const struct signalfd_siginfo *from);

/* Sends a signal to every process of the tree but the init */
void rest_send(int signal);

/*
 * Forwards a signal to the rest: what the terminal has sent to the group of
 * COMMAND, only to those outside of it. info holds the value that goes with the
 * signal, or is NULL. Without a /proc of the tree, all get it, and no value.
 */
void rest_forward(struct hold *hold, const struct signalfd_siginfo *from,
		  const siginfo_t *info);

/* Continues the rest; first gives its group the terminal, if that is asked */
void rest_continue(struct hold *hold, bool give_terminal);

/* When the rest must be looked at again, a time of clock.h */
uint64_t rest_next_look(const struct hold *hold);

/* Whether the init, which has stayed, has stayed long enough */
bool rest_is_over(const struct hold *hold);

/* The init leaves: tells spawnfd what --kill-after leaves to the kernel */
void rest_finish(const struct hold *hold);

#endif
