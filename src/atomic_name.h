/* SPDX-License-Identifier: MIT */
/*
 * atomic_name - a file or socket that appears under its name only when it is
 * complete: it is made under a temporary name beside it, and then renamed.
 */
#ifndef ATOMIC_NAME_H
#define ATOMIC_NAME_H

#include <limits.h>
#include <sys/types.h>

struct atomic_name {
	int directory;		/* O_PATH; -1 once it is closed */
	const char *final;	/* the last part of the path */
	char temporary[NAME_MAX + 1];
	dev_t device;		/* what was put there, to know it again */
	ino_t inode;
};

/*
 * Opens the directory of path, to which place points from then on. -EISDIR if
 * the path cannot be that of a file.
 */
int atomic_name_open(const char *path, struct atomic_name *ret_name);

/* Chooses the attempt-th temporary name */
void atomic_name_pick_temporary(struct atomic_name *name, unsigned int attempt);

/* Remembers what the temporary name stands for now */
int atomic_name_record(struct atomic_name *name);

/*
 * Gives it its name, in place of whatever has that; of a kind of SYS_RENAME_
 * where the file system knows it, else plainly.
 */
int atomic_name_commit(struct atomic_name *name, unsigned int kind);

/* Takes the temporary name away */
void atomic_name_discard(const struct atomic_name *name);

/* Takes the name away, if it still stands for what was put there, and closes */
void atomic_name_remove(struct atomic_name *name);

#endif
