/* SPDX-License-Identifier: MIT */
/* hold - see hold.h. It must never print. */
#include "hold.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
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

static int await_event(int pidfd, short event, int timeout_ms)
{
	struct pollfd end = { .fd = pidfd, .events = event };
	int r;

	do
		r = poll(&end, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r ? 0 : -ETIMEDOUT;
}

/*
 * Until POLLHUP, which says that the process is reaped: only then is its status
 * kept. POLLIN comes before that, with the exit (seen on Linux 7.1 to 7.3).
 */
static int await_reaping(int pidfd, bool by_parent)
{
	enum { PATIENCE_MS = 1000 };
	int r;

	if (!by_parent)
		return await_event(pidfd, POLLHUP, -1);
	/* CLONE_PARENT: it may be waiting for spawnfd alone, and never reap */
	r = await_event(pidfd, POLLIN, -1);
	return r < 0 ? r : await_event(pidfd, POLLHUP, PATIENCE_MS);
}

/* Process 1: every orphan of its PID namespace is its child */
static int wait_as_init(pid_t pid, int *ret_status)
{
	pid_t ended;

	do
		ended = sys_wait_any(true, ret_status);
	while (ended > 0 && ended != pid);
	return ended < 0 ? ended : 0;
}

/* The same for an autoreaped command: the kernel reaps the orphans too */
static void leave_orphans_to_kernel(void)
{
	int status;

	sys_sigignore(SIGCHLD, true, NULL);
	/* those that ended before that */
	while (sys_wait_any(false, &status) > 0)
		;
}

int hold_wait(pid_t pid, int pidfd, bool reap, int *ret_status)
{
	bool init = getpid() == 1;
	int r = -ECHILD;

	if (reap)
		r = init ? wait_as_init(pid, ret_status)
			 : sys_wait_pidfd(pidfd, ret_status);
	else if (init)
		leave_orphans_to_kernel();
	if (r != -ECHILD)
		return r;
	r = await_reaping(pidfd, reap);
	return r < 0 ? r : sys_pidfd_status(pidfd, ret_status);
}
