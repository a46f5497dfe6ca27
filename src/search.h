/* SPDX-License-Identifier: MIT */
/*
 * search - COMMAND to the paths that it may stand for.
 *
 * Pure, without memory of its own: the child of clone3 uses it too. The order
 * is that of execvp(3); libcs differ in its details, so it is done here.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include <limits.h>
#include <stdbool.h>

struct search {
	const char *command;
	const char *next;		/* what is left of PATH, or NULL */
	char buffer[PATH_MAX];
};

/*
 * Begins. A COMMAND with a slash stands for itself; an empty element of path
 * is the working directory; path NULL is "/bin:/usr/bin".
 */
void search_begin(struct search *search, const char *command,
		  const char *path);

/*
 * The next path, which lasts until the next call; NULL after the last one.
 * What is longer than PATH_MAX is left out.
 */
const char *search_next(struct search *search);

/*
 * execvp(3): whether an error of one path says nothing of those still to come.
 * EACCES among them outweighs all that are missing.
 */
bool search_goes_on(int error);

/* Whether COMMAND is looked up in PATH at all */
bool search_uses_path(const char *command);

#endif
