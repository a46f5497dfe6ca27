/* SPDX-License-Identifier: MIT */
/* guard - see guard.h. It must never fail without an error. */
#include "guard.h"

#include <errno.h>
#include <sys/prctl.h>

int guard_self(void)
{
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}
