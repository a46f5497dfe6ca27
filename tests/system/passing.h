/* SPDX-License-Identifier: MIT */
/*
 * Tests of --pass share this: a process that takes the message, checks of the
 * message, and spawnfd under strace.
 */
#ifndef PASSING_H
#define PASSING_H

#include <sys/socket.h>

#include "harness.h"
#include "message.h"

static const int listening_types[] = { SOCK_STREAM, SOCK_SEQPACKET };
static const int pair_types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
static const char *const ways[] = { "--", "--autokill" };

/* Returns a path of 300 bytes; sun_path has room for a third of it. */
const char *long_path(void);

/* ---- messages ---- */

/* Tells whether the message is whole, and a pidfd its one control message. */
bool is_message(const struct message *m);

/*
 * Expects the end of file. A datagram socket does not tell that its other end
 * is closed, so there the function expects that no message is there.
 */
void expect_nothing_more(int socket, int type);

/* Expects one message and then no other; returns its pidfd. */
int expect_one_message(int socket, int type);

/* Accepts a connection, expects one message, closes it; returns the pidfd. */
int expect_one_connection(int listener);

/* ---- commands ---- */

/* Tells whether the process ends and is reaped before there is silence. */
bool is_gone_soon(int pidfd);

/* Kills a command that was left to this test, and closes the pidfd. */
void end_command(int pidfd);

/* ---- a process that takes the message ---- */

/* How a taker lets go of the message or its pidfd. */
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
	/*
	 * The taker writes a byte when it has the message, and lets go of it
	 * when it reads a byte.
	 */
	int talk;
};

/* Starts a taker, which gets the listener: the test closes its own copy. */
void start_taker(struct taker *taker, int listener, enum fate fate);

/* Kills the taker and reaps it. */
void end_taker(struct taker *taker);

/* ---- peers and calls ---- */

/* Makes a listener whose backlog is full, with *ret_first waiting in it. */
int listen_full(const char *address, int type, int *ret_first);

/*
 * Makes the test the peer `uid` on sockets from now on: the peer credentials
 * are those at the time of listen(2) and socketpair(2), says unix(7).
 */
void become_peer(uid_t uid);

/*
 * Reads what an ended program has written, and closes its pipes. Nobody else
 * may have the pipes any more.
 */
void conclude(struct running *r, struct ended *e, int status);

/* Counts how often the part is in the text. */
int count(const char *text, const char *part);

/* Run spawnfd --pass under strace, which prints the calls to standard error. */
void start_traced(struct running *r, const struct way *way, const char *calls,
		  const char *option, const char *address);
void run_traced(struct ended *e, const struct way *way, const char *calls,
		const char *option, const char *address);

#endif
