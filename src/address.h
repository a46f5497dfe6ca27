/* SPDX-License-Identifier: MIT */
/*
 * address - turns an ADDRESS into a connected socket, or finds out that it is
 * an inherited one that listens; and checks which user is at the other end.
 *
 * Every socket that a function here gives is close-on-exec and above
 * descriptor 2, and the caller closes it. No call waits for the peer to accept
 * or to send.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "step.h"
#include "value.h"

/*
 * Connects to a listening stream or seqpacket socket, and gives the connected
 * socket, which does not block. While the socket does not exist or nobody
 * listens on it (-ENOENT, -ECONNREFUSED), tries again for wait_ns nanoseconds;
 * with 0, tries once. -EAGAIN: the backlog is full (connect(2)). -ENOTSOCK: the
 * file at that path is not a socket. -EPROTOTYPE: the socket at that path has
 * another type; an abstract one of another type gives -ECONNREFUSED. -ENOSYS:
 * the path is so long that it takes /proc, which is not there.
 */
int address_connect(const struct address *address, uint64_t wait_ns);

/*
 * Checks the N of fd:N for --receive; gives 0 if N is a Unix socket that is
 * connected or listens, and for an ADDRESS of another kind. -EBADF: N is not
 * open. -ENOTSOCK: it is not a socket. -EAFNOSUPPORT: it is not a Unix socket.
 * -EINVAL: it has no peer, and does not listen.
 */
int address_check_source(const struct address *address);

/*
 * Takes the socket of fd:N. Gives N itself, and makes it close-on-exec, so that
 * COMMAND does not inherit it. COMMAND keeps 0, 1 and 2: for these, gives a
 * copy. *ret_listens says whether the socket listens. With ret_listens NULL,
 * only a connected socket is taken; any other gives -ENOTCONN. Otherwise the
 * errors of address_check_source.
 */
int address_take_fd(const struct address *address, bool *ret_listens);

/* Fills *ret_failure: the fd:N of the option cannot be used. Returns r */
int address_fail_fd(const struct address *address, enum option_id option, int r,
		    struct failure *ret_failure);

/*
 * Gives 0 if the peer is root, spawnfd's own effective user or the user
 * *allowed; otherwise -EPERM, and the user of the peer in ret_failure->number.
 * `allowed` may be NULL. The peer is the user who called connect(2), listen(2)
 * or socketpair(2) for the other end (SO_PEERCRED, unix(7)). In a user
 * namespace, the overflow uid 65534 stands for every user who is not mapped
 * there (user_namespaces(7)). It is refused then, even if it is *allowed.
 */
int address_check_peer(int socket, const struct address *address,
		       const uid_t *allowed, struct failure *ret_failure);

/*
 * Connects the socket to the socket file that `file` stands for, a descriptor
 * opened with O_PATH. The file may have a path that is too long for
 * sun_path (unix(7)). -ENOSYS: there is no /proc. Other errors of connect(2).
 */
int address_connect_file(int socket, int file);

#endif
