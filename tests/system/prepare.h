/* SPDX-License-Identifier: MIT */
/*
 * What the process of a program makes of itself before it executes that: for
 * way->prepare, or to be called there. A failure is exit status 96.
 */
#ifndef PREPARE_H
#define PREPARE_H

/* Lets the program have the descriptor `from`, as `to`. */
void inherit_as(int from, int to);

/* One descriptor to inherit, and those of 0, 1 and 2 that shall be closed. */
struct inheritance {
	int fd;			/* -1: none */
	int as;
	unsigned int closed;	/* bit N: descriptor N */
};

/* arg is a struct inheritance. */
void inherit(const void *arg);

/* arg is NULL. */
void lead_group(const void *arg);
void lead_session(const void *arg);
void allow_cores(const void *arg);

/*
 * A seccomp filter answers clone3 with *arg, an errno, as the profiles of
 * container runtimes do.
 */
void filter_clone3(const void *arg);

/* A seccomp filter answers these system calls with an errno; calls end in 0. */
struct denial {
	unsigned int error;
	int calls[4];
};

/* arg is a struct denial. */
void deny_calls(const void *arg);

#endif
