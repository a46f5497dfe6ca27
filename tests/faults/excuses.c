/* SPDX-License-Identifier: MIT */
/* The faults whose consequence is accepted. Each has its reason. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/syscall.h>

#include "faults.h"

struct excuse {
	int number;		/* of the call */
	int error;		/* or 0: any */
	const char *modes;	/* a glob */
	const char *wrong;	/* what the judge says begins like this */
	const char *reason;
};

static const struct excuse excuses[] = {
	{ SYS_unlinkat, 0, "*", "the file ",
	  "a name that the kernel refuses to remove stays; the next run "
	  "replaces a dead socket and a pid file" },
	{ SYS_newfstatat, 0, "*", "the file ",
	  "without knowing whose file has the name, it must not be removed" },
	{ SYS_rt_sigprocmask, EINVAL, "verbose",
	  "COMMAND has \"SigBlk:\t0000000001201000",
	  "what refuses to restore the mask after a write also refuses to "
	  "change it before the write" },
	{ SYS_getsockopt, 0, "@(receive|exec|relay)*", "hangs",
	  "a connection whose peer is not known is closed, and --receive waits "
	  "for the next" },
	{ SYS_sendto, EPIPE, "*tree*", "",
	  "the kernel says EPIPE only when the other end has ended, and here "
	  "it lives" },
};

const char *excuse(const struct run *run, const char *wrong)
{
	const struct fault *fault = &run->fault;

	for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++) {
		const struct excuse *each = &excuses[i];

		if (each->number == fault->number &&
		    (!each->error || each->error == fault->error) &&
		    !fnmatch(each->modes, run->mode->name, FNM_EXTMATCH) &&
		    !strncmp(wrong, each->wrong, strlen(each->wrong)))
			return each->reason;
	}
	return NULL;
}
