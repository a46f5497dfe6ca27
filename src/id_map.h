/* SPDX-License-Identifier: MIT */
/* id_map - who a process is in its new user namespace: user_namespaces(7). */
#ifndef ID_MAP_H
#define ID_MAP_H

#include <sys/types.h>

/*
 * Writes the maps for the process, which must have been made with CLONE_NEWUSER
 * and must not be reaped yet: this process's effective user and group are
 * themselves in there, and nobody else exists. setgroups(2) is denied, as the
 * kernel demands it of a user. Takes /proc; -ENOENT without it.
 */
int id_map_write(pid_t pid, int pidfd);

#endif
