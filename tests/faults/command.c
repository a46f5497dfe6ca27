/* SPDX-License-Identifier: MIT */
/*
 * COMMAND is this program itself, so that it is static and needs no file. The
 * tracer lets it run on from its exec when spawnfd waits for it.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "faults.h"

void command_run(const char *what)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (!strcmp(what, "stay")) {
		/* Only SIGKILL ends it. */
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	if (!strcmp(what, "stop")) {
		kill(getpid(), SIGTSTP);
		_exit(COMMAND_CODE);
	}
	if (!strcmp(what, "exit"))
		_exit(COMMAND_CODE);
	/* The kernel is to kill it when spawnfd ends. */
	if (!strcmp(what, "doomed")) {
		int signal = 0;

		prctl(PR_GET_PDEATHSIG, &signal);
		_exit(signal == SIGKILL ? COMMAND_CODE : 98);
	}
	/* The child of "leave" and "follow" sees the end of its parent. */
	if (pipe(ends))
		_exit(99);
	pid = fork();
	if (pid < 0)
		_exit(99);
	if (pid)
		_exit(COMMAND_CODE);
	setsid();
	close(ends[1]);
	while (read(ends[0], &byte, 1) > 0)
		;
	if (!strcmp(what, "leave"))
		for (;;)
			pause();
	_exit(0);
}
