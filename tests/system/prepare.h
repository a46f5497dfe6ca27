/* SPDX-License-Identifier: MIT */
/*
 * Functions that a child of the test calls before it executes a program. Each
 * is a way->prepare, or is for one to call. If a function fails, the child
 * exits with status 96.
 */
#ifndef PREPARE_H
#define PREPARE_H

#include <sys/resource.h>

/* Lets the program inherit the descriptor `from` under the number `to`. */
void inherit_as(int from, int to);

/* One descriptor that the program inherits, and standard ones that it lacks. */
struct inheritance {
	int fd;			/* -1: none */
	int as;
	unsigned int closed;	/* bit N: close descriptor N, 0 to 2 */
};

/* arg is a struct inheritance. */
void inherit(const void *arg);

/* arg is NULL. */
void lead_group(const void *arg);
void lead_session(const void *arg);
void allow_cores(const void *arg);

/* A limit of setrlimit(2), both soft and hard */
struct resource_limit {
	int resource;
	rlim_t value;
};

/* arg is a struct resource_limit. */
void limit_resource(const void *arg);

/* arg is an int, the signal that the program ignores. */
void ignore_signal(const void *arg);

/*
 * Installs a seccomp filter that refuses clone3 with *arg, an errno, as the
 * profiles of container runtimes do.
 */
void filter_clone3(const void *arg);

/* System calls that a seccomp filter refuses; 0 ends the list. */
struct denial {
	unsigned int error;
	int calls[4];
};

/* arg is a struct denial. */
void deny_calls(const void *arg);

/* The kernel answers pidfd_send_signal(2) as before Linux 6.9. */
void deny_signal_flags(const void *arg);

#endif
