/* SPDX-License-Identifier: MIT */
/* process - what goes from a source, spawn or receive, to a sink. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "notice.h"

/* Who takes away what is left of the process when it is over */
enum reaper {
	REAPER_KERNEL,		/* CLONE_AUTOREAP */
	REAPER_SPAWNFD,
	REAPER_OTHER
};

/* The descriptors belong to whoever has the struct */
struct process {
	pid_t pid;		/* 0: it was over before it came here */
	int pidfd;		/* -1 without CLONE_PIDFD */
	enum reaper reaper;
	uint64_t pending_at_clone; /* signals that came before it was made */
	uint64_t emulated;	/* flags that --fallback made up for */
	int exec_pipe;		/* of spawn, until it is executed; or -1 */
	int init_socket;	/* to the init of --kill-tree; or -1 */
	struct notice exec_outcome; /* of the exec, as that was told */
};

#endif
