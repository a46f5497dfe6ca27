/* SPDX-License-Identifier: MIT */
/*
 * Receivers: spawnfd --receive as a test starts it, and what is passed to it.
 * They have --status-fd=70, of which the test has the other end, and listen at
 * home(), where nothing else is.
 */
#ifndef RECEIVERS_H
#define RECEIVERS_H

#include <sys/socket.h>

#include "harness.h"

#define STATUS_FD 70
#define STATUS "--status-fd=70"
#define SOCKET_FD 71
#define SOCKET "fd:71"
#define LONGEST 4096		/* of a payload */

#define LISTENED 0		/* a channel that is no pair */

/* How a receiver is started. All zero: as root, with nothing special. */
struct setup {
	uid_t uid;
	const char *dir;
	int socket;		/* becomes SOCKET_FD; 0: none */
	void (*also)(void);	/* in the child, before exec */
};

struct receiver {
	struct running r;
	int status;		/* the other end of its --status-fd */
	char rest[1024];	/* what was still unread of that at its end */
};

static const struct setup nothing_special;

bool begins(const char *text, const char *with);

/* ---- names ---- */

/* A directory in which only sockets of the test are; NAME in it. */
const char *home(void);
const char *at_home(const char *name);
const char *sock(void);

#define expect_home(n) \
	cr_expect_eq(count_files(home(), ""), n, "%d files, wanted %d", \
		     count_files(home(), ""), n)

/* ---- receivers ---- */

/* argv has STATUS in it, or not */
void start_receiver(struct receiver *v, const struct setup *setup,
		    const char *const argv[]);

/* It has ended: what it still said on its way out */
void read_rest(struct receiver *v);
void finish_receiver(struct receiver *v, struct ended *e);

/* It has been killed; the wait status */
int bury(struct receiver *v);
void await_listening(struct receiver *v);

/* The pid that it says it has received. */
pid_t await_received(struct receiver *v);
void receive_at(struct receiver *v, const struct setup *setup,
		const char *address);

/* A receiver, and the socket that leads to it: of a pair, or connected. */
int open_channel(struct receiver *v, int type);

/* Refused with that in the only line of its standard error */
void expect_one_line(const struct ended *e, const char *text);

/* The end of one that received what it must not take */
void expect_not_taken(struct receiver *v, const char *text);
void expect_taken(struct receiver *v, int code);

/* It has ended with that code, and said nothing. */
void expect_quiet_end(struct receiver *v, int code);

/* ---- what is passed to them ---- */

void expect_passed(struct running *p);

/* A command that echoes, and by its end of file ends, is passed on. */
void pass_echo(struct running *p, uid_t uid, const char *address);

/* The whole way, of which nothing but success is expected */
void expect_works(struct receiver *v, uid_t uid, const char *address);

/* A child of the test that ends as its input does, with that status */
void start_child(struct running *c, const char *code);
void end_child(struct running *c, int code);

/* ---- signals ---- */

void expect_died_of(int status, int sig);
void end_with(struct receiver *v, int sig);
void allow_own_cores(void);

static const int channels[] = { LISTENED, SOCK_STREAM, SOCK_SEQPACKET,
				SOCK_DGRAM };

bool is_socket(const char *path);

static const char busy[] = "somebody listens there already";

void expect_nothing_arrived(int socket);

/* Whether it has come to listen; the other possibility is that it ended. */
bool comes_to_listen(struct receiver *v);

/* A pair whose maker is NOBODY; SO_PEERCRED says so of both ends. */
void make_foreign_pair(int pair[2]);

#endif
