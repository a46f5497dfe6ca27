/* SPDX-License-Identifier: MIT */
/* process - see process.h. It must never signal a recycled pid. */
#include "process.h"

#include <errno.h>

#include "sys.h"

int process_check_signals(void)
{
	/* The kernel looks at the descriptor first, which -1 never is. */
	int r = sys_pidfd_kill(-1, 0, false, NULL);

	return r == -EBADF ? 0 : r;
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
	if (!process->signal_by_pid)
		return sys_pidfd_kill(process->pidfd, signal, group, info);
	return group ? signal_pid(-process->pid, signal, NULL)
		     : signal_pid(process->pid, signal, info);
}
