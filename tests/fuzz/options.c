/* SPDX-License-Identifier: MIT */
/*
 * options - a command line. The words of the input end in NUL bytes; spawnfd's
 * own name is put before them.
 */
#include "options.h"

#include "answers.h"
#include "fuzz.h"
#include "launch.h"
#include "names.h"

enum { WORDS_MAX = 64, NUMBER_LENGTH = 48 };

static char *environment[] = { "PATH=/bin", NULL };

/* ---- the words ---- */

/* Splits the input to an argv, of which the caller frees each word but [0] */
static int split(const uint8_t *data, size_t size, char **argv)
{
	int count = 0;

	argv[count++] = "spawnfd";
	while (size && count < WORDS_MAX) {
		size_t length;

		argv[count] = fuzz_string(data, size);
		length = strlen(argv[count++]);
		length += length < size;
		data += length;
		size -= length;
	}
	argv[count] = NULL;
	return count;
}

/* ---- a command line that is refused ---- */

/* Each kind of mistake has the members that explain.h names for it */
static void check_mistake(const struct mistake *mistake)
{
	struct text text;

	switch (mistake->kind) {
	case MISTAKE_EXCLUDES:
	case MISTAKE_NEEDS:
		MUST(mistake->row && mistake->others);
		MUST(mistake->others < OPTION_BIT(OPTIONS));
		break;
	case MISTAKE_NO_ARGUMENT:
	case MISTAKE_ARGUMENT:
		MUST(mistake->row);
		break;
	case MISTAKE_VALUE:
		MUST(mistake->row && mistake->word);
		break;
	case MISTAKE_REFUSED:
		MUST(mistake->row && mistake->flags);
		break;
	case MISTAKE_UNKNOWN:
	case MISTAKE_LETTER:
	case MISTAKE_AMBIGUOUS:
	case MISTAKE_RULE:
	case MISTAKE_FLAGS:
		MUST(mistake->word);
		break;
	case MISTAKE_NO_COMMAND:
		break;
	}
	text_begin(&text);
	explain_mistake(mistake, &text);
	fuzz_check_message(&text);
}

/* ---- a command line that is accepted ---- */

/* The rules that stand in a row; --exact leaves those of flags to the kernel */
static void check_rules(const struct options *options)
{
	for (enum option_id id = 0; id < OPTIONS; id++) {
		const struct option_row *row = &table[id];
		uint64_t excludes = row->excludes;

		if (!options_has(options, id) ||
		    (row->group == GROUP_FLAG &&
		     options_has(options, OPT_EXACT)))
			continue;
		if (row->in_tree && options_has(options, OPT_KILL_TREE))
			excludes &= ~OPTIONS_WITHOUT_HOLD;
		MUST(!(excludes & options->given));
		MUST(!row->needs || row->needs & options->given);
	}
}

/* The argument as text; NULL if there is none */
static const char *argument_of(const struct options *options,
			       enum option_id id, char *room)
{
	const union value *value = &options->values[id];
	unsigned long long number = value->number;

	switch (table[id].kind) {
	case KIND_SWITCH:
		return NULL;
	case KIND_TEXT:
		return value->text;
	case KIND_ADDRESS:
		return value->address.text;
	case KIND_PROBED:
		return value->probed.option ? value->probed.option->name
					    : table_flag(value->probed.flag)
						      .symbol;
	case KIND_DURATION:
		snprintf(room, NUMBER_LENGTH, "%llu.%09llu",
			 number / 1000000000, number % 1000000000);
		break;
	case KIND_FLAGS:
		snprintf(room, NUMBER_LENGTH, "0x%llx", number);
		break;
	case KIND_PID:
		snprintf(room, NUMBER_LENGTH,
			 value->process.inode ? "%d:%llu" : "%d",
			 (int)value->process.pid,
			 (unsigned long long)value->process.inode);
		break;
	case KIND_SIGNAL:
	case KIND_NO_SIGNAL:
	case KIND_FD:
	case KIND_UID:
		snprintf(room, NUMBER_LENGTH, "%llu", number);
		break;
	}
	return room;
}

