/* SPDX-License-Identifier: MIT */
/*
 * listener - turns an ADDRESS into a listening socket, whose name exists only
 * while connections are accepted; or listens on an inherited one.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>

#include "atomic_name.h"
#include "value.h"

/* The descriptors are above 2 and close-on-exec; listener_close closes them */
struct listener {
	int fd;
	/* the socket file; directory is -1 if spawnfd has not made one */
	struct atomic_name name;
	bool must_block;	/* inherited without O_NONBLOCK */
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
 * Makes a listener of a listening socket that spawnfd has inherited. Other
 * processes may have the socket too. It does not block until listener_close,
 * which closes fd, and leaves the socket and its name as they were.
 */
void listener_inherit(int fd, struct listener *ret_listener);

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
