/* SPDX-License-Identifier: MIT */
/*
 * names - the kernel's own words for signals and errors.
 *
 * Pure. What a libc thinks of a signal does not matter here: SIGRTMIN is 34,
 * SIGRTMAX 64, whatever it keeps for itself (signal(7)).
 */
#ifndef NAMES_H
#define NAMES_H

/* "SIGTERM" for 15; NULL from 32 up, where signals have numbers alone */
const char *name_signal(int signal);

/*
 * The signal that text names: "TERM", "sigterm", "RTMIN+3", "RTMAX-1" or "15".
 * -EINVAL if there is none.
 */
int name_to_signal(const char *text);

/* "EINVAL" for EINVAL; NULL for an error not met in this program */
const char *name_error(int error);

#endif
