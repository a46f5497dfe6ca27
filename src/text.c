/* SPDX-License-Identifier: MIT */
/* text - see text.h. It must never write to a descriptor. */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
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

/*
 * The length in bytes of the UTF-8 character at the beginning of word; 0 if
 * there is no valid one.
 */
static size_t utf8_length(const unsigned char *word)
{
	/*
	 * utf-8(7), one form for each length. The bits of mask in the first
	 * byte have the value `value`. A code below `least` is not valid,
	 * because it has a shorter form.
	 */
	static const struct {
		unsigned char mask, value;
		unsigned int least;
	} forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t length = 1; length <= 4; length++) {
		unsigned int code;

		if ((word[0] & forms[length - 1].mask) !=
		    forms[length - 1].value)
			continue;
		code = word[0] & (unsigned char)~forms[length - 1].mask;
		for (size_t i = 1; i < length; i++) {
			if ((word[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (word[i] & 0x3f);
		}
		/* Surrogates, U+D800 to U+DFFF, are no characters. */
		if (code < forms[length - 1].least || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000))
			return 0;
		return length;
	}
	return 0;
}

/*
 * Whether the UTF-8 character of this length is a control character: U+0000 to
 * U+001F, U+007F, or U+0080 to U+009F, which are two bytes (utf-8(7))
 */
static bool is_control(const unsigned char *c, size_t length)
{
	return length == 1 ? *c < ' ' || *c == 0x7f
			   : length == 2 && c[0] == 0xc2 && c[1] < 0xa0;
}

void text_add_word(struct text *text, const char *word)
{
	enum { MOST = 4096 };
	unsigned char *c = (unsigned char *)text->bytes + text->length;
	size_t length;

	text_add(text, "%.*s%s", MOST, *word ? word : "''",
		 strnlen(word, MOST + 1) > MOST ? "..." : "");
	for (; *c; c += length ? length : 1) {
		length = utf8_length(c);
		if (!length || is_control(c, length))
			memset(c, '?', length ? length : 1);
	}
}

void text_add_json(struct text *text, const char *word)
{
	enum { MOST = 3072 };
	const unsigned char *c = (const unsigned char *)word;
	size_t start = text->length;

	text_add(text, "\"");
	while (*c && text->length - start < MOST) {
		size_t length = utf8_length(c);

		if (!length)
			text_add(text, "\\ufffd");
		else if (is_control(c, length))
			text_add(text, "\\u%04x", c[length - 1]);
		else
			text_add(text, "%s%.*s",
				 *c == '"' || *c == '\\' ? "\\" : "",
				 (int)length, (const char *)c);
		c += length ? length : 1;
	}
	text_add(text, "\"");
}
