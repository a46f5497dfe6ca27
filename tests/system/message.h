/* SPDX-License-Identifier: MIT */
/* Messages with a pidfd: what --pass sends and what --receive takes. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#define CONTROL_SIZE 256	/* more than the right message has */

/* A message that was received. */
struct message {
	ssize_t length;		/* 0: end of file; < 0: no message is there */
	char text[4200];
	int pidfd;		/* -1: none */
	pid_t sender;		/* from the credentials; 0: none came */
	int parts;		/* the number of control messages */
	size_t control;		/* the bytes of all control messages */
	int flags;		/* MSG_TRUNC and MSG_CTRUNC */
};

/*
 * Takes a message without waiting and without assertions, because receivers in
 * a fork use it too. `room` is the number of bytes for control messages.
 */
void take_message(int socket, struct message *m, size_t room);

/* Waits for a message or the end of file; fails the test at an error. */
void await_message(int socket, struct message *m);

/* ---- a message to send ---- */

#define MANY 200		/* descriptors in one message */

struct outgoing {
	const char *text;
	size_t length;
	int fds[MANY];
	size_t count;
};

/* Returns what sendmsg(2) returns. */
ssize_t try_send(int socket, const struct outgoing *m);

void send_message(int socket, const struct outgoing *m);

/* Sends a message with one descriptor. */
void send_one(int socket, const char *text, size_t length, int fd);

/* Waits for a message with one descriptor, and ends its text with NUL. */
int await_pidfd(int socket, char *text, size_t size, size_t *length);

#endif
