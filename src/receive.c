/* SPDX-License-Identifier: MIT */
/* receive - see receive.h. It must never leave the socket's name behind. */
#include "receive.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "address.h"
#include "clock.h"
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

/* In STEP_RECEIVE, EMFILE would mean that a pidfd was lost. */
static int fail_waiting(const struct receiver *receiver, int r,
			struct failure *ret_failure)
{
	return fail(receiver, r == -EMFILE ? STEP_LISTEN : STEP_RECEIVE, r,
		    ret_failure);
}

static void keep_connection(struct receiver *receiver, int socket)
{
	receiver->sockets[receiver->count++] = socket;
}

/* Takes the socket of fd:N, which listens or is the connection */
static int open_inherited(struct receiver *receiver,
			  struct failure *ret_failure)
{
	bool listens;
	int r = address_take_fd(receiver->address, &listens);

	if (r < 0)
		return address_fail_fd(receiver->address, OPT_RECEIVE, r,
				       ret_failure);
	if (listens)
		listener_inherit(r, &receiver->listener);
	else
		keep_connection(receiver, r);
	return 0;
}

int receive_open(struct receiver *receiver, struct failure *ret_failure)
{
	const struct address *address = receiver->address;
	int r;

	receiver->listener.fd = receiver->listener.name.directory = -1;
	receiver->count = 0;
	receiver->pause = 0;
	if (address->kind == ADDRESS_FD)
		return open_inherited(receiver, ret_failure);
	r = listener_open(address, &receiver->listener);
	return r < 0 ? fail(receiver, STEP_LISTEN, r, ret_failure) : 0;
}

static int check_peer(const struct receiver *receiver, int socket,
		      struct failure *ret_failure)
{
	return address_check_peer(socket, receiver->address,
				  receiver->allowed_peer, ret_failure);
}

static void close_oldest(struct receiver *receiver)
{
	int *sockets = receiver->sockets;

	close(sockets[0]);
	receiver->count--;
	memmove(sockets, sockets + 1, receiver->count * sizeof(*sockets));
}

/* Closes all connections but one: for -1, all */
static void close_others(struct receiver *receiver, int kept)
{
	for (size_t i = 0; i < receiver->count; i++)
		if (receiver->sockets[i] != kept)
			close(receiver->sockets[i]);
	receiver->count = 0;
	if (kept >= 0)
		keep_connection(receiver, kept);
}

/*
 * Accepts the next connection if there is one, and keeps it if its peer is
 * allowed. Other receivers may listen on the same socket: during the pause, the
 * connection after this one is left to them.
 */
static int accept_next(struct receiver *receiver, struct failure *ret_failure)
{
	int fd = listener_accept(&receiver->listener);
	struct failure refused;

	receiver->pause = 0;
	if (fd == -EAGAIN)
		return 0;
	if (fd == -EMFILE && receiver->count) {
		close_oldest(receiver);
		return 0;
	}
	/* The listener was shut down. The connections can still speak. */
	if (fd == -EINVAL && receiver->count) {
		listener_close(&receiver->listener);
		return 0;
	}
	if (fd < 0)
		return fail_waiting(receiver, fd, ret_failure);
	if (check_peer(receiver, fd, &refused) < 0) {
		close(fd);
		/*
		 * The pause is over when await_event has looked at the
		 * deadline, the signals and the watches.
		 */
		receiver->pause = clock_after(1);
		return 0;
	}
	if (receiver->count == RECEIVE_MOST)
		close_oldest(receiver);
	keep_connection(receiver, fd);
	receiver->pause = clock_after(CLOCK_PATIENCE_NS);
	return 0;
}

/*
 * Waits for an event. Gives the oldest connection that has one, or -EAGAIN if
 * another connection may be accepted.
 */
static int await_event(const struct receiver *receiver, struct signals *signals)
{
	struct pollfd fds[SIGNALS_POLL_MOST];
	const size_t count = receiver->count;
	size_t polled = count;
	int r;

	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){ receiver->sockets[i], POLLIN, 0 };
	if (receiver->listener.fd >= 0 && !receiver->pause)
		fds[polled++] = (struct pollfd){ receiver->listener.fd, POLLIN,
						 0 };
	r = signals_poll_any(signals, fds, polled,
			     clock_sooner(receiver->deadline, receiver->pause));
	/* Only the pause is over. */
	if (r == -ETIMEDOUT && !clock_is_over(receiver->deadline))
		return -EAGAIN;
	for (size_t i = 0; r >= 0 && i < count; i++)
		if (fds[i].revents)
			return receiver->sockets[i];
	return r < 0 ? r : -EAGAIN;
}

/* Gives the pidfd of the first message */
static int await_message(struct receiver *receiver, struct signals *signals,
			 struct text *ret_payload, struct failure *ret_failure)
{
	for (;;) {
		int pidfd, r = await_event(receiver, signals);

		if (r == -EAGAIN) {
			r = accept_next(receiver, ret_failure);
			if (r < 0)
				return r;
			continue;
		}
		if (r < 0)
			return fail_waiting(receiver, r, ret_failure);
		/* This also makes room for the pidfd. */
		close_others(receiver, r);
		r = pass_receive(r, ret_payload, &pidfd);
		if (r >= 0)
			return pidfd;
		if (r != -EAGAIN)
			return fail(receiver, STEP_RECEIVE, r, ret_failure);
	}
}

/* Checks the peer of a connected fd:N; a listener checks its own */
static int check_connected(const struct receiver *receiver,
			   struct failure *ret_failure)
{
	return receiver->count ? check_peer(receiver, receiver->sockets[0],
					    ret_failure)
			       : 0;
}

int receive_take(struct receiver *receiver, struct signals *signals,
		 struct text *ret_payload, struct process *ret_process,
		 struct failure *ret_failure)
{
	int r = check_connected(receiver, ret_failure);
	int pidfd = r < 0 ? r : await_message(receiver, signals, ret_payload,
					      ret_failure);

	listener_close(&receiver->listener);
	close_others(receiver, -1);
	if (pidfd < 0)
		return pidfd;
	r = pass_identify(pidfd, signals, ret_process);
	if (r < 0) {
		fd_close(&pidfd);
		return fail(receiver, STEP_RECEIVE, r, ret_failure);
	}
	return 0;
}
