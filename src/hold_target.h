/* SPDX-License-Identifier: MIT */
/* hold_target - signals from a hold to COMMAND, or to the init before it. */
#ifndef HOLD_TARGET_H
#define HOLD_TARGET_H

#include "held.h"

/*
 * Sends the signal through the pidfd; with leads_session to COMMAND's whole
 * process group (pidfd_send_signal(2), Linux 6.9). info goes with it; NULL for
 * none. Errors of sys_pidfd_kill: -EPERM when COMMAND belongs to another user
 * by now, -ESRCH when it has ended.
 */
int target_send(const struct hold *hold, int signal, const siginfo_t *info);

/*
 * Sends SIGKILL. Where the kernel denies that and the pidfd is an autokill one,
 * closes the pidfd instead, which kills too; process->pidfd is an ordinary
 * pidfd of the same process then. -EPERM if neither way was open.
 */
int target_kill(struct hold *hold);

#endif
