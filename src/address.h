/* SPDX-License-Identifier: MIT */
/*
 * address - ADDRESS to a connected socket, and who is at the other end of it.
 *
 * Sockets are close-on-exec and never among 0, 1 and 2; who calls closes them.
 * Nothing here waits for the other end.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <sys/types.h>

#include "value.h"

/*
 * Connects to a stream or a seqpacket listener. -EPROTOTYPE: it is neither;
 * -EAGAIN: its backlog is full. While nobody listens (-ENOENT, -ECONNREFUSED)
 * it tries again until wait_ns nanoseconds are over.
 */
int address_connect(const struct address *address, uint64_t wait_ns);

/*
 * 0, also of another kind than fd:N; or why N is none: -EBADF, -ENOTSOCK,
 * -EAFNOSUPPORT, -ENOTCONN
 */
int address_check_fd(const struct address *address);

/*
 * The socket of fd:N. N itself, which is close-on-exec from now on; but 0, 1
 * and 2 are the command's too, so of them it is a copy. Errors as above.
 */
int address_take_fd(const struct address *address);

/*
 * 0 if the other end has been made by root, by spawnfd's own user or, if there
 * is one, by the one allowed (SO_PEERCRED); else -EPERM. In a user namespace
 * the overflow uid is anybody (user_namespaces(7)), and so is refused.
 */
int address_check_peer(int socket, const uid_t *allowed);

/*
 * connect(2) to the socket file that is open (O_PATH) as file, so that no path
 * is too long for it; takes /proc
 */
int address_connect_file(int socket, int file);

#endif
