/* SPDX-License-Identifier: MIT */
/* text - see text.h. It must never write to a descriptor. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_add(struct text *text, const char *format, ...)
{
	size_t room = sizeof(text->bytes) - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->length += (size_t)length < room ? (size_t)length
						      : room - 1;
}

void text_add_word(struct text *text, const char *word)
{
	enum { MOST = 4096 };
	size_t start = text->length;

	text_add(text, "%.*s%s", MOST, *word ? word : "''",
		 strnlen(word, MOST + 1) > MOST ? "..." : "");
	for (char *c = text->bytes + start; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}
