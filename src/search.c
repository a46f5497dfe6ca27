/* SPDX-License-Identifier: MIT */
/* search - see search.h. It must never touch a file. */
#include "search.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

bool search_goes_on(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES ||
	       error == ESTALE || error == ENODEV || error == ETIMEDOUT;
}

bool search_uses_path(const char *command)
{
	return *command && !strchr(command, '/');
}

void search_begin(struct search *search, const char *command,
		  const char *path)
{
	search->command = command;
	search->next = path ? path : "/bin:/usr/bin";
}

/* Puts "element/command" into the buffer; false if it does not fit */
static bool join(struct search *search, const char *element, size_t length)
{
	size_t rest = strlen(search->command) + 1;
	char *end = search->buffer;

	if (length + 1 + rest > sizeof(search->buffer))
		return false;
	memcpy(end, element, length);
	end += length;
	if (length > 0)
		*end++ = '/';
	memcpy(end, search->command, rest);
	return true;
}

const char *search_next(struct search *search)
{
	if (search->next && !search_uses_path(search->command)) {
		search->next = NULL;
		return search->command;
	}
	while (search->next) {
		const char *element = search->next;
		size_t length = strcspn(element, ":");

		search->next = element[length] ? element + length + 1 : NULL;
		if (join(search, element, length))
			return search->buffer;
	}
	return NULL;
}
