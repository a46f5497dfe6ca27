/* SPDX-License-Identifier: MIT */
/* group_leader - see group_leader.h. It must never signal the group. */
#include "group_leader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdnoreturn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "fd.h"
#include "sys.h"

enum { INIT_PID = 1 };

/*
 * Asks the leader, which takes every standard signal before this one. Sent by
 * sigqueue(3): the init sends the tree other signals by kill(2).
 */
#define QUESTION 64

/* The value of a question */
enum {
	HAS_PASSED_ON,
	CONTINUE_GROUP
};

static bool is_question(const siginfo_t *info)
{
	return info->si_signo == QUESTION && info->si_code == SI_QUEUE;
}

/*
 * Passes a signal on. A sender in the tree goes with it, as its value: it may
 * be COMMAND. 0 is the terminal, or a process outside.
 */
static void pass_on(const siginfo_t *info)
{
	const union sigval sender = { .sival_int = info->si_pid };

	if (info->si_pid)
		sigqueue(INIT_PID, info->si_signo, sender);
	else
		kill(INIT_PID, info->si_signo);
}

/* Replies to a question of the init: all signals before it are passed on. */
static void reply(int replies, const siginfo_t *question)
{
	if (question->si_int == CONTINUE_GROUP)
		kill(0, SIGCONT);
	if (write(replies, "", 1) < 0)
		child_exit(1);
}

noreturn static void lead(int replies)
{
	const pid_t self = getpid();
	sigset_t all;
	siginfo_t info;

	prctl(PR_SET_NAME, "spawnfd-group");
	fd_close_others(&replies, 1);
	sigfillset(&all);
	for (;;) {
		int signal = sigwaitinfo(&all, &info);

		if (signal <= 0 || info.si_pid == self)
			continue;
		if (info.si_pid != INIT_PID)
			pass_on(&info);
		/* The init itself has sent the others to the group. */
		else if (is_question(&info))
			reply(replies, &info);
	}
}

int group_leader_start(struct group_leader *ret_leader)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* Without an exit signal: its end is not that of COMMAND. */
	pid = sys_clone(0, 0, NULL);
	if (!pid)
		lead(ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return pid;
	}
	/* Before COMMAND is there, which is to join the group */
	setpgid(pid, pid);
	*ret_leader = (struct group_leader){ .pid = pid, .replies = ends[0] };
	return 0;
}

/* Asks the leader, and waits for its reply. Gives whether it has replied */
static bool ask(struct group_leader *leader, int question)
{
	const int patience_ms = CLOCK_PATIENCE_NS / CLOCK_MS;
	const union sigval value = { .sival_int = question };
	struct pollfd replies = { leader->replies, POLLIN, 0 };
	char bytes[16];

	/* The leader may be stopped with its group. */
	kill(leader->pid, SIGCONT);
	if (sigqueue(leader->pid, QUESTION, value) < 0)
		return false;
	leader->unanswered++;
	while (leader->unanswered > 0) {
		ssize_t n = poll(&replies, 1, patience_ms) <= 0
				    ? 0
				    : read(replies.fd, bytes, sizeof(bytes));

		if (n <= 0)
			return false;
		leader->unanswered -= (int)n;
	}
	return true;
}

void group_leader_await(struct group_leader *leader)
{
	ask(leader, HAS_PASSED_ON);
}

void group_leader_continue(struct group_leader *leader)
{
	if (!ask(leader, CONTINUE_GROUP))
		kill(-leader->pid, SIGCONT);
}
