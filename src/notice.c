/* SPDX-License-Identifier: MIT */
/* notice - see notice.h. It must never wait for who does not take. */
#include "notice.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"

/* Room for the one control message that there may be */
union control {
	char bytes[CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr align;
};

int notice_open(int ret_ends[2])
{
	const int on = 1;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	/* what is meant for standard error is no notice */
	ends[0] = fd_above_standard(ends[0]);
	ends[1] = ends[0] < 0 ? ends[1] : fd_above_standard(ends[1]);
	if (ends[0] < 0 || ends[1] < 0) {
		int error = errno;

		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return -error;
	}
	setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	memcpy(ret_ends, ends, sizeof(ends));
	return 0;
}

int notice_send(int fd, const struct notice *notice, pid_t about)
{
	const struct ucred who = { about, getuid(), getgid() };
	struct notice copy = *notice;
	struct iovec data = { &copy, sizeof(copy) };
	union control control = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (about) {
		struct cmsghdr *c = &control.align;

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_CREDENTIALS;
		c->cmsg_len = CMSG_LEN(sizeof(who));
		memcpy(CMSG_DATA(c), &who, sizeof(who));
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
	}
	/* where credentials of others are not to be had, go without */
	if (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return about ? notice_send(fd, notice, 0) : -errno;
}

int notice_take(int fd, struct notice *ret_notice, pid_t *ret_about)
{
	struct notice notice;
	struct iovec data = { &notice, sizeof(notice) };
	union control control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct ucred who = { 0 };
	struct cmsghdr *c;
	ssize_t n;

	/* once, if it has left something unread; what it sent comes after */
	do
		n = recvmsg(fd, &message, MSG_DONTWAIT);
	while (n < 0 && errno == ECONNRESET);
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (n <= 0)
		return n < 0 ? -errno : 0;
	if (c && c->cmsg_type == SCM_CREDENTIALS)
		memcpy(&who, CMSG_DATA(c), sizeof(who));
	*ret_notice = notice;
	*ret_about = who.pid;
	return 1;
}

int notice_await(int fd, int ms, struct notice *ret_notice)
{
	struct pollfd row = { fd, POLLIN, 0 };
	pid_t about;
	int r;

	do
		r = poll(&row, 1, ms);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return notice_take(fd, ret_notice, &about);
}

int notice_read(int fd, struct notice *ret_notice)
{
	struct notice notice;
	ssize_t n = read(fd, &notice, sizeof(notice));

	if (n < 0)
		return -errno;
	if (n != sizeof(notice))
		return 0;
	*ret_notice = notice;
	return 1;
}
