/* SPDX-License-Identifier: MIT */
/* Files that a test makes, and text of /proc. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The test's own directory, of mode 0755, which is removed after the test. */
const char *scratch(void);

/* NAME in scratch(), in one of a few static buffers. */
const char *scratch_path(const char *name);

/* Removes scratch() and all that is in it. */
void remove_scratch(void);

/* Makes or truncates a file. A mode of 0 leaves the file's mode alone. */
void write_file(const char *path, const char *text, mode_t mode);

/* Reads a file, for instance of /proc or /sys; "" if it does not exist. */
void read_file(const char *path, char *text, size_t size);

bool exists(const char *path);

/* Counts the files in a directory whose names begin with the prefix. */
int count_files(const char *path, const char *prefix);

/* Makes a FIFO of that name in scratch(), and opens it for both directions. */
int make_fifo(const char *name);

void copy_file(const char *from, const char *to);

/* Returns whether every user can reach the file and execute it. */
bool open_to_all(const char *path);

#endif
