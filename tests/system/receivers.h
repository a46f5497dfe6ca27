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
#define LONGEST 4096		/* bytes of a payload */

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
	char rest[1024];	/* what was still unread there at its end */
};

static const struct setup nothing_special;

/* What a receiver says when another one has its name. */
static const char busy[] = "somebody listens there already";

bool begins(const char *text, const char *with);

/* ---- names ---- */

/* A directory that has nothing in it but what a test puts there. */
const char *home(void);

/* NAME in home(), in one of a few static buffers. */
const char *at_home(const char *name);

/* The usual name of the socket, in home(). */
const char *sock(void);

/* Whether the file is a socket; a symbolic link to one is none. */
bool is_socket(const char *path);

/* Expects that many files in home(). */
#define expect_home(n) \
	cr_expect_eq(count_files(home(), ""), n, "%d files, wanted %d", \
		     count_files(home(), ""), n)

/* ---- receivers ---- */

/* Starts argv, which may have STATUS in it, with descriptors 70 and 71. */
void start_receiver(struct receiver *v, const struct setup *setup,
		    const char *const argv[]);

/* Starts it with STATUS, and waits until it listens. */
void receive_at(struct receiver *v, const struct setup *setup,
		const char *address);

/* Reads the first status line, which must say that it listens. */
void await_listening(struct receiver *v);

/* Reads the status line that says what it has received; returns the pid. */
pid_t await_received(struct receiver *v);

/* Whether it comes to listen; otherwise it has ended. */
bool comes_to_listen(struct receiver *v);

/* Reads what is left of the status lines, after the end, into v->rest. */
void read_rest(struct receiver *v);

/* finish() and read_rest(). */
void finish_receiver(struct receiver *v, struct ended *e);

/* The same where others may have its pipes still; returns the wait status. */
int bury(struct receiver *v);

/*
 * How a message gets to a receiver: over a socket pair of that type, or over a
 * connection to its name.
 */
#define LISTENED 0
static const int channels[] = { LISTENED, SOCK_STREAM, SOCK_SEQPACKET,
				SOCK_DGRAM };

/* Starts a receiver; returns the socket that leads to it. */
int open_channel(struct receiver *v, int type);

/* Expects status 125, and a single line on standard error, with that text. */
void expect_one_line(const struct ended *e, const char *text);

/* Finishes a receiver that must refuse what it has received. */
void expect_not_taken(struct receiver *v, const char *text);

/* Finishes a receiver that has held what it received, and ends as that did. */
void expect_taken(struct receiver *v, int code);

/* Finishes a receiver that must have said nothing on standard error. */
void expect_quiet_end(struct receiver *v, int code);

/* ---- what is passed to them ---- */

/* Waits for a spawnfd with --pass, which must have sent the message. */
void expect_passed(struct running *p);

/* Passes "actor echo" on, which ends at the end of its input. */
void pass_echo(struct running *p, uid_t uid, const char *address);

/* Passes a command to the receiver, and expects that it holds it to its end. */
void expect_works(struct receiver *v, uid_t uid, const char *address);

/* Starts a child of the test, which exits with that code after end_child(). */
void start_child(struct running *c, const char *code);

void end_child(struct running *c, int code);

/* ---- signals ---- */

/* Expects the wait status of a death by that signal, without a core file. */
void expect_died_of(int status, int sig);

/* Sends the signal to a receiver, and expects that it dies of it. */
void end_with(struct receiver *v, int sig);

/* For setup->also. */
void allow_own_cores(void);

/* ---- sockets of others ---- */

/* Expects that nobody has connected or written to it. */
void expect_nothing_arrived(int socket);

/* A pair that NOBODY has made: SO_PEERCRED says so of both ends. */
void make_foreign_pair(int pair[2]);

#endif
