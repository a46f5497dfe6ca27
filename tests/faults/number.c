/* SPDX-License-Identifier: MIT */
#include "number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned long read_number(const char *text, const char *word,
			  struct range range)
{
	/* strtoul(3) takes blanks and signs too, and makes 2^64-1 of "-1". */
	const bool digits = *text && !text[strspn(text, "0123456789")];
	unsigned long number;

	errno = 0;
	number = strtoul(text, NULL, 10);
	if (digits && !errno && number >= range.least && number <= range.most)
		return number;
	fprintf(stderr, "%s: %s: not a number from %lu to %lu\n",
		program_invocation_short_name, word, range.least, range.most);
	exit(2);
}

bool take_number(const char *word, const char *option, struct range range,
		 unsigned long *ret_number)
{
	const size_t length = strlen(option);

	if (strncmp(word, option, length))
		return false;
	if (word[length])
		*ret_number = read_number(word + length, word, range);
	return true;
}
