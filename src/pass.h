/* SPDX-License-Identifier: MIT */
/*
 * pass - sends and receives the one message that hands a process over: a line
 * of text, and with it the pidfd (SCM_RIGHTS, unix(7)). The format is that of
 * runc's --pidfd-socket.
 */
#ifndef PASS_H
#define PASS_H

#include "process.h"
#include "signals.h"
#include "text.h"

/*
 * Sends the payload, at most 4096 bytes, and the pidfd, which stays open here.
 * An empty payload becomes one space, because a stream socket needs a byte to
 * carry a descriptor (unix(7)). Does not wait, and raises no SIGPIPE.
 *
 * On failure nothing was sent. -EPIPE, -ECONNRESET or -ECONNREFUSED: the
 * receiver is gone. -EAGAIN: its queue is full. -EPERM: it refuses file
 * descriptors (SO_PASSRIGHTS, Linux 6.16). -ETOOMANYREFS: too many of this
 * user's file descriptors are in flight (unix(7)).
 */
int pass_send(int socket, const struct text *payload, int pidfd);

/*
 * Takes the message without waiting for it. The caller owns *ret_pidfd, which
 * is close-on-exec.
 *
 * On failure no descriptor stays open. -EAGAIN: no message is there yet.
 * -ENOMSG: the peer closed the connection and sent nothing, or the receiving
 * side of the socket was shut down (shutdown(2)). -EBADMSG: the message had no
 * file descriptor. -E2BIG: it had several. -EMFILE: it had one, but no number
 * was free here, so that the kernel dropped it. -EMSGSIZE: the payload exceeds
 * 4096 bytes. Otherwise the errors of recvmsg(2).
 */
int pass_receive(int socket, struct text *ret_payload, int *ret_pidfd);

/*
 * Finds out which process the pidfd refers to. If that process has ended, waits
 * up to CLOCK_PATIENCE_NS until it is reaped, and gives it the pid 0.
 * *ret_process has the same pidfd, which the caller still owns.
 *
 * -ENOTTY: it is not a pidfd. -EREMOTE: the process is in a PID namespace that
 * cannot be seen from here. -ECHILD: the process has ended, but nobody has
 * reaped it. Otherwise the errors of signals_poll.
 */
int pass_identify(int pidfd, struct signals *signals,
		  struct process *ret_process);

#endif
