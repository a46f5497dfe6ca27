/* SPDX-License-Identifier: MIT */
/*
 * "actor hear" under spawnfd, which reports every signal that it gets; and the
 * ways to start spawnfd for that.
 */
#ifndef HEARING_H
#define HEARING_H

#include <stdint.h>

#include "harness.h"

#define NOTHING "--timeout=0"	/* an option that does nothing */
#define BIT(sig) (UINT64_C(1) << ((sig) - 1))

/* ---- actor hear, and the signals that it hears ---- */

/* A signal as the command got it; see siginfo_t. */
struct heard {
	int sig;
	int code;
	int pid;
	int value;
};

struct hearing {
	struct running r;
	pid_t command;
	char text[4096];	/* what was read; `at` to `end` is unseen */
	size_t at;
	size_t end;
};

/* Starts argv, and waits until "actor hear" is ready for signals. */
void start_hearing(struct hearing *h, const struct way *way,
		   const char *const argv[]);

/* Waits for the next signal. */
struct heard next_heard(struct hearing *h);

/* Expects this signal next; hears_value() expects sigqueue(3) and its value. */
void hears(struct hearing *h, int sig);
void hears_value(struct hearing *h, int sig, int value);

/* Sends a signal to spawnfd by sigqueue(3). */
void queue(const struct hearing *h, int sig, int value);

/* Expects no other signal: it sends the last one, which must come next. */
void hears_no_more(struct hearing *h);

/* Calls hears_no_more(), and then ends the command, which must exit with 0. */
void end_hearing(struct hearing *h, struct ended *e);

/* ---- how spawnfd is started ---- */

/* A job as a shell starts it; and an orphaned group, which does not stop. */
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
