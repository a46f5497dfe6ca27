/* SPDX-License-Identifier: MIT */
/*
 * Command lines that spawnfd refuses or accepts before it starts any process,
 * and the options of spawnfd, as --list-options prints them.
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

/* Leaves descriptor 9 open, which the sample of --status-fd names. */
extern const struct way usual;

/* The options that read_options() has read. */
extern struct option options[OPTIONS_MAX];
extern size_t option_count;

void read_options(void);

/* Tells whether the option has that name. */
bool is(const struct option *o, const char *name);
bool takes_argument(const struct option *o);

/* Tells whether the option makes spawnfd print an answer, as --help does. */
bool answers(const struct option *o);

/*
 * Returns an argument that is valid by itself. A socket or a pid file cannot be
 * at a path that it names.
 */
const char *sample(const struct option *o);

/* Returns the option, with its sample if it takes an argument, as one word. */
const char *word(const struct option *o);

/* The functions named not_ give NULL, or what is wrong: see judging.h. */

/* Wants a refusal in a single line, without a second one of advice. */
const char *not_bad_usage(const struct ended *e);

/* Wants a refusal. The command line would start a command, which is noticed. */
const char *not_refused_both(const char *first, const char *second);

/* Wants --dry-run to accept both words. */
const char *not_accepted(const char *first, const char *second);

/* Wants an answer on standard output and nothing else, as --help gives. */
const char *not_answered(const char *first, const char *second);

/* Expect that the functions above have nothing to complain of. */
void expect_refused(const char *first, const char *second);
void expect_accepted(const char *first, const char *second);

#endif
