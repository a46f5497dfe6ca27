/* SPDX-License-Identifier: MIT */
/* answers - see answers.h. It must never decide anything. */
#include "answers.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "probe.h"
#include "probe_option.h"

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
	[GROUP_INFO] = "To print something, and run nothing",
};

/* Appends a line of --help: "  -d, --detach          exit 0 once..." */
static void add_option(struct text *text, const struct option_row *row)
{
	enum { HELP_COLUMN = 28 };	/* where the help begins */
	size_t start = text->length;

	if (row->letter)
		text_add(text, "  -%c, ", row->letter);
	else
		text_add(text, "      ");
	text_add(text, "--%s", row->name);
	if (row->argument)
		text_add(text, row->optional ? "[=%s]" : "=%s", row->argument);
	if (row->alias)
		text_add(text, ", --%s", row->alias);
	text_add(text, "%*s%s\n", (int)(start + HELP_COLUMN - text->length),
		 "", row->help);
}

static int print_help(void)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "Usage: spawnfd [OPTION]... [--] COMMAND [ARG]...\n"
		 "       spawnfd --receive=ADDRESS [OPTION]...\n"
		 "       spawnfd --receive=ADDRESS --exec-fd=FD [OPTION]... "
		 "[--] COMMAND [ARG]...\n"
		 "       spawnfd --probe [--json]\n"
		 "       spawnfd --probe=FLAG\n"
		 "Start COMMAND with the clone3 flags of Linux 7.1 and hold "
		 "its pidfd, or pass it\nto another process; or receive a "
		 "process that another spawnfd has started.\n");
	for (size_t group = 0; group < GROUPS; group++) {
		text_add(&text, "\n%s:\n", headings[group]);
		for (size_t id = 0; id < OPTIONS; id++)
			if (table[id].group == group)
				add_option(&text, &table[id]);
	}
	text_add(&text,
		 "\n--autokill adds --autoreap and, without "
		 "--allow-new-privs, --nnp. It kills one\n"
		 "process: the descendants of COMMAND live on, unless "
		 "--kill-tree is given too.\n"
		 "Under --nnp, neither sudo nor a setuid program gives COMMAND "
		 "any privilege.\n"
		 "\nADDRESS is the path of a Unix socket, @NAME for an "
		 "abstract one, or fd:N for an\n"
		 "inherited one. DURATION is a decimal number of seconds, or "
		 "has a unit: ms, s, m,\nh or d.\n"
		 "\nExit status: that of COMMAND, or a death by the same "
		 "signal; 124 or 137\n"
		 "after --timeout; 125 if spawnfd itself failed, 126 if "
		 "COMMAND cannot be\nexecuted, 127 if it is not found. The "
		 "manual page spawnfd(1) has examples.\n");
	return print(&text);
}

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

/*
 * Appends a line of --list-options: six fields, separated by tabs. No field is
 * empty, because a shell's read takes several tabs for one separator.
 */
static void add_row(struct text *text, const char *name,
		    const struct option_row *row)
{
	const char letter[] = { '-', row->letter, 0 };

	text_add(text, row->optional ? "--%s\t%s\t[%s]" : "--%s\t%s\t%s", name,
		 letter, or_dash(row->argument));
	text_add(text, "\t%s\t%s\t%s\n", or_dash(row->symbol),
		 or_dash(row->since), row->help);
}

static int print_list(void)
{
	struct text text;

	text_begin(&text);
	for (size_t id = 0; id < OPTIONS; id++) {
		add_row(&text, table[id].name, &table[id]);
		if (table[id].alias)
			add_row(&text, table[id].alias, &table[id]);
	}
	return print(&text);
}

/* The Makefile defines SPAWNFD_VERSION. */
static int print_version(void)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "spawnfd %s\n", SPAWNFD_VERSION);
	return print(&text);
}

int answer_info(const struct options *options)
{
	if (options_has(options, OPT_HELP))
		return print_help();
	if (options_has(options, OPT_VERSION))
		return print_version();
	return print_list();
}

/* Appends the end of a line of --probe; why is NULL if there is no reason */
static void add_support(struct text *text, enum support support,
			const char *why)
{
	text_add(text, "%s", explain_support(support));
	text_add(text, why ? ": %s\n" : "\n", why);
}

