/* SPDX-License-Identifier: MIT */
/* bits - the BITS of --raw-flags */
#include <strings.h>

#include "fuzz.h"

/* strtoull(3) with all it reads too much taken away */
static bool read_number(const char *text, int base, uint64_t *ret)
{
	const char *digits = base == 10 ? "0123456789"
					: "0123456789abcdefABCDEF";

	errno = 0;
	*ret = strtoull(text, NULL, base);
	return *text && !text[strspn(text, digits)] && !errno;
}

/* The names that messages have for the bits; for an unknown one, a number */
static char names[64][32];

static void write_names(void)
{
	struct text name;

	for (int bit = 0; bit < 64; bit++) {
		text_begin(&name);
		explain_flags(UINT64_C(1) << bit, &name);
		MUST(name.length < sizeof(names[bit]));
		memcpy(names[bit], name.bytes, name.length + 1);
	}
}

/* The answer of the manual page to one term */
static bool expected(const char *term, uint64_t *ret)
{
	if (!*names[0])
		write_names();
	for (int bit = 0; bit < 64; bit++) {
		*ret = UINT64_C(1) << bit;
		if (!strcmp(names[bit], term))
			return true;
	}
	if (!strncasecmp(term, "0x", 2))
		return read_number(term + 2, 16, ret);
	if (strncmp(term, "1<<", 3))
		return read_number(term, 10, ret);
	if (!read_number(term + 3, 10, ret) || *ret > 63)
		return false;
	*ret = UINT64_C(1) << *ret;
	return true;
}

/* The flags that are printed are read back */
static void check_read_back(uint64_t flags)
{
	struct text text;
	uint64_t again = 0;

	text_begin(&text);
	explain_flags(flags, &text);
	MUST(value_flags(text.bytes, &again) == 0);
	MUST(again == flags);
}

/* The flags of all terms together; false if one of them is refused */
static bool add_terms(const char *text, uint64_t *ret)
{
	char *copy = strdup(text), *rest = copy, *term;
	bool is_good = true;
	uint64_t flags;

	MUST(copy);
	for (*ret = 0; is_good && (term = strsep(&rest, "|")); *ret |= flags)
		is_good = expected(term, &flags);
	free(copy);
	return is_good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	union value value;
	uint64_t want;
	bool is_good = add_terms(text, &want);

	MUST(fuzz_value(KIND_FLAGS, text, &value) == is_good);
	if (is_good) {
		MUST(value.number == want);
		check_read_back(want);
	}
	free(text);
	return 0;
}
