/* SPDX-License-Identifier: MIT */
/*
 * clock - deadlines: points in time, in nanoseconds of CLOCK_MONOTONIC. 0 is a
 * deadline that never comes. Setting the system time does not change this
 * clock, and time in suspend does not count (clock_gettime(2)).
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* In nanoseconds: one millisecond (the unit of poll(2)), and one second */
#define CLOCK_MS		1000000
#define CLOCK_SECOND		1000000000

/*
 * How long spawnfd waits for another process to do something that takes only a
 * moment, such as to reap a child that has ended, or to reply to a question.
 */
#define CLOCK_PATIENCE_NS	CLOCK_SECOND

/*
 * The deadline that is ns nanoseconds from now. 0 (never) if ns is 0, and if
 * the deadline is too large for 64 bits.
 */
uint64_t clock_after(uint64_t ns);

/*
 * The time left until deadline, as a timeout for ppoll(2): in *room, and 0 once
 * the deadline has come. NULL if deadline is 0.
 */
const struct timespec *clock_left(uint64_t deadline, struct timespec *room);

/* The sooner of two deadlines */
uint64_t clock_sooner(uint64_t a, uint64_t b);

/* true once deadline has come; false for 0 */
bool clock_is_over(uint64_t deadline);

#endif
