/* SPDX-License-Identifier: MIT */
/* options - see options.h. It must never read anything but argv. */
#include "options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "names.h"
#include "sys.h"

/*
 * Flags of clone(2) that share memory or write to it: the child could not run
 * on them. The exit signal is an option of its own.
 */
#define RAW_REFUSED                                                        \
	((uint64_t)CLONE_VM | CLONE_VFORK | CLONE_THREAD | CLONE_SIGHAND | \
	 CLONE_FILES | CLONE_FS | CLONE_SETTLS | CLONE_PARENT_SETTID |     \
	 CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |                       \
	 ((uint64_t)CSIGNAL & ~(uint64_t)CLONE_NEWTIME))

static int mistaken(struct mistake *ret, enum mistake_kind kind,
		    const struct option_row *row, const char *word)
{
	*ret = (struct mistake){ .kind = kind, .row = row, .word = word };
	return -EINVAL;
}

static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

/* A number in base 10 or, behind 0x, 16; no sign, no space, no overflow */
static int parse_number(const char *text, size_t length, uint64_t *ret)
{
	bool hex = length > 2 && !strncasecmp(text, "0x", 2);
	unsigned int base = hex ? 16 : 10;
	uint64_t value = 0;
	size_t i = hex ? 2 : 0;

	if (i == length)
		return -EINVAL;
	for (; i < length; i++) {
		unsigned int digit = digit_of(text[i]);

		if (digit >= base ||
		    __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int parse_term(const char *text, size_t length, uint64_t *ret)
{
	uint64_t shift;

	*ret = table_flag_named(text, length);
	if (*ret)
		return 0;
	if (length <= 3 || memcmp(text, "1<<", 3))
		return parse_number(text, length, ret);
	if (parse_number(text + 3, length - 3, &shift) < 0 || shift > 63)
		return -EINVAL;
	*ret = UINT64_C(1) << shift;
	return 0;
}

int options_parse_flags(const char *text, uint64_t *ret_flags)
{
	uint64_t flags = 0, term;

	for (;; text++) {
		size_t length = strcspn(text, "|");

		if (parse_term(text, length, &term) < 0)
			return -EINVAL;
		flags |= term;
		text += length;
		if (!*text)
			break;
	}
	*ret_flags = flags;
	return 0;
}

static int read_signal(const char *value, uint64_t *ret_signal)
{
	int signal;

	*ret_signal = 0;
	if (!strcmp(value, "0") || !strcasecmp(value, "none"))
		return 0;
	signal = name_to_signal(value);
	if (signal > 0)
		*ret_signal = (uint64_t)signal;
	return signal;
}

static int read_value(const struct option_row *row, const char *value,
		      struct options *options, struct mistake *ret)
{
	uint64_t flags;

	if (row->kind == KIND_TEXT)
		options->cgroup = value;
	if (row->kind == KIND_SIGNAL &&
	    read_signal(value, &options->exit_signal) < 0)
		return mistaken(ret, MISTAKE_VALUE, row, value);
	if (row->kind != KIND_FLAGS)
		return 0;
	if (options_parse_flags(value, &flags) < 0)
		return mistaken(ret, MISTAKE_VALUE, row, value);
	if (flags & RAW_REFUSED) {
		mistaken(ret, MISTAKE_REFUSED, row, value);
		ret->flags = flags & RAW_REFUSED;
		return -EINVAL;
	}
	options->raw_flags |= flags;
	return 0;
}

/* name is the whole of full, or its beginning (length is the name's) */
static bool matches(const char *full, const char *name, size_t length,
		    bool whole)
{
	return full && !strncmp(full, name, length) &&
	       (!whole || !full[length]);
}

/* The row of that long name, or the only one that it abbreviates */
static const struct option_row *find_long(const char *name, size_t length,
					  bool *ret_ambiguous)
{
	const struct option_row *found = NULL;

	*ret_ambiguous = false;
	for (int whole = 1; whole >= 0 && !found; whole--) {
		for (size_t id = 0; id < OPTIONS; id++) {
			const struct option_row *row = &table[id];

			if (!matches(row->name, name, length, whole) &&
			    !matches(row->alias, name, length, whole))
				continue;
			*ret_ambiguous = found != NULL;
			found = row;
			if (*ret_ambiguous)
				return NULL;
		}
	}
	return found;
}

static const struct option_row *find_letter(char letter)
{
	for (size_t id = 0; id < OPTIONS; id++)
		if (table[id].letter == letter)
			return &table[id];
	return NULL;
}

/*
 * Takes row, whose argument is value or, if that is NULL, the next word of
 * *argv, which it then moves on.
 */
static int take(const struct option_row *row, const char *value,
		char ***argv, struct options *options, struct mistake *ret)
{
	options->given |= OPTION_BIT(row - table);
	if (row->kind == KIND_SWITCH)
		return 0;
	if (!value)
		value = *++*argv;
	if (!value)
		return mistaken(ret, MISTAKE_NO_ARGUMENT, row, NULL);
	return read_value(row, value, options, ret);
}

static int take_long(char ***argv, struct options *options,
		     struct mistake *ret)
{
	const char *word = **argv, *name = word + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	bool ambiguous;
	const struct option_row *row = find_long(name, length, &ambiguous);

	if (!row)
		return mistaken(ret,
				ambiguous ? MISTAKE_AMBIGUOUS : MISTAKE_UNKNOWN,
				NULL, word);
	if (value && row->kind == KIND_SWITCH)
		return mistaken(ret, MISTAKE_ARGUMENT, row, NULL);
	return take(row, value, argv, options, ret);
}

/* One word of letters: -dv, and later -pVALUE */
static int take_letters(char ***argv, struct options *options,
			struct mistake *ret)
{
	for (const char *letter = **argv + 1; *letter; letter++) {
		const struct option_row *row = find_letter(*letter);
		const char *rest = letter[1] ? letter + 1 : NULL;
		int r;

		if (!row)
			return mistaken(ret, MISTAKE_LETTER, NULL, letter);
		r = take(row, rest, argv, options, ret);
		if (r < 0 || row->kind != KIND_SWITCH ||
		    row->group == GROUP_INFO)
			return r;
	}
	return 0;
}

static const struct option_row *first_of(uint64_t set)
{
	return &table[__builtin_ctzll(set)];
}

static int check_row(const struct option_row *row,
		     const struct options *options, struct mistake *ret)
{
	uint64_t clash = row->excludes & options->given;

	if (clash) {
		mistaken(ret, MISTAKE_EXCLUDES, row, NULL);
		ret->other = first_of(clash);
		return -EINVAL;
	}
	if (row->needs && !(row->needs & options->given)) {
		mistaken(ret, MISTAKE_NEEDS, row, NULL);
		ret->other = first_of(row->needs);
		return -EINVAL;
	}
	return 0;
}

/* Which options go together */
static int check(const struct options *options, struct mistake *ret)
{
	bool exact = options_has(options, OPT_EXACT);

	for (uint64_t left = options->given; left; left &= left - 1) {
		const struct option_row *row = first_of(left);

		if (exact && row->group == GROUP_FLAG)
			continue;
		if (check_row(row, options, ret) < 0)
			return -EINVAL;
	}
	if (options->raw_flags & CLONE_INTO_CGROUP && !options->cgroup)
		return mistaken(ret, MISTAKE_RULE, &table[OPT_RAW_FLAGS],
				"CLONE_INTO_CGROUP needs --cgroup");
	if (!options->command[0])
		return mistaken(ret, MISTAKE_NO_COMMAND, NULL, NULL);
	return 0;
}

int options_parse(char **argv, struct options *ret_options,
		  struct mistake *ret_mistake)
{
	struct options options = { .given = 0 };
	int r;

	if (*argv)
		argv++;
	for (; *argv && (*argv)[0] == '-' && (*argv)[1]; argv++) {
		bool is_long = (*argv)[1] == '-';

		if (is_long && !(*argv)[2]) {
			argv++;
			break;
		}
		r = (is_long ? take_long : take_letters)(&argv, &options,
							 ret_mistake);
		if (r < 0)
			return r;
		if (options.given & OPTIONS_INFO)
			break;
	}
	options.command = argv;
	if (!(options.given & OPTIONS_INFO) && check(&options, ret_mistake) < 0)
		return -EINVAL;
	*ret_options = options;
	return 0;
}
