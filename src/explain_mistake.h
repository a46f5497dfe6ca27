/* SPDX-License-Identifier: MIT */
/* explain_mistake - turns mistakes on the command line into words. Pure. */
#ifndef EXPLAIN_MISTAKE_H
#define EXPLAIN_MISTAKE_H

#include "table.h"
#include "text.h"

/* Each way in which a command line can be wrong */
enum mistake_kind {
	MISTAKE_UNKNOWN,	/* no long option has this name */
	MISTAKE_LETTER,		/* no short option has this letter */
	MISTAKE_AMBIGUOUS,	/* several options begin like this */
	MISTAKE_NO_ARGUMENT,	/* the argument of the option is missing */
	MISTAKE_ARGUMENT,	/* the option takes no argument */
	MISTAKE_VALUE,		/* the argument is not of the option's kind */
	MISTAKE_REFUSED,	/* --raw-flags has flags that are refused */
	MISTAKE_NO_COMMAND,
	MISTAKE_EXCLUDES,	/* two options exclude each other */
	MISTAKE_NEEDS,		/* the option needs one of some others */
	MISTAKE_RULE,		/* a rule of spawnfd is broken */
	MISTAKE_FLAGS		/* a rule of clone3 is broken */
};

struct mistake {
	enum mistake_kind kind;
	/* the option; NULL if no single option is to blame */
	const struct option_row *row;
	/*
	 * EXCLUDES: the other option; NEEDS: those to choose from; UNKNOWN,
	 * LETTER, AMBIGUOUS, VALUE: those that may be meant
	 */
	uint64_t others;
	/* RULE, FLAGS: the rule; other kinds: a part of argv, or NULL */
	const char *word;
	/* REFUSED: the flags that are refused */
	uint64_t flags;
};

/* Appends the message for a mistake on the command line */
void explain_mistake(const struct mistake *mistake, struct text *text);

#endif
