/* SPDX-License-Identifier: MIT */
/* explain_mistake - see explain_mistake.h. It must never look at argv. */
#include "explain_mistake.h"

#include "explain.h"

/* Says that an argument is not of this kind, and which argument would be */
static const char *expected(enum kind kind)
{
	switch (kind) {
	case KIND_SIGNAL:
		return "not a signal: give a name such as TERM or RTMIN+1, or "
		       "a number from 1 to 64";
	case KIND_NO_SIGNAL:
		return "not a signal: give a name such as TERM or RTMIN+1, a "
		       "number from 1 to 64, or none";
	case KIND_PID:
		return "not a process: give PID or PID:INODE";
	case KIND_FLAGS:
		return "not clone flags: give 1<<N, 0x..., a decimal number, "
		       "or names such as CLONE_NEWPID, joined by |";
	case KIND_PROBED:
		return "not a clone flag: give the name of its option, such as "
		       "autokill, or the kernel's, such as CLONE_NNP";
	case KIND_ADDRESS:
		return "not an address: give a path, @NAME (up to 107 bytes) "
		       "or fd:N";
	case KIND_DURATION:
		return "not a duration: give one decimal number and perhaps "
		       "one unit: ms, s, m, h or d";
	case KIND_FD:
		return "not a descriptor number";
	case KIND_UID:
		return "not a user id: give a number below 4294967295";
	case KIND_SWITCH:
	case KIND_TEXT:
		break;
	}
	return "cannot be empty";
}

/* Appends a set of options, as "--pass or --receive" for the dashes "--" */
static void explain_options(uint64_t set, const char *dashes,
			    struct text *text)
{
	const char *separator = "";

	for (; set; set &= set - 1) {
		text_add(text, "%s%s%s", separator, dashes,
			 table[__builtin_ctzll(set)].name);
		separator = " or ";
	}
}

/* The word is no option, or several. The mistake has those that may be meant */
static void explain_name(const struct mistake *mistake, const char *word,
			 struct text *text)
{
	const uint64_t names = mistake->others;
	const bool is_ambiguous = mistake->kind == MISTAKE_AMBIGUOUS;

	text_add_word(text, word);
	text_add(text, is_ambiguous ? ": ambiguous; " : ": unknown option; ");
	/* "--" alone stands for all of them, or none is near. */
	if (!names || __builtin_popcountll(names) > 8) {
		text_add(text, "see spawnfd --help");
		return;
	}
	text_add(text, "did you mean ");
	explain_options(names, "--", text);
	text_add(text, "?");
}

/* The word is not an argument that the option takes */
static void explain_value(const struct mistake *mistake, enum kind kind,
			  struct text *text)
{
	text_add_word(text, mistake->word);
	if (!mistake->others) {
		text_add(text, ": %s", expected(kind));
		return;
	}
	text_add(text, ": not a clone flag; did you mean ");
	explain_options(mistake->others, "", text);
	text_add(text, "?");
}

void explain_mistake(const struct mistake *mistake, struct text *text)
{
	static const struct option_row nameless = { 0 };
	const struct option_row *row = mistake->row ? mistake->row : &nameless;
	const char *word = mistake->word;

	if (row->name)
		text_add(text, "--%s: ", row->name);
	switch (mistake->kind) {
	case MISTAKE_UNKNOWN:
	case MISTAKE_AMBIGUOUS:
		explain_name(mistake, word, text);
		break;
	case MISTAKE_LETTER:
		explain_name(mistake, (char[]){ '-', *word, 0 }, text);
		break;
	case MISTAKE_NO_ARGUMENT:
		text_add(text, "needs an argument, %s", row->argument);
		break;
	case MISTAKE_ARGUMENT:
		text_add(text, "takes no argument");
		break;
	case MISTAKE_VALUE:
		explain_value(mistake, row->kind, text);
		break;
	case MISTAKE_REFUSED:
		explain_flags(mistake->flags, text);
		text_add(text, ": refused: COMMAND could not run with such "
			 "a flag");
		break;
	case MISTAKE_NO_COMMAND:
		text_add(text, "COMMAND is missing; see spawnfd --help");
		break;
	case MISTAKE_EXCLUDES:
		text_add(text, "cannot be combined with ");
		explain_options(mistake->others, "--", text);
		if (row->in_tree)
			text_add(text, " without --kill-tree");
		if (row->clash)
			text_add(text, ": %s", row->clash);
		break;
	case MISTAKE_NEEDS:
		text_add(text, "needs ");
		explain_options(mistake->others, "--", text);
		break;
	case MISTAKE_FLAGS:
		text_add(text, "clone flags: %s", word);
		break;
	case MISTAKE_RULE:
		text_add(text, "%s", word);
		break;
	}
}
