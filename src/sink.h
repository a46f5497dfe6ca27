/* SPDX-License-Identifier: MIT */
/*
 * sink - what becomes of the process: it is held until its end, passed on, or
 * left alone.
 */
#ifndef SINK_H
#define SINK_H

#include "story.h"

/*
 * Waits for the end of the process, and gives the exit status for it.
 * *ret_wait_status is how the process ended, or 0 after --timeout: the exit
 * status says that then. On failure a COMMAND that was started is gone, unless
 * its status is all that cannot be known.
 */
int sink_hold(struct story *story, int *ret_wait_status,
	      struct failure *ret_failure);

/*
 * Sends the pidfd to the socket of address_connect or address_take_fd. On
 * failure a COMMAND that was started is killed.
 */
int sink_pass(struct story *story, int peer, struct failure *ret_failure);

/* Lets COMMAND run on. On failure it is killed. */
int sink_detach(struct story *story, struct failure *ret_failure);

#endif
