/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets of a test. An address is a path, or "@" and an abstract name.
 * All sockets are closed by an exec; each function fails the test where the
 * kernel refuses, unless it says otherwise.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Words for spawnfd; see joined() in harness.h. */
#define PASS(address) joined("--pass=", address)
#define RECEIVE(address) joined("--receive=", address)

/* An abstract address that no other test uses at the same time. */
const char *abstract(void);

/* Fills *un for an address that sun_path has room for; returns its size. */
socklen_t fill_address(struct sockaddr_un *un, const char *address);

int new_socket(int type);

/* A new pair of connected sockets. */
void open_pair(int type, int pair[2]);

/*
 * A new socket at that address, which may be too long a path for sun_path.
 * A file that has this name is removed first.
 */
int bind_to(const char *address, int type);

/* The same, and it listens, unless datagram sockets cannot. */
int listen_at(const char *address, int type);

/* A new socket that is connected, or -1 with errno of connect. */
int try_connect(const char *address, int type);

/* Connects a stream socket. */
int connect_to(const char *address);

/* Waits for a connection and accepts it. */
int accept_one(int listener);

/*
 * Waits for the other end to close; data that come first say no. If the other
 * end closed it with data unread, the kernel says so with ECONNRESET.
 */
bool is_end_of_file(int socket);

#endif
