/* SPDX-License-Identifier: MIT */
/* Control groups that a test makes. */
#ifndef CGROUPS_H
#define CGROUPS_H

#define CGROUPS "/sys/fs/cgroup"

/* A word for spawnfd; see joined() in harness.h. */
#define CGROUP(directory) joined("--cgroup=", directory)

/* Writes to the file of that name in the group. */
void write_group(const char *group, const char *file, const char *text);

/*
 * Makes a frozen group: a process in it never gets to its exec. The test
 * removes it with rmdir.
 */
const char *make_frozen_group(void);

/* Waits until a process is in the group. */
void await_member(const char *group);

#endif
