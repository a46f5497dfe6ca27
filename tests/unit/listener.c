/* SPDX-License-Identifier: MIT */
/* listener: a socket that spawnfd inherits, and shares with other processes */
#include "listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "receive.h"
#include "signals.h"

static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

static struct signals signals;

static void prepare(void)
{
	cr_assert_eq(signals_block(0, false, &signals), 0);
	receive_ignore_children();
}

TestSuite(listener, .init = prepare);

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

/* Expects that no connection is there, and that the attempt changes nothing. */
static void expect_nobody(const struct listener *listener, int flags)
{
	const struct sys_sigset none = { 0 };
	struct sys_sigset before, after;

	cr_assert_eq(sys_sigblock(&none, &before), 0);
	cr_expect_eq(listener_accept(listener), -EAGAIN);
	cr_assert_eq(sys_sigblock(&none, &after), 0);
	cr_expect_eq(after.bits, before.bits);
	cr_expect_eq(sys_sigpending().bits, 0);
	cr_expect_eq(sys_sigignored(SIGCHLD), 1);
	cr_expect_eq(fcntl(listener->fd, F_GETFL), O_RDWR | flags);
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

/* On a socket that blocks, accept(2) alone would never return. */
Test(listener, accepts_or_returns_at_once, .timeout = 60)
{
	static const int flags[] = { 0, O_NONBLOCK, O_APPEND };

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 3; j++) {
			struct listener listener;

			listener_inherit(listen_as(types[i]), &listener);
			fcntl(listener.fd, F_SETFL, flags[j]);
			expect_nobody(&listener, flags[j]);
			expect_one(&listener, types[i]);
			expect_nobody(&listener, flags[j]);
			expect_one(&listener, types[i]);
			listener_close(&listener);
			cr_expect_eq(listener.fd, -1);
		}
}

/* A timer that goes on would send its signal before the one of the test does. */
Test(listener, leaves_no_timer, .timeout = 60)
{
	const struct sys_sigset child = { SYS_SIGBIT(SIGCHLD) };
	struct pollfd signalled = { signals.fd, POLLIN, 0 };
	const struct itimerval later = { .it_value.tv_usec = 20000 };
	struct listener listener;
	siginfo_t info;

	listener_inherit(listen_as(SOCK_STREAM), &listener);
	expect_nobody(&listener, 0);
	expect_one(&listener, SOCK_STREAM);
	sys_sigignore(SIGCHLD, false, NULL);
	cr_assert_eq(setitimer(ITIMER_REAL, &later, NULL), 0);
	cr_assert_eq(poll(&signalled, 1, -1), 1);
	cr_expect_eq(sys_sigtake(&child, &info), -EAGAIN);
	listener_close(&listener);
}

/* The kernel counts a timer as a pending signal: setrlimit(2). */
Test(listener, needs_no_timer_to_take_what_is_there)
{
	const struct rlimit none = { 0 };
	struct listener listener;

	listener_inherit(listen_as(SOCK_STREAM), &listener);
	cr_assert_eq(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	expect_one(&listener, SOCK_STREAM);
	listener_close(&listener);
}

Test(listener, that_is_shut_down)
{
	struct listener listener;

	listener_inherit(listen_as(SOCK_STREAM), &listener);
	cr_assert_eq(shutdown(listener.fd, SHUT_RDWR), 0);
	cr_expect_eq(listener_accept(&listener), -EINVAL);
	listener_close(&listener);
}
