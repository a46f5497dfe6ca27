/* SPDX-License-Identifier: MIT */
/*
 * hold - keeps the pidfd, and with it the command, until the command ends.
 */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Lets go of every descriptor but pidfd and standard error, so that a reader
 * sees end of file, and a lock is free, when the command lets go of its own.
 */
void hold_release(int pidfd);

/*
 * Waits for the end of the process and gives its wait status. With reap it is
 * a child that is to be waited for; one that turns out not to be (CLONE_PARENT)
 * is watched instead, and its parent is given a second to reap it: -ETIMEDOUT.
 * As process 1 it reaps every orphan meanwhile. -ENODATA and others: it is
 * over, its status unknown.
 */
int hold_wait(pid_t pid, int pidfd, bool reap, int *ret_status);

#endif
