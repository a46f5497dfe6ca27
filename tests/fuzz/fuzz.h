/* SPDX-License-Identifier: MIT */
/*
 * fuzz - what the harnesses of this folder share. A harness is a function that
 * tries one input, and aborts if a property does not hold. libFuzzer calls it
 * with inputs of its own; replay.c calls it with files.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "explain_mistake.h"
#include "text.h"
#include "value.h"

/* The name is libFuzzer's. Returns 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts if the condition is false, also where NDEBUG is defined */
#define MUST(condition)                                               \
	do {                                                          \
		if (!(condition))                                     \
			fuzz_abort(__FILE__, __LINE__, #condition);   \
	} while (0)

static inline void fuzz_abort(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

/*
 * Copies the input, up to its first NUL, to a string of just this size, so that
 * AddressSanitizer notices a read past the end. The caller frees it.
 */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	size_t length = size ? strnlen((const char *)data, size) : 0;
	char *string = malloc(length + 1);

	MUST(string);
	if (length)
		memcpy(string, data, length);
	string[length] = '\0';
	return string;
}

/* A message is not empty, and has one line, or a second one with a hint */
static inline void fuzz_check_message(const struct text *text)
{
	const char *hint = strstr(text->bytes, EXPLAIN_HINT);

	MUST(text->length > 0);
	MUST(text->length == strlen(text->bytes));
	MUST(text->length < sizeof(text->bytes) - 1);
	for (const char *c = text->bytes; *c; c++)
		MUST(c == hint || ((unsigned char)*c >= ' ' && *c != 0x7f));
}

/*
 * Reads the argument of an option of this kind; false if it is refused. A
 * refusal leaves *value as it was, and can be put into words.
 */
static inline bool fuzz_value(enum kind kind, const char *text,
			      union value *value)
{
	const struct option_row row = { .name = "x", .kind = kind };
	const struct mistake mistake = {
		.kind = MISTAKE_VALUE, .row = &row, .word = text,
	};
	struct text message;
	union value before;
	int r;

	memset(&before, 0x5a, sizeof(before));
	*value = before;
	r = value_parse(kind, text, value);
	if (!r)
		return true;
	MUST(r == -EINVAL);
	MUST(!memcmp(value, &before, sizeof(before)));
	text_begin(&message);
	explain_mistake(&mistake, &message);
	fuzz_check_message(&message);
	return false;
}

/* How many of the lowest descriptors are open */
static inline int fuzz_count_descriptors(void)
{
	enum { MOST = 128 };
	static struct pollfd fds[MOST];
	int open = 0;

	for (int fd = fds[1].fd ? MOST : 0; fd < MOST; fd++)
		fds[fd].fd = fd;
	MUST(poll(fds, MOST, 0) >= 0);
	for (int fd = 0; fd < MOST; fd++)
		open += !(fds[fd].revents & POLLNVAL);
	return open;
}

/* Whether text has digits only, at least one */
static inline bool fuzz_is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

#endif
