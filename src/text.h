/* SPDX-License-Identifier: MIT */
/* text - words on their way out: a buffer that cuts off what does not fit. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* bytes always ends in a NUL that length does not count */
struct text {
	size_t length;
	char bytes[8192 - sizeof(size_t)];
};

/* Makes it empty; in place of { 0 }, which would write to all of it */
static inline void text_begin(struct text *text)
{
	text->length = 0;
	text->bytes[0] = '\0';
}

/* printf(3) behind what is there */
__attribute__((format(printf, 2, 3)))
void text_add(struct text *text, const char *format, ...);

/*
 * A word from outside, which must not break the line that it stands in: control
 * characters become '?', "..." takes the place of what is too long, and '' that
 * of an empty one.
 */
void text_add_word(struct text *text, const char *word);

/*
 * A word from outside as a JSON string, quotes and all. What is not UTF-8
 * becomes U+FFFD, and what would make it too long for a pipe is left out.
 */
void text_add_json(struct text *text, const char *word);

#endif
