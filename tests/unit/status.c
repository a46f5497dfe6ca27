/* SPDX-License-Identifier: MIT */
/* status: wait statuses to exit statuses and words */
#include "status.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "sys.h"

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

static void expect_line(struct text *text, const char *line)
{
	cr_expect_str_eq(text->bytes, line);
	*text = (struct text){ 0 };
}

Test(status, lines)
{
	struct text text = { 0 };

	status_listening("@a\"b\\c\n\303\251\377", &text);
	expect_line(&text, "{\"listening\":\"@a\\\"b\\\\c\\u000a\303\251"
			   "\\ufffd\"}\n");
	status_running(12, 5678, 0, &text);
	expect_line(&text, "{\"child-pid\":12,\"pidfd-inode\":5678}\n");
	status_running(12, 0, 0, &text);
	expect_line(&text, "{\"child-pid\":12}\n");
	status_running(0, 5678, 0, &text);
	expect_line(&text, "{\"pidfd-inode\":5678}\n");
	status_running(12, 0, CLONE_NNP | CLONE_AUTOREAP, &text);
	expect_line(&text, "{\"child-pid\":12,\"emulated\":"
			   "[\"CLONE_AUTOREAP\",\"CLONE_NNP\"]}\n");
	status_ended(42, 0x2a00, NULL, &text);
	expect_line(&text, "{\"exit-code\":42}\n");
	status_ended(139, 0x008b, NULL, &text);
	expect_line(&text, "{\"exit-code\":139,\"signal\":11,"
			   "\"core-dumped\":true}\n");
	status_ended(137, 0x0009, "fd", &text);
	expect_line(&text, "{\"exit-code\":137,\"signal\":9,"
			   "\"core-dumped\":false,\"ended-by\":\"fd\"}\n");
	status_ended(124, 0x0000, "timeout", &text);
	expect_line(&text, "{\"exit-code\":124,\"ended-by\":\"timeout\"}\n");
	status_failed(125, "connect", ECONNREFUSED, &text);
	expect_line(&text, "{\"exit-code\":125,\"error\":\"connect\","
			   "\"errno\":\"ECONNREFUSED\"}\n");
	status_failed(125, "usage", 0, &text);
	expect_line(&text, "{\"exit-code\":125,\"error\":\"usage\"}\n");
}

Test(status, message)
{
	struct text text = { 0 };

	status_message(12, 5678, CLONE_PIDFD | CLONE_PIDFD_AUTOKILL |
		       UINT64_C(5) << 60, &text);
	expect_line(&text, "{\"pid\":12,\"inode\":5678,\"flags\":["
			   "\"CLONE_PIDFD\",\"CLONE_PIDFD_AUTOKILL\","
			   "\"0x5000000000000000\"]}\n");
	status_message(1, 2, 0, &text);
	expect_line(&text, "{\"pid\":1,\"inode\":2,\"flags\":[]}\n");
}
