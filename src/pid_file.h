/* SPDX-License-Identifier: MIT */
/* pid_file - the file of --pid-file, which is never seen half-written. */
#ifndef PID_FILE_H
#define PID_FILE_H

#include "atomic_name.h"

/*
 * Finds out, before there is a pid, whether pid_file_put could put a file
 * there: -EEXIST as there, -EPERM for the file of another user in a sticky
 * directory, or why the directory cannot be written to. The write itself may
 * still fail. Leaves nothing open.
 */
int pid_file_check(const char *path);

/*
 * Writes the pid and a newline to path, and replaces a regular file that has
 * this name. The mode is 0644 without the bits of umask(2). -EEXIST if path is
 * something else, such as a symbolic link. On failure no new file is left.
 *
 * *ret_name, written on success only, points into path and has an open file
 * descriptor. atomic_name_remove removes the file and closes the descriptor.
 */
int pid_file_put(const char *path, pid_t pid, struct atomic_name *ret_name);

#endif
