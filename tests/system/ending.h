/* SPDX-License-Identifier: MIT */
/*
 * What ends a command that is held, set up for a test: a time limit, the
 * parent, another process, a hang-up; and what the last status line says of it.
 */
#ifndef ENDING_H
#define ENDING_H

#include <sys/socket.h>
#include <time.h>

#include "harness.h"

#define WATCHED 7		/* the descriptor for --die-with-fd */

#define NOTHING "--status-fd=2"	/* where an option more is to say nothing */

/* Starts its arguments as a shell's child: "sh" is $0. */
#define FROM_SH "/bin/sh", "-c", "\"$@\"; :", "sh"

void kill_and_close(struct running *r);

/* Waits for the end of the command, which is at hand; closes the pidfd. */
void expect_gone(int command);

/* The pid in the first status line, which comes out of fd. */
pid_t read_running(int fd);
long long now_ms(clockid_t clock);

/* As in QEMU: how long the start of a program takes, from three of them */
bool is_slow(void);

/*
 * Seconds in which a command has come to be stopped, and sees signals; and that
 * SIGKILL waits so that they are seen. On a busy machine too.
 */
#define ENOUGH "4"
#define A_WHILE "--kill-after=2"

/*
 * A signal to spawnfd comes back out of its witness, twice: all that was there
 * before the first one has been looked at by then.
 */
void ping_twice(struct running *r, pid_t holder);

/* What was started by a shell is this subreaper's when that is killed. */
void kill_parent(struct running *r);

enum cause { TIMEOUT, PARENT, PID, FD, CAUSES };

/* What there has to be for an end, and what spawnfd inherits of it. */
struct stage {
	enum cause cause;
	const char *with;
	bool stopped;
	bool received;
	struct running bystander;
	int given, ours;	/* the ends of a pipe */
	int socket;		/* for a received command */
	char option[64];
};

void set_stage(const void *arg);
void open_stage(struct stage *stage);
void strike(struct stage *stage, struct running runs[], size_t n);
void close_stage(struct stage *stage);
void expect_last_line(const struct ended *e, const char *line);

/* code: of the command, if it was not killed */
void expect_status_line(const struct ended *e, enum cause cause, bool killed,
			int code);

static const char *const ways[] = { "--", "--autoreap", "--autokill" };

#endif
