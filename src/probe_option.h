/* SPDX-License-Identifier: MIT */
/*
 * probe_option - asks the kernel whether an option that takes several flags,
 * as --kill-tree does, can be used here, without making a process.
 */
#ifndef PROBE_OPTION_H
#define PROBE_OPTION_H

#include "explain.h"

/*
 * Whether this user can use the option, which is `probed` in the table, without
 * other options. *ret_flags gets the flags that the option adds for this user.
 * If the option cannot be used, appends the first line of the message that it
 * would give to *why, which must be empty. why may be NULL.
 */
enum support probe_option(const struct option_row *option, uint64_t *ret_flags,
			  struct text *why);

#endif
