/* SPDX-License-Identifier: MIT */
/*
 * The other ends of --pass and --receive. They are this process itself, which
 * never waits for them: peers_turn is called at each step of spawnfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../src/sys.h"
#include "../system/patience.h"
#include "faults.h"

static const char *end_of(bool to)
{
	return to ? "to" : "from";
}

void peers_address(const struct run *run, bool to, char word[PATH_MAX])
{
	enum address kind = to ? run->mode->to : run->mode->from;

	if (kind == AT_FD)
		snprintf(word, PATH_MAX, "fd:%d", to ? FD_TO : FD_FROM);
	else if (kind == AT_NAME)
		snprintf(word, PATH_MAX, "@%s.%s", run->folder, end_of(to));
	else
		snprintf(word, PATH_MAX, "%s/%s", run->folder, end_of(to));
}

static socklen_t fill(const struct run *run, bool to, struct sockaddr_un *un)
{
	char word[PATH_MAX];

	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	peers_address(run, to, word);
	strncpy(un->sun_path, word, sizeof(un->sun_path) - 1);
	if (word[0] != '@')
		return sizeof(*un);
	un->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   strlen(word));
}

/* The process that is sent: an autokill one, which ends when the gate does. */
static void make_process(struct peers *peers)
{
	int ends[2], pidfd = -1;
	struct sys_clone_args args = {
		.flags = CLONE_PIDFD | CLONE_AUTOREAP | CLONE_NNP |
			 CLONE_PIDFD_AUTOKILL,
		.pidfd = (uintptr_t)&pidfd,
	};
	char byte;
	long pid;

	if (pipe2(ends, O_CLOEXEC))
		return;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		dup2(ends[0], 0);
		syscall(SYS_close_range, 1, ~0U, 0);
		while (read(0, &byte, 1) > 0)
			;
		_exit(COMMAND_CODE);
	}
	close(ends[0]);
	if (pid < 0) {
		perror("faults: clone3");
		_exit(99);
	}
	peers->gate = ends[1];
	peers->pidfd = pidfd;
	peers->watch = (int)syscall(SYS_pidfd_open, pid, 0);
}

static void open_receiver(const struct run *run, struct peers *peers)
{
	struct sockaddr_un un;
	char path[PATH_MAX];
	int ends[2];

	if (run->mode->to == AT_FD) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			return;
		peers->receiver = ends[0];
		peers->own[0] = ends[1];
		return;
	}
	peers->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
				 SOCK_NONBLOCK, 0);
	/* A path, if any, is that of a receiver that has ended. */
	peers_address(run, true, path);
	unlink(path);
	if (bind(peers->listener, (void *)&un, fill(run, true, &un)) ||
	    listen(peers->listener, 8))
		perror("faults: listen");
}

void peers_open(const struct run *run, struct peers *ret_peers)
{
	struct peers peers = { -1, -1, -1, { -1, -1 }, -1, -1, -1, false,
			       0 };
	int ends[2];

	if (run->mode->to)
		open_receiver(run, &peers);
	if (run->mode->from)
		make_process(&peers);
	if (run->mode->from == AT_FD &&
	    !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		peers.sender = ends[0];
		peers.own[1] = ends[1];
	}
	*ret_peers = peers;
}

static int send_pidfd(int socket, int pidfd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char line[] = "{}\n";
	struct iovec vector = { line, 3 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &pidfd, sizeof(int));
	return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0
		       ? -1 : 0;
}

void peers_turn(const struct run *run, struct peers *peers)
{
	struct sockaddr_un un;
	socklen_t size;

	if (peers->turns && !--peers->turns)
		open_receiver(run, peers);
	if (!run->mode->from || peers->sent)
		return;
	if (peers->sender < 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
				SOCK_NONBLOCK, 0);

		size = fill(run, false, &un);
		if (connect(fd, (void *)&un, size)) {
			close(fd);
			return;
		}
		peers->sender = fd;
	}
	if (send_pidfd(peers->sender, peers->pidfd))
		return;
	peers->sent = true;
	close(peers->pidfd);
	peers->pidfd = -1;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void peers_end_receiver(const struct run *run, struct peers *peers)
{
	enum { A_FEW = 40 };

	close_one(&peers->listener);
	close_one(&peers->receiver);
	for (size_t i = 0; run->mode->options[i]; i++)
		if (!strncmp(run->mode->options[i], "--wait=", 7))
			peers->turns = A_FEW;
}

bool peers_are_refused(const struct peers *peers)
{
	struct pollfd end = { peers->sender, POLLRDHUP, 0 };

	return peers->sent && peers->sender >= 0 && poll(&end, 1, 0) > 0;
}

static void take_message(struct run *run, int socket)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	char line[8192];
	struct iovec vector = { line, sizeof(line) };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *part;
	struct pollfd end = { -1, POLLIN, 0 };

	if (recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return;
	part = CMSG_FIRSTHDR(&message);
	if (!part || part->cmsg_type != SCM_RIGHTS ||
	    part->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	memcpy(&end.fd, CMSG_DATA(part), sizeof(int));
	run->messages++;
	/* SIGALRM may interrupt it, though it does not wait. */
	run->message_alive = poll(&end, 1, 0) <= 0;
	close(end.fd);
}

void peers_close(struct run *run, struct peers *peers)
{
	struct pollfd end = { peers->watch, POLLIN, 0 };

	close_one(&peers->own[0]);
	close_one(&peers->own[1]);
	if (peers->listener >= 0)
		peers->receiver = accept(peers->listener, NULL, NULL);
	if (peers->receiver >= 0)
		take_message(run, peers->receiver);
	close_one(&peers->receiver);
	close_one(&peers->listener);
	/* Closing the connection drops what spawnfd has not taken. */
	close_one(&peers->sender);
	close_one(&peers->pidfd);
	/* The kernel's kill is asynchronous. */
	if (peers->watch >= 0)
		run->received_left = poll_patiently(&end, 1) == 0;
	close_one(&peers->gate);
	close_one(&peers->watch);
}
