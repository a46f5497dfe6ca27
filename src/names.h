/* SPDX-License-Identifier: MIT */
/*
 * names - signal numbers and errno values to their names, and names of signals
 * to numbers.
 *
 * These functions ask neither the kernel nor the libc. SIGRTMIN is always 34,
 * and SIGRTMAX 64, however many real-time signals a libc keeps for itself
 * (signal(7)).
 */
#ifndef NAMES_H
#define NAMES_H

/*
 * The name of a signal: "SIGTERM" for 15. NULL for real-time signals (32 and
 * up), which have only numbers, and for numbers that are no signal.
 */
const char *name_signal(int signal);

/*
 * The number of the signal that text names, such as "TERM", "sigterm",
 * "RTMIN+3", "RTMAX-1" or "15". -EINVAL if text names no signal from 1 to 64.
 */
int name_to_signal(const char *text);

/*
 * The name of a positive errno: "EINVAL" for EINVAL. NULL for an errno that the
 * table in names.c does not have.
 */
const char *name_error(int error);

#endif
