/* SPDX-License-Identifier: MIT */
/* exec_file - looks for the file that COMMAND stands for. */
#ifndef EXEC_FILE_H
#define EXEC_FILE_H

#include <stdbool.h>

/*
 * Opens (O_PATH, close-on-exec, above 2) the file that execve(2) would execute
 * for command, which is looked up in path as search_try does. Gives a file
 * descriptor of the caller's, or -errno as execve(2) would.
 */
int exec_file_open(const char *command, const char *path);

/*
 * Whether there is a file for command, executable or not. If execve(2) has said
 * ENOENT all the same, the interpreter of the file is missing.
 */
bool exec_file_exists(const char *command, const char *path);

#endif
