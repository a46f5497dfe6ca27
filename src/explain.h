/* SPDX-License-Identifier: MIT */
/*
 * explain - turns failures into words.
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
