/* SPDX-License-Identifier: MIT */
/*
 * Command lines that are refused or accepted, before any process is started;
 * and the options that there are, as --list-options tells them.
 */
#ifndef COMMAND_LINES_H
#define COMMAND_LINES_H

#include <stdbool.h>

#include "harness.h"

#define OPTIONS_MAX 64

/* One line of --list-options. */
struct option {
	char *name;		/* --autokill */
	char *letter;		/* -d, or - */
	char *argument;		/* DIR, or - */
	char *flag;		/* CLONE_..., or - */
	char *since;
	char *help;
};

/* With descriptor 9 open, which the sample of --status-fd names. */
extern const struct way usual;

/* The options that read_options() has read. */
extern struct option options[OPTIONS_MAX];
extern size_t option_count;

void read_options(void);

/* Whether that is its name. */
bool is(const struct option *o, const char *name);
bool takes_argument(const struct option *o);

/* --help and its like answer and look no further. */
bool answers(const struct option *o);

/* A value that is right by itself; but where it leads there is nothing. */
const char *sample(const struct option *o);

/* As one word. */
const char *word(const struct option *o);

/* The functions named not_ give NULL, or what is wrong: see judging.h. */

/* A refusal in a single line: not even one that says what to do. */
const char *not_bad_usage(const struct ended *e);

/* Would really start a command, and be caught at it. */
const char *not_refused_both(const char *first, const char *second);

/* By --dry-run. */
const char *not_accepted(const char *first, const char *second);

/* On standard output alone, as --help does. */
const char *not_answered(const char *first, const char *second);

/* These complaints as expectations. */
void expect_refused(const char *first, const char *second);
void expect_accepted(const char *first, const char *second);

#endif
