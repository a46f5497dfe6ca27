/* SPDX-License-Identifier: MIT */
/* pid - PID or PID:INODE, as of --die-with-pid */
#include <limits.h>

#include "fuzz.h"

/* The answer of the manual page to one of the two numbers */
static bool is_within(const char *digits, uint64_t most, uint64_t *ret)
{
	errno = 0;
	*ret = strtoull(digits, NULL, 10);
	return fuzz_is_number(digits) && !errno && *ret && *ret <= most;
}

static bool expected(const char *text, uint64_t *ret_pid, uint64_t *ret_inode)
{
	char *copy = strdup(text), *colon;
	bool is_good;

	MUST(copy);
	*ret_inode = 0;
	colon = strchr(copy, ':');
	if (colon)
		*colon = '\0';
	is_good = is_within(copy, INT_MAX, ret_pid) &&
		  (!colon || is_within(colon + 1, UINT64_MAX, ret_inode));
	free(copy);
	return is_good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), printed[64];
	uint64_t pid, inode;
	bool is_good = expected(text, &pid, &inode);
	union value value;

	MUST(fuzz_value(KIND_PID, text, &value) == is_good);
	if (is_good) {
		MUST((uint64_t)value.process.pid == pid);
		MUST(value.process.inode == inode);
		snprintf(printed, sizeof(printed), inode ? "%d:%llu" : "%d",
			 (int)pid, (unsigned long long)inode);
		MUST(fuzz_value(KIND_PID, printed, &value));
		MUST((uint64_t)value.process.pid == pid);
		MUST(value.process.inode == inode);
	}
	free(text);
	return 0;
}
