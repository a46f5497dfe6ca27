/* SPDX-License-Identifier: MIT */
/* Control groups (cgroups(7)) that a test makes. */
#ifndef CGROUPS_H
#define CGROUPS_H

#define CGROUPS "/sys/fs/cgroup"

/* The option --cgroup as one word; see joined() in harness.h. */
#define CGROUP(directory) joined("--cgroup=", directory)

/* Writes the text to a file of the group, such as "cgroup.freeze". */
void write_group(const char *group, const char *file, const char *text);

/*
 * Makes a frozen group: a process in it never gets to its exec. The test
 * removes it with rmdir.
 */
const char *make_frozen_group(void);

/* Waits until a process is in the group. */
void await_member(const char *group);

#endif
