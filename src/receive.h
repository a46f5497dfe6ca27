/* SPDX-License-Identifier: MIT */
/*
 * receive - the source beside spawn: a process that another spawnfd, or anybody
 * who keeps to the format, has passed on.
 */
#ifndef RECEIVE_H
#define RECEIVE_H

#include "listener.h"
#include "pass.h"
#include "step.h"

struct receiver {
	/* set by the caller */
	const struct address *address;	/* of --receive */
	const uid_t *allowed_peer;	/* of --peer-uid, or NULL */
	uint64_t deadline;		/* of --wait: clock.h */
	/* of receive_open, which are closed by receive_take */
	struct listener listener;
	int socket;		/* of fd:N; -1 while there is no connection */
};

/*
 * Leaves the reaping of this process's children to the kernel, also of those
 * that have ended already. A received process may be such a child, by descent
 * to process 1 or from before execve(2); it is watched as if it were not.
 */
void receive_ignore_children(void);

/* Listens, or takes the socket of fd:N. On failure nothing is left open. */
int receive_open(struct receiver *receiver, struct failure *ret_failure);

/*
 * Waits until the deadline for a connection of root, of spawnfd's own user or
 * of the allowed peer, then for its message; other connections are closed. In
 * any case the receiver is closed and its name is gone after it. The pidfd of
 * *ret_process is the caller's. Fails with -EPERM if the peer of fd:N is
 * somebody else, or as pass_receive and pass_identify do.
 */
int receive_take(struct receiver *receiver, struct signals *signals,
		 struct text *ret_payload, struct process *ret_process,
		 struct failure *ret_failure);

#endif
