/* SPDX-License-Identifier: MIT */
/* receive - see receive.h. It must never leave the socket's name behind. */
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
	/* Children that ended before this are still zombies (wait(2)). */
	while (sys_wait_any(&status) > 0)
		;
}

static int fail(const struct receiver *receiver, enum step step, int r,
		struct failure *ret_failure)
{
	return step_fail(ret_failure, step, r, receiver->address->text);
}

/* Takes the socket of fd:N, which listens or is the connection */
static int open_inherited(struct receiver *receiver,
			  struct failure *ret_failure)
{
	bool listens;
	int r = address_take_fd(receiver->address, &listens);

	if (r < 0)
		return fail(receiver, STEP_ADDRESS, r, ret_failure);
	if (listens)
		listener_inherit(r, &receiver->listener);
	else
		receiver->socket = r;
	return 0;
}

int receive_open(struct receiver *receiver, struct failure *ret_failure)
{
	const struct address *address = receiver->address;
	int r;

	receiver->listener.fd = receiver->listener.name.directory = -1;
	receiver->socket = -1;
	if (address->kind == ADDRESS_FD)
		return open_inherited(receiver, ret_failure);
	r = listener_open(address, &receiver->listener);
	return r < 0 ? fail(receiver, STEP_LISTEN, r, ret_failure) : 0;
}

/* Gives the first connection whose peer is allowed, and closes others */
static int await_connection(const struct receiver *receiver,
			    struct signals *signals)
{
	int r;

	do {
		r = signals_poll(signals, receiver->listener.fd, POLLIN,
				 receiver->deadline);
		if (r >= 0)
			r = listener_accept(&receiver->listener);
		if (r >= 0 &&
		    address_check_peer(r, receiver->allowed_peer) < 0) {
			close(r);
			r = -EAGAIN;
		}
	} while (r == -EAGAIN);
	return r;
}

/* Leaves a connection whose peer is allowed in receiver->socket */
static int find_sender(struct receiver *receiver, struct signals *signals,
		       struct failure *ret_failure)
{
	int r;

	if (receiver->socket >= 0) {
		r = address_check_peer(receiver->socket,
				       receiver->allowed_peer);
		if (r < 0) {
			fail(receiver, STEP_PEER, r, ret_failure);
			ret_failure->number =
				(int)address_peer(receiver->socket);
		}
		return r;
	}
	r = receiver->socket = await_connection(receiver, signals);
	if (r >= 0)
		return 0;
	/* EMFILE in STEP_RECEIVE would mean that a pidfd was lost. */
	return fail(receiver, r == -EMFILE ? STEP_LISTEN : STEP_RECEIVE, r,
		    ret_failure);
}

/* Gives the pidfd of the message */
static int take_pidfd(struct receiver *receiver, struct signals *signals,
		      struct text *ret_payload, struct failure *ret_failure)
{
	int pidfd, r = find_sender(receiver, signals, ret_failure);

	if (r < 0)
		return r;
	r = pass_receive(receiver->socket, signals, receiver->deadline,
			 ret_payload, &pidfd);
	return r < 0 ? fail(receiver, STEP_RECEIVE, r, ret_failure) : pidfd;
}

int receive_take(struct receiver *receiver, struct signals *signals,
		 struct text *ret_payload, struct process *ret_process,
		 struct failure *ret_failure)
{
	int r, pidfd = take_pidfd(receiver, signals, ret_payload, ret_failure);

	listener_close(&receiver->listener);
	fd_close(&receiver->socket);
	if (pidfd < 0)
		return pidfd;
	r = pass_identify(pidfd, signals, ret_process);
	if (r < 0) {
		fd_close(&pidfd);
		return fail(receiver, STEP_RECEIVE, r, ret_failure);
	}
	return 0;
}
