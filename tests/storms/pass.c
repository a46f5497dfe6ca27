/* SPDX-License-Identifier: MIT */
/* One run of --pass: the receiver dies, or spawnfd, or neither. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../system/patience.h"
#include "storms.h"

/* ---- the receiver ---- */

/* Counts a message if there is one. Returns its pidfd, or -1. */
static int take_message(int connection, struct receiver *received)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	char line[4096];
	struct iovec vector = { line, sizeof(line) };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *part;
	int pidfd;

	if (recvmsg(connection, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	received->messages++;
	part = CMSG_FIRSTHDR(&message);
	if (!part || part->cmsg_type != SCM_RIGHTS ||
	    part->cmsg_len != CMSG_LEN(sizeof(int))) {
		received->malformed = true;
		return -1;
	}
	memcpy(&pidfd, CMSG_DATA(part), sizeof(int));
	return pidfd;
}

/*
 * Accepts one connection, takes the message, and keeps its pidfd until it is
 * killed, or until the gate is closed. What had come by then is taken.
 */
static void __attribute__((noreturn)) receive(int listener, int gate)
{
	struct pollfd fds[] = { { gate, 0, 0 }, { listener, POLLIN, 0 } };
	bool accepted = false;

	do {
		poll(fds, 2, -1);
		if (!accepted && fds[1].revents) {
			fds[1].fd = accept(listener, NULL, NULL);
			accepted = true;
			close(listener);
			/* The message may be there already. */
			poll(&fds[1], 1, 0);
		}
		if (accepted && fds[1].revents) {
			take_message(fds[1].fd, receiver);
			fds[1].fd = -1;
		}
	} while (!fds[0].revents);
	_exit(0);
}

/* ---- the run ---- */

static int listen_somewhere(char word[32])
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(sa_family_t);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
			      SOCK_NONBLOCK, 0);

	/* The kernel chooses an abstract name: unix(7), "Autobind". */
	if (bind(listener, (void *)&name, size) || listen(listener, 8) ||
	    (size = sizeof(name),
	     getsockname(listener, (void *)&name, &size))) {
		perror("storms: listen");
		_exit(99);
	}
	size -= (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	sprintf(word, "--pass=@%.*s", (int)size, name.sun_path + 1);
	return listener;
}

/* Takes what the receiver has not accepted before its end. */
static void take_rest(struct run *run, int listener)
{
	int connection, pidfd;

	while ((connection = accept(listener, NULL, NULL)) >= 0) {
		pidfd = take_message(connection, &run->received);
		if (pidfd >= 0)
			close(pidfd);
		close(connection);
	}
}

static pid_t start_receiver(int listener, const int gate[2])
{
	pid_t pid;

	*receiver = (struct receiver){ 0, false };
	pid = fork();
	if (!pid) {
		close(gate[1]);
		receive(listener, gate[0]);
	}
	close(gate[0]);
	return pid;
}

/* Kills whichever is to be killed, and waits for both. */
static void await_both(struct run *run, pid_t pid, pid_t receiver_pid,
		       int gate, long start)
{
	if (run->signal || run->kills_receiver) {
		await_moment(run, start);
		if (run->signal)
			kill(pid, run->signal);
		else
			kill(receiver_pid, SIGKILL);
	}
	await_spawnfd(run, pid, start);
	close(gate);
	if (waitpid(receiver_pid, NULL, 0) != receiver_pid)
		run->hung = true;
	run->received = *receiver;
}

/* spawnfd has a message for each receiver that has died. */
static void hush(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

void make_pass(struct run *run)
{
	char word[32];
	char *const words[] = {
		"spawnfd", "--autokill", word, "--", self, "command",
		run->ends ? "exit" : "stay", NULL,
	};
	int listener = listen_somewhere(word), gate[2], life[2];
	pid_t pid, receiver_pid;
	long start;

	start_patience();
	open_life(gate);
	receiver_pid = start_receiver(listener, gate);
	if (!run->keeps_listener)
		close(listener);
	open_life(life);
	start = now_us();
	pid = fork();
	if (!pid) {
		hush();
		become_spawnfd(life[1], words);
	}
	close(life[1]);
	await_both(run, pid, receiver_pid, gate[1], start);
	if (run->keeps_listener) {
		take_rest(run, listener);
		close(listener);
	}
	look_at_rest(run, life[0]);
	close(life[0]);
}

/* ---- the judgement ---- */

const char *judge_pass(const struct run *run)
{
	const int messages = run->received.messages;

	if (run->hung)
		return "spawnfd or its receiver hangs";
	if (run->received.malformed)
		return "a message without a pidfd";
	if (WIFSIGNALED(run->status)) {
		if (!run->signal || WTERMSIG(run->status) != run->signal)
			return "spawnfd died of another signal";
		/* SIGKILL can come between the message and the exit. */
		return messages && run->signal != SIGKILL
			       ? "a message, but no exit status 0" : NULL;
	}
	if (WEXITSTATUS(run->status) == 0)
		return messages == 1 || (!messages && run->kills_receiver)
			       ? NULL : "exit status 0 without one message";
	if (WEXITSTATUS(run->status) != 125 || !run->kills_receiver)
		return "spawnfd failed";
	return messages ? "a message, but exit status 125" : NULL;
}
