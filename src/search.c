/* SPDX-License-Identifier: MIT */
/* search - see search.h. It must never touch a file. */
#include "search.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

bool search_uses_path(const char *command)
{
	return *command && !strchr(command, '/');
}

/* execvp(3): whether that error of one path says nothing of those to come */
static bool goes_on(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES ||
	       error == ESTALE || error == ENODEV || error == ETIMEDOUT;
}

/* Makes "element/command"; false if it does not fit */
static bool join(const char *element, size_t length, const char *command,
		 char path[static PATH_MAX])
{
	size_t rest = strlen(command) + 1;

	if (length + 1 + rest > PATH_MAX)
		return false;
	memcpy(path, element, length);
	if (length > 0)
		path[length++] = '/';
	memcpy(path + length, command, rest);
	return true;
}

/* Apart, for the page of the stack that this takes is the holder's: vfork(2) */
__attribute__((noinline)) static int
walk(const char *command, const char *path,
     int (*attempt)(const char *path, const void *context), const void *context)
{
	const char *element, *next = path ? path : "/bin:/usr/bin";
	char joined[PATH_MAX];
	int r, error = ENOENT;

	while (next) {
		size_t length = strcspn(next, ":");

		element = next;
		next = element[length] ? element + length + 1 : NULL;
		if (!join(element, length, command, joined))
			continue;
		r = attempt(joined, context);
		if (r >= 0 || !goes_on(-r))
			return r;
		/* it outweighs all that are missing */
		if (r == -EACCES)
			error = EACCES;
	}
	return -error;
}

int search_try(const char *command, const char *path,
	       int (*attempt)(const char *path, const void *context),
	       const void *context)
{
	if (!search_uses_path(command))
		return attempt(command, context);
	if (strlen(command) > NAME_MAX)
		return -ENAMETOOLONG;
	return walk(command, path, attempt, context);
}
