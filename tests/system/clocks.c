/* SPDX-License-Identifier: MIT */
#include "clocks.h"

#include <time.h>

long now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}
