/* SPDX-License-Identifier: MIT */
/*
 * explain - turns mistakes on the command line, and failures, into words.
 *
 * Pure. A message is one line, "WHAT: WHY". A second line follows if the user
 * can do something about it. messages.c adds the first "spawnfd: " and the last
 * newline. Functions that take a text append to it.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "step.h"
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
	 * AMBIGUOUS, VALUE: those that may be meant
	 */
	uint64_t others;
	/* RULE, FLAGS: the rule; other kinds: a part of argv, or NULL */
	const char *word;
	/* REFUSED: the flags that are refused */
	uint64_t flags;
};

/* Whether clone3 can be called at all */
enum clone3 {
	CLONE3_AVAILABLE,
	CLONE3_FILTERED,	/* a seccomp filter refuses every call */
	CLONE3_MISSING		/* the kernel is older than Linux 5.3 */
};

/* Whether a clone flag can be used */
enum support {
	SUPPORT_YES,
	SUPPORT_NO,		/* the kernel does not have the flag */
	SUPPORT_DENIED		/* the kernel denies it to this user */
};

/* Begins the second line of a message, which says what to do */
#define EXPLAIN_HINT "\nspawnfd: "

/* The message for a mistake on the command line */
void explain_mistake(const struct mistake *mistake, struct text *text);

/*
 * The message for a failure. If clone3 has failed, explain_refusal says more
 * than this function does.
 */
void explain_failure(const struct failure *failure, struct text *text);

/* One word of --probe: "available", "filtered" or "missing" */
const char *explain_clone3(enum clone3 clone3);

/* One word of --probe: "yes", "no" or "denied" */
const char *explain_support(enum support support);

/* The reason why a flag cannot be used, for --probe; NULL if it can */
const char *explain_no_support(enum clone3 clone3, enum support support);

/* An errno as "EINVAL (Invalid argument)" */
void explain_error(int error, struct text *text);

/*
 * Clone flags in the order of their bits, as "CLONE_PIDFD|CLONE_NNP". Flags
 * without a name become one hexadecimal term at the end. No flags become "0".
 */
void explain_flags(uint64_t flags, struct text *text);

#endif
