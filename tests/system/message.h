/* SPDX-License-Identifier: MIT */
/* What --pass sends, as a receiver sees it. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#define CONTROL_SIZE 256	/* room for more than there may be */

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
 * Without waiting, and without assertions: receivers in a fork use it too. So
 * many bytes of control messages find room.
 */
void take_message(int socket, struct message *m, size_t room);

/* Waits for it; fails at anything but a message or the end of file. */
void await_message(int socket, struct message *m);

#endif
