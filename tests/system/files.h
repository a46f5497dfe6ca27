/* SPDX-License-Identifier: MIT */
/* Files of a test, and text of /proc. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A directory of the test's own, 0755. It is removed after the test. */
const char *scratch(void);

/* NAME in scratch(), in one of a few static buffers. */
const char *scratch_path(const char *name);

/* Removes scratch() and all that is in it. */
void remove_scratch(void);

/* Makes or truncates it. A mode of 0 leaves the mode of the file alone. */
void write_file(const char *path, const char *text, mode_t mode);

/* The text of a file of /proc, /sys and the like; "" if there is no file. */
void read_file(const char *path, char *text, size_t size);

bool exists(const char *path);

/* How many files the directory has whose names begin so; "" is all of them. */
int count_files(const char *path, const char *prefix);

/* A FIFO of that name in scratch(), open for both directions. */
int make_fifo(const char *name);

void copy_file(const char *from, const char *to);

/* Whether any user may walk down to the file and execute it. */
bool open_to_all(const char *path);

#endif
