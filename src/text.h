/* SPDX-License-Identifier: MIT */
/*
 * text - a fixed buffer in which a line of output is put together. What does
 * not fit is cut off.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct text {
	size_t length;			   /* without the NUL */
	char bytes[8192 - sizeof(size_t)]; /* always ends in a NUL */
};

/*
 * Makes text empty. Unlike the initializer { 0 }, it does not write to every
 * page of the buffer.
 */
static inline void text_begin(struct text *text)
{
	text->length = 0;
	text->bytes[0] = '\0';
}

/* Appends to text as printf(3) would print */
__attribute__((format(printf, 2, 3)))
void text_add(struct text *text, const char *format, ...);

/*
 * Appends a word that came from the user or another process, and that must not
 * break the line, or give orders to a terminal: each byte of a control
 * character, and each byte that is not part of valid UTF-8, becomes '?'. A word
 * longer than 4096 bytes is cut and ends in "..."; an empty word becomes ''.
 */
void text_add_word(struct text *text, const char *word);

/*
 * Appends a word from the user or another process as a JSON string, including
 * the quotes. Each byte that is not part of valid UTF-8 becomes U+FFFD. The
 * string is cut at about 3 KiB, so that a status line fits into PIPE_BUF, which
 * a pipe takes in one piece (pipe(7)).
 */
void text_add_json(struct text *text, const char *word);

#endif
