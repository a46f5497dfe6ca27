/* SPDX-License-Identifier: MIT */
/*
 * explain_refusal - why clone3 has refused a call, in words.
 *
 * Pure: diagnose.c finds out what the words are about.
 */
#ifndef EXPLAIN_REFUSAL_H
#define EXPLAIN_REFUSAL_H

#include "explain.h"

/* Everything that is known when clone3 has failed */
struct refusal {
	int error;
	uint64_t flags;
	uint64_t unknown;	/* those of flags that this kernel lacks */
	uint64_t denied;	/* those that it denies to this user */
	enum clone3 clone3;
	bool fallback;		/* was asked for, and was no help */
	uint64_t not_emulable;	/* those that it has nothing in place of */
	const char *rule;	/* that the flags break, or NULL */
	char release[65];	/* of uname(2) */
	const char *cgroup;	/* of --cgroup, or NULL */
	bool needs_id_map;	/* --kill-tree needs CLONE_NEWUSER */
	const char *userns;	/* a switch that denies it to users, or NULL */
};

void explain_refusal(const struct refusal *refusal, struct text *text);

#endif
