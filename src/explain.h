/* SPDX-License-Identifier: MIT */
/*
 * explain - mistakes, errors and their circumstances to words.
 *
 * Pure. A message is one line, "WHAT: WHY", and a second one where there is
 * something to do about it. The first "spawnfd: " and the last newline are
 * main's.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "step.h"
#include "table.h"
#include "text.h"

/* How the command line can be wrong */
enum mistake_kind {
	MISTAKE_UNKNOWN,	/* no such long option */
	MISTAKE_LETTER,		/* no such short option */
	MISTAKE_AMBIGUOUS,	/* an abbreviation of several */
	MISTAKE_NO_ARGUMENT,	/* it wants one */
	MISTAKE_ARGUMENT,	/* it takes none */
	MISTAKE_VALUE,		/* its argument cannot be read */
	MISTAKE_REFUSED,	/* --raw-flags with a flag not to be had */
	MISTAKE_NO_COMMAND,
	MISTAKE_EXCLUDES,	/* row and the other exclude each other */
	MISTAKE_NEEDS,		/* row is no use without one of the others */
	MISTAKE_RULE,		/* word says which rule */
	MISTAKE_FLAGS		/* word says which rule of clone3 */
};

struct mistake {
	enum mistake_kind kind;
	const struct option_row *row;	/* the option, where it is known */
	uint64_t others;		/* of EXCLUDES and NEEDS: a set */
	const char *word;		/* what was typed, or the rule */
	uint64_t flags;			/* of REFUSED */
};

/* Whether the system call is there at all */
enum clone3 {
	CLONE3_AVAILABLE,
	CLONE3_FILTERED,	/* a seccomp filter answers in its place */
	CLONE3_MISSING
};

/* What the kernel says to a flag, if it can be asked */
enum support {
	SUPPORT_YES,
	SUPPORT_NO,
	SUPPORT_DENIED		/* it has it, but not for this user */
};

/* Begins the second line of a message, which says what to do */
#define EXPLAIN_HINT "\nspawnfd: "

void explain_mistake(const struct mistake *mistake, struct text *text);

void explain_failure(const struct failure *failure, struct text *text);

/* "available", "yes"; and why not, or NULL */
const char *explain_clone3(enum clone3 clone3);
const char *explain_support(enum support support);
const char *explain_no_support(enum clone3 clone3, enum support support);

/* "EINVAL (Invalid argument)" */
void explain_error(int error, struct text *text);

/*
 * "CLONE_PIDFD|CLONE_NNP" in the order of the bits, those without a name as
 * one hexadecimal term at the end, "0" for none.
 */
void explain_flags(uint64_t flags, struct text *text);

#endif
