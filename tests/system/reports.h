/* SPDX-License-Identifier: MIT */
/*
 * What spawnfd tells programs, as a test reads it: the lines of --status-fd=5,
 * with the descriptors, limits and umask that spawnfd is given.
 */
#ifndef REPORTS_H
#define REPORTS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "harness.h"

#define FD 5			/* of --status-fd */

#define STATUS "--status-fd=5"
#define TO_PEER "--pass=fd:6"
#define FROM_PEER "--receive=fd:6"
#define HOLD "--pidfd"		/* says nothing */
#define LINES 8

/* What the child makes of itself before it executes spawnfd; 0 is none. */
struct scene {
	int status;		/* becomes FD */
	int peer;		/* becomes PEER */
	int other;		/* becomes OTHER */
	unsigned int closed;	/* bit N: standard descriptor N */
	bool foreign;		/* PEER is the socket of another user */
	bool cores;
	bool limited;		/* files to size */
	rlim_t size;
	mode_t mask;		/* umask */
};

void set_scene(const void *arg);

/* Out of the way of all that a child is given. */
int far(int fd);
void open_far_pair(int type, int *ours, int *theirs);

/* pipe(2), O_DIRECT: a read gives what one write was. */
void open_packets(int *ours, int *theirs);

/* ---- reading the lines ---- */

struct lines {
	size_t count;
	char text[LINES][4096];
};

/* The next write; false if there will be none. */
bool take_line(int fd, struct lines *lines);

/* Those up to the end of file. */
void take_lines(int fd, struct lines *lines);
__attribute__((format(printf, 3, 4)))
void expect_line(const struct lines *lines, size_t number, const char *format,
		 ...);
void expect_running(const struct lines *lines, size_t number, pid_t pid,
		    unsigned long inode);

/* The same where nobody knows the pid but the line. */
pid_t expect_some_running(const struct lines *lines, size_t number);

/* Runs it with a pipe as FD, and takes all lines that come out of that. */
void run_told(struct ended *e, struct lines *lines, struct scene *scene,
	      const char *const argv[]);
void start_told(struct running *r, struct scene *scene, int *ours,
		const char *const argv[]);

/* Starts spawnfd as a sender, with the other end of PEER. */
void send_to(int socket, struct running *r, const char *with, const char *verb,
	     const char *argument);

#define FILLING '#'		/* is in no line */

void fill(int fd);
void open_plain_pipe(int *ours, int *theirs);

/* Any number of objects without objects inside, one a line, and no piece. */
void expect_whole_lines(const char *text, const char *what);

/* The same once, so that the two lines of one hold are all that can come. */
void run_once_with(int theirs, uid_t uid, const char *with, const char *what);
void expect_end_of_file(int fd);
void expect_content(const char *path, const char *wanted);
void expect_pid(const char *path, pid_t pid);

#endif
