/* SPDX-License-Identifier: MIT */
/* clock - see clock.h. It must never wait. */
#include "clock.h"

#include <stddef.h>

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * CLOCK_SECOND + (uint64_t)time.tv_nsec;
}

uint64_t clock_after(uint64_t ns)
{
	uint64_t deadline;

	if (!ns || __builtin_add_overflow(now(), ns, &deadline))
		return 0;
	return deadline;
}

const struct timespec *clock_left(uint64_t deadline, struct timespec *room)
{
	uint64_t time = deadline ? now() : 0;
	uint64_t left = deadline > time ? deadline - time : 0;

	room->tv_sec = (time_t)(left / CLOCK_SECOND);
	room->tv_nsec = (long)(left % CLOCK_SECOND);
	return deadline ? room : NULL;
}

uint64_t clock_sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

bool clock_is_over(uint64_t deadline)
{
	return deadline && now() >= deadline;
}
