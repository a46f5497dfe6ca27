/* SPDX-License-Identifier: MIT */
/* fd - file descriptors that close themselves, or that are never 0, 1 or 2. */
#ifndef FD_H
#define FD_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

/* Closes *fd unless it is negative, and sets it to -1. May change errno */
static inline void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A file descriptor that is closed when the variable goes out of scope */
#define auto_close __attribute__((cleanup(fd_close))) int

/* Gives a close-on-exec copy of fd, which is above 2; -1 with errno */
static inline int fd_copy(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	/* fcntl(2): RLIMIT_NOFILE does not allow any number above 2. */
	if (copy < 0 && errno == EINVAL)
		errno = EMFILE;
	return copy;
}

/* fd_above_standard() for a file descriptor of 0, 1 or 2 */
int fd_move_up(int fd);

/*
 * Takes fd, which is close-on-exec, and gives a file descriptor above 2 for the
 * same open file. It is fd itself if that is above 2 already; if not, it is a
 * close-on-exec copy, and fd is closed. If spawnfd was started with 0, 1 or 2
 * closed, the next file would get that number, and would then receive what is
 * meant for standard output or standard error.
 *
 * A negative fd is given back. -1 with errno if there is no free descriptor. So
 * fd comes from a function that gives -1 with errno too, or is not negative.
 */
static inline int fd_above_standard(int fd)
{
	return fd < 0 || fd > STDERR_FILENO ? fd : fd_move_up(fd);
}

/*
 * Whether fd has one of these events of poll(2) now, or POLLHUP or POLLERR,
 * which poll(2) adds. false for a negative fd, and where poll(2) fails.
 */
bool fd_has_event(int fd, short events);

/*
 * poll(2) gives EINVAL for more rows than RLIMIT_NOFILE, which prlimit(2) may
 * have lowered. Raises the limit to count. Gives 0; -EINVAL if the limit is not
 * the reason, and -EMFILE if this process may not raise it.
 */
int fd_allow_rows(size_t count);

/* The most descriptors that the two functions below can keep */
enum { FD_KEEP_MAX = 16 };

/*
 * Closes every file descriptor of this process except those in keep, an array
 * of count, FD_KEEP_MAX at most. Negative values in keep are skipped. This
 * process then has no copies of what COMMAND inherited: a reader sees end of
 * file, and the lock of an open file (flock(2)) is free, as soon as COMMAND
 * closes its own copies.
 */
void fd_close_others(const int *keep, size_t count);

/*
 * Does the same, but keeps the descriptors of files on which this process has
 * a record lock: the kernel releases the locks of a process when it closes any
 * descriptor of the file (fcntl(2)). A caller may have taken such a lock and
 * then have executed spawnfd.
 *
 * Takes two system calls more if nothing but keep, 0, 1 and 2 is open, and
 * Linux is 6.2 or newer; else one more for each open descriptor. Without /proc
 * only locks on descriptors below 4096 are found.
 */
void fd_close_unlocked(const int *keep, size_t count);

#endif
