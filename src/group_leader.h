/* SPDX-License-Identifier: MIT */
/*
 * group_leader - --kill-tree in a terminal: a process that does nothing but
 * lead the process group of COMMAND. It is a child of the init, and sends it
 * every signal that the group gets from the terminal.
 *
 * The init cannot be in that group. If it led the group, the number would be 1,
 * and COMMAND could not send the group a signal: kill(-1, ...) goes to every
 * process (kill(2)). In a group of another number, the init would never finish
 * its exit: it waits until no number of its PID namespace is in use (Linux 7.2,
 * kernel/pid_namespace.c). COMMAND cannot lead the group either: a shell leaves
 * the group that it was started in, and this process must not go with it.
 */
#ifndef GROUP_LEADER_H
#define GROUP_LEADER_H

#include <sys/types.h>

/*
 * Starts the process; needs all signals blocked. Gives its pid, which is the
 * number of the group, or -errno. The kernel kills the process when the init
 * ends. If it ends before, the init reaps it as it does any orphan.
 */
pid_t group_leader_start(void);

/*
 * Makes the process send this signal back, after all others that it has still
 * to send. The group never gets it from a terminal. Gives 0 or -errno.
 */
#define GROUP_LEADER_ECHO 64
int group_leader_ask(pid_t leader);

#endif
