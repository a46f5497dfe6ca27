/* SPDX-License-Identifier: MIT */
/*
 * Receivers: spawnfd --receive as a test starts it, and what is passed to it.
 * A receiver has --status-fd=70, and the test has the other end of that. It
 * listens in home(), which is empty otherwise.
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

/* How a receiver is started. All zero means as root, with nothing special. */
struct setup {
	uid_t uid;
	const char *dir;
	int socket;		/* becomes SOCKET_FD; 0: none */
	void (*also)(void);	/* in the child, before exec */
};

struct receiver {
	struct running r;
	int status;		/* the other end of its --status-fd */
	char rest[1024];	/* status lines still unread at its end */
};

static const struct setup nothing_special;

/* The message of a receiver when another one has its name. */
static const char busy[] = "somebody listens there already";

bool begins(const char *text, const char *with);

/* ---- names ---- */

/* A directory that is empty until the test puts something into it. */
const char *home(void);

/* NAME in home(), in one of a few static buffers. */
const char *at_home(const char *name);

/* The usual name of the socket, in home(). */
const char *sock(void);

/* Whether the file is a socket; a symbolic link to one is none. */
bool is_socket(const char *path);

/* Expects n files in home(). */
#define expect_home(n) \
	cr_expect_eq(count_files(home(), ""), n, "%d files, wanted %d", \
		     count_files(home(), ""), n)

/* ---- receivers ---- */

/* Starts argv, which may contain STATUS, with descriptors 70 and 71. */
void start_receiver(struct receiver *v, const struct setup *setup,
		    const char *const argv[]);

/* Starts a receiver with STATUS, and waits until it listens. */
void receive_at(struct receiver *v, const struct setup *setup,
		const char *address);

/* Reads the first status line, which must say that it listens. */
void await_listening(struct receiver *v);

/* Reads the status line of the received process; returns its pid. */
pid_t await_received(struct receiver *v);

/* Waits until the receiver listens; false if it gives up instead. */
bool comes_to_listen(struct receiver *v);

/* Reads the remaining status lines into v->rest, after the receiver's end. */
void read_rest(struct receiver *v);

/* Calls finish() and read_rest(). */
void finish_receiver(struct receiver *v, struct ended *e);

/*
 * Waits for the receiver's end, where other processes may still have its pipes.
 * Returns the wait status.
 */
int bury(struct receiver *v);

/*
 * How a message gets to a receiver: over a socket pair of that type, over a
 * connection to its name, or over one to a listening socket that it inherits.
 */
#define LISTENED 0
#define ACTIVATED (-1)
static const int channels[] = { LISTENED, ACTIVATED, SOCK_STREAM,
				SOCK_SEQPACKET, SOCK_DGRAM };
static const int socket_types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

/* Starts a receiver; returns the socket that leads to it. */
int open_channel(struct receiver *v, int type);

/* Starts a receiver that inherits the socket; waits until it listens. */
void receive_from(struct receiver *v, int socket);

/* Expects status 125, and a single line on standard error, with that text. */
void expect_one_line(const struct ended *e, const char *text);

/* Finishes a receiver that must refuse what it has received. */
void expect_not_taken(struct receiver *v, const char *text);

/* Finishes a receiver whose held process must have exited with that code. */
void expect_taken(struct receiver *v, int code);

/* Finishes a receiver that must have said nothing on standard error. */
void expect_quiet_end(struct receiver *v, int code);

/* ---- what is passed to them ---- */

/* Waits for the end of a spawnfd --pass, which must have sent its message. */
void expect_passed(struct running *p);

/* Passes "actor echo", which exits at the end of its input. */
void pass_echo(struct running *p, uid_t uid, const char *address);

/* Passes a command to the receiver, which must hold it until it exits. */
void expect_works(struct receiver *v, uid_t uid, const char *address);

/* Starts a child of the test, which exits with that code after end_child(). */
void start_child(struct running *c, const char *code);

void end_child(struct running *c, int code);

/* Starts a child that has exited with that code, and that nobody has reaped. */
void start_zombie(struct running *c, const char *code);

/* ---- signals ---- */

/* Expects the wait status of a death by that signal, without a core file. */
void expect_died_of(int status, int sig);

/* Sends the signal to a receiver, and expects that it dies of it. */
void end_with(struct receiver *v, int sig);

/* For setup->also: allows core files. */
void allow_own_cores(void);

/* ---- sockets of others ---- */

/* Expects that nobody has connected or written to it. */
void expect_nothing_arrived(int socket);

/* Makes a pair as NOBODY, whom SO_PEERCRED then names at both ends. */
void make_foreign_pair(int pair[2]);

#endif
