/* SPDX-License-Identifier: MIT */
/*
 * group_leader - --kill-tree in a terminal: a process that does nothing but
 * lead the process group of COMMAND. It is a child of the init, and sends it
 * every signal that the group gets. If a process of the tree has sent the
 * signal, its pid is the value that goes with it (sigqueue(3)).
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

struct group_leader {
	pid_t pid;		/* also the number of the group */
	int replies;		/* a pipe: a byte for each question */
	int unanswered;		/* how many questions have no reply yet */
};

/*
 * Starts the process, and fills *ret_leader; needs all signals blocked. The
 * caller owns the descriptor, which COMMAND does not inherit. Gives 0 or
 * -errno. The kernel kills the process when the init ends. If it ends before,
 * the init reaps it as it does any orphan.
 */
int group_leader_start(struct group_leader *ret_leader);

/*
 * Continues the leader, and waits until it has passed on every signal that it
 * has taken, so that they are pending. Also returns if the leader cannot be
 * asked, if it has ended, or if it does nothing for CLOCK_PATIENCE_NS.
 */
void group_leader_await(struct group_leader *leader);

/*
 * Sends SIGCONT to the group, after all signals that the leader has taken are
 * pending here: SIGCONT discards stop signals in the leader as well. The leader
 * sends it, so that no other process runs in between, as a rule. If the leader
 * does not reply, the caller sends it.
 */
void group_leader_continue(struct group_leader *leader);

#endif
