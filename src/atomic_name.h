/* SPDX-License-Identifier: MIT */
/*
 * atomic_name - a file or socket that appears under its name only when it is
 * complete. The caller makes it under a temporary name in the same directory,
 * and atomic_name_commit renames it.
 *
 * The order of the calls is _open, _pick_temporary, making the file, _record,
 * _commit, and later _remove. If a step fails, _discard removes the file that
 * was made, and _remove closes the directory.
 */
#ifndef ATOMIC_NAME_H
#define ATOMIC_NAME_H

#include <limits.h>
#include <sys/types.h>

struct atomic_name {
	int directory;		/* O_PATH file descriptor; -1 when closed */
	const char *final;	/* the last part of the path, in directory */
	char temporary[NAME_MAX + 1]; /* the temporary name, in directory */
	dev_t device;		/* st_dev of the file that was recorded */
	ino_t inode;		/* st_ino of the file that was recorded */
};

/*
 * Opens the directory of path and fills *ret_name, which points into path from
 * then on. The file descriptor is above 2, close-on-exec, and belongs to
 * *ret_name; atomic_name_remove closes it.
 *
 * -EISDIR if path is empty or ends in a slash, "." or "..". -ENAMETOOLONG if
 * the directory does not fit into PATH_MAX, or the last part into NAME_MAX.
 * Other errors are those of open(2).
 */
int atomic_name_open(const char *path, struct atomic_name *ret_name);

/*
 * Sets name->temporary, which differs for each attempt. If the name is taken,
 * the caller tries again with another attempt.
 */
void atomic_name_pick_temporary(struct atomic_name *name, unsigned int attempt);

/*
 * Records the device and inode of the file under the temporary name, by which
 * atomic_name_remove recognizes it.
 */
int atomic_name_record(struct atomic_name *name);

/*
 * Renames the file from its temporary name to its final one. With kind 0 it
 * replaces a file that has the final name. SYS_RENAME_NOREPLACE gives -EEXIST
 * instead; SYS_RENAME_EXCHANGE gives the old file the temporary name, or
 * -ENOENT if there is none (rename(2)). Where the kernel or the file system
 * lacks these two kinds, kind 0 is used.
 */
int atomic_name_commit(struct atomic_name *name, unsigned int kind);

/* Removes the file under the temporary name */
void atomic_name_discard(const struct atomic_name *name);

/*
 * Removes the file under the final name if it is still the one that was
 * recorded, and closes name->directory. Does nothing if that is -1.
 */
void atomic_name_remove(struct atomic_name *name);

#endif
