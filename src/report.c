/* SPDX-License-Identifier: MIT */
/* report - see report.h. It must never decide anything. */
#include "report.h"

#include <unistd.h>

static int print(const struct text *text)
{
	return sys_write(STDOUT_FILENO, text->bytes, text->length);
}

static const char *const headings[GROUPS] = {
	[GROUP_FLAG] = "Clone flags",
	[GROUP_SINK] = "Instead of holding COMMAND until it ends",
	[GROUP_HOLD] = "While it is held",
	[GROUP_REPORT] = "Reports",
	[GROUP_TEST] = "For testing a kernel by hand",
	[GROUP_INFO] = "Other options",
};

/* "  -d, --detach          exit 0 once COMMAND runs" */
static void add_option(struct text *text, const struct option_row *row)
{
	enum { HELP_COLUMN = 28 };
	size_t start = text->length;

	if (row->letter)
		text_add(text, "  -%c, ", row->letter);
	else
		text_add(text, "      ");
	text_add(text, "--%s", row->name);
	if (row->argument)
		text_add(text, "=%s", row->argument);
	if (row->alias)
		text_add(text, ", --%s", row->alias);
	text_add(text, "%*s%s\n", (int)(start + HELP_COLUMN - text->length),
		 "", row->help);
}

static int print_help(void)
{
	struct text text = { 0 };

	text_add(&text, "Usage: spawnfd [OPTION]... [--] COMMAND [ARG]...\n"
		 "       spawnfd --receive=ADDRESS [OPTION]...\n"
		 "Start COMMAND with the clone3 flags of Linux 7.1, or receive "
		 "what another spawnfd\nhas started; and hold its pidfd, or "
		 "pass it on.\n");
	for (size_t group = 0; group < GROUPS; group++) {
		text_add(&text, "\n%s:\n", headings[group]);
		for (size_t id = 0; id < OPTIONS; id++)
			if (table[id].group == group)
				add_option(&text, &table[id]);
	}
	text_add(&text,
		 "\n--autokill adds --autoreap and, without "
		 "--allow-new-privs, --nnp. It kills one\n"
		 "process: what COMMAND has started lives on. Under --nnp "
		 "neither sudo nor a\n"
		 "setuid program gives COMMAND any privilege.\n"
		 "\nADDRESS is the path of a Unix socket, @NAME for an "
		 "abstract one, or fd:N for an\n"
		 "inherited one. DURATION is a decimal number, perhaps with "
		 "ms, s, m, h or d.\n"
		 "\nExit status: that of COMMAND, or a death by the same "
		 "signal; 124 after --timeout;\n"
		 "125 if spawnfd itself failed, 126 if COMMAND cannot be run, "
		 "127 if not found.\n");
	return print(&text);
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/* Six columns; '-' for what is not there, so that no field is empty */
static void add_row(struct text *text, const char *name,
		    const struct option_row *row)
{
	const char letter[] = { '-', row->letter, 0 };

	text_add(text, "--%s\t%s\t%s\t%s\t%s\t%s\n", name, letter,
		 or_dash(row->argument), or_dash(row->symbol),
		 or_dash(row->since), row->help);
}

static int print_list(void)
{
	struct text text = { 0 };

	for (size_t id = 0; id < OPTIONS; id++) {
		add_row(&text, table[id].name, &table[id]);
		if (table[id].alias)
			add_row(&text, table[id].alias, &table[id]);
	}
	return print(&text);
}

static int print_version(void)
{
	struct text text = { 0 };

	text_add(&text, "spawnfd %s\n", SPAWNFD_VERSION);
	return print(&text);
}

int report_info(const struct options *options)
{
	if (options_has(options, OPT_HELP))
		return print_help();
	if (options_has(options, OPT_VERSION))
		return print_version();
	return print_list();
}

int report_call(const struct sys_clone_args *args, const char *cgroup)
{
	struct text text = { 0 };

	clone_args_print(args, cgroup, &text);
	text_add(&text, "\n");
	return print(&text);
}
