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

void take_terminal(const void *path)
{
	int fd;

	if (setsid() < 0)
		_exit(96);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		_exit(96);
	for (int std = 0; std < 3; std++)
		inherit_as(fd, std);
}
