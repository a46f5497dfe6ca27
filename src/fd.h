/* SPDX-License-Identifier: MIT */
/* fd - a descriptor that closes itself when its scope is left. */
#ifndef FD_H
#define FD_H

#include <unistd.h>

/* Closes *fd unless it is negative, and makes it so; errno may change */
static inline void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#define auto_close __attribute__((cleanup(fd_close))) int

#endif