static bool is_same_value(enum kind kind, const union value *a,
			  const union value *b)
{
	switch (kind) {
	case KIND_SWITCH:
		return true;
	case KIND_TEXT:
		return !strcmp(a->text, b->text);
	case KIND_ADDRESS:
		return a->address.kind == b->address.kind &&
		       a->address.fd == b->address.fd &&
		       !strcmp(a->address.text, b->address.text);
	case KIND_PROBED:
		return a->probed.flag == b->probed.flag &&
		       a->probed.option == b->probed.option;
	case KIND_PID:
		return a->process.pid == b->process.pid &&
		       a->process.inode == b->process.inode;
	default:
		return a->number == b->number;
	}
}

/*
 * Parses the options written out in the order of the table, each as --NAME=TEXT
 * or --NAME, and COMMAND after "--": they mean the same.
 */
static void check_read_back(const struct options *options)
{
	char *argv[OPTIONS + WORDS_MAX + 2] = { "spawnfd" }, *command = NULL;
	char room[NUMBER_LENGTH];
	struct options again;
	struct mistake mistake;
	int count = 1, own;

	for (enum option_id id = 0; id < OPTIONS; id++) {
		const char *text = argument_of(options, id, room);

		if (options_has(options, id))
			MUST(asprintf(&argv[count++], "--%s%s%s",
				      table[id].name, text ? "=" : "",
				      text ? text : "") > 0);
	}
	own = count;
	argv[count++] = "--";
	for (char **word = options->command; (command = *word); word++)
		argv[count++] = command;
	argv[count] = NULL;
	MUST(options_parse(argv, &again, &mistake) == 0);
	MUST(again.given == options->given);
	MUST(again.command == argv + own + 1);
	for (enum option_id id = 0; id < OPTIONS; id++)
		MUST(!options_has(options, id) ||
		     is_same_value(table[id].kind, &again.values[id],
				   &options->values[id]));
	while (--own > 0)
		free(argv[own]);
}

/* The line of --dry-run says what the call is */
static void check_dry_run(const struct launch *launch)
{
	static const char start[] = "clone3({flags=", sep[] = ", exit_signal=";
	char *flags, *signal, *end, want[16];
	struct text text;
	uint64_t again;
	int number;

	text_begin(&text);
	clone_args_print(&launch->args, launch->cgroup, false, &text);
	MUST(!strncmp(text.bytes, start, strlen(start)));
	snprintf(want, sizeof(want), "}, %zu)", sizeof(launch->args));
	MUST(!strcmp(text.bytes + text.length - strlen(want), want));
	text.bytes[text.length - strlen(want)] = '\0';
	flags = text.bytes + strlen(start);
	signal = strstr(flags, sep);
	MUST(signal);
	*signal = '\0';
	signal += strlen(sep);
	end = signal + strcspn(signal, ",");
	MUST(!*end || (launch->cgroup && !strncmp(end, ", cgroup=", 9)));
	*end = '\0';
	MUST(value_flags(flags, &again) == 0);
	MUST(again == launch->args.flags);
	number = strcmp(signal, "0") ? name_to_signal(signal) : 0;
	MUST((uint64_t)number == launch->args.exit_signal);
}

static void check_launch(const struct options *options)
{
	struct launch launch = { .command = NULL };
	struct mistake mistake;

	if (launch_from_options(options, environment, &launch, &mistake) < 0) {
		check_mistake(&mistake);
		return;
	}
	MUST(launch.command == options->command);
	MUST(!(clone_args_requested(options) & ~launch.args.flags));
	if (!options_has(options, OPT_EXACT))
		MUST(!clone_args_rule(&launch.args));
	check_dry_run(&launch);
}

static void check_options(const struct options *options, char **end)
{
	const bool takes_none = options_has(options, OPT_PROBE) ||
				(options_has(options, OPT_RECEIVE) &&
				 !options_has(options, OPT_EXEC_FD));

	MUST(options->command <= end);
	MUST(!*options->command == takes_none);
	check_rules(options);
	check_read_back(options);
	if (!takes_none && !options_has(options, OPT_RECEIVE))
		check_launch(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MAX + 1];
	int count = split(data, size, argv);
	struct options options;
	struct mistake mistake;
	int r = options_parse(argv, &options, &mistake);

	MUST(r == 0 || r == -EINVAL);
	MUST(options.given < OPTION_BIT(OPTIONS));
	if (r < 0)
		check_mistake(&mistake);
	else if (!(options.given & OPTIONS_INFO))
		check_options(&options, argv + count);
	while (--count > 0)
		free(argv[count]);
	return 0;
}
