/* SPDX-License-Identifier: MIT */
/* group_leader - see group_leader.h. It must never signal the group. */
#include "group_leader.h"

#include <errno.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

enum { INIT_PID = 1 };

noreturn static void lead(void)
{
	sigset_t all;
	siginfo_t info;

	prctl(PR_SET_NAME, "spawnfd-group");
	fd_close_others(NULL, 0);
	sigfillset(&all);
	for (;;) {
		int signal = sigwaitinfo(&all, &info);

		/* The init itself has sent the others to the group. */
		if (signal > 0 && (info.si_pid != INIT_PID ||
				   signal == GROUP_LEADER_ECHO))
			kill(INIT_PID, signal);
	}
}

pid_t group_leader_start(void)
{
	/* Without an exit signal: its end is not that of COMMAND. */
	pid_t pid = sys_clone(0, 0, NULL);

	if (!pid)
		lead();
	/* Before COMMAND is there, which is to join the group */
	if (pid > 0)
		setpgid(pid, pid);
	return pid;
}

int group_leader_ask(pid_t leader)
{
	return kill(leader, GROUP_LEADER_ECHO) < 0 ? -errno : 0;
}
