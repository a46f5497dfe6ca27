/* SPDX-License-Identifier: MIT */
/*
 * probe - asks the running kernel, flag by flag, without making a process.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

#include "explain.h"

/*
 * Whether clone3 can be asked at all. clone3(NULL, 0) says EINVAL if so, for
 * its size is looked at first; else that error, with the release of uname(2),
 * has this meaning.
 */
enum clone3 probe_clone3(void);
enum clone3 probe_meaning(int error, const char *release);

/*
 * What clone3 says to that one flag, with what an option for it adds. Each
 * flag that there is costs a pid, which nobody ever has.
 */
enum support probe_support(enum clone3 clone3, uint64_t flag);

/* Of a flag that is known, to this user; EACCES is a security module's */
bool probe_is_denial(int error);

/* Those of flags that the kernel does not know */
uint64_t probe_unknown(uint64_t flags);

/* Those of flags, given here together, that it does not permit to this user */
uint64_t probe_denied(uint64_t flags);

#endif
