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
#include "value.h"

struct options {
	uint64_t given;			/* set of OPTION_BIT */
	union value values[OPTIONS];	/* of those given with an argument */
	char **command;			/* argv of COMMAND, ends in NULL */
};

static inline bool options_has(const struct options *options,
			       enum option_id id)
{
	return options->given & OPTION_BIT(id);
}

/* The text of a KIND_TEXT, or NULL */
static inline const char *options_text(const struct options *options,
				       enum option_id id)
{
	return options->values[id].text;
}

/* The flags of --raw-flags, or 0 */
static inline uint64_t options_flags(const struct options *options)
{
	return options->values[OPT_RAW_FLAGS].number;
}

/*
 * Reads argv, which it neither copies nor changes; options points into it. One
 * of OPTIONS_INFO ends the reading, and no rule is checked then. -EINVAL with
 * *ret_mistake if argv makes no sense; options is what was read before that.
 */
int options_parse(char **argv, struct options *options,
		  struct mistake *ret_mistake);

#endif
