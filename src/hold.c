/* SPDX-License-Identifier: MIT */
/* hold - see hold.h. It must never print. */
#include "hold.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "sys.h"

void hold_release(int pidfd)
{
	unsigned int low = STDERR_FILENO, high = (unsigned int)pidfd;

	if (pidfd < STDERR_FILENO) {
		low = (unsigned int)pidfd;
		high = STDERR_FILENO;
	}
	if (low > 0)
		sys_close_range(0, low - 1);
	sys_close_range(low + 1, high - 1);
	sys_close_range(high + 1, UINT_MAX);
}

/*
 * POLLHUP, not POLLIN: the latter comes with the exit, but the status is kept
 * only when the process is reaped (seen on Linux 7.1 to 7.3).
 */
static int await_reaping(int pidfd)
{
	struct pollfd reaped = { .fd = pidfd };

	while (poll(&reaped, 1, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return reaped.revents & POLLHUP ? 0 : -EBADF;
}

int hold_wait(int pidfd, bool reap, int *ret_status)
{
	int r = reap ? sys_wait_pidfd(pidfd, ret_status) : -ECHILD;

	if (r != -ECHILD)
		return r;
	r = await_reaping(pidfd);
	return r < 0 ? r : sys_pidfd_status(pidfd, ret_status);
}
