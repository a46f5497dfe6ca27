/* SPDX-License-Identifier: MIT */
/*
 * diagnose - finds out why clone3 has refused a call, by asking the kernel.
 */
#ifndef DIAGNOSE_H
#define DIAGNOSE_H

#include "explain_refusal.h"
#include "spawn.h"

/*
 * error is that of the last call made for launch; passes says that the pidfd
 * was to be passed on, which --fallback cannot emulate. Makes no process. The
 * pointers of *ret_refusal are those of launch, or constants.
 */
void diagnose_refusal(const struct launch *launch, bool passes, int error,
		      struct refusal *ret_refusal);

#endif
