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
#define LINES 8			/* more than ever come */

/* What the process makes of itself before it executes spawnfd; 0 is none. */
struct scene {
	int status;		/* becomes FD, 5 */
	int peer;		/* becomes 6 */
	int other;		/* becomes 7, of no use to spawnfd */
	unsigned int closed;	/* bit N: standard descriptor N */
	bool foreign;		/* 6 is a socket of another user */
	bool cores;
	bool limited;		/* files to size */
	rlim_t size;
	mode_t mask;		/* umask */
};

/* For way->prepare: arg is a struct scene. */
void set_scene(const void *arg);

/* Moves it to 100 or higher, out of the way of what spawnfd is given. */
int move_fd_up(int fd);

/* As open_pair(), moved up. */
void open_far_pair(int type, int *ours, int *theirs);

/* A pipe with O_DIRECT, moved up: a read gives what one write was, pipe(2). */
void open_packets(int *ours, int *theirs);

/* ---- reading the lines ---- */

struct lines {
	size_t count;
	char text[LINES][4096];
};

/* Reads the next write, which must be one line; false at the end of file. */
bool take_line(int fd, struct lines *lines);

/* Reads all lines up to the end of file. */
void take_lines(int fd, struct lines *lines);

/* Expects that line, newline and all. */
__attribute__((format(printf, 3, 4)))
void expect_line(const struct lines *lines, size_t number, const char *format,
		 ...);

/* Expects the line that tells of a process. */
void expect_running(const struct lines *lines, size_t number, pid_t pid,
		    unsigned long inode);

/* The same where only the line knows the pid; returns that. */
pid_t expect_some_running(const struct lines *lines, size_t number);

/* Runs it with a pipe as FD, and reads all lines that come out of that. */
void run_told(struct ended *e, struct lines *lines, struct scene *scene,
	      const char *const argv[]);

/* Starts it with a pipe as FD, of which *ours is the other end. */
void start_told(struct running *r, struct scene *scene, int *ours,
		const char *const argv[]);

/* Starts a spawnfd that passes a command on, over the socket. */
void send_to(int socket, struct running *r, const char *with, const char *verb,
	     const char *argument);

#define FILLING '#'		/* is in no line */

/* Writes FILLING until there is no room any more. */
void fill(int fd);

/* A pipe without O_DIRECT, moved up. */
void open_plain_pipe(int *ours, int *theirs);

/* Expects whole lines of JSON objects that have no objects inside. */
void expect_whole_lines(const char *text, const char *what);

/* Runs spawnfd once with it as FD: no more than two lines come. */
void run_once_with(int theirs, uid_t uid, const char *with, const char *what);

void expect_end_of_file(int fd);

/* Expects that text in a file, or that pid and a newline. */
void expect_content(const char *path, const char *wanted);
void expect_pid(const char *path, pid_t pid);

#endif
