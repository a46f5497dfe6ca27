/* SPDX-License-Identifier: MIT */
/* write_nowait - see write_nowait.h. It must never block, whatever fd is. */
#include "write_nowait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "signals.h"

int write_nowait_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || flags & O_PATH || (flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/* 0 if all was written; -EIO if only a part of the line was */
static int result(ssize_t written, size_t length)
{
	if (written < 0)
		return -errno;
	return (size_t)written == length ? 0 : -EIO;
}

static bool has_room(int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	return poll(&room, 1, 0) > 0 && room.revents & POLLOUT;
}

/*
 * For a FIFO, a terminal or another device, on which RWF_NOWAIT fails. The file
 * is opened again, because O_NONBLOCK on fd would hold for every process that
 * shares its open file. If it cannot be opened, without /proc for example, only
 * has_room keeps the write from waiting.
 */
static int write_reopened(int fd, const char *text, size_t length)
{
	char path[32];
	auto_close own = -1;

	if (!has_room(fd))
		return -EAGAIN;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return result(write(own < 0 ? fd : own, text, length), length);
}

/*
 * When a file comes to its size limit, or a file system is full, write(2) may
 * write a part of the line. That part is removed again.
 */
static int write_file(int fd, const char *text, size_t length)
{
	ssize_t written = write(fd, text, length);
	off_t before;

	if (written <= 0 || (size_t)written == length)
		return result(written, length);
	before = lseek(fd, -(off_t)written, SEEK_CUR);
	return before < 0 || ftruncate(fd, before) < 0 ? -errno : -ENOSPC;
}

static int write_by_type(int fd, const char *text, size_t length)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISSOCK(st.st_mode)) {
		/* A socket that poll(2) calls writable has room for a line. */
		if (!has_room(fd))
			return -EAGAIN;
		return result(send(fd, text, length,
				   MSG_DONTWAIT | MSG_NOSIGNAL), length);
	}
	if (S_ISREG(st.st_mode))
		return write_file(fd, text, length);
	r = S_ISFIFO(st.st_mode) ? sys_write_nowait(fd, text, length)
				 : -EOPNOTSUPP;
	if (r == -EOPNOTSUPP || r == -ENOSYS)
		return write_reopened(fd, text, length);
	return r < 0 ? r : 0;
}

int write_nowait(int fd, const char *text, size_t length)
{
	struct signals_write_mask write_mask;
	int r;

	signals_mask_writes(&write_mask);
	r = write_by_type(fd, text, length);
	signals_unmask_writes(&write_mask);
	return r;
}
