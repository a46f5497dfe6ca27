/* SPDX-License-Identifier: MIT */
/*
 * receiver SOCKET wait|close - takes over the command of spawnfd --autokill
 * --pass=SOCKET, and waits until it ends, or ends it. The command lives as long
 * as the descriptor is open somewhere.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIDFS_MAGIC = 0x50494446, PIDFD_INFO_EXIT = 1 << 3 };

/* The start of linux/pidfd.h's struct pidfd_info, which older headers lack */
struct pidfd_status {
	uint64_t mask;
	uint32_t unused[13];
	int32_t exit_code;
};

/* Nobody can connect before listen: by then the socket is this user's alone */
static int accept_one(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connection;

	if (strlen(path) >= sizeof(un.sun_path))
		errx(1, "%s: too long", path);
	strcpy(un.sun_path, path);
	if (bind(listener, (void *)&un, sizeof(un)) || chmod(path, 0600) ||
	    listen(listener, 1))
		err(1, "%s", path);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	unlink(path);
	close(listener);
	return connection;
}

/* read(2) or a recvmsg(2) without control would lose the descriptor: a kill */
static int receive(int connection, char *payload, size_t size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_LEN(sizeof(int))];
	} control;
	struct iovec line = { payload, size };
	struct msghdr message = {
		.msg_iov = &line,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t length = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
	int pidfd;

	if (length < 0)
		err(1, "recvmsg");
	if (length == 0)
		errx(1, "no command: spawnfd could not start or pass it");
	if (message.msg_flags & MSG_CTRUNC || !CMSG_FIRSTHDR(&message))
		errx(1, "not exactly one descriptor, or no room for it");
	memcpy(&pidfd, CMSG_DATA(&control.header), sizeof(pidfd));
	printf("%.*s", (int)length, payload);
	return pidfd;
}

static void check(int pidfd)
{
	struct statfs fs;

	/* O_TRUNC is the mark of an autokill one */
	if (fstatfs(pidfd, &fs) || fs.f_type != PIDFS_MAGIC ||
	    !(fcntl(pidfd, F_GETFL) & O_TRUNC))
		errx(1, "not an autokill pidfd");
}

/* Not POLLIN, which comes before the status does */
static int wait_status(int pidfd)
{
	struct pidfd_status status = { .mask = PIDFD_INFO_EXIT };
	struct pollfd over = { .fd = pidfd, .events = 0 };

	while (poll(&over, 1, -1) < 1)
		;
	if (ioctl(pidfd, _IOWR(0xFF, 11, struct pidfd_status), &status))
		err(1, "PIDFD_GET_INFO");
	if (!(status.mask & PIDFD_INFO_EXIT))
		errx(1, "PIDFD_GET_INFO: no exit status");
	return status.exit_code;
}

int main(int argc, char **argv)
{
	char payload[4096];
	int connection, pidfd, status;

	if (argc != 3)
		errx(1, "usage: receiver SOCKET wait|close");
	connection = accept_one(argv[1]);
	pidfd = receive(connection, payload, sizeof(payload));
	close(connection);
	check(pidfd);
	fflush(stdout);
	if (!strcmp(argv[2], "close")) {
		close(pidfd);
		getchar();
		return 0;
	}
	status = wait_status(pidfd);
	if (WIFEXITED(status))
		printf("exited %d\n", WEXITSTATUS(status));
	else
		printf("killed %d\n", WTERMSIG(status));
	return 0;
}
