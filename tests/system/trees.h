/* SPDX-License-Identifier: MIT */
/* Code that several files of tests of --kill-tree share. */
#ifndef TREES_H
#define TREES_H

#include <poll.h>

#include "harness.h"

static const uid_t users[] = { 0, NOBODY };
static const char *const flags[] = { "--pidfd", "--autoreap", "--autokill" };

/* The head of a loop over the array: for (EVERY(i, array)). */
#define EVERY(i, array) size_t i = 0; i < ARRAY_SIZE(array); i++

/*
 * Returns whether a pipe is at its end. Every process of a tree has the pipe
 * open, so its end proves that all of them have ended.
 */
bool is_at_end(int fd);

/* Waits until the tree is complete if patient, else for a random time. */
void grow(const struct running *r, int init, bool patient);

/* Starts a tree and kills spawnfd; returns a pidfd of the init. */
int fell_by_sigkill(struct running *r, const struct way *way,
		    const char *option, const char *number, bool patient,
		    pid_t *ret_init);

#endif