/* Appends what --probe tells about one flag */
static void add_flag(struct text *text, enum clone3 clone3, struct flag flag,
		     bool json)
{
	enum support support = probe_support(clone3, flag.bit);
	const char *option = flag.option ? flag.option : "raw-flags";
	const char *why = explain_no_support(clone3, support);
	int bit = __builtin_ctzll(flag.bit);

	if (json) {
		text_add(text, "{\"flag\":\"%s\",\"bit\":%d,\"since\":\"%s\","
			 "\"option\":\"--%s\",\"support\":\"%s\"}",
			 flag.symbol, bit, flag.since, option,
			 explain_support(support));
		return;
	}
	text_add(text, "%-22s %2d  %-5s  --%-17s ", flag.symbol, bit,
		 flag.since, option);
	add_support(text, support, why);
}

/* Appends the flags of --probe in the order of their bits */
static void add_flags(struct text *text, enum clone3 clone3, bool json)
{
	const char *separator = "";

	for (int bit = 0; bit < 64; bit++) {
		struct flag flag = table_flag(UINT64_C(1) << bit);

		/* A flag without a version is as old as clone3, or unknown. */
		if (!flag.since)
			continue;
		text_add(text, "%s", separator);
		add_flag(text, clone3, flag, json);
		separator = json ? "," : "";
	}
}

/* Appends the names of flags as JSON strings, in the order of their bits */
static void add_names(struct text *text, uint64_t flags)
{
	const char *separator = "";
	struct flag flag;

	while ((flag = table_take_flag(&flags)).bit) {
		text_add(text, "%s\"%s\"", separator, flag.symbol);
		separator = ",";
	}
}

/* Appends what --probe tells about an option that takes several flags */
static void add_probed(struct text *text, const struct option_row *row,
		       bool json)
{
	enum support support;
	struct text why;
	uint64_t flags;

	text_begin(&why);
	support = probe_option(row, &flags, &why);
	if (!json) {
		text_add(text, "%-22s %2s  %-5s  --%-17s ", "-", "-", "-",
			 row->name);
		add_support(text, support, why.length ? why.bytes : NULL);
		return;
	}
	text_add(text, "{\"option\":\"--%s\",\"flags\":[", row->name);
	add_names(text, flags);
	text_add(text, "],\"support\":\"%s\",\"why\":",
		 explain_support(support));
	if (why.length)
		text_add_json(text, why.bytes);
	else
		text_add(text, "null");
	text_add(text, "}");
}

/* Appends the options of --probe that take several flags */
static void add_all_probed(struct text *text, bool json)
{
	const char *separator = "";

	for (size_t id = 0; id < OPTIONS; id++) {
		if (!table[id].probed)
			continue;
		text_add(text, "%s", separator);
		add_probed(text, &table[id], json);
		separator = json ? "," : "";
	}
}

/*
 * Appends the bits that the kernel takes and the table has no name for. clone3
 * alone has these; clone(2) has the bits below.
 */
static void add_unnamed(struct text *text, enum clone3 clone3, bool json)
{
	const char *separator = "";

	for (int bit = 32; bit < 64; bit++) {
		uint64_t flag = UINT64_C(1) << bit;
		enum support support;

		if (table_flag(flag).symbol)
			continue;
		support = probe_unnamed(clone3, flag);
		if (support == SUPPORT_NO)
			continue;
		if (json) {
			text_add(text, "%s%d", separator, bit);
			separator = ",";
			continue;
		}
		text_add(text, "bit %-22d %-5s  --raw-flags='1<<%d' ", bit,
			 "-", bit);
		add_support(text, support, explain_no_support(clone3, support));
	}
}

int answer_probe(bool json)
{
	const enum clone3 clone3 = probe_clone3();
	struct utsname system = { 0 };
	struct text text;

	text_begin(&text);
	uname(&system);
	if (json) {
		text_add(&text, "{\"kernel\":");
		text_add_json(&text, system.release);
		text_add(&text, ",\"clone3\":\"%s\",\"flags\":[",
			 explain_clone3(clone3));
		add_flags(&text, clone3, json);
		text_add(&text, "],\"options\":[");
		add_all_probed(&text, json);
		text_add(&text, "],\"unnamed\":[");
		add_unnamed(&text, clone3, json);
		text_add(&text, "]}\n");
		return print(&text);
	}
	text_add(&text, "Linux %s: clone3 is %s\n", system.release,
		 explain_clone3(clone3));
	text_add(&text, "%-21s %s  %-5s  %-19s %s\n", "FLAG", "BIT", "SINCE",
		 "OPTION", "SUPPORT");
	add_flags(&text, clone3, json);
	add_all_probed(&text, json);
	add_unnamed(&text, clone3, json);
	return print(&text);
}

int answer_dry_run(const struct sys_clone_args *args, const char *cgroup)
{
	struct text text;

	text_begin(&text);
	clone_args_print(args, cgroup, false, &text);
	text_add(&text, "\n");
	return print(&text);
}
