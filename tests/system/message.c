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
