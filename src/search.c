/* SPDX-License-Identifier: MIT */
/* search - see search.h. It must never look at a file itself. */
#include "search.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

bool search_uses_path(const char *command)
{
	return *command && !strchr(command, '/');
}

/* execvp(3) tries the next directory after these errors */
static bool tries_next(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES ||
	       error == ESTALE || error == ENODEV || error == ETIMEDOUT;
}

/*
 * Makes "element/command", or just "command" if the element is empty. Gives
 * false if the result does not fit into PATH_MAX.
 */
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

/*
 * Not inlined: the buffer takes a page of the stack. A child that shares memory
 * runs on spawnfd's stack (vfork(2)), and each page that it touches stays
 * allocated to spawnfd. A COMMAND with a slash needs no buffer.
 */
__attribute__((noinline)) static int
search_path(const char *command, const char *path,
	    int (*attempt)(const char *path, const void *context),
	    const void *context)
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
		if (r >= 0 || !tries_next(-r))
			return r;
		/* execvp(3): one file without permission decides the error. */
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
	return search_path(command, path, attempt, context);
}

struct exec_call {
	char **command;
	char **environment;
};

/* For search_try; returns only if the exec fails */
static int execute(const char *file, const void *context)
{
	const struct exec_call *call = context;

	execve(file, call->command, call->environment);
	return -errno;
}

int search_execute(char **command, const char *path, char **environment)
{
	const struct exec_call call = { command, environment };

	return search_try(*command, path, execute, &call);
}
