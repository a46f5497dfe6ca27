/* SPDX-License-Identifier: MIT */
/*
 * options - reads argv into struct options, which nobody changes afterwards.
 *
 * Pure. The options are the rows of table.c. getopt_long(3) is not used,
 * because libcs differ in how they read abbreviations, and in the messages that
 * they print.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "explain_mistake.h"
#include "table.h"
#include "value.h"

struct options {
	uint64_t given;			/* a set of OPTION_BIT */
	union value values[OPTIONS];	/* the arguments; zero if not given */
	char **command;			/* argv of COMMAND, ends in NULL */
};

/* Whether the option was given */
static inline bool options_has(const struct options *options,
			       enum option_id id)
{
	return options->given & OPTION_BIT(id);
}

/* The argument of an option of KIND_TEXT; NULL if it was not given */
static inline const char *options_text(const struct options *options,
				       enum option_id id)
{
	return options->values[id].text;
}

/* The flags of --raw-flags; 0 if it was not given */
static inline uint64_t options_flags(const struct options *options)
{
	return options->values[OPT_RAW_FLAGS].number;
}

/* Whether --probe has an argument, and so asks for one flag or option */
static inline bool options_probes_one(const struct options *options)
{
	const union value *value = &options->values[OPT_PROBE];

	return value->probed.flag || value->probed.option;
}

/*
 * Reads argv, and checks which options can be combined. argv is neither copied
 * nor changed; *options points into it. The first option in OPTIONS_INFO ends
 * the reading, and nothing is checked then. Gives 0, or -EINVAL with
 * *ret_mistake; *options then has what was read before the mistake.
 */
int options_parse(char **argv, struct options *options,
		  struct mistake *ret_mistake);

#endif
