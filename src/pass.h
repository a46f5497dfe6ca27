/* SPDX-License-Identifier: MIT */
/*
 * pass - one message out, one message in: a line of text, and with it the
 * pidfd (SCM_RIGHTS; unix(7)). The format is that of runc's --pidfd-socket.
 */
#ifndef PASS_H
#define PASS_H

#include "process.h"
#include "signals.h"
#include "text.h"

/*
 * Sends it (one space if the payload is empty), without waiting and without
 * SIGPIPE. On failure nothing was sent: -EPIPE, -ECONNRESET or -ECONNREFUSED if
 * the receiver is gone, -EAGAIN if its queue is full, -EPERM if it refuses
 * descriptors (SO_PASSRIGHTS, Linux 6.16), -ETOOMANYREFS if too many of this
 * user's are on their way.
 */
int pass_send(int socket, const struct text *payload, int pidfd);

/*
 * Takes the message. -ENOMSG: the other end is closed, and there was none;
 * -EBADMSG: it came without a descriptor, -E2BIG: with several, -EMFILE: it was
 * lost, for none was free here, -EMSGSIZE: it has more than 4096 bytes. No
 * descriptor stays open then. Errors of signals_poll else.
 */
int pass_receive(int socket, struct signals *signals, uint64_t deadline,
		 struct text *ret_payload, int *ret_pidfd);

/*
 * Finds out which process pidfd stands for. -ENOTTY, -EREMOTE: see
 * sys_pidfd_pid; -ECHILD if it is over, and is not reaped within a second. The
 * descriptor is the caller's in either case.
 */
int pass_identify(int pidfd, struct signals *signals,
		  struct process *ret_process);

#endif
