/* SPDX-License-Identifier: MIT */
/* receive - see receive.h. It must never leave the name behind. */
#include "receive.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "address.h"
#include "fd.h"
#include "sys.h"

void receive_ignore_children(void)
{
	int status;

	sys_sigignore(SIGCHLD, true, NULL);
	/* Children that ended before that are still zombies: wait(2). */
	while (sys_wait_any(false, &status) > 0)
		;
}

int receive_open(const struct address *address, struct receiver *ret_receiver,
		 enum step *ret_step)
{
	struct receiver receiver = {
		.listener = { .fd = -1, .name.directory = -1 },
		.socket = -1,
	};
	int r;

	if (address->kind == ADDRESS_FD) {
		*ret_step = STEP_ADDRESS;
		r = receiver.socket = address_take_fd(address);
	} else {
		*ret_step = STEP_LISTEN;
		r = listener_open(address, &receiver.listener);
	}
	if (r >= 0)
		*ret_receiver = receiver;
	return r < 0 ? r : 0;
}

/* The first connection of somebody who may be there */
static int await_connection(const struct receiver *receiver,
			    struct signals *signals, const uid_t *allowed,
			    uint64_t deadline)
{
	int r;

	do {
		r = signals_poll(signals, receiver->listener.fd, POLLIN,
				 deadline);
		if (r >= 0)
			r = listener_accept(&receiver->listener);
		if (r >= 0 && address_check_peer(r, allowed) < 0) {
			close(r);
			r = -EAGAIN;
		}
	} while (r == -EAGAIN);
	return r;
}

int receive_take(struct receiver *receiver, struct signals *signals,
		 const uid_t *allowed, uint64_t deadline,
		 struct text *ret_payload, struct process *ret_process,
		 enum step *ret_step)
{
	int r, pidfd = -1;

	*ret_step = STEP_RECEIVE;
	if (receiver->socket < 0) {
		r = await_connection(receiver, signals, allowed, deadline);
		receiver->socket = r;
		/* not that of the message, which has not come yet */
		if (r == -EMFILE)
			*ret_step = STEP_LISTEN;
	} else {
		*ret_step = STEP_PEER;
		r = address_check_peer(receiver->socket, allowed);
	}
	if (r >= 0) {
		*ret_step = STEP_RECEIVE;
		r = pass_receive(receiver->socket, signals, deadline,
				 ret_payload, &pidfd);
	}
	listener_close(&receiver->listener);
	fd_close(&receiver->socket);
	if (r >= 0)
		r = pass_identify(pidfd, signals, ret_process);
	if (r < 0)
		fd_close(&pidfd);
	return r;
}
