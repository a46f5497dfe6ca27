/* SPDX-License-Identifier: MIT */
/* clock - points in time: nanoseconds of CLOCK_MONOTONIC, and 0 for never. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* The time in ns nanoseconds; 0 for 0, and for what no clock can count to */
uint64_t clock_after(uint64_t ns);

/* What is left until then, for ppoll(2); NULL if it never comes */
const struct timespec *clock_left(uint64_t deadline, struct timespec *room);

/* Whether that time has come */
bool clock_is_over(uint64_t deadline);

#endif
