/* SPDX-License-Identifier: MIT */
/*
 * search - COMMAND to the paths that it may stand for.
 *
 * Without memory of its own: the child of clone3 uses it too. The order is that
 * of execvp(3); libcs differ in its details, so it is done here.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <stdbool.h>

/*
 * Attempts one path after the other until there is one that works, or whose
 * error says something of the rest too; what attempt gives then, 0 or more or
 * -errno. Else -ENOENT or, if a file was without permission, -EACCES.
 *
 * A COMMAND with a slash stands for itself; an empty element of path is the
 * working directory; path NULL is "/bin:/usr/bin". What is longer than PATH_MAX
 * is left out.
 */
int search_try(const char *command, const char *path,
	       int (*attempt)(const char *path, const void *context),
	       const void *context);

/* Whether COMMAND is looked up in PATH at all */
bool search_uses_path(const char *command);

#endif
