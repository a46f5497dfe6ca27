/* SPDX-License-Identifier: MIT */
/* id_map - the ids of a new user namespace: user_namespaces(7). */
#ifndef ID_MAP_H
#define ID_MAP_H

#include <stdbool.h>

#include "process.h"

/*
 * Maps this process's effective user and group to themselves in the user
 * namespace of the process, and nobody else. The process was made with
 * CLONE_NEWUSER; pidfd refers to it and stays the caller's. Denies setgroups(2)
 * there: since Linux 3.19, the kernel demands it of an unprivileged process
 * before it writes gid_map.
 *
 * Needs the /proc of this PID namespace. -ENOENT: there is none. -ENOENT or
 * -ESRCH: the process was reaped.
 */
int id_map_write(const struct process *process);

/*
 * Finds out whether /proc lets id_map_write write. Gives 0, or the error that
 * id_map_write would have. Writes nothing, and does not check capabilities.
 */
int id_map_check(void);

/*
 * Whether the effective user or group of this process has no id in its user
 * namespace: clone(2) denies CLONE_NEWUSER then. An id that the namespace has
 * for another user hides it, and so does the lack of /proc: gives false.
 */
bool id_map_lacks_us(void);

#endif
