/* SPDX-License-Identifier: MIT */
/*
 * Waiting, with a limit on silence and not on time: a wait goes on for as long
 * as any descendant of the test does something, and fails when none has done
 * anything for PATIENCE_MS. So a slow machine fails no test.
 */
#ifndef PATIENCE_H
#define PATIENCE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PATIENCE_MS 30000

/* The monotonic clock. */
long now_us(void);

/* As poll(2) without a limit, but returns 0 after silence. */
int poll_patiently(struct pollfd *fds, nfds_t count);

/* The same with a silence of its own, where it is no failure. */
int poll_until_silence(struct pollfd *fds, nfds_t count, int silence_ms);

/* For a loop that looks at what cannot be polled. All zero at its start. */
struct patience {
	int silence_ms;		/* 0: PATIENCE_MS */
	long until;		/* by now_us() */
	uint64_t seen;		/* what the descendants had done before */
};

/* False after silence. */
bool is_patient(struct patience *patience);

/* Calls it for each child that the process has, of whichever thread. */
void for_each_child(pid_t pid, void (*call)(pid_t child, void *arg), void *arg);

/*
 * What a process and all its descendants have done: the sum is another number
 * whenever one of them has run, and the ticks are the processor time of all.
 */
struct doings {
	uint64_t sum;
	uint64_t ticks;
};

/* Adds to *doings. */
void add_doings(pid_t pid, struct doings *doings);

#endif
