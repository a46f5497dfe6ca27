/* SPDX-License-Identifier: MIT */
/*
 * clone_args - struct options to the clone3 call that they ask for.
 *
 * Pure: --dry-run stops here, so it cannot lie.
 */
#ifndef CLONE_ARGS_H
#define CLONE_ARGS_H

#include "options.h"
#include "sys.h"
#include "text.h"

/*
 * The flags and the exit signal; mapped: --kill-tree is to have a user
 * namespace too. Where the pidfd goes and which descriptor is
 * the cgroup's are spawn's to fill in.
 */
void clone_args_fill(const struct options *options, bool mapped,
		     struct sys_clone_args *ret_args);

/* The flags that the options name themselves, without what is added */
uint64_t clone_args_requested(const struct options *options);

/*
 * NULL, or the rule of clone3 that the flags break on every kernel, in words.
 * After NULL, EINVAL from the kernel means that it lacks a flag (Linux 7.3,
 * kernel/fork.c, copy_process; CLONE_PARENT has two more that hang on the
 * caller).
 */
const char *clone_args_rule(const struct sys_clone_args *args);

/*
 * The same as -EINVAL with *ret_mistake, unless --exact leaves it to clone3;
 * and a pidfd that --exact has left out, though an option needs it.
 */
int clone_args_check(const struct options *options,
		     const struct sys_clone_args *args,
		     struct mistake *ret_mistake);

/*
 * "clone3({flags=CLONE_PIDFD, exit_signal=SIGCHLD}, 88)"; by_clone: "clone",
 * which has no struct and so no size
 */
void clone_args_print(const struct sys_clone_args *args, const char *cgroup,
		      bool by_clone, struct text *text);

#endif
