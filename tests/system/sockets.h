/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets of a test. An address is a path, or "@" and an abstract name.
 * All sockets are close-on-exec. If the kernel refuses a call, each function
 * fails the test, unless its comment says otherwise.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Each gives an option as one word; see joined() in harness.h. */
#define PASS(address) joined("--pass=", address)
#define RECEIVE(address) joined("--receive=", address)

/* An abstract address that no other test uses at the same time. */
const char *abstract(void);

/* Fills *un for an address that fits into sun_path; returns its size. */
socklen_t fill_address(struct sockaddr_un *un, const char *address);

int new_socket(int type);

/* Makes a pair of connected sockets. */
void open_pair(int type, int pair[2]);

/*
 * Makes a socket and binds it to the address. The path may be too long for
 * sun_path. A file of this name is removed first.
 */
int bind_to(const char *address, int type);

/* Calls bind_to(), and listen(2) unless it is a datagram socket. */
int listen_at(const char *address, int type);

/* Makes a connected socket, or returns -1 with the errno of connect(2). */
int try_connect(const char *address, int type);

/* Connects a stream socket. */
int connect_to(const char *address);

/* Waits for a connection and accepts it. */
int accept_one(int listener);

/*
 * Waits until the other end closes; returns false if data come first. If the
 * other end had unread data when it closed, the kernel gives ECONNRESET, which
 * counts as closed.
 */
bool is_end_of_file(int socket);

#endif
