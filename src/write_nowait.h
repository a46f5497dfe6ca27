/* SPDX-License-Identifier: MIT */
/*
 * write_nowait - writes a line to a file descriptor whose reader may be slow,
 * stopped or gone.
 */
#ifndef WRITE_NOWAIT_H
#define WRITE_NOWAIT_H

#include <stddef.h>

/*
 * Checks that fd is open for writing, and makes it close-on-exec, unless it is
 * 0, 1 or 2, which COMMAND inherits. -EBADF if it is not open for writing.
 */
int write_nowait_prepare(int fd);

/*
 * Writes length bytes, fewer than PIPE_BUF, if there is room for all of them
 * now, and gives 0. If there is no room, it writes nothing: -EAGAIN for a pipe,
 * a FIFO, a socket or a terminal, and the error of write(2) for a file. -EIO if
 * the kernel took a part of the line only.
 *
 * It neither waits nor causes a signal. Other processes may share the open file
 * of fd, so its flags stay as they are.
 */
int write_nowait(int fd, const char *text, size_t length);

#endif
