/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals. */
#ifndef PTY_H
#define PTY_H

#include <stddef.h>

/* A new one: returns the master, and the path of its other end as name. */
int open_pty(char *name, size_t size);

/*
 * For way->prepare: the terminal of that path becomes descriptors 0, 1 and 2,
 * and the controlling one of a new session.
 */
void take_terminal(const void *path);

#endif
