/* SPDX-License-Identifier: MIT */
/* address: what fd:N may be, for --pass and for --receive */
#include "address.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LEFT_OPEN = 100 };	/* a number that nothing else has */

static struct address inherited(int fd)
{
	return (struct address){ ADDRESS_FD, "fd:N", fd };
}

/* A socket with a name that the kernel chooses: unix(7), autobind */
static int named(int type)
{
	const struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	cr_assert_eq(bind(fd, (const void *)&un, sizeof(un.sun_family)), 0);
	return fd;
}

static int listening(int type)
{
	int fd = named(type);

	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

static int connected(int type)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, type, 0, fds), 0);
	return fds[0];
}

/* The results for --pass, and for --receive */
static void expect_refused(int fd, int as_sink, int as_source)
{
	const struct address address = inherited(fd);
	bool listens;

	cr_expect_eq(address_check_source(&address), as_source);
	cr_expect_eq(address_take_fd(&address, NULL), as_sink);
	cr_expect_eq(address_take_fd(&address, &listens), as_source);
}

Test(address, refuses_what_leads_nowhere)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	expect_refused(LEFT_OPEN, -EBADF, -EBADF);
	expect_refused(open("/dev/null", O_RDWR), -ENOTSOCK, -ENOTSOCK);
	expect_refused(tcp, -EAFNOSUPPORT, -EAFNOSUPPORT);
	cr_assert_eq(listen(tcp, 1), 0);
	expect_refused(tcp, -EAFNOSUPPORT, -EAFNOSUPPORT);
	expect_refused(named(SOCK_STREAM), -ENOTCONN, -EINVAL);
	expect_refused(named(SOCK_SEQPACKET), -ENOTCONN, -EINVAL);
	expect_refused(named(SOCK_DGRAM), -ENOTCONN, -EINVAL);
}

static void expect_taken(int fd, bool is_listening)
{
	const struct address address = inherited(fd);
	bool listens = !is_listening;

	cr_expect_eq(address_check_source(&address), 0);
	cr_expect_eq(fcntl(fd, F_GETFD), 0);
	cr_expect_eq(address_take_fd(&address, &listens), fd);
	cr_expect_eq(listens, is_listening);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(address_take_fd(&address, NULL),
		     is_listening ? -ENOTCONN : fd);
}

Test(address, takes_a_connected_or_a_listening_socket)
{
	expect_taken(connected(SOCK_STREAM), false);
	expect_taken(connected(SOCK_SEQPACKET), false);
	expect_taken(connected(SOCK_DGRAM), false);
	expect_taken(listening(SOCK_STREAM), true);
	expect_taken(listening(SOCK_SEQPACKET), true);
}

/* COMMAND keeps 0, 1 and 2. */
Test(address, copies_a_standard_descriptor)
{
	const struct address address = inherited(0);
	bool listens = false;
	int fd;

	cr_assert_eq(dup2(listening(SOCK_STREAM), 0), 0);
	fd = address_take_fd(&address, &listens);
	cr_expect_gt(fd, 2);
	cr_expect(listens);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(0, F_GETFD), 0);
}

Test(address, checks_no_name)
{
	const struct address path = { ADDRESS_PATH, "/none", 0 };
	const struct address name = { ADDRESS_ABSTRACT, "@none", 0 };

	cr_expect_eq(address_check_source(&path), 0);
	cr_expect_eq(address_check_source(&name), 0);
}
