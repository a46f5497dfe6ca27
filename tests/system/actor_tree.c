/* SPDX-License-Identifier: MIT */
/* The verbs of the actor that start a tree of processes. */
#include "actor.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes this process one of a forest; the number says of which kind. */
static _Noreturn void be_tree(int n)
{
	switch (n % 6) {
	case 1:
		setsid();
		break;
	case 2:
		/* The parent exits, so that this process is an orphan. */
		if (fork())
			_exit(0);
		break;
	case 3:
		kill(getpid(), SIGSTOP);
		break;
	case 4:
		for (int sig = 1; sig <= 64; sig++)
			if (sig != SIGALRM)
				signal(sig, SIG_IGN);
		break;
	case 5:
		setpgid(0, 0);
		break;
	}
	stay();
}

/* forest N: starts N processes of all kinds, says "grown", and stays */
int do_forest(char **args)
{
	for (int n = number(args[0]); n > 0; n--) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0)
			be_tree(n);
		if (n % 6 == 2)
			waitpid(child, NULL, 0);
	}
	dprintf(1, "grown\n");
	stay();
}

/* brood CODE: leaves one of each kind; exits with CODE, or by signal -CODE */
int do_brood(char **args)
{
	for (int n = 0; n < 6; n++)
		if (fork() == 0)
			be_tree(n);
	if (number(args[0]) < 0)
		kill(getpid(), -number(args[0]));
	return number(args[0]);
}

/* ---- a tree whose processes handle the signal of an end ---- */

/* The kinds of members: number N of a grove is of kind N % KINDS. */
enum kind {
	CATCHES,		/* a child that says the signal, and exits */
	CATCHES_AS_DAEMON,	/* as above, an orphan with its own session */
	CATCHES_STOPPED,	/* as above, a child that is stopped */
	IGNORES,		/* a child that ignores every signal */
	DIES,			/* a child that leaves signals alone */
	DIES_STOPPED,		/* as above, stopped, in its own group */
	KINDS
};

static bool is_stopped(enum kind kind)
{
	return kind == CATCHES_STOPPED || kind == DIES_STOPPED;
}

static void mask_ends(int how)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGUSR1);
	sigprocmask(how, &ends, NULL);
}

/* Waits for the signal of an end, which is blocked, and says its number. */
static void say_end(void)
{
	sigset_t ends;
	int sig = 0;

	sigprocmask(SIG_SETMASK, NULL, &ends);
	sigwait(&ends, &sig);
	dprintf(1, "%d\n", sig);
}

static _Noreturn void be_member(enum kind kind, int ready)
{
	char name[16];

	snprintf(name, sizeof(name), "kind-%d", kind);
	prctl(PR_SET_NAME, name);
	die_in_time();
	if (kind == CATCHES_AS_DAEMON)
		setsid();
	if (kind == DIES_STOPPED)
		setpgid(0, 0);
	for (int sig = 1; kind == IGNORES && sig <= 64; sig++)
		if (sig != SIGALRM)
			signal(sig, SIG_IGN);
	if (kind >= IGNORES)
		mask_ends(SIG_UNBLOCK);
	if (write(ready, "r", 1) != 1)
		fail("write");
	close(ready);
	if (is_stopped(kind))
		kill(getpid(), SIGSTOP);
	if (kind >= IGNORES)
		stay();
	say_end();
	_exit(0);
}

static void start_member(enum kind kind, int ready)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (kind == CATCHES_AS_DAEMON && fork())
			_exit(0);
		be_member(kind, ready);
	}
	if (kind == CATCHES_AS_DAEMON)
		waitpid(child, NULL, 0);
	if (is_stopped(kind))
		waitpid(child, NULL, WUNTRACED);
}

/*
 * grove N CODE [obeys|ignores]: starts N members, and says "grown" when all are
 * ready for signals. Then it reads a byte, or the end of its input, and exits
 * with CODE, or dies by signal -CODE. With "obeys" it first waits for a signal
 * of an end and says it, and it says "over" at its end. With "ignores" it
 * ignores such signals, and stays.
 */
int do_grove(char **args)
{
	const char *fate = args[2] ? args[2] : "";
	int fds[2];
	char byte;

	die_in_time();
	mask_ends(SIG_BLOCK);
	if (pipe(fds))
		fail("pipe");
	for (int n = 0; n < number(args[0]); n++)
		start_member(n % KINDS, fds[1]);
	for (int n = 0; n < number(args[0]); n++)
		if (read(fds[0], &byte, 1) != 1)
			fail("read");
	close(fds[0]);
	close(fds[1]);
	if (!*fate)
		mask_ends(SIG_UNBLOCK);
	dprintf(1, "grown\n");
	if (strcmp(fate, "ignores") == 0)
		stay();
	if (strcmp(fate, "obeys") == 0)
		say_end();
	if (read(0, &byte, 1) < 0)
		fail("read");
	if (*fate)
		dprintf(1, "over\n");
	if (number(args[1]) < 0)
		kill(getpid(), -number(args[1]));
	return number(args[1]);
}

/* Waits until the process has been reaped, which POLLHUP tells: Linux 6.15. */
static void await_reaped(int pidfd)
{
	struct pollfd p = { pidfd, 0, 0 };

	while (poll(&p, 1, -1) < 0 || !(p.revents & POLLHUP))
		;
	close(pidfd);
}

/*
 * daemonize CODE session|group|deaf VERB [ARG]...: exits with CODE, and leaves
 * a process that acts as VERB when its parent has been reaped: in a session of
 * its own, or in the group of its parent. "deaf" is a session too, and blocks
 * all signals.
 */
int do_daemonize(char **args)
{
	int fds[2];
	char byte;
	int parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	pid_t child;

	if (pipe(fds) || parent < 0)
		fail("pipe or pidfd");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (strcmp(args[1], "group") != 0)
			setsid();
		if (strcmp(args[1], "deaf") == 0)
			block_all();
		close(fds[0]);
		close(fds[1]);
		await_reaped(parent);
		_exit(act(args + 2));
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 0)
		fail("read");
	return number(args[0]);
}

/*
 * traced CODE: exits with CODE when a child of it traces it. The child never
 * waits, so that nobody can reap this process.
 */
int do_traced(char **args)
{
	int fds[2];
	char byte;
	pid_t child;

	if (pipe(fds))
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		if (ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) ||
		    write(fds[1], "", 1) != 1)
			fail("ptrace");
		stay();
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		fail("read");
	return number(args[0]);
}
