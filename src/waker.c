/* SPDX-License-Identifier: MIT */
/* waker - see waker.h. It must never outlive the stop of spawnfd. */
#include "waker.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdnoreturn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "child.h"
#include "fd.h"
#include "proc.h"
#include "sys.h"

/* How often it looks at COMMAND, in milliseconds: less often after a while */
enum { FIRST_MS = 5, MOST_MS = 640 };

static bool is_stop(char state)
{
	/* t: stopped by a tracer (ptrace(2)) */
	return state == 'T' || state == 't';
}

/*
 * state is a file of /proc, which may hide the parent from this process. It is
 * -1 if the parent had no descriptor free.
 */
static bool parent_is_stopped(pid_t parent, int state)
{
	return is_stop(state < 0 ? proc_state(parent, NULL)
				 : proc_state_at(state, NULL));
}

noreturn static void watch(pid_t parent, int state, pid_t command, int notices)
{
	const int keep[] = { state, notices };
	struct pollfd row = { .fd = notices, .events = POLLIN };
	int ms = FIRST_MS;

	/* Above all the pidfd: a copy of it would keep COMMAND alive. */
	fd_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	/* So ps(1) and top(1) tell it from the spawnfd that has stopped. */
	prctl(PR_SET_NAME, "spawnfd-waker");
	/* A stop of the whole process group must not stop this process. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !proc_is_ours())
		child_exit(0);
	for (;;) {
		/* One notice is enough, and would end every later wait. */
		if (poll(&row, 1, ms) > 0)
			row.fd = -1;
		else if (ms < MOST_MS)
			ms *= 2;
		if ((command > 0 ? !is_stop(proc_state(command, NULL))
				 : row.fd < 0) &&
		    parent_is_stopped(parent, state))
			kill(parent, SIGCONT);
	}
}

pid_t waker_start(pid_t command, int notices)
{
	const pid_t parent = getpid();
	auto_close state = proc_open_own_state();
	/* Without an exit signal: spawnfd must not take its end for another. */
	pid_t pid = sys_clone(0, 0, NULL);

	if (!pid)
		watch(parent, state, command, notices);
	return pid;
}

void waker_end(pid_t waker)
{
	int status;

	if (waker < 0)
		return;
	kill(waker, SIGKILL);
	sys_wait_pid(waker, &status);
}
