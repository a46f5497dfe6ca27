/* SPDX-License-Identifier: MIT */
/* Starts spawnfd with the descriptors of its mode, and takes what it prints. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../system/hide_clone3.h"
#include "faults.h"

static void put_at(int fd, int number)
{
	if (fd >= 0 && dup2(fd, number) < 0)
		_exit(99);
}

static void put_words(const struct run *run, const char *spawnfd,
		      const char **words)
{
	static char self[PATH_MAX], to[PATH_MAX + 16], from[PATH_MAX + 16];
	static char pid_file[PATH_MAX + 16], word[PATH_MAX];
	const struct mode *mode = run->mode;
	size_t n = 0;

	words[n++] = spawnfd;
	for (size_t i = 0; mode->options[i]; i++)
		words[n++] = mode->options[i];
	if (mode->to) {
		peers_address(run, true, word);
		snprintf(to, sizeof(to), "--pass=%s", word);
		words[n++] = to;
	}
	if (mode->from) {
		peers_address(run, false, word);
		snprintf(from, sizeof(from), "--receive=%s", word);
		words[n++] = from;
	}
	if (mode->traits & PID_FILE) {
		snprintf(pid_file, sizeof(pid_file), "--pid-file=%s/pid",
			 run->folder);
		words[n++] = pid_file;
	}
	if (mode->command) {
		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
			_exit(99);
		words[n++] = "--";
		words[n++] = mode->traits & NO_FILE ? "/none" : self;
		words[n++] = "command";
		words[n++] = mode->command;
	}
	words[n] = NULL;
}

/* In the child: becomes spawnfd as soon as it is traced */
static void become_spawnfd(const struct run *run, const char *spawnfd,
			   const struct start *start)
{
	const unsigned int traits = run->mode->traits;
	sigset_t none;
	const char *words[32];
	char byte;

	put_words(run, spawnfd, words);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (chdir(run->folder))
		_exit(99);
	put_at(start->pipes[PIPE_OUT][1], 1);
	if (traits & TERMINAL) {
		put_at(start->terminal, 0);
		put_at(start->terminal, 1);
	} else {
		put_at(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	}
	put_at(start->own[0], FD_TO);
	put_at(start->own[1], FD_FROM);
	put_at(start->pipes[PIPE_WATCH][0], FD_WATCH);
	put_at(start->pipes[PIPE_STATUS][1], FD_STATUS);
	if (traits & FILTERED && hide_clone3())
		_exit(99);
	if (traits & AS_USER && (setgid(65534) || setuid(65534)))
		_exit(99);
	/* The driver traces this process before it closes its end. */
	while (read(start->pipes[PIPE_BEGIN][0], &byte, 1) > 0)
		;
	put_at(start->pipes[PIPE_ERROR][1], 2);
	execve(spawnfd, (char **)(uintptr_t)words,
	       (char *[]){ "PATH=/usr/bin:/bin", NULL });
	_exit(99);
}

/*
 * In the child: leads a session with a terminal, as a shell does, and starts
 * spawnfd in the foreground. It stays until the driver closes its end, because
 * the end of the session would send SIGHUP.
 */
static void lead_session(const struct run *run, const char *spawnfd,
			 struct start *start)
{
	char byte;
	pid_t pid;

	/* The process that opens it has no terminal yet: tty(4). */
	setsid();
	start->terminal = open(ptsname(start->master), O_RDWR | O_CLOEXEC);
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (!pid) {
		signal(SIGTTOU, SIG_DFL);
		close(start->pipes[PIPE_BEGIN][1]);
		close(start->pipes[PIPE_LEADER][1]);
		become_spawnfd(run, spawnfd, start);
	}
	if (start->terminal < 0 || pid < 0 || setpgid(pid, pid) ||
	    tcsetpgrp(start->terminal, pid) ||
	    write(start->pipes[PIPE_PID][1], &pid, sizeof(pid)) < 0)
		_exit(99);
	for (int i = 0; i < PIPES; i++) {
		close(start->pipes[i][1]);
		if (i != PIPE_LEADER)
			close(start->pipes[i][0]);
	}
	close(start->own[0]);
	close(start->own[1]);
	waitpid(pid, NULL, 0);
	while (read(start->pipes[PIPE_LEADER][0], &byte, 1) > 0)
		;
	_exit(0);
}

/* The numbers of spawnfd's descriptors are below these */
static void open_pipes(int pipes[PIPES][2])
{
	enum { ABOVE = 20 };

	for (int i = 0; i < PIPES; i++) {
		/* For a pipe, spawnfd would look at 4096 descriptors. */
		if (i == PIPE_WATCH ? socketpair(AF_UNIX, SOCK_STREAM |
						 SOCK_CLOEXEC, 0, pipes[i])
				    : pipe2(pipes[i], O_CLOEXEC))
			exit(99);
		for (int end = 0; end < 2; end++) {
			int fd = fcntl(pipes[i][end], F_DUPFD_CLOEXEC, ABOVE);

			close(pipes[i][end]);
			pipes[i][end] = fd;
		}
	}
}

static void raise_above(int *fd)
{
	int high = *fd < 0 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 20);

	if (high >= 0) {
		close(*fd);
		*fd = high;
	}
}

static void open_terminal(struct start *start)
{
	start->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (start->master < 0 || grantpt(start->master) ||
	    unlockpt(start->master)) {
		perror("faults: pty");
		exit(99);
	}
	raise_above(&start->master);
}

pid_t start_spawnfd(const struct run *run, const char *spawnfd,
		    struct peers *peers, struct start *ret_start)
{
	struct start start = { .master = -1, .terminal = -1, .leader = -1 };
	pid_t pid;

	open_pipes(start.pipes);
	raise_above(&peers->own[0]);
	raise_above(&peers->own[1]);
	start.own[0] = peers->own[0];
	start.own[1] = peers->own[1];
	if (run->mode->traits & TERMINAL)
		open_terminal(&start);
	pid = fork();
	if (!pid && start.master >= 0) {
		lead_session(run, spawnfd, &start);
	} else if (!pid) {
		close(start.pipes[PIPE_BEGIN][1]);
		setsid();
		become_spawnfd(run, spawnfd, &start);
	}
	if (start.master >= 0) {
		ssize_t n;

		start.leader = pid;
		do
			n = read(start.pipes[PIPE_PID][0], &pid, sizeof(pid));
		while (n < 0 && errno == EINTR);
		if (n != sizeof(pid))
			pid = -1;
	}
	*ret_start = start;
	return pid;
}

void start_go(struct start *start)
{
	for (int i = 0; i < PIPES; i++)
		if (i != PIPE_WATCH && i != PIPE_LEADER)
			close(start->pipes[i][1]);
}

static void drain(int fd, char *text)
{
	size_t length = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (length < SAID_SIZE - 1 &&
	       (n = read(fd, text + length, SAID_SIZE - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
}

void start_end(struct start *start, struct run *run)
{
	drain(start->pipes[PIPE_OUT][0], run->printed);
	drain(start->pipes[PIPE_ERROR][0], run->said);
	drain(start->pipes[PIPE_STATUS][0], run->lines);
	for (int i = 0; i < PIPES; i++)
		close(start->pipes[i][0]);
	close(start->pipes[PIPE_WATCH][1]);
	close(start->pipes[PIPE_LEADER][1]);
	if (start->leader > 0)
		while (waitpid(start->leader, NULL, 0) < 0 && errno == EINTR)
			;
	if (start->master >= 0)
		close(start->master);
}
