/* SPDX-License-Identifier: MIT */
/* status_lines: the lines that the man page promises to programs */
#include "status_lines.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "sys.h"

static void expect_line(struct text *text, const char *line)
{
	cr_expect_str_eq(text->bytes, line);
	*text = (struct text){ 0 };
}

Test(status_lines, all)
{
	struct text text = { 0 };

	status_line_listening("@a\"b\\c\n\303\251\377", &text);
	expect_line(&text, "{\"listening\":\"@a\\\"b\\\\c\\u000a\303\251"
			   "\\ufffd\"}\n");
	status_line_running(12, 5678, 0, &text);
	expect_line(&text, "{\"child-pid\":12,\"pidfd-inode\":5678}\n");
	status_line_running(12, 0, 0, &text);
	expect_line(&text, "{\"child-pid\":12}\n");
	status_line_running(0, 5678, 0, &text);
	expect_line(&text, "{\"pidfd-inode\":5678}\n");
	status_line_running(12, 0, CLONE_NNP | CLONE_AUTOREAP, &text);
	expect_line(&text, "{\"child-pid\":12,\"emulated\":"
			   "[\"CLONE_AUTOREAP\",\"CLONE_NNP\"]}\n");
	status_line_ended(42, 0x2a00, NULL, -1, -1, &text);
	expect_line(&text, "{\"exit-code\":42}\n");
	status_line_ended(139, 0x008b, NULL, -1, -1, &text);
	expect_line(&text, "{\"exit-code\":139,\"signal\":11,"
			   "\"core-dumped\":true}\n");
	status_line_ended(137, 0x0009, "fd", -1, -1, &text);
	expect_line(&text, "{\"exit-code\":137,\"signal\":9,"
			   "\"core-dumped\":false,\"ended-by\":\"fd\"}\n");
	status_line_ended(124, 0x0000, "timeout", -1, -1, &text);
	expect_line(&text, "{\"exit-code\":124,\"ended-by\":\"timeout\"}\n");
	status_line_ended(0, 0x0000, NULL, 0, -1, &text);
	expect_line(&text, "{\"exit-code\":0,\"left\":0}\n");
	status_line_ended(3, 0x0300, NULL, 12, 0, &text);
	expect_line(&text, "{\"exit-code\":3,\"left\":12,\"killed\":0}\n");
	status_line_failed(125, "connect", ECONNREFUSED, &text);
	expect_line(&text, "{\"exit-code\":125,\"error\":\"connect\","
			   "\"errno\":\"ECONNREFUSED\"}\n");
	status_line_failed(125, "usage", 0, &text);
	expect_line(&text, "{\"exit-code\":125,\"error\":\"usage\"}\n");
}

Test(status_lines, payload)
{
	struct text text = { 0 };

	status_line_payload(12, 5678, CLONE_PIDFD | CLONE_PIDFD_AUTOKILL |
		       UINT64_C(5) << 60, &text);
	expect_line(&text, "{\"pid\":12,\"inode\":5678,\"flags\":["
			   "\"CLONE_PIDFD\",\"CLONE_PIDFD_AUTOKILL\","
			   "\"0x5000000000000000\"]}\n");
	status_line_payload(1, 2, 0, &text);
	expect_line(&text, "{\"pid\":1,\"inode\":2,\"flags\":[]}\n");
}
