/* SPDX-License-Identifier: MIT */
/* status: wait statuses become exit statuses and words */
#include "status.h"

#include <criterion/criterion.h>
#include <errno.h>

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

Test(status, of_a_failure)
{
	static const struct {
		enum step step;
		int error, code;
	} failures[] = {
		{ STEP_BEGIN, EPERM, 125 }, { STEP_CLONE3, ENOENT, 125 },
		{ STEP_EXEC, ENOENT, 127 }, { STEP_EXEC, EACCES, 126 },
		{ STEP_INTERPRETER, ENOENT, 126 },
		{ STEP_EXEC_NOT_STATIC, ENOENT, 126 },
		{ STEP_HOLD, ENOENT, 125 },
	};

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct failure failure = {
			.step = failures[i].step, .error = failures[i].error,
		};

		cr_expect_eq(status_of_failure(&failure), failures[i].code,
			     "%zu", i);
	}
}
