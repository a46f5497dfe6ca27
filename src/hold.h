/* SPDX-License-Identifier: MIT */
/*
 * hold - keeps the pidfd, and with it the command, until the command ends.
 */
#ifndef HOLD_H
#define HOLD_H

#include <stddef.h>

#include "process.h"

/*
 * Lets go of every descriptor but those to be kept (negative ones are none) and
 * standard error, so that a reader sees end of file, and a lock is free, when
 * the command lets go of its own.
 */
void hold_release(const int *keep, size_t count);

/*
 * Leaves the reaping of children, also of those that have ended already, to the
 * kernel: what is received may be a child of this process, by descent to
 * process 1 or by exec(2), and is watched as if it were not.
 */
void hold_leave_children(void);

/*
 * Waits for the end of the process and gives its wait status. One that is to be
 * reaped by others is given a second for that: -ETIMEDOUT. As process 1 it
 * reaps every orphan meanwhile. -ENODATA and others: it is over, its status
 * unknown.
 */
int hold_wait(const struct process *process, int *ret_status);

#endif
