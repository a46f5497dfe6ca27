/* SPDX-License-Identifier: MIT */
/* job - see job.h. It must never take the terminal from a living group. */
#include "job.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

static int open_terminal(void)
{
	/* tty(4): stands for the controlling terminal of the caller */
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Whether the parent of a process of this group proves it to be orphaned */
static bool is_orphaned(void)
{
	const pid_t group = getpgrp();
	pid_t parent = getppid();

	/* The parent of a session's leader is of another session. */
	if (getsid(0) == getpid())
		return true;
	while (parent > 0 && getpgid(parent) == group)
		parent = sys_parent(parent);
	return parent > 0 && getsid(parent) != getsid(0);
}

bool job_can_be_continued(void)
{
	return job_foreground() >= 0 && !is_orphaned();
}

pid_t job_foreground(void)
{
	auto_close fd = open_terminal();
	pid_t group;

	if (fd < 0)
		return fd;
	group = tcgetpgrp(fd);
	return group < 0 ? -errno : group;
}

void job_set_foreground(pid_t group)
{
	auto_close fd = open_terminal();

	if (fd >= 0)
		tcsetpgrp(fd, group);
}

void job_recover_terminal(void)
{
	pid_t group = job_foreground();

	if (group > 0 && group != getpgrp() && kill(-group, 0) < 0 &&
	    errno == ESRCH)
		job_set_foreground(getpgrp());
}

pid_t job_standard_foreground(void)
{
	/* Both fail for any other terminal: tcgetpgrp(3). */
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || tcgetpgrp(STDOUT_FILENO) < 0 ? -ENOTTY : group;
}
