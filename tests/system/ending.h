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

/* An option that does nothing but write status lines to standard error. */
#define NOTHING "--status-fd=2"

static const char *const ways[] = { "--", "--autoreap", "--autokill" };

/* Before a command: it becomes the child of a shell, which waits for it. */
#define FROM_SH "/bin/sh", "-c", "\"$@\"; :", "sh"

void kill_and_close(struct running *r);

/* Waits for the end of the command, which is at hand; closes the pidfd. */
void expect_gone(int command);

/* The pid in the first status line, which comes out of fd. */
pid_t read_running(int fd);

long long now_ms(clockid_t clock);

/* Whether programs start slowly here, as in QEMU. */
bool is_slow(void);

/*
 * Seconds in which a command is ready for signals, or has stopped itself, on a
 * busy machine too; and those that SIGKILL waits, so that the first signal is
 * seen.
 */
#define ENOUGH "4"
#define A_WHILE "--kill-after=2"

/*
 * Sends a signal to spawnfd, and waits until "actor witness" tells of it. Does
 * so twice: when the second signal arrives, spawnfd has looked at all that came
 * before the first.
 */
void ping_twice(struct running *r, pid_t holder);

/* Kills the shell of FROM_SH. *r is then its child, which the test inherits. */
void kill_parent(struct running *r);

enum cause { TIMEOUT, PARENT, PID, FD, CAUSES };

/* The things that an end needs, and those that spawnfd inherits. */
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

/* For way->prepare: arg is a struct stage. */
void set_stage(const void *arg);

/* Sets up a stage that has its cause. */
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
