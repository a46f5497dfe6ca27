/* SPDX-License-Identifier: MIT */
/*
 * receive - the source beside spawn: a process that another spawnfd, or anybody
 * who keeps to the format, has passed on.
 */
#ifndef RECEIVE_H
#define RECEIVE_H

#include "explain.h"
#include "listener.h"
#include "pass.h"

/* Where it is to come from; what is open is the receiver's */
struct receiver {
	struct listener listener;
	int socket;		/* of fd:N; -1 while there is no connection */
};

/*
 * Leaves the reaping of this process's children to the kernel, also of those
 * that have ended already. A received process may be such a child, by descent
 * to process 1 or from before execve(2); it is watched as if it were not.
 */
void receive_ignore_children(void);

/*
 * Listens, or takes the socket of fd:N. On failure *ret_step says which step it
 * was, and nothing is left.
 */
int receive_open(const struct address *address, struct receiver *ret_receiver,
		 enum step *ret_step);

/*
 * Waits for a connection of root, of spawnfd's own user or, if there is one, of
 * the one allowed; then for its message, until deadline (clock.h). Others are
 * sent away. Whatever comes of it, the receiver is closed and its name gone.
 * -EPERM: who is at the other end of fd:N may not be there; else errors of
 * pass_receive and pass_identify, and then no descriptor is left open.
 */
int receive_take(struct receiver *receiver, struct signals *signals,
		 const uid_t *allowed, uint64_t deadline,
		 struct text *ret_payload, struct process *ret_process,
		 enum step *ret_step);

#endif
