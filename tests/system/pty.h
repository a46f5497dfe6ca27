/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals. */
#ifndef PTY_H
#define PTY_H

#include <stddef.h>

/* Makes a new one: returns the master, and the path of the slave as name. */
int open_pty(char *name, size_t size);

/*
 * For way->prepare: the terminal at the path becomes descriptors 0, 1 and 2,
 * and the controlling terminal of a new session.
 */
void take_terminal(const void *path);

#endif
