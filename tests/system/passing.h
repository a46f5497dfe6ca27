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

bool is_message(const struct message *m);

/* A datagram socket does not tell that its other end is closed. */
void expect_nothing_more(int socket, int type);

/* One message and then no other; its pidfd */
int expect_one_message(int socket, int type);
int expect_one_connection(int listener);

/* ---- commands ---- */

/* Whether the process ends, and is reaped, before there is silence. */
bool is_gone_soon(int pidfd);

/* Ends what runs still, which was left to this test */
void end_command(int pidfd);

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
	int talk;
};

/* The listener is the receiver's alone then. */
void start_taker(struct taker *taker, int listener, enum fate fate);
void end_taker(struct taker *taker);

/* A listener that does not accept, and has no room for one more */
int listen_full(const char *address, int type, int *ret_first);

/* unix(7): the credentials are those at the time of listen or socketpair. */
void become_peer(uid_t uid);

/* What it said, once nobody but this test has its pipes any more */
void conclude(struct running *r, struct ended *e, int status);
int count(const char *text, const char *part);
void start_traced(struct running *r, const struct way *way, const char *calls,
		  const char *option, const char *address);
void run_traced(struct ended *e, const struct way *way, const char *calls,
		const char *option, const char *address);

#endif
