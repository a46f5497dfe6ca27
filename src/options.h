/* SPDX-License-Identifier: MIT */
/*
 * options - argv to struct options, which is const from then on.
 *
 * Pure. It walks the one table. Not getopt_long(3), because libcs differ in
 * how they take abbreviations and in what they say of a mistake.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "explain.h"
#include "table.h"

struct options {
	uint64_t given;		/* set of OPTION_BIT */
	const char *cgroup;
	uint64_t exit_signal;	/* 0: none */
	uint64_t raw_flags;
	char **command;		/* COMMAND and its arguments, ends in NULL */
};

static inline bool options_has(const struct options *options,
			       enum option_id id)
{
	return options->given & OPTION_BIT(id);
}

/*
 * Reads argv, which it neither copies nor changes; ret_options points into it.
 * One of OPTIONS_INFO ends the reading, and no rule is checked then. -EINVAL
 * with *ret_mistake if argv makes no sense.
 */
int options_parse(char **argv, struct options *ret_options,
		  struct mistake *ret_mistake);

/*
 * Clone flags as --raw-flags takes them: terms joined by '|', each a decimal
 * or hexadecimal number, 1<<N or a name. -EINVAL if text is none.
 */
int options_parse_flags(const char *text, uint64_t *ret_flags);

#endif
