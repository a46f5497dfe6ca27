/* SPDX-License-Identifier: MIT */
/*
 * Messages to spawnfd --receive that no spawnfd sends: control messages of each
 * kind, several of them, and urgent data. Each is taken or refused.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

/* ---- control messages ---- */

#define MOST 4			/* control messages in one message */

struct part {
	int type;		/* SCM_RIGHTS or SCM_CREDENTIALS; 0: none */
	int fds;		/* how often the pidfd is in it */
	bool is_foreign;	/* of another level, which Unix sockets skip */
};

static const struct strange {
	const char *name;
	struct part parts[MOST];
	bool is_taken;
} stranges[] = {
	{ "the pidfd alone", { { SCM_RIGHTS, 1 } }, true },
	{ "credentials before it",
	  { { SCM_CREDENTIALS }, { SCM_RIGHTS, 1 } }, true },
	{ "credentials behind it",
	  { { SCM_RIGHTS, 1 }, { SCM_CREDENTIALS } }, true },
	{ "credentials alone", { { SCM_CREDENTIALS } }, false },
	{ "rights twice", { { SCM_RIGHTS, 1 }, { SCM_RIGHTS, 1 } }, false },
	{ "rights of none", { { SCM_RIGHTS } }, false },
	{ "rights of none before it",
	  { { SCM_RIGHTS }, { SCM_RIGHTS, 1 } }, true },
	{ "253 pidfds", { { SCM_RIGHTS, 253 } }, false },
	{ "another level before it",
	  { { SCM_RIGHTS, 1, true }, { SCM_RIGHTS, 1 } }, true },
	{ "another level alone", { { SCM_RIGHTS, 1, true } }, false },
};

/* Writes a control message, and returns its length. */
static size_t add_part(struct cmsghdr *header, const struct part *part,
		       int pidfd)
{
	const struct ucred own = { getpid(), getuid(), getgid() };
	size_t size = part->type == SCM_CREDENTIALS
			      ? sizeof(own)
			      : (size_t)part->fds * sizeof(int);

	header->cmsg_level = part->is_foreign ? IPPROTO_TCP : SOL_SOCKET;
	header->cmsg_type = part->type;
	header->cmsg_len = CMSG_LEN(size);
	if (part->type == SCM_CREDENTIALS)
		memcpy(CMSG_DATA(header), &own, sizeof(own));
	for (int i = 0; i < part->fds; i++)
		memcpy(CMSG_DATA(header) + (size_t)i * sizeof(int), &pidfd,
		       sizeof(pidfd));
	return CMSG_SPACE(size);
}

static ssize_t send_strange(int socket, const struct strange *strange,
			    int pidfd, int flags)
{
	static char text[] = "x";
	union { struct cmsghdr header; char bytes[2048]; } control = { 0 };
	struct iovec line = { text, 1 };
	struct msghdr msg = { .msg_iov = &line, .msg_iovlen = 1,
			      .msg_control = &control };

	for (size_t i = 0; i < MOST && strange->parts[i].type; i++)
		msg.msg_controllen += add_part(
			(void *)(control.bytes + msg.msg_controllen),
			&strange->parts[i], pidfd);
	return sendmsg(socket, &msg, MSG_NOSIGNAL | flags);
}

static void receive_strange(const struct strange *strange, int type)
{
	struct running child;
	struct receiver v;
	struct ended e;
	int socket = open_channel(&v, type);

	start_child(&child, "42");
	cr_assert_eq(send_strange(socket, strange, child.pidfd, 0), 1, "%s: %s",
		     strange->name, strerror(errno));
	end_child(&child, 42);
	close_running(&child);
	finish_receiver(&v, &e);
	cr_expect_eq(e.status, (strange->is_taken ? 42 : 125) << 8,
		     "%s, socket type %d: %#x, %s", strange->name, type,
		     e.status, e.err);
	if (!strange->is_taken)
		expect_one_line(&e, "receive: ");
	close(socket);
}

SystemTest(plain, receive_control_messages_of_every_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(stranges); i++)
		for (size_t j = 0; j < ARRAY_SIZE(channels); j++)
			receive_strange(&stranges[i], channels[j]);
}

/* ---- urgent data ---- */

static void give_socket(const void *arg)
{
	inherit_as(*(const int *)arg, SOCKET_FD);
}

/*
 * A byte of urgent data (MSG_OOB, unix(7)) makes the socket readable, and
 * recvmsg(2) does not give it.
 */
SystemTest(plain, receive_urgent_data_without_end)
{
	int pair[2];
	const struct way way = { .prepare = give_socket, .arg = &pair[1] };
	struct running child;
	struct ended e;

	open_pair(SOCK_STREAM, pair);
	start_child(&child, "42");
	if (send_strange(pair[0], &stranges[0], child.pidfd, MSG_OOB) < 0) {
		cr_assert_eq(errno, EOPNOTSUPP);
		not_tested("urgent data", "this kernel has no AF_UNIX_OOB");
	} else {
		run(&e, &way, ARGV(spawnfd, RECEIVE(SOCKET), "--wait=0.2"));
		expect_one_line(&e, "receive: ");
	}
	end_child(&child, 42);
	close_running(&child);
	close(pair[0]);
	close(pair[1]);
}
