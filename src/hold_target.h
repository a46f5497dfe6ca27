/* SPDX-License-Identifier: MIT */
/* hold_target - sends signals to the process of a hold. */
#ifndef HOLD_TARGET_H
#define HOLD_TARGET_H

#include "held.h"

/*
 * Sends the signal through the pidfd; with leads_session, to the process group
 * of COMMAND (pidfd_send_signal(2), Linux 6.9). info holds the value that goes
 * with the signal, or is NULL. Gives 0 or -errno. -ESRCH: the process has been
 * reaped. Every other error is a refusal. -EPERM: the process belongs to
 * another user by now. -EACCES: a security module denies the signal.
 */
int target_send(const struct hold *hold, int signal, const siginfo_t *info);

/*
 * Sends SIGKILL; with leads_session, to the process group too. Gives 0 or
 * -errno. -EPERM, and -EACCES from a security module: the kernel denies the
 * signal, and the pidfd is no autokill pidfd. If it is one, the process is
 * killed in spite of the denial: the pidfd is closed, and process->pidfd is an
 * ordinary pidfd of the same process then; or -1, with ending.status_error.
 */
int target_kill(struct hold *hold);

/* Whether the process of the hold has ended, reaped or not. Does not wait */
bool target_has_ended(const struct hold *hold);

/*
 * SIGCONT was sent to COMMAND. Notes in stop.undone the stop signals that are
 * pending: they have come since this process read the SIGCONT. If the terminal
 * sent them to COMMAND as well, the SIGCONT may have undone them.
 */
void target_note_undone(struct hold *hold);

#endif
