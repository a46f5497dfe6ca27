/* SPDX-License-Identifier: MIT */
/* hold_target - see hold_target.h. It must never signal a recycled pid. */
#include "hold_target.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "sys.h"

int target_send(const struct hold *hold, int signal, const siginfo_t *info)
{
	int pidfd = hold->process->pidfd;

	/*
	 * The group does not exist until the child has called setsid(2), nor
	 * once COMMAND is gone; COMMAND alone is signalled then.
	 */
	if (hold->leads_session &&
	    sys_pidfd_kill(pidfd, signal, true, info) >= 0)
		return 0;
	return sys_pidfd_kill(pidfd, signal, false, info);
}

/*
 * The kernel kills the process when its autokill pidfd is closed, whichever
 * user it belongs to by now. A second pidfd, without that mark, is opened first
 * to read the exit status from.
 */
static void kill_by_closing(struct process *process)
{
	int copy = sys_pidfd_open(process->pid);

	if (copy < 0)
		return;
	if (sys_pidfd_inode(copy) != sys_pidfd_inode(process->pidfd)) {
		close(copy);
		return;
	}
	close(process->pidfd);
	process->pidfd = copy;
}

int target_kill(struct hold *hold)
{
	struct process *process = hold->process;
	int r;

	if (hold->leads_session)
		sys_pidfd_kill(process->pidfd, SIGKILL, true, NULL);
	r = sys_pidfd_kill(process->pidfd, SIGKILL, false, NULL);
	if (r == -EPERM && sys_pidfd_kills(process->pidfd)) {
		kill_by_closing(process);
		r = 0;
	}
	return r;
}
