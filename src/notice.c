/* SPDX-License-Identifier: MIT */
/* notice - see notice.h. It must never wait for a peer that does not read. */
#include "notice.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "sys.h"

int notice_open(int ret_ends[2])
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	/*
	 * If standard error is closed, a socket could get its number, and
	 * messages for the user would go into the socket.
	 */
	ends[0] = fd_above_standard(ends[0]);
	ends[1] = ends[0] < 0 ? ends[1] : fd_above_standard(ends[1]);
	if (ends[0] < 0 || ends[1] < 0) {
		int error = errno;

		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return -error;
	}
	memcpy(ret_ends, ends, sizeof(ends));
	return 0;
}

static int send_now(int fd, const struct notice *notice)
{
	return send(fd, notice, sizeof(*notice),
		    MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/*
 * Whether the kernel had no memory, and the caller may try again. Waits a
 * little before that. No event tells when there is memory.
 */
static bool await_memory(int r, uint64_t *deadline)
{
	enum { AGAIN_MS = 10 };

	if (r != -ENOMEM && r != -ENOBUFS)
		return false;
	if (!*deadline)
		*deadline = clock_after(CLOCK_PATIENCE_NS);
	if (clock_is_over(*deadline))
		return false;
	poll(NULL, 0, AGAIN_MS);
	return true;
}

static int send_when_possible(int fd, const struct notice *notice)
{
	uint64_t deadline = 0;
	int r;

	do
		r = send_now(fd, notice);
	while (await_memory(r, &deadline));
	return r;
}

int notice_send(int fd, enum notice_kind kind, enum step step, int value)
{
	return send_when_possible(fd, &(struct notice){ .kind = kind,
							.step = step,
							.value = value });
}

int notice_write(int fd, const struct notice *notice)
{
	uint64_t deadline = 0;
	int r;

	do
		r = sys_write(fd, (const char *)notice, sizeof(*notice));
	while (await_memory(r, &deadline));
	return r;
}

/*
 * Linux 7.2, net/unix/af_unix.c: POLLOUT, here and below, says that a quarter
 * is in use at most.
 */
bool notice_has_room(int fd)
{
	return fd_has_event(fd, POLLOUT);
}

int notice_send_one(int fd, enum notice_kind kind, pid_t pid,
		    const char name[PROC_NAME_SIZE])
{
	struct notice notice = { .kind = kind, .value = pid };
	struct pollfd row = { fd, POLLOUT, 0 };

	/* The bytes after the NUL byte of name have no value. */
	memcpy(notice.name, name, strlen(name) + 1);
	if (poll(&row, 1, CLOCK_PATIENCE_NS / CLOCK_MS) <= 0)
		return -EAGAIN;
	return send_now(fd, &notice);
}

int notice_take(int fd, struct notice *ret_notice)
{
	struct notice notice;
	ssize_t n;

	/*
	 * A peer that closes without having read everything causes one
	 * ECONNRESET here. What it sent before can be read after that.
	 */
	do
		n = recv(fd, &notice, sizeof(notice), MSG_DONTWAIT);
	while (n < 0 && errno == ECONNRESET);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	*ret_notice = notice;
	return 1;
}

bool notice_is_due(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       errno == ECONNRESET;
}

int notice_await(int fd, int ms, struct notice *ret_notice)
{
	struct pollfd row = { fd, POLLIN, 0 };
	int r;

	do
		r = poll(&row, 1, ms);
	while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	return notice_take(fd, ret_notice);
}

int notice_read(int fd, struct notice *ret_notice)
{
	struct notice notice;
	ssize_t n = read(fd, &notice, sizeof(notice));

	if (n < 0)
		return -errno;
	if (n != sizeof(notice))
		return 0;
	*ret_notice = notice;
	return 1;
}
