/* SPDX-License-Identifier: MIT */
/* clock - points in time: nanoseconds of CLOCK_MONOTONIC, and 0 for never. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds; what the kernel's unit is too, in milliseconds for poll(2) */
#define CLOCK_MS		1000000
#define CLOCK_SECOND		1000000000

/*
 * How long spawnfd waits for another process to do what takes it a moment: to
 * reap a process that has ended, to reply to a question.
 */
#define CLOCK_PATIENCE_NS	CLOCK_SECOND

/* The time in ns nanoseconds; 0 for 0, and for what no clock can count to */
uint64_t clock_after(uint64_t ns);

/* What is left until then, for ppoll(2); NULL if it never comes */
const struct timespec *clock_left(uint64_t deadline, struct timespec *room);

/* Whether that time has come */
bool clock_is_over(uint64_t deadline);

#endif
