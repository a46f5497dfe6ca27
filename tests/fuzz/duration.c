/* SPDX-License-Identifier: MIT */
/* duration - a DURATION, as of --timeout */
#include "fuzz.h"

/* The length of a unit in nanoseconds; 0 if text is not a unit */
static long double unit_of(const char *text)
{
	static const char *const units[] = { "", "s", "ms", "m", "h", "d" };
	static const double ns[] = { 1e9, 1e9, 1e6, 60e9, 3600e9, 86400e9 };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i]))
			return (long double)ns[i];
	return 0;
}

/* The answer of the manual page: nanoseconds; -1 if the text is refused */
static long double expected(const char *text, bool *ret_is_zero)
{
	size_t length = strspn(text, "0123456789.");
	const char *point = memchr(text, '.', length);
	char *number = strndup(text, length);
	long double value;

	MUST(number);
	value = strtold(number, NULL);
	*ret_is_zero = strspn(number, "0.") == length;
	free(number);
	if (length == (point != NULL) ||
	    (point && memchr(point + 1, '.', length - (size_t)(point - text) -
						      1)) ||
	    unit_of(text + length) == 0)
		return -1;
	return value * unit_of(text + length);
}

/*
 * Each digit after the point is rounded down by itself: those of a day, which
 * is not divisible by 10 after 11 digits, lose 18 ns together at most.
 */
static bool is_near(uint64_t ns, long double want)
{
	const long double most = 1.8446744073709551615e19L;
	long double lost = (want > most ? most : want) - (long double)ns;

	return lost >= -1 - want * 1e-15L && lost < 20 + want * 1e-15L;
}

/* Reads back a text of ns in a unit of 10 to the power of digits */
static void check_read_back(uint64_t ns, uint64_t unit, int digits,
			    const char *name)
{
	char text[64];
	uint64_t again = 0;

	snprintf(text, sizeof(text), "%llu.%0*llu%s",
		 (unsigned long long)(ns / unit), digits,
		 (unsigned long long)(ns % unit), name);
	MUST(value_duration(text, &again) == 0);
	MUST(again == ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	bool is_zero;
	long double want = expected(text, &is_zero);
	union value value;
	uint64_t ns;

	if (fuzz_value(KIND_DURATION, text, &value)) {
		ns = value.number;
		MUST(want >= 0);
		MUST((ns == 0) == is_zero);
		MUST(is_near(ns, want));
		check_read_back(ns, 1000000000, 9, "");
		check_read_back(ns, 1000000000, 9, "s");
		check_read_back(ns, 1000000, 6, "ms");
	} else {
		MUST(want < 0);
	}
	free(text);
	return 0;
}
