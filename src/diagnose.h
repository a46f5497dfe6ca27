/* SPDX-License-Identifier: MIT */
/*
 * diagnose - asks the kernel why clone3 has refused a call, or why COMMAND does
 * not run.
 */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include "explain_refusal.h"
#include "spawn.h"

/*
 * Fills *ret_refusal for the last call that was made for launch. error is the
 * errno of that call. passes says that spawnfd has --pass: --fallback cannot
 * emulate CLONE_PIDFD_AUTOKILL then. Makes no process. The pointers in
 * *ret_refusal come from launch, or point to constants.
 */
void diagnose_refusal(const struct launch *launch, bool passes, int error,
		      struct refusal *ret_refusal);

/*
 * Whether the cgroup in this directory is frozen, so that a process in it does
 * not run: cgroup.events (cgroups(7)). false if that cannot be read.
 */
bool diagnose_is_frozen(const char *cgroup);

#endif
