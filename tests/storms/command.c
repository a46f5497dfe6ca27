/* SPDX-License-Identifier: MIT */
/* COMMAND is this program itself, which is static and needs no other file. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "storms.h"

static void stay(void)
{
	for (;;)
		pause();
}

/* The child leaves the session, and only SIGKILL ends it. */
static void leave_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(99);
	if (pid)
		return;
	setsid();
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	stay();
}

/* Counts SIGUSR1, which can merge, and checks the order of those that cannot. */
static void count_signals(void)
{
	siginfo_t info;
	sigset_t set;
	int numbered = 0;
	bool merged = false;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGNAL_NUMBERED);
	sigaddset(&set, SIGNAL_LAST);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(FD_LIFE, "x", 1) != 1)
		_exit(99);
	for (;;) {
		switch (sigwaitinfo(&set, &info)) {
		case SIGUSR1:
			merged = true;
			break;
		case SIGNAL_NUMBERED:
			if (info.si_value.sival_int != ++numbered)
				_exit(98);
			break;
		case SIGNAL_LAST:
			_exit(merged && info.si_value.sival_int == numbered
				      ? OWN_STATUS : 97);
		}
	}
}

void command_run(const char *what)
{
	if (!strcmp(what, "count"))
		count_signals();
	if (!strncmp(what, "leave", 5))
		leave_child();
	if (write(FD_LIFE, "x", 1) != 1)
		_exit(99);
	if (!strcmp(what, "exit") || !strcmp(what, "leave-exit"))
		_exit(OWN_STATUS);
	stay();
	_exit(99);
}
