/* SPDX-License-Identifier: MIT */
/* Messages with a pidfd: what --pass sends and what --receive takes. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#define CONTROL_SIZE 256	/* room for more than there may be */

/* One that was received. */
struct message {
	ssize_t length;		/* 0: end of file, < 0: nothing is there */
	char text[4200];
	int pidfd;		/* or -1 */
	pid_t sender;		/* from the credentials, or 0 */
	int parts;		/* control messages, */
	size_t control;		/* and the bytes of all */
	int flags;
};

/*
 * Neither waits nor asserts: receivers in a fork use it too. There is room for
 * that many bytes of control messages.
 */
void take_message(int socket, struct message *m, size_t room);

/* Waits for it; fails at anything but a message or the end of file. */
void await_message(int socket, struct message *m);

/* ---- one to send ---- */

#define MANY 200		/* descriptors in one message */

struct outgoing {
	const char *text;
	size_t length;
	int fds[MANY];
	size_t count;
};

/* As sendmsg(2). */
ssize_t try_send(int socket, const struct outgoing *m);

void send_message(int socket, const struct outgoing *m);

/* One that has a single descriptor. */
void send_one(int socket, const char *text, size_t length, int fd);

/* Waits for a message with one descriptor, and terminates its text. */
int await_pidfd(int socket, char *text, size_t size, size_t *length);

#endif
