/* SPDX-License-Identifier: MIT */
/*
 * probe - asks the running kernel which clone flags it has, without making a
 * process.
 *
 * A question is a clone3 call that is bound to fail; the error is the answer.
 * If the kernel has the flag and permits it, the call uses up one pid number,
 * which no process ever gets (Linux 7.1 to 7.3).
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>

#include "explain.h"
#include "sys.h"

/* Whether release, of uname(2), is older than this Linux */
bool probe_is_older(const char *release, int major, int minor);

/* Whether clone3 can be called at all: calls clone3(NULL, 0) */
enum clone3 probe_clone3(void);

/*
 * The meaning of the errno of clone3(NULL, 0). EINVAL comes from clone3 itself,
 * which checks the size first. Any other errno comes from a seccomp filter, or
 * from a kernel that has no clone3: release, of uname(2), tells which.
 */
enum clone3 probe_meaning(int error, const char *release);

/*
 * Makes this call so that it must fail, and gives the errno. EFAULT says that
 * the kernel knows and permits all flags. The kernel looks at the pids.max of a
 * cgroup only later, so EFAULT does not tell about that limit.
 */
int probe_call(const struct sys_clone_args *args);

/*
 * Whether this user can use the flag. clone3 is the answer of probe_clone3. For
 * CLONE_PIDFD_AUTOKILL, asks with the flags that --autokill adds.
 */
enum support probe_support(enum clone3 clone3, uint64_t flag);

/*
 * Asks for a flag of bits 32 to 63 that the table does not have. Also gives
 * SUPPORT_NO if clone3 cannot be called, or if the flag needs other flags.
 */
enum support probe_unnamed(enum clone3 clone3, uint64_t flag);

/*
 * Whether this errno of clone3 says that the user lacks a right: EPERM, or
 * EACCES from a security module
 */
bool probe_is_denial(int error);

/*
 * The flags in this set that the kernel does not know. Flags below bit 32 count
 * as known, because they are as old as clone3. Only CLONE_NEWTIME is newer.
 */
uint64_t probe_unknown(uint64_t flags);

/*
 * The flags of one call that the kernel denies to this user. If that is
 * CLONE_NEWUSER, gives this flag alone.
 */
uint64_t probe_denied(uint64_t flags);

#endif
