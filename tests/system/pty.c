/* SPDX-License-Identifier: MIT */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "harness.h"

int open_pty(char *name, size_t size)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_eq(grantpt(fd), 0);
	cr_assert_eq(unlockpt(fd), 0);
	cr_assert_eq(ptsname_r(fd, name, size), 0);
	return fd;
}

static void ignore(int sig)
{
	(void)sig;
}

void open_own_terminal(struct own_terminal *ret_terminal)
{
	/* Not SIG_IGN, which programs would inherit. */
	const struct sigaction action = { .sa_handler = ignore,
					  .sa_flags = SA_RESTART };
	char name[64];

	/* Criterion makes a session for each test. */
	cr_assert_eq(getsid(0), getpid());
	ret_terminal->master = open_pty(name, sizeof(name));
	ret_terminal->slave = open(name, O_RDWR | O_CLOEXEC);
	cr_assert_geq(ret_terminal->slave, 0);
	cr_assert_eq(ioctl(ret_terminal->slave, TIOCSCTTY, 0), 0);
	/* The hang-up at the end is for the leader of the session. */
	cr_assert_eq(sigaction(SIGHUP, &action, NULL), 0);
}

void close_own_terminal(const struct own_terminal *terminal)
{
	close(terminal->slave);
	close(terminal->master);
}

static int lead_session_of(const char *path)
{
	int fd;

	if (setsid() < 0)
		_exit(96);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		_exit(96);
	return fd;
}

void lead_session_at(const void *path)
{
	lead_session_of(path);
}

void take_terminal(const void *path)
{
	int fd = lead_session_of(path);

	for (int std = 0; std < 3; std++)
		inherit_as(fd, std);
}
