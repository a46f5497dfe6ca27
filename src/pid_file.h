/* SPDX-License-Identifier: MIT */
/* pid_file - a file with a pid and a newline, whole from the start. */
#ifndef PID_FILE_H
#define PID_FILE_H

#include "atomic_name.h"

/*
 * Puts it there, in place of an older one. -EEXIST if what has the name is not
 * a regular file. On failure nothing is left. atomic_name_remove takes it away.
 */
int pid_file_put(const char *path, pid_t pid, struct atomic_name *ret_name);

#endif
