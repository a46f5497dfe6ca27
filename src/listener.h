/* SPDX-License-Identifier: MIT */
/*
 * listener - ADDRESS to a listening socket, whose name is there only while
 * connections are accepted.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "atomic_name.h"
#include "value.h"

/* The descriptors are listener's, above 2 and close-on-exec */
struct listener {
	int fd;
	struct atomic_name name; /* of a path; its directory is -1 without */
};

/*
 * Listens for streams, at a path with mode 0600. A dead socket of one's own in
 * the way is replaced; -EADDRINUSE if a live one is there, whom the question
 * does not disturb, -EEXIST if it is anything else.
 */
int listener_open(const struct address *address, struct listener *ret_listener);

/* The next connection, without waiting for one: -EAGAIN */
int listener_accept(const struct listener *listener);

/* Takes the name away and closes; does nothing when called again */
void listener_close(struct listener *listener);

#endif
