/* SPDX-License-Identifier: MIT */
/* listener: a socket that spawnfd inherits, and shares with other processes */
#include "listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

static socklen_t fill_address(struct sockaddr_un *un)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(un->sun_path + 1, 64,
					    "spawnfd-unit-%d", getpid()));
}

static int listen_as(int type)
{
	struct sockaddr_un un;
	socklen_t size = fill_address(&un);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (const void *)&un, size), 0);
	cr_assert_eq(listen(fd, 2), 0);
	return fd;
}

static int connect_as(int type)
{
	struct sockaddr_un un;
	socklen_t size = fill_address(&un);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, (const void *)&un, size), 0);
	return fd;
}

static void expect_one(const struct listener *listener, int type)
{
	int client = connect_as(type), fd = listener_accept(listener);

	cr_assert_gt(fd, 2, "%d", fd);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	cr_expect_eq(write(client, "x", 1), 1);
	cr_expect_eq(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 1);
	close(client);
	close(fd);
}

/* On a socket that blocks, accept(2) would wait if the caller had gone. */
Test(listener, never_waits_and_leaves_the_socket_as_it_was)
{
	static const int flags[] = { 0, O_NONBLOCK, O_APPEND };

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 3; j++) {
			int fd = listen_as(types[i]), copy = dup(fd);
			struct listener listener;

			fcntl(fd, F_SETFL, flags[j]);
			listener_inherit(fd, &listener);
			cr_expect_eq(listener_accept(&listener), -EAGAIN);
			expect_one(&listener, types[i]);
			cr_expect_eq(listener_accept(&listener), -EAGAIN);
			listener_close(&listener);
			cr_expect_eq(listener.fd, -1);
			cr_expect_eq(fcntl(copy, F_GETFL), O_RDWR | flags[j]);
			close(copy);
		}
}

Test(listener, that_is_shut_down)
{
	struct listener listener;

	listener_inherit(listen_as(SOCK_STREAM), &listener);
	cr_assert_eq(shutdown(listener.fd, SHUT_RDWR), 0);
	cr_expect_eq(listener_accept(&listener), -EINVAL);
	listener_close(&listener);
}
