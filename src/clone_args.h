/* SPDX-License-Identifier: MIT */
/*
 * clone_args - turns the options into the arguments of clone3.
 *
 * Pure. --dry-run prints what this module has filled in. spawn.c adds the
 * address for the pidfd and the descriptor of the cgroup, and it may add
 * CLONE_VM and CLONE_VFORK.
 */
#ifndef CLONE_ARGS_H
#define CLONE_ARGS_H

#include "options.h"
#include "sys.h"
#include "text.h"

/*
 * Fills in the flags and the exit signal. needs_id_map says that --kill-tree
 * needs a user namespace, because this user has no CAP_SYS_ADMIN.
 */
void clone_args_fill(const struct options *options, bool needs_id_map,
		     struct sys_clone_args *ret_args);

/* The flags that the options name, without those that spawnfd adds to them */
uint64_t clone_args_requested(const struct options *options);

/*
 * The rule of clone3 that args breaks on every kernel, in words; NULL if it
 * breaks none. If it breaks none, EINVAL says that the kernel lacks one of the
 * flags (Linux 7.3, kernel/fork.c and kernel/nsproxy.c). The exception is
 * CLONE_PARENT: an autoreaped process and the init of a PID namespace cannot
 * use it.
 */
const char *clone_args_rule(const struct sys_clone_args *args);

/*
 * Checks that an option which needs a pidfd gets one, which only --exact can
 * prevent. Then checks clone_args_rule, unless --exact leaves that to clone3.
 * Gives 0, or -EINVAL with *ret_mistake.
 */
int clone_args_check(const struct options *options,
		     const struct sys_clone_args *args,
		     struct mistake *ret_mistake);

/*
 * Appends the call, as "clone3({flags=CLONE_PIDFD, exit_signal=SIGCHLD}, 88)".
 * With use_old_clone it is a call of clone(2), which has neither a struct nor a
 * size. cgroup is the directory of --cgroup, or NULL.
 */
void clone_args_print(const struct sys_clone_args *args, const char *cgroup,
		      bool use_old_clone, struct text *text);

#endif
