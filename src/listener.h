/* SPDX-License-Identifier: MIT */
/*
 * listener - turns an ADDRESS into a listening socket. The socket's name exists
 * only while connections are accepted.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "atomic_name.h"
#include "value.h"

/* The descriptors are above 2 and close-on-exec; listener_close closes them */
struct listener {
	int fd;
	struct atomic_name name; /* the socket file; directory -1 if abstract */
};

/*
 * Listens for stream connections: at a path, whose socket file gets mode 0600,
 * or at an abstract name. Replaces a socket file of spawnfd's own user on which
 * nobody listens. -EADDRINUSE: the name belongs to a live socket, which does
 * not notice the check. -EEXIST: the path belongs to any other file. On failure
 * nothing stays open. The address must outlive the listener.
 */
int listener_open(const struct address *address, struct listener *ret_listener);

/*
 * Takes the next connection without waiting; -EAGAIN if there is none. The
 * socket is close-on-exec, does not block, and belongs to the caller.
 */
int listener_accept(const struct listener *listener);

/*
 * Closes the socket, and first removes its file, unless that is another file by
 * now. Does nothing when it is called again.
 */
void listener_close(struct listener *listener);

#endif
