/* SPDX-License-Identifier: MIT */
/*
 * Attempts: spawnfd is run in each of its modes, in surroundings in which much
 * can fail, and each run is judged. COMMAND is "actor say ran".
 *
 * The exit status must tell the truth: it is that of COMMAND, and COMMAND has
 * done the same as without spawnfd; or it is 125, 126 or 127, and a message
 * names the step. No process, zombie, socket or file may be left.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "harness.h"

/* The surroundings. All zero: root, without a limit. */
struct surroundings {
	const char *what;	/* for messages, together with the value */
	long long value;
	void (*prepare)(const void *arg);	/* before the exec */
	const void *arg;
	uid_t uid;		/* the user of all modes; 0: each has its own */
	const char *group;	/* for --cgroup; NULL: none */
};

/* How many runs did what was asked, and how many were refused with a message */
struct tally {
	int done;
	int refused;
};

/* Runs all modes, and adds to *tally. */
void attempt(const struct surroundings *surroundings, struct tally *tally);

/*
 * Returns whether spawnfd can be executed at all in these surroundings, as far
 * as `spawnfd --version` tells.
 */
bool can_begin(const struct surroundings *surroundings);

#endif
