/* SPDX-License-Identifier: MIT */
/*
 * source - gets the process: starts COMMAND, or receives a process that runs
 * already.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "story.h"

/*
 * Starts COMMAND. Needs story->launch, and story->signals as signals_block
 * fills them. Fills story->process; if the process is not held, returns after
 * COMMAND has been executed. With --pass, fills story->payload too. On failure,
 * gives -errno with *ret_failure, and no process is left.
 */
int source_spawn(struct story *story, struct failure *ret_failure);

/*
 * --receive: listens for a process, and fills story->process and
 * story->payload. Needs story->signals as signals_block fills them. If the
 * process is held, calls signals_hold for them. On failure, gives -errno with
 * *ret_failure. A pidfd that was received may then be open; it is closed when
 * spawnfd exits.
 *
 * peer is the connection of --pass, or -1 without it. If the receiver there
 * hangs up before there is a process, this is the failure -EPIPE of STEP_PASS.
 */
int source_receive(struct story *story, int peer, struct failure *ret_failure);

#endif
