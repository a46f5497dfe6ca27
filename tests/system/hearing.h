/* SPDX-License-Identifier: MIT */
/*
 * "actor hear" under spawnfd: the actor prints every signal that it gets. This
 * header also has the ways in which tests of signals start spawnfd.
 */
#ifndef HEARING_H
#define HEARING_H

#include <stdint.h>

#include "harness.h"

#define NOTHING "--timeout=0"	/* an option that does nothing */
#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

/* ---- actor hear, and what it hears ---- */

/* A signal that COMMAND got; see siginfo_t in sigaction(2). */
struct heard {
	int sig;
	int code;
	int pid;
	int value;
};

struct hearing {
	struct running r;
	pid_t command;
	char text[4096];	/* read; from `at` on not yet parsed */
	size_t at;
	size_t end;
};

/* Starts argv, and waits until "actor hear" is ready for signals. */
void start_hearing(struct hearing *h, const struct way *way,
		   const char *const argv[]);

/* Waits for the next signal. */
struct heard next_heard(struct hearing *h);

/* Expect that the next signal is this one; with a value, from sigqueue(3). */
void hears(struct hearing *h, int sig);
void hears_value(struct hearing *h, int sig, int value);

/*
 * Sends a signal to spawnfd with sigqueue(3). While as many signals are pending
 * as the user may have, it waits: the tests of a user share that limit.
 */
void queue(const struct hearing *h, int sig, int value);

/* Sends signal 64, and expects that no other signal comes before it. */
void hears_no_more(struct hearing *h);

/* Expects no other signal, ends the input of COMMAND, and expects status 0. */
void end_hearing(struct hearing *h, struct ended *e);

/* ---- how spawnfd is started ---- */

/* A job as a shell starts it, and one that no shell could continue. */
static const struct way job = { .prepare = lead_group };
static const struct way orphaned = { .prepare = lead_session };

struct inherited {
	uint64_t ignored;
	uint64_t blocked;
	bool closed;		/* 0, 1 and 2 */
};

/* For way->prepare: arg is a struct inherited. */
void set_inherited(const void *arg);

/* Expects that spawnfd does not end within that time. */
void lives_on(const struct running *r, int ms);

#endif
