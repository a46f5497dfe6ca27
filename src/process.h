/* SPDX-License-Identifier: MIT */
/* process - the process that a source, spawn or receive, gives to a sink. */
#ifndef PROCESS_H
#define PROCESS_H

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
	uint64_t pending_at_clone; /* signals pending in spawnfd at clone3 */
	uint64_t emulated;	/* clone flags that --fallback emulates */
	int exec_pipe;		/* from the child, until its exec; or -1 */
	int init_socket;	/* to the init of --kill-tree; or -1 */
	struct notice exec_outcome; /* NOTICE_EXECUTED until told otherwise */
};

#endif
