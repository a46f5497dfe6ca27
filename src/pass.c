/* SPDX-License-Identifier: MIT */
/* pass - see pass.h. It must never keep open a descriptor of a bad message. */
#include "pass.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "sys.h"

enum { PAYLOAD_MAX = 4096 };

/* Room for several descriptors, so that such a message can be refused */
union control {
	struct cmsghdr header;
	char bytes[256];
};

int pass_send(int socket, const struct text *payload, int pidfd)
{
	union control control = { 0 };
	char bytes[PAYLOAD_MAX] = " ";
	struct iovec line = { bytes, payload->length ? payload->length : 1 };
	struct msghdr message = {
		.msg_iov = &line,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(pidfd)),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	memcpy(bytes, payload->bytes, payload->length);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(pidfd));
	memcpy(CMSG_DATA(rights), &pidfd, sizeof(pidfd));
	/*
	 * Other processes may share the socket of fd:N, so MSG_DONTWAIT is used
	 * instead of O_NONBLOCK.
	 */
	return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0
		       ? -errno
		       : 0;
}

/*
 * Takes the descriptors out of one control message: see take_descriptors.
 * `count` is the number that came before; gives the new number.
 */
static size_t take_rights(struct cmsghdr *part, size_t count,
			  int *ret_first)
{
	size_t end = part->cmsg_len - CMSG_LEN(0);

	for (size_t at = 0; at + sizeof(int) <= end; at += sizeof(int)) {
		int fd;

		memcpy(&fd, CMSG_DATA(part) + at, sizeof(fd));
		if (count++)
			close(fd);
		else
			*ret_first = fd;
	}
	return count;
}

/*
 * Gives the number of descriptors that the peer has sent, keeps the first in
 * *ret_first, and closes the others. If the socket of fd:N has SO_PASSPIDFD,
 * the kernel has added a pidfd of the peer, which is closed too.
 */
static size_t take_descriptors(union control *control, size_t length,
			       int *ret_first)
{
	struct cmsghdr *part;
	size_t count = 0;
	int unused;

	/* CMSG_NXTHDR would do, but compilers warn about musl's. */
	for (size_t at = 0; at + sizeof(*part) <= length;
	     at += CMSG_ALIGN(part->cmsg_len)) {
		part = (void *)(control->bytes + at);
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_RIGHTS)
			count = take_rights(part, count, ret_first);
		else if (part->cmsg_type == SCM_PIDFD)
			take_rights(part, 1, &unused);
	}
	return count;
}

/* Gives 0 for a good message, otherwise the error of pass_receive */
static int check_message(const struct msghdr *message, ssize_t length,
			 size_t count)
{
	if (count > 1)
		return -E2BIG;
	if (message->msg_flags & MSG_CTRUNC)
		return -EMFILE;
	if (!count)
		return length ? -EBADMSG : -ENOMSG;
	if (length > PAYLOAD_MAX || message->msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return 0;
}

static int take_message(int socket, struct text *payload, int *ret_pidfd)
{
	union control control;
	struct iovec line = { payload->bytes, PAYLOAD_MAX + 1 };
	struct msghdr message = {
		.msg_iov = &line,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t length;
	size_t count;
	int r, pidfd = -1;

	/*
	 * A peer that closes while data from this end are unread causes one
	 * ECONNRESET. A message that it sent before can be read after that.
	 * spawnfd sends no data on this socket; an earlier user of fd:N may
	 * have.
	 */
	do
		length = recvmsg(socket, &message,
				 MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (length < 0 && errno == ECONNRESET);
	if (length < 0)
		return -errno;
	count = take_descriptors(&control, message.msg_controllen, &pidfd);
	r = check_message(&message, length, count);
	if (r < 0 && count)
		close(pidfd);
	if (r < 0)
		return r;
	payload->length = (size_t)length;
	payload->bytes[length] = '\0';
	*ret_pidfd = pidfd;
	return 0;
}

/*
 * Whether nothing more can come. A datagram socket that was shut down is
 * readable for ever, and its recvmsg(2) gives EAGAIN; other types give the end
 * of file (Linux 7.2).
 */
static bool is_shut_down(int socket)
{
	return fd_has_event(socket, POLLRDHUP);
}

int pass_receive(int socket, struct text *ret_payload, int *ret_pidfd)
{
	int r = take_message(socket, ret_payload, ret_pidfd);

	if (r != -EAGAIN || !is_shut_down(socket))
		return r;
	/* A message may have come before the shutdown. */
	r = take_message(socket, ret_payload, ret_pidfd);
	return r == -EAGAIN ? -ENOMSG : r;
}

/*
 * Waits until the process is reaped (POLLHUP): only then does the kernel keep
 * its exit status.
 */
static int await_reaping(int pidfd, struct signals *signals)
{
	int r = signals_poll(signals, pidfd, POLLHUP,
			     clock_after(CLOCK_PATIENCE_NS));

	return r == -ETIMEDOUT ? -ECHILD : r;
}

int pass_identify(int pidfd, struct signals *signals,
		  struct process *ret_process)
{
	struct process process = {
		.pid = sys_pidfd_pid(pidfd),
		.pidfd = pidfd,
		.reaper = REAPER_OTHER,
		.exec_pipe = -1,
		.init_socket = -1,
	};
	int r = 0;

	/* ESRCH: the process is being reaped at this moment (Linux 7.1). */
	if (process.pid < 0 && process.pid != -ESRCH)
		return process.pid;
	if (process.pid <= 0 || fd_has_event(pidfd, POLLIN)) {
		process.pid = 0;
		r = await_reaping(pidfd, signals);
	}
	if (r >= 0)
		*ret_process = process;
	return r;
}
