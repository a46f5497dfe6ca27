/* SPDX-License-Identifier: MIT */
/* status: wait statuses to exit statuses and words */
#include "status.h"

#include <criterion/criterion.h>

static const struct {
	int wait_status, code, signal;
	const char *words;
} cases[] = {
	{ 0x0000, 0, 0, "exited with 0" },
	{ 0x2a00, 42, 0, "exited with 42" },
	{ 0xff00, 255, 0, "exited with 255" },
	{ 0x0009, 137, 9, "killed by SIGKILL" },
	{ 0x000b, 139, 11, "killed by SIGSEGV" },
	{ 0x008b, 139, 11, "killed by SIGSEGV (core dumped)" },
	{ 0x0022, 162, 34, "killed by signal 34" },
	{ 0x0040, 192, 64, "killed by signal 64" },
};

Test(status, all)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int wait_status = cases[i].wait_status;
		struct text text = { 0 };

		cr_expect_eq(status_code(wait_status), cases[i].code, "%x",
			     (unsigned int)wait_status);
		cr_expect_eq(status_signal(wait_status), cases[i].signal, "%x",
			     (unsigned int)wait_status);
		status_print(wait_status, &text);
		cr_expect_str_eq(text.bytes, cases[i].words);
	}
}
