/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <sys/socket.h>

#include "harness.h"

union control {
	struct cmsghdr header;
	char bytes[CONTROL_SIZE];
};

static void take_part(struct message *m, struct cmsghdr *part)
{
	struct ucred sender;

	m->parts++;
	if (part->cmsg_type == SCM_RIGHTS &&
	    part->cmsg_len == CMSG_LEN(sizeof(m->pidfd)))
		memcpy(&m->pidfd, CMSG_DATA(part), sizeof(m->pidfd));
	if (part->cmsg_type == SCM_CREDENTIALS) {
		memcpy(&sender, CMSG_DATA(part), sizeof(sender));
		m->sender = sender.pid;
	}
}

void take_message(int socket, struct message *m, size_t room)
{
	union control control;
	struct iovec text = { m->text, sizeof(m->text) - 1 };
	struct msghdr header = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = room,
	};

	memset(m, 0, sizeof(*m));
	m->pidfd = -1;
	m->length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (m->length < 0)
		return;
	m->control = header.msg_controllen;
	m->flags = header.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part;
	     part = CMSG_NXTHDR(&header, part))
		take_part(m, part);
}

void await_message(int socket, struct message *m)
{
	await_events(socket, POLLIN);
	take_message(socket, m, CONTROL_SIZE);
	cr_assert_geq(m->length, 0, "%s", strerror(errno));
}

ssize_t try_send(int socket, const struct outgoing *m)
{
	char control[CMSG_SPACE(sizeof(m->fds))] = { 0 };
	union { const char *in; void *out; } text = { m->text };
	struct iovec line = { text.out, m->length };
	struct msghdr msg = { .msg_iov = &line, .msg_iovlen = 1 };
	struct cmsghdr *rights;

	if (m->count) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(m->count * sizeof(int));
		rights = CMSG_FIRSTHDR(&msg);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(m->count * sizeof(int));
		memcpy(CMSG_DATA(rights), m->fds, m->count * sizeof(int));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL);
}

void send_message(int socket, const struct outgoing *m)
{
	cr_assert_eq(try_send(socket, m), (ssize_t)m->length, "sendmsg: %s",
		     strerror(errno));
}

void send_one(int socket, const char *text, size_t length, int fd)
{
	const struct outgoing m = { text, length, { fd }, 1 };

	send_message(socket, &m);
}

int await_pidfd(int socket, char *text, size_t size, size_t *length)
{
	union { struct cmsghdr header; char bytes[64]; } control;
	struct iovec line = { text, size - 1 };
	struct msghdr msg = { .msg_iov = &line, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;
	int fd;

	await_events(socket, POLLIN);
	n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	cr_assert_geq(n, 0, "recvmsg: %s", strerror(errno));
	cr_assert_eq(msg.msg_controllen, CMSG_SPACE(sizeof(fd)));
	text[n] = '\0';
	*length = (size_t)n;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}
