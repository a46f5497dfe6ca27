/* SPDX-License-Identifier: MIT */
/*
 * process - the process that a source, spawn or receive, gives to a sink; and
 * signals to it.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "notice.h"

/* The reaper of the process, once it has ended */
enum reaper {
	REAPER_KERNEL,		/* the kernel: CLONE_AUTOREAP */
	REAPER_SPAWNFD,		/* spawnfd, its parent */
	REAPER_OTHER		/* not spawnfd: received, or CLONE_PARENT */
};

/* The descriptors belong to the owner of the struct, who closes them */
struct process {
	pid_t pid;		/* 0 if it had ended when it was received */
	int pidfd;		/* -1 without CLONE_PIDFD */
	enum reaper reaper;
	bool signal_by_pid;	/* pidfd_send_signal(2) is refused here */
	uint64_t pending_at_clone; /* signals pending in spawnfd at clone3 */
	uint64_t emulated;	/* clone flags that --fallback emulates */
	int exec_pipe;		/* from the child, until its exec; or -1 */
	int init_socket;	/* to the init of --kill-tree; or -1 */
	struct notice exec_outcome; /* NOTICE_EXECUTED until told otherwise */
};

/*
 * Whether pidfd_send_signal(2) is there: seccomp filters of before late 2020,
 * and emulators, refuse the call. 0, or -ENOSYS or -EPERM.
 */
int process_check_signals(void);

/*
 * Whether a child was executed that has closed its exec pipe, and has told no
 * failure. Needs a child that was started with another exit signal than
 * SIGCHLD: the exec gives it that one (execve(2)). The kernel keeps less of a
 * child with CLONE_AUTOREAP that has ended. Such a child counts as executed
 * unless SIGKILL has ended it.
 */
bool process_was_executed(const struct process *process);

/*
 * Sends the signal; 0 sends none, and tells whether the process is still there.
 * With group it goes to the process group that the process leads. info goes
 * with the signal, and may be NULL. Errors are those of sys_pidfd_kill.
 */
int process_signal(const struct process *process, int signal, bool group,
		   const siginfo_t *info);

/*
 * For a child that exits by itself, or was killed: reaps it, and closes its
 * descriptors. Waits a moment for the end of a tree.
 */
void process_reap(struct process *process);

/*
 * Kills the process, reaps it and closes its descriptors. If the kernel denies
 * the signal, because COMMAND belongs to another user by now, closes the pidfd:
 * that kills COMMAND only if it is an autokill pidfd. Does nothing if the pid
 * is all that spawnfd has, and may have been recycled.
 */
void process_kill(struct process *process);

#endif
