/* SPDX-License-Identifier: MIT */
/*
 * sink - does with the process what the options say: holds it until it ends,
 * passes its pidfd on, lets it run on, or executes a COMMAND that holds it.
 */
#ifndef SINK_H
#define SINK_H

#include "story.h"

/*
 * Waits until the process ends, and gives the exit status of spawnfd.
 * *ret_wait_status is the wait status of the process. After --timeout it is 0,
 * because spawnfd then exits and does not die of the same signal.
 *
 * On failure, gives -errno with *ret_failure, and no COMMAND is left that
 * spawnfd has started. STEP_HOLD means that the wait status cannot be known.
 */
int sink_hold(struct story *story, int *ret_wait_status,
	      struct failure *ret_failure);

/*
 * Writes the PID file, and sends the pidfd and story->payload through peer, a
 * socket of address_connect or address_take_fd. Gives 0, or -errno with
 * *ret_failure. On failure, a COMMAND that spawnfd has started is killed. peer
 * stays the caller's.
 */
int sink_pass(struct story *story, int peer, struct failure *ret_failure);

/*
 * Writes the PID file, and lets COMMAND run on. Gives 0, or -errno with
 * *ret_failure. On failure, COMMAND is killed.
 */
int sink_detach(struct story *story, struct failure *ret_failure);

/*
 * --exec-fd: writes the PID file, and executes COMMAND in the place of spawnfd,
 * with the pidfd at FD. Returns on failure only: gives -errno with
 * *ret_failure. The pidfd is closed then, which ends the received process if
 * the pidfd is an autokill one.
 */
int sink_exec(struct story *story, struct failure *ret_failure);

#endif
