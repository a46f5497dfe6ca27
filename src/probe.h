/* SPDX-License-Identifier: MIT */
/*
 * probe - asks the running kernel, flag by flag, without making a process.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

/*
 * The error of clone3(NULL, 0): EINVAL where clone3 is there, ENOSYS or EPERM
 * where it is missing or a seccomp filter answers in its place.
 */
int probe_presence(void);

/* Those of flags that the kernel does not know */
uint64_t probe_unknown(uint64_t flags);

/* Those of flags, given here together, that it does not permit to this user */
uint64_t probe_denied(uint64_t flags);

#endif
