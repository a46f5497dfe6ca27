/* SPDX-License-Identifier: MIT */
/* fd - see fd.h. It must never close a descriptor that is to be kept. */
#include "fd.h"

#include <limits.h>

#include "sys.h"

/* The lowest file descriptor in keep that is at least from, or -1 */
static int next_kept(const int *keep, size_t count, int from)
{
	int next = -1;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= from && (next < 0 || keep[i] < next))
			next = keep[i];
	return next;
}

void fd_close_others(const int *keep, size_t count)
{
	unsigned int from = 0;

	for (;;) {
		int kept = next_kept(keep, count, (int)from);

		if (kept < 0)
			break;
		if ((unsigned int)kept > from)
			sys_close_range(from, (unsigned int)kept - 1);
		from = (unsigned int)kept + 1;
	}
	sys_close_range(from, UINT_MAX);
}
