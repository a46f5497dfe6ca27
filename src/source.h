/* SPDX-License-Identifier: MIT */
/*
 * source - where the process comes from: COMMAND is started, or a process that
 * runs already is received.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "story.h"

/*
 * Starts COMMAND; needs the launch, and the signals of signals_block. Gives the
 * process and, for a pass, the payload. On failure nothing is left of it.
 */
int source_spawn(struct story *story, struct failure *ret_failure);

/*
 * --receive: listens, and gives the process and the payload that came. From
 * then on signals are those of signals_hold if the process is held.
 */
int source_receive(struct story *story, struct failure *ret_failure);

#endif
