/* SPDX-License-Identifier: MIT */
/* fd - descriptors that close themselves, and that are nobody's 0, 1 or 2. */
#ifndef FD_H
#define FD_H

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

/* Closes *fd unless it is negative, and makes it so; errno may change */
static inline void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#define auto_close __attribute__((cleanup(fd_close))) int

/*
 * Takes fd, close-on-exec, and gives the same above 2: where a standard
 * descriptor is closed, what is meant for it must not go elsewhere. A negative
 * fd stays; -1 with errno if there is none to be had.
 */
static inline int fd_above_standard(int fd)
{
	int copy;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return copy;
}

/*
 * Closes every descriptor of this process but those in keep, of which negative
 * ones count for nothing: so that a reader sees end of file, and a file lock is
 * free, as soon as COMMAND closes its own copies.
 */
void fd_close_others(const int *keep, size_t count);

#endif
