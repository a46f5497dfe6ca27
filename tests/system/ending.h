/* SPDX-License-Identifier: MIT */
/*
 * The causes for which spawnfd ends COMMAND, set up for a test: a time limit,
 * the parent, another process, a hang-up; and the status line that names one.
 */
#ifndef ENDING_H
#define ENDING_H

#include <sys/socket.h>
#include <time.h>

#include "harness.h"

#define WATCHED 7		/* the descriptor for --die-with-fd */

/* An option that does nothing but write status lines to standard error. */
#define NOTHING "--status-fd=2"

static const char *const ways[] = { "--", "--autoreap", "--autokill" };

/* Words before spawnfd: they make it the child of a shell that waits for it. */
#define FROM_SH "/bin/sh", "-c", "\"$@\"; :", "sh"

void kill_and_close(struct running *r);

/* Waits for a command that is about to end; closes the pidfd. */
void expect_gone(int command);

/* Reads the first status line from fd, and returns the pid in it. */
pid_t read_running(int fd);

long long now_ms(clockid_t clock);

/* Tells whether programs start slowly here, as they do in QEMU. */
bool is_slow(void);

/*
 * ENOUGH seconds are enough for COMMAND to be ready for signals, or to stop
 * itself, on a busy machine too. A_WHILE is how long SIGKILL waits, so that
 * COMMAND sees the first signal.
 */
#define ENOUGH "4"
#define A_WHILE "--kill-after=2"

/*
 * Sends a signal to spawnfd, and waits until "actor witness" prints it. Does so
 * twice: when the second signal arrives, spawnfd has looked at everything that
 * came before the first.
 */
void ping_twice(struct running *r, pid_t holder);

/* Kills the shell of FROM_SH. *r is then its child, which the test inherits. */
void kill_parent(struct running *r);

enum cause { TIMEOUT, PARENT, PID, FD, CAUSES };

/* The things that a cause needs. spawnfd inherits `given` and `socket`. */
struct stage {
	enum cause cause;
	const char *with;
	bool stopped;
	bool received;
	struct running bystander;	/* the process of --die-with-pid */
	int given, ours;	/* the ends of a pipe */
	int socket;		/* for --pass and --receive; -1: none */
	char option[64];
};

/* For way->prepare: arg is a struct stage. */
void set_stage(const void *arg);

/* Sets up the rest of a stage whose cause is set. */
void open_stage(struct stage *stage);

/* Brings the cause about, for n spawnfds that were started on this stage. */
void strike(struct stage *stage, struct running runs[], size_t n);

void close_stage(struct stage *stage);

/* Expects that standard error ends with this line. */
void expect_last_line(const struct ended *e, const char *line);

/* Expects the last status line: killed, or exited with that code. */
void expect_status_line(const struct ended *e, enum cause cause, bool killed,
			int code);

#endif
