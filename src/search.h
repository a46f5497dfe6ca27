/* SPDX-License-Identifier: MIT */
/*
 * search - finds COMMAND in PATH.
 *
 * The order is that of execvp(3). The libc's execvp is not used, because libcs
 * differ in the details. Nothing here allocates memory or changes static
 * variables, because the child of clone3 uses it before the exec.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <stdbool.h>

/*
 * Calls attempt for each file that command might be, in the order of path, the
 * value of PATH. attempt gives 0 or more on success, or -errno. The search ends
 * with the first success, or with an error for which execvp(3) does not try the
 * next directory, and gives what attempt gave. If there is no such result, it
 * gives -EACCES if one attempt gave that, and -ENOENT if none did.
 *
 * A command that contains a slash, or is empty, is attempted as it is, and
 * nothing else. -ENAMETOOLONG if any other command is longer than NAME_MAX.
 *
 * A path of NULL means "/bin:/usr/bin". An empty element of path means the
 * working directory. A file name that does not fit into PATH_MAX is skipped.
 */
int search_try(const char *command, const char *path,
	       int (*attempt)(const char *path, const void *context),
	       const void *context);

/*
 * Executes the first file of search_try that can be executed, with command as
 * its argv. Returns on failure only, with the errors of search_try and
 * execve(2).
 */
int search_execute(char **command, const char *path, char **environment);

/* true if command is looked up in PATH: it is not empty and has no slash */
bool search_uses_path(const char *command);

#endif
