/* SPDX-License-Identifier: MIT */
/* process - see process.h. It must never signal a recycled pid. */
#include "process.h"

#include <errno.h>
#include <poll.h>

#include "clock.h"
#include "fd.h"
#include "status.h"
#include "sys.h"

int process_check_signals(void)
{
	/* The kernel looks at the descriptor first, which -1 never is. */
	int r = sys_pidfd_kill(-1, 0, false, NULL);

	return r == -EBADF ? 0 : r;
}

bool process_was_executed(const struct process *process)
{
	int status;

	/* wait(2): a "clone" child is one whose exit signal is not SIGCHLD. */
	if (sys_is_child(process->pid, false))
		return true;
	if (sys_is_child(process->pid, true))
		return false;
	return sys_pidfd_status(process->pidfd, &status) < 0 ||
	       status_signal(status) != SIGKILL;
}

/* The pid is that of a child which nobody else reaps: it is still the same */
static int signal_pid(pid_t pid, int signal, const siginfo_t *info)
{
	if (info)
		return sys_sigqueue(pid, info);
	return kill(pid, signal) < 0 ? -errno : 0;
}

int process_signal(const struct process *process, int signal, bool group,
		   const siginfo_t *info)
{
	int r = -EINVAL;

	if (!process->signal_by_pid)
		r = sys_pidfd_kill(process->pidfd, signal, group, info);
	/* pidfd_send_signal(2): no flag for groups before Linux 6.9 */
	if (r != -EINVAL || process->reaper != REAPER_SPAWNFD)
		return r;
	return group ? signal_pid(-process->pid, signal, NULL)
		     : signal_pid(process->pid, signal, info);
}

void process_reap(struct process *process)
{
	struct pollfd end = { process->pidfd, POLLIN, 0 };
	int status;

	if (process->reaper == REAPER_SPAWNFD)
		sys_wait_pid(process->pid, &status);
	/* Until the tree is gone, the terminal may belong to a group of it. */
	else if (process->init_socket >= 0)
		poll(&end, 1, CLOCK_PATIENCE_NS / CLOCK_MS);
	fd_close(&process->pidfd);
	fd_close(&process->exec_pipe);
	fd_close(&process->init_socket);
}

void process_kill(struct process *process)
{
	int r;

	/*
	 * Without a pidfd (--exact), the pid must not have been recycled. It
	 * cannot have been if spawnfd is to reap the process. With
	 * CLONE_AUTOREAP it could, once the process has ended; so the pid is
	 * used only while the exec is awaited.
	 */
	if (process->pidfd >= 0)
		r = process_signal(process, SIGKILL, false, NULL);
	else if (process->reaper == REAPER_SPAWNFD || process->exec_pipe >= 0 ||
		 process->init_socket >= 0)
		r = kill(process->pid, SIGKILL);
	else
		return;
	if (r < 0)
		fd_close(&process->pidfd);
	else
		process_reap(process);
}
