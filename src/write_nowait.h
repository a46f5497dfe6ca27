/* SPDX-License-Identifier: MIT */
/*
 * write_nowait - writes a line to a descriptor whose reader may be slow,
 * stopped or gone.
 */
#ifndef WRITE_NOWAIT_H
#define WRITE_NOWAIT_H

#include <stddef.h>

/*
 * Makes fd close-on-exec, but for 0, 1 and 2, which are the command's too;
 * -EBADF if it is not open for writing.
 */
int write_nowait_prepare(int fd);

/*
 * Writes all of it (less than PIPE_BUF) if there is room for all of it now;
 * else nothing, and an error. It neither waits nor raises a signal, and the
 * flags of fd, which others may share, stay as they are.
 */
int write_nowait(int fd, const char *text, size_t length);

#endif
