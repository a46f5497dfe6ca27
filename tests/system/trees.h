/* SPDX-License-Identifier: MIT */
/* What several tests of --kill-tree share. */
#ifndef TREES_H
#define TREES_H

#include <poll.h>

#include "harness.h"

static const uid_t users[] = { 0, NOBODY };

#define EVERY(i, array) size_t i = 0; i < ARRAY_SIZE(array); i++

/* Every process of a tree has it open, so its end is the end of all. */
bool is_at_end(int fd);

/* Every other time all of them are there; else at any moment before. */
void grow(const struct running *r, int init, bool patient);

/* Starts a tree and kills spawnfd; a pidfd of the init */
int fell_by_sigkill(struct running *r, const struct way *way,
		    const char *option, const char *number, bool patient,
		    pid_t *ret_init);

static const char *const flags[] = { "--pidfd", "--autoreap", "--autokill" };

#endif
