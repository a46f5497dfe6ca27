/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals. */
#ifndef PTY_H
#define PTY_H

#include <stddef.h>

/* Makes a new one: returns the master, and the path of the slave as name. */
int open_pty(char *name, size_t size);

/*
 * For way->prepare: the terminal at the path becomes the controlling terminal
 * of a new session. Descriptors 0, 1 and 2 stay as they are.
 */
void lead_session_at(const void *path);

/*
 * For way->prepare: the terminal at the path becomes descriptors 0, 1 and 2,
 * and the controlling terminal of a new session.
 */
void take_terminal(const void *path);

/* A terminal as the controlling one of the test's own session. */
struct own_terminal {
	int master;
	int slave;	/* without it, the session would lose the terminal */
};

/*
 * Gives the test's session a terminal. A job that the test starts in another
 * process group can be stopped, and seen, as a shell's job.
 */
void open_own_terminal(struct own_terminal *ret_terminal);

void close_own_terminal(const struct own_terminal *terminal);

#endif
