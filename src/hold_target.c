/* SPDX-License-Identifier: MIT */
/* hold_target - see hold_target.h. It must never signal a recycled pid. */
#include "hold_target.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

int target_send(const struct hold *hold, int signal, const siginfo_t *info)
{
	const struct process *process = hold->process;

	/*
	 * COMMAND has a group of its own only after the child has called
	 * setsid(2), and at the end nobody may be left in it. If there is no
	 * group, the signal goes to the process alone.
	 */
	if (hold->leads_session &&
	    process_signal(process, signal, true, info) >= 0)
		return 0;
	return process_signal(process, signal, false, info);
}

/*
 * When an autokill pidfd is closed, the kernel kills the process, even if the
 * process belongs to another user by now, or a security module protects it. A
 * second pidfd is opened first, to wait for the end and to read the wait
 * status; it is no autokill pidfd. Its inode tells whether the pid belongs to a
 * later process by now. If no second pidfd can be had, the end of the process
 * counts for more than its status.
 */
static int kill_by_closing(struct hold *hold)
{
	struct process *process = hold->process;
	int copy = sys_pidfd_open(process->pid);

	if (copy == -ESRCH)
		return copy;
	if (copy >= 0 &&
	    sys_pidfd_inode(copy) != sys_pidfd_inode(process->pidfd)) {
		close(copy);
		return -ESRCH;
	}
	close(process->pidfd);
	process->pidfd = copy < 0 ? -1 : copy;
	hold->ending.status_error = copy < 0 ? copy : 0;
	return 0;
}

void target_note_undone(struct hold *hold)
{
	hold->stop.undone.bits = sys_sigpending().bits & SIGNALS_STOPPING;
}

int target_kill(struct hold *hold)
{
	struct process *process = hold->process;
	int r, to_group = -ESRCH;

	if (hold->leads_session)
		to_group = process_signal(process, SIGKILL, true, NULL);
	/* The group may not exist: see target_send. */
	r = process_signal(process, SIGKILL, false, NULL);
	/* With CLONE_AUTOREAP, the signal to the group leaves nobody. */
	if (r == -ESRCH && to_group >= 0)
		return 0;
	if (r < 0 && r != -ESRCH && sys_pidfd_kills(process->pidfd))
		r = kill_by_closing(hold);
	return r;
}

bool target_has_ended(const struct hold *hold)
{
	/* pidfd_open(2): readable when the process terminates */
	return fd_has_event(hold->process->pidfd, POLLIN);
}
