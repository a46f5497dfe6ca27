/* SPDX-License-Identifier: MIT */
/*
 * Surroundings in which the kernel denies something to --kill-tree. The
 * functions that take a const void * are for way->prepare.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>

/* The switch of Debian's kernels. If it is 0, users make no user namespaces. */
#define USERNS_SWITCH "/proc/sys/kernel/unprivileged_userns_clone"

/*
 * Whether the test may write to USERNS_SWITCH. On more than one CPU other tests
 * run at the same time, and the switch is for the whole machine.
 */
bool may_use_userns_switch(void);

/*
 * Shares all mounts, as systemd does: each one would appear everywhere. The
 * test gets a mount namespace of its own for that.
 */
void share_mounts(void);

/* Makes a directory with /spawnfd, /actor and an empty /proc in it. */
void make_jail(char *jail, size_t size);

/* Makes arg, a directory, the root directory of the program. */
void enter_jail(const void *arg);

/* A limit of 0 in a new user namespace, where no other test has it. */
struct limited {
	const char *file;	/* in /proc/sys/user */
	bool user;		/* the program has no CAP_SYS_ADMIN there */
};

/* Moves the program into such a namespace. arg is a struct limited. */
void limit_namespaces(const void *arg);

/*
 * Loads an AppArmor profile that permits a user namespace and denies all
 * capabilities in it, as Ubuntu's profile "unprivileged_userns" does. The test
 * gets a mount namespace of its own, with securityfs in it, and calls
 * unload_profile at its end. Returns false if the kernel does not run AppArmor.
 */
bool load_profile(void);
void unload_profile(void);

/* Makes the next exec of this process enter the profile. arg is NULL. */
void enter_profile(const void *arg);

#endif
