/* SPDX-License-Identifier: MIT */
/* options - see options.h. It must never read anything but argv. */
#include "options.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "sys.h"

/*
 * With these flags of clone(2) the child would share memory, descriptors or
 * other state with spawnfd, or the kernel would write to memory: no COMMAND
 * could run. The lowest seven bits are refused because they are the exit
 * signal, which has an option of its own.
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

static const struct option_row *first_of(uint64_t set)
{
	return &table[__builtin_ctzll(set)];
}

/* Like tolower(3), whatever the locale is */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * How many letters must be inserted, left out or changed to make `name` out of
 * the word, which is length letters long. Two neighbours that have changed
 * places count as one, and a capital counts as the small letter. Also MOST, a
 * large number, if the word is long.
 */
static unsigned int spelling_distance(const char *word, size_t length,
				      const char *name)
{
	enum { MOST = 24 };
	unsigned char d[MOST + 1][MOST + 1] = { { 0 } };
	const size_t size = strlen(name);

	if (length > MOST || size > MOST)
		return MOST;
	for (size_t i = 0; i <= length; i++) {
		for (size_t k = 0; k <= size; k++) {
			unsigned int least;

			if (!i || !k) {
				d[i][k] = (unsigned char)(i + k);
				continue;
			}
			least = d[i - 1][k - 1];
			least += lower(word[i - 1]) != name[k - 1];
			if (d[i - 1][k] + 1U < least)
				least = d[i - 1][k] + 1U;
			if (d[i][k - 1] + 1U < least)
				least = d[i][k - 1] + 1U;
			if (i > 1 && k > 1 && word[i - 1] == name[k - 2] &&
			    word[i - 2] == name[k - 1] &&
			    d[i - 2][k - 2] + 1U < least)
				least = d[i - 2][k - 2] + 1U;
			d[i][k] = (unsigned char)least;
		}
	}
	return d[length][size];
}

/* The options whose names are nearest to the word, if they are near enough */
static uint64_t similar_options(const char *word, size_t length)
{
	/* Two other letters would make almost any name of a short word. */
	unsigned int nearest = length > 4 ? 2 : 1;
	uint64_t found = 0;

	for (size_t id = 0; id < OPTIONS; id++) {
		const char *const names[] = { table[id].name, table[id].alias };

		for (size_t i = 0; i < 2 && names[i]; i++) {
			unsigned int distance =
				spelling_distance(word, length, names[i]);

			if (distance > nearest)
				continue;
			if (distance < nearest)
				found = 0;
			nearest = distance;
			found |= OPTION_BIT(id);
		}
	}
	return found;
}

/*
 * The options nearest to the argument of --probe, among those that it takes.
 * Those that an option needs replace it if it has no flags, as --wait-tree.
 */
static uint64_t similar_probed(const char *word)
{
	uint64_t similar, needed = 0, probed = 0;

	if (!strncmp(word, "--", 2))
		word += 2;
	similar = similar_options(word, strlen(word));
	for (size_t id = 0; id < OPTIONS; id++) {
		if (table[id].flag || table[id].probed)
			probed |= OPTION_BIT(id);
		else if (similar & OPTION_BIT(id))
			needed |= table[id].needs;
	}
	return (similar | needed) & probed;
}

static int read_value(const struct option_row *row, const char *text,
		      struct options *options, struct mistake *ret)
{
	union value *value = &options->values[row - table], before = *value;

	if (value_parse(row->kind, text, value) < 0) {
		mistaken(ret, MISTAKE_VALUE, row, text);
		if (row->kind == KIND_PROBED)
			ret->others = similar_probed(text);
		return -EINVAL;
	}
	if (row->kind == KIND_PROBED && value->probed.flag & RAW_REFUSED)
		return mistaken(ret, MISTAKE_VALUE, row, text);
	if (row->kind != KIND_FLAGS)
		return 0;
	if (value->number & RAW_REFUSED) {
		mistaken(ret, MISTAKE_REFUSED, row, text);
		ret->flags = value->number & RAW_REFUSED;
		return -EINVAL;
	}
	/* --raw-flags can be repeated: the flags add up. */
	value->number |= before.number;
	return 0;
}

/*
 * Whether full begins with the name, which has this length. With whole, full
 * must not go on after it. A full of NULL never matches.
 */
