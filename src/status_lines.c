/* SPDX-License-Identifier: MIT */
/* status_lines - see status_lines.h. It must never write half a line. */
#include "status_lines.h"

#include <sys/wait.h>

#include "names.h"
#include "status.h"
#include "table.h"

void status_line_listening(const char *address, struct text *text)
{
	text_add(text, "{\"listening\":");
	text_add_json(text, address);
	text_add(text, "}\n");
}

/* Appends an array such as ["CLONE_PIDFD","CLONE_NNP"] */
static void add_flags(uint64_t flags, struct text *text)
{
	const char *separator = "";
	struct flag flag;

	text_add(text, "[");
	while ((flag = table_take_flag(&flags)).bit) {
		text_add(text, "%s\"%s\"", separator, flag.symbol);
		separator = ",";
	}
	if (flags)
		text_add(text, "%s\"0x%llx\"", separator,
			 (unsigned long long)flags);
	text_add(text, "]");
}

void status_line_running(int pid, uint64_t inode, uint64_t emulated,
			 struct text *text)
{
	const char *separator = "";

	text_add(text, "{");
	if (pid) {
		text_add(text, "\"child-pid\":%d", pid);
		separator = ",";
	}
	if (inode)
		text_add(text, "%s\"pidfd-inode\":%llu", separator,
			 (unsigned long long)inode);
	if (emulated) {
		text_add(text, ",\"emulated\":");
		add_flags(emulated, text);
	}
	text_add(text, "}\n");
}

void status_line_ended(int code, int wait_status, const char *ended_by,
		       int left, int killed, struct text *text)
{
	int signal = status_signal(wait_status);

	text_add(text, "{\"exit-code\":%d", code);
	if (signal)
		text_add(text, ",\"signal\":%d,\"core-dumped\":%s", signal,
			 WCOREDUMP(wait_status) ? "true" : "false");
	if (ended_by)
		text_add(text, ",\"ended-by\":\"%s\"", ended_by);
	if (left >= 0)
		text_add(text, ",\"left\":%d", left);
	if (killed >= 0)
		text_add(text, ",\"killed\":%d", killed);
	text_add(text, "}\n");
}

void status_line_failed(int code, const char *class, int error,
			struct text *text)
{
	const char *name = name_error(error);

	text_add(text, "{\"exit-code\":%d,\"error\":\"%s\"", code, class);
	if (name)
		text_add(text, ",\"errno\":\"%s\"", name);
	else if (error)
		text_add(text, ",\"errno\":\"%d\"", error);
	text_add(text, "}\n");
}

void status_line_payload(int pid, uint64_t inode, uint64_t flags,
			 struct text *text)
{
	text_add(text, "{\"pid\":%d,\"inode\":%llu,\"flags\":", pid,
		 (unsigned long long)inode);
	add_flags(flags, text);
	text_add(text, "}\n");
}
