/* SPDX-License-Identifier: MIT */
/* signal - a SIGNAL, as of --signal, or as of --exit-signal */
#include <strings.h>

#include "fuzz.h"
#include "names.h"
#include "status.h"

/* The number by which the text is accepted; -EINVAL if it is refused */
static int read_signal(enum kind kind, const char *text)
{
	union value value;

	if (!fuzz_value(kind, text, &value))
		return -EINVAL;
	MUST(value.number <= 64);
	return (int)value.number;
}

/* The number after RTMIN+ or RTMAX-; 0 if nothing follows, -1 if it is wrong */
static int offset_of(const char *text, char sign)
{
	if (!*text)
		return 0;
	if (*text != sign || !fuzz_is_number(text + 1) || strlen(text) > 3)
		return -1;
	return atoi(text + 1) <= 30 ? atoi(text + 1) : -1;
}

/* The answer of the manual page and signal(7): -EINVAL if the text is wrong */
static int expected(const char *text)
{
	static const char *const others[] = { "IOT", "CLD", "POLL" };
	static const int numbers[] = { 6, 17, 29 };
	const char *bare = text + (strncasecmp(text, "SIG", 3) ? 0 : 3);
	int offset;

	if (fuzz_is_number(text))
		return strlen(text) <= 2 && atoi(text) >= 1 && atoi(text) <= 64
			       ? atoi(text)
			       : -EINVAL;
	for (int i = 1; i < 32; i++)
		if (!strcasecmp(bare, name_signal(i) + 3))
			return i;
	for (int i = 0; i < 3; i++)
		if (!strcasecmp(bare, others[i]))
			return numbers[i];
	if (!strncasecmp(bare, "RTMIN", 5)) {
		offset = offset_of(bare + 5, '+');
		return offset < 0 ? -EINVAL : 34 + offset;
	}
	if (!strncasecmp(bare, "RTMAX", 5)) {
		offset = offset_of(bare + 5, '-');
		return offset < 0 ? -EINVAL : 64 - offset;
	}
	return -EINVAL;
}

/* The name and the number that are printed are read back */
static void check_read_back(int signal)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "%d", signal);
	MUST(read_signal(KIND_SIGNAL, text.bytes) == signal);
	if (!name_signal(signal))
		return;
	text_begin(&text);
	status_print_signal(signal, &text);
	MUST(read_signal(KIND_SIGNAL, text.bytes) == signal);
	MUST(read_signal(KIND_SIGNAL, text.bytes + 3) == signal);
}

/* Upper and lower case mean the same, and so does a name without its SIG */
static void check_spelling(const char *text, int signal)
{
	size_t length = strlen(text);
	char *other = malloc(length + 4);

	MUST(other);
	memcpy(other, "SIG", 3);
	memcpy(other + 3, text, length + 1);
	for (char *c = other + 3; *c; c++)
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
			*c ^= 'a' ^ 'A';
	MUST(read_signal(KIND_SIGNAL, other + 3) == signal);
	if (!strncasecmp(text, "SIG", 3))
		MUST(read_signal(KIND_SIGNAL, text + 3) == signal);
	else if (!fuzz_is_number(text))
		MUST(read_signal(KIND_SIGNAL, other) == signal);
	free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	int signal = read_signal(KIND_SIGNAL, text);
	int or_none = read_signal(KIND_NO_SIGNAL, text);
	bool is_none = !strcmp(text, "0") || !strcasecmp(text, "none");

	MUST(signal == expected(text));
	MUST(or_none == (is_none ? 0 : signal));
	if (signal >= 0) {
		check_read_back(signal);
		check_spelling(text, signal);
	}
	free(text);
	return 0;
}
