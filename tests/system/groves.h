/* SPDX-License-Identifier: MIT */
/*
 * Trees that outlive COMMAND for a while: --kill-tree with --kill-after or
 * --wait-tree. They are held by spawnfd, passed to a receiver, or detached.
 */
#ifndef GROVES_H
#define GROVES_H

#include "harness.h"
#include "receivers.h"
#include "trees.h"

/* Members of "actor grove" are of six kinds, in turn: see actor_tree.c. */
#define KINDS 6
#define CATCHERS 3		/* the first kinds say the signal */
#define IGNORES 3		/* this one ignores it */

enum holding { HELD, PASSED, DETACHED, HOLDINGS };

struct grove {
	enum holding holding;
	struct running r;		/* spawnfd with --kill-tree */
	struct receiver receiver;	/* if the tree is PASSED */
};

/*
 * Starts spawnfd --kill-tree with these options, whose list ends with NULL, and
 * with the words of a command. If the tree is passed, its receiver has taken
 * it; if it is detached, spawnfd has not exited for certain. The others have
 * --autokill.
 */
void start_grove(struct grove *g, enum holding holding, uid_t uid,
		 const char *const options[], const char *const command[]);

/* Starts "actor grove" with three words, and waits until it is grown. */
void plant(struct grove *g, enum holding holding, uid_t uid,
	   const char *const options[], const char *number, const char *code,
	   const char *fate);

/*
 * Waits until no process has the output of the tree open, and until the holder
 * has ended. *e is the end of spawnfd; its status is that of the receiver, or
 * of the detached init.
 */
void finish_grove(struct grove *g, struct ended *e);

/* How many members of that kind a grove of this number has. */
int of_kind(int number, int kind);

/* Counts the lines of the text that are equal to this one. */
int count_lines(const char *text, const char *line);

#endif
