/* SPDX-License-Identifier: MIT */
/*
 * What --pass is tested with: a process that takes the message, what is to be
 * seen of the message, and the calls that strace shows.
 */
#ifndef PASSING_H
#define PASSING_H

#include <sys/socket.h>

#include "harness.h"
#include "message.h"

static const int listening_types[] = { SOCK_STREAM, SOCK_SEQPACKET };
static const int pair_types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
static const char *const ways[] = { "--", "--autokill" };

/* 300 bytes, of which sun_path has room for a third */
const char *long_path(void);

/* ---- messages ---- */

/* Whether it is whole, and has a pidfd and no other control message. */
bool is_message(const struct message *m);

/*
 * Expects the end of file. Of a datagram socket, which does not tell that its
 * other end is closed, it expects that nothing is there.
 */
void expect_nothing_more(int socket, int type);

/* Expects one message and then no other; returns its pidfd. */
int expect_one_message(int socket, int type);

/* The same of a connection, which it accepts and closes. */
int expect_one_connection(int listener);

/* ---- commands ---- */

/* Whether the process ends, and is reaped, before there is silence. */
bool is_gone_soon(int pidfd);

/* Kills a command that was left to this test, and closes the pidfd. */
void end_command(int pidfd);

/* ---- a process that takes the message ---- */

/* How it lets go of what it has taken. */
enum fate {
	CLOSES_THE_PIDFD,
	EXITS,
	IS_KILLED,
	DROPS_IT_UNREAD,
	READS_IT_PLAINLY,
	CLOSES_ITS_LISTENER,
	DIES_WITHOUT_ACCEPTING,
	FATES
};

struct taker {
	pid_t pid;
	int talk;		/* a byte comes when it has the message, */
};				/* and it lets go when a byte is the answer */

/* The test has no listener then: it is the taker's alone. */
void start_taker(struct taker *taker, int listener, enum fate fate);

/* Kills it. */
void end_taker(struct taker *taker);

/* ---- peers and calls ---- */

/* A listener that accepts nobody and has no room for one more connection. */
int listen_full(const char *address, int type, int *ret_first);

/*
 * The sockets that are made from now on are of that user: unix(7) has the
 * credentials of the time of listen(2) and socketpair(2).
 */
void become_peer(uid_t uid);

/* Reads what it has said, when nobody else has its pipes any more. */
void conclude(struct running *r, struct ended *e, int status);

/* How often the text has that part. */
int count(const char *text, const char *part);

/* spawnfd under strace, which tells of these calls on standard error. */
void start_traced(struct running *r, const struct way *way, const char *calls,
		  const char *option, const char *address);
void run_traced(struct ended *e, const struct way *way, const char *calls,
		const char *option, const char *address);

#endif
