/* SPDX-License-Identifier: MIT */
/* hold - see hold.h. It must never print. */
#include "hold.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "sys.h"

/* The lowest of the descriptors to be kept that is not below from, or -1 */
static int next_kept(const int *keep, size_t count, int from)
{
	int next = from <= STDERR_FILENO ? STDERR_FILENO : -1;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= from && (next < 0 || keep[i] < next))
			next = keep[i];
	return next;
}

void hold_release(const int *keep, size_t count)
{
	unsigned int from = 0;

	for (;;) {
		int kept = next_kept(keep, count, (int)from);

		if (kept < 0)
			break;
		if ((unsigned int)kept > from)
			sys_close_range(from, (unsigned int)kept - 1);
		from = (unsigned int)kept + 1;
	}
	sys_close_range(from, UINT_MAX);
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
static int await_reaping(int pidfd, bool by_other)
{
	enum { PATIENCE_MS = 1000 };
	int r;

	if (!by_other)
		return await_event(pidfd, POLLHUP, -1);
	/* it may be waiting for spawnfd alone, and never reap */
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

void hold_leave_children(void)
{
	int status;

	sys_sigignore(SIGCHLD, true, NULL);
	/* those that ended before that */
	while (sys_wait_any(false, &status) > 0)
		;
}

int hold_wait(const struct process *process, int *ret_status)
{
	bool init = getpid() == 1;
	int r = -ECHILD;

	if (process->reaper == REAPER_SPAWNFD)
		r = init ? wait_as_init(process->pid, ret_status)
			 : sys_wait_pidfd(process->pidfd, ret_status);
	else if (init)
		hold_leave_children();
	/* it was no child after all, if it was made with CLONE_PARENT */
	if (r != -ECHILD)
		return r;
	r = await_reaping(process->pidfd, process->reaper != REAPER_KERNEL);
	return r < 0 ? r : sys_pidfd_status(process->pidfd, ret_status);
}