static bool matches(const char *full, const char *name, size_t length,
		    bool whole)
{
	return full && !strncmp(full, name, length) &&
	       (!whole || !full[length]);
}

/*
 * The option with this long name, or else all options whose name begins with
 * it: none, the one that is meant, or several
 */
static uint64_t find_long(const char *name, size_t length)
{
	uint64_t found = 0;

	for (int whole = 1; whole >= 0 && !found; whole--) {
		for (size_t id = 0; id < OPTIONS; id++) {
			const struct option_row *row = &table[id];

			if (!matches(row->name, name, length, whole) &&
			    !matches(row->alias, name, length, whole))
				continue;
			found |= OPTION_BIT(id);
			if (whole)
				break;
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
 * Takes the option of this row. value is the argument that stands in the same
 * word; NULL if there is none. If the option must have an argument, it is the
 * next word then, and *argv moves on to that.
 */
static int take_option(const struct option_row *row, const char *value,
		       char ***argv, struct options *options,
		       struct mistake *ret)
{
	bool is_next = row->kind != KIND_SWITCH && !row->optional && !value;
	int r = 0;

	if (is_next)
		value = *++*argv;
	/* In "--pass -- cmd" the ADDRESS was forgotten; --pass=-- names one. */
	if (is_next && (!value || !strcmp(value, "--")))
		return mistaken(ret, MISTAKE_NO_ARGUMENT, row, NULL);
	if (value && row->kind != KIND_SWITCH)
		r = read_value(row, value, options, ret);
	else
		options->values[row - table] = (union value){ 0 };
	if (r >= 0)
		options->given |= OPTION_BIT(row - table);
	return r;
}

/* Takes a word that begins with two dashes, such as --pass=ADDRESS */
static int take_long(char ***argv, struct options *options,
		     struct mistake *ret)
{
	const char *word = **argv, *name = word + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const uint64_t found = find_long(name, length);
	const struct option_row *row;

	if (!found || found & (found - 1)) {
		mistaken(ret, found ? MISTAKE_AMBIGUOUS : MISTAKE_UNKNOWN,
			 NULL, word);
		ret->others = found ? found : similar_options(name, length);
		return -EINVAL;
	}
	row = first_of(found);
	if (value && row->kind == KIND_SWITCH)
		return mistaken(ret, MISTAKE_ARGUMENT, row, NULL);
	return take_option(row, value, argv, options, ret);
}

/* The long options that begin with the letter may be meant. */
static int mistaken_letter(struct mistake *ret, const char *letter)
{
	mistaken(ret, MISTAKE_LETTER, NULL, letter);
	for (size_t id = 0; id < OPTIONS; id++)
		if (table[id].name[0] == *letter)
			ret->others |= OPTION_BIT(id);
	return -EINVAL;
}

/* Takes a word of short options, such as -dv or -vpADDRESS */
static int take_letters(char ***argv, struct options *options,
			struct mistake *ret)
{
	for (const char *letter = **argv + 1; *letter; letter++) {
		const struct option_row *row = find_letter(*letter);
		const char *rest = letter[1] ? letter + 1 : NULL;
		int r;

		if (!row)
			return mistaken_letter(ret, letter);
		r = take_option(row, rest, argv, options, ret);
		if (r < 0 || row->kind != KIND_SWITCH ||
		    options->given & OPTIONS_INFO)
			return r;
	}
	return 0;
}

/* The options that cannot be combined with the option of this row */
static uint64_t excluded_by(const struct option_row *row,
			    const struct options *options)
{
	uint64_t excluded = row->excludes;

	if (row->in_tree && options_has(options, OPT_KILL_TREE))
		excluded &= ~OPTIONS_WITHOUT_HOLD;
	for (size_t id = 0; row->no_command && id < OPTIONS; id++)
		if (table[id].for_command)
			excluded |= OPTION_BIT(id);
	return excluded;
}

/* Checks the rules that stand in the row of an option that was given */
static int check_row(const struct option_row *row,
		     const struct options *options, struct mistake *ret)
{
	uint64_t clash = excluded_by(row, options) & options->given;

	if (clash) {
		mistaken(ret, MISTAKE_EXCLUDES, row, NULL);
		ret->others = clash & -clash;
		return -EINVAL;
	}
	if (row->needs && !(row->needs & options->given)) {
		mistaken(ret, MISTAKE_NEEDS, row, NULL);
		ret->others = row->needs;
		return -EINVAL;
	}
	return 0;
}

/* Whether the ADDRESS of the option is an inherited socket */
static bool is_fd_address(const struct options *options, enum option_id id)
{
	return options_has(options, id) &&
	       options->values[id].address.kind == ADDRESS_FD;
}

/* The descriptor that is the argument of the option, as FD or fd:N; or -1 */
static int fd_of(const struct options *options, enum option_id id)
{
	if (table[id].kind == KIND_FD)
		return options_has(options, id)
			       ? (int)options->values[id].number
			       : -1;
	return is_fd_address(options, id) ? options->values[id].address.fd : -1;
}

/* Whether two of --pass, --receive and --status-fd name one descriptor */
static bool has_shared_fd(const struct options *options)
{
	int pass = fd_of(options, OPT_PASS);
	int receive = fd_of(options, OPT_RECEIVE);
	int status = fd_of(options, OPT_STATUS_FD);

	return (pass >= 0 && (pass == receive || pass == status)) ||
	       (receive >= 0 && receive == status);
}

/* Checks the rules that depend on arguments or COMMAND, not on a row alone */
static int check_other_rules(const struct options *options, struct mistake *ret)
{
	const bool receives = options_has(options, OPT_RECEIVE) &&
			      !options_has(options, OPT_EXEC_FD);
	const bool probes = options_has(options, OPT_PROBE);

	if (options_flags(options) & CLONE_INTO_CGROUP &&
	    !options_has(options, OPT_CGROUP))
		return mistaken(ret, MISTAKE_RULE, &table[OPT_RAW_FLAGS],
				"CLONE_INTO_CGROUP needs --cgroup");
	if (options_has(options, OPT_WAIT) &&
	    !options_has(options, OPT_RECEIVE) &&
	    is_fd_address(options, OPT_PASS))
		return mistaken(ret, MISTAKE_RULE, &table[OPT_WAIT],
				"nothing to wait for with fd:N");
	if (has_shared_fd(options))
		return mistaken(ret, MISTAKE_RULE, NULL,
				"one descriptor cannot be two of --pass, "
				"--receive and --status-fd");
	if (options_has(options, OPT_DIE_WITH_FD) &&
	    fd_of(options, OPT_DIE_WITH_FD) == fd_of(options, OPT_RECEIVE))
		return mistaken(ret, MISTAKE_RULE, &table[OPT_DIE_WITH_FD],
				"the connection of --receive ends with the "
				"message");
	if (receives && options->command[0])
		return mistaken(ret, MISTAKE_RULE, &table[OPT_RECEIVE],
				"takes COMMAND only with --exec-fd");
	if (probes && options->command[0])
		return mistaken(ret, MISTAKE_RULE, &table[OPT_PROBE],
				"takes no COMMAND; --probe=FLAG asks for "
				"one flag");
	if (options_has(options, OPT_JSON) && options_probes_one(options))
		return mistaken(ret, MISTAKE_RULE, &table[OPT_JSON],
				"cannot be combined with --probe=FLAG");
	if (!receives && !probes && !options->command[0])
		return mistaken(ret, MISTAKE_NO_COMMAND, NULL, NULL);
	return 0;
}

static int check_rules(const struct options *options, struct mistake *ret)
{
	bool exact = options_has(options, OPT_EXACT);

	for (uint64_t left = options->given; left; left &= left - 1) {
		const struct option_row *row = first_of(left);

		/* --exact leaves the rules about clone flags to the kernel. */
		if (exact && row->group == GROUP_FLAG)
			continue;
		if (check_row(row, options, ret) < 0)
			return -EINVAL;
	}
	return check_other_rules(options, ret);
}

int options_parse(char **argv, struct options *options,
		  struct mistake *ret_mistake)
{
	int r;

	*options = (struct options){ .given = 0 };
	if (*argv)
		argv++;
	for (; *argv && (*argv)[0] == '-' && (*argv)[1]; argv++) {
		bool is_long = (*argv)[1] == '-';

		if (is_long && !(*argv)[2]) {
			argv++;
			break;
		}
		r = (is_long ? take_long : take_letters)(&argv, options,
							 ret_mistake);
		if (r < 0)
			return r;
		if (options->given & OPTIONS_INFO)
			return 0;
	}
	options->command = argv;
	return check_rules(options, ret_mistake);
}
