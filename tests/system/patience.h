/* SPDX-License-Identifier: MIT */
/*
 * Waiting, with a limit on silence instead of time: a wait goes on as long as
 * any descendant of the test does something, and ends when none has done
 * anything for PATIENCE_MS. So a test does not fail on a slow machine.
 */
#ifndef PATIENCE_H
#define PATIENCE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PATIENCE_MS 30000

/* Returns the time of the monotonic clock, in microseconds. */
long now_us(void);

/* As poll(2) without a time limit, but returns 0 after silence. */
int poll_patiently(struct pollfd *fds, nfds_t count);

/* As poll_patiently(), with the silence as a parameter: it is no failure. */
int poll_until_silence(struct pollfd *fds, nfds_t count, int silence_ms);

/* For a loop that waits for what poll(2) cannot report. All zero at first. */
struct patience {
	int silence_ms;		/* 0: PATIENCE_MS */
	long until;		/* by now_us() */
	uint64_t seen;		/* what the descendants had done before */
};

/* Returns false after silence. */
bool is_patient(struct patience *patience);

/* Calls a function for each child of the process, of any thread. */
void for_each_child(pid_t pid, void (*call)(pid_t child, void *arg), void *arg);

/*
 * The activity of a process and all its descendants. The sum changes whenever
 * one of them has run; the ticks are the processor time of all.
 */
struct doings {
	uint64_t sum;
	uint64_t ticks;
};

/* Adds the activity of pid and its descendants to *doings. */
void add_doings(pid_t pid, struct doings *doings);

#endif
