/* SPDX-License-Identifier: MIT */
/*
 * receive - the source of --receive: takes a process that another spawnfd, or
 * any program that uses the format of pass.h, hands over.
 */
#ifndef RECEIVE_H
#define RECEIVE_H

#include "listener.h"
#include "pass.h"
#include "step.h"

/* The most connections that are kept until one of them brings the message */
enum { RECEIVE_MOST = SIGNALS_POLL_MOST - 1 };

struct receiver {
	/* set by the caller */
	const struct address *address;	/* the ADDRESS of --receive */
	const uid_t *allowed_peer;	/* the user of --peer-uid, or NULL */
	uint64_t deadline;		/* for --wait, as in clock.h */
	/* opened by receive_open, closed by receive_take */
	struct listener listener;
	int sockets[RECEIVE_MOST];	/* the connections, oldest first */
	size_t count;			/* of sockets */
	uint64_t pause;			/* no other is accepted until then */
};

/*
 * Ignores SIGCHLD, so that the kernel reaps all children of this process
 * (wait(2)), and reaps those that have ended already. The received process may
 * be such a child: an orphan that spawnfd inherited as process 1, or one that
 * this process had before it executed spawnfd. A hold need not reap it then.
 */
void receive_ignore_children(void);

/*
 * Listens on the address, or takes the socket of fd:N, which is the connection
 * or listens already. On failure nothing that
 * was opened here stays open. Errors of address_take_fd and listener_open.
 */
int receive_open(struct receiver *receiver, struct failure *ret_failure);

/*
 * Takes the message of the first connection that sends something or hangs up,
 * if it does so before the deadline. Closes connections from users other than
 * root, spawnfd's own and *allowed_peer. Accepts the next connection when the
 * last one has been silent for CLOCK_PATIENCE_NS, and closes the oldest when
 * there are more than RECEIVE_MOST, or no descriptor is free. The caller owns
 * the pidfd in *ret_process. The receiver is closed, and its name removed, on
 * success and on failure.
 *
 * -EPERM: the peer of fd:N is another user. Otherwise the errors of
 * signals_poll, listener_accept, pass_receive and pass_identify.
 */
int receive_take(struct receiver *receiver, struct signals *signals,
		 struct text *ret_payload, struct process *ret_process,
		 struct failure *ret_failure);

#endif
