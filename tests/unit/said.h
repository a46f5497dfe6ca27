/* SPDX-License-Identifier: MIT */
/* said - a message that a test has made, and a look at it */
#ifndef SAID_H
#define SAID_H

#include <criterion/criterion.h>
#include <string.h>

#include "text.h"

static struct text said;

/* Expects that the message contains text and has this number of lines */
static void expect(int lines, const char *text)
{
	const char *second = strchr(said.bytes, '\n');

	cr_expect_not_null(strstr(said.bytes, text), "'%s' in '%s'", text,
			   said.bytes);
	cr_expect_eq(second ? 2 : 1, lines, "%s", said.bytes);
	if (second) {
		cr_expect_null(strchr(second + 1, '\n'), "%s", said.bytes);
		cr_expect(!strncmp(second + 1, "spawnfd: ", 9), "%s", second);
	}
	said = (struct text){ 0 };
}

#endif
