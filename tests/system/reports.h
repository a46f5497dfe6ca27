/* SPDX-License-Identifier: MIT */
/*
 * The lines of --status-fd=5, as a test reads them; and the descriptors, limits
 * and umask with which a test starts spawnfd.
 */
#ifndef REPORTS_H
#define REPORTS_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "harness.h"

#define FD 5			/* the argument of --status-fd */

#define STATUS "--status-fd=5"
#define TO_PEER "--pass=fd:6"
#define FROM_PEER "--receive=fd:6"
#define HOLD "--pidfd"		/* an option that changes nothing */
#define LINES 8			/* more than spawnfd ever writes */

/* The changes of a process before it executes spawnfd; 0 is no change. */
struct scene {
	int status;		/* becomes FD, 5 */
	int peer;		/* becomes 6 */
	int other;		/* becomes 7, of no use to spawnfd */
	unsigned int closed;	/* bit N: standard descriptor N */
	bool foreign;		/* 6 is a socket of another user */
	bool cores;
	bool limited;		/* RLIMIT_FSIZE is size */
	rlim_t size;
	mode_t mask;		/* umask */
};

/* For way->prepare: arg is a struct scene. */
void set_scene(const void *arg);

/* Moves fd to 100 or higher, away from the descriptors that spawnfd gets. */
int move_fd_up(int fd);

/* Opens a pair as open_pair() does, and moves both ends up. */
void open_far_pair(int type, int *ours, int *theirs);

/*
 * Opens a pipe with O_DIRECT, and moves both ends up. A read gives what one
 * write wrote: pipe(2).
 */
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

/* Expects that the line with that number is this text, with its newline. */
__attribute__((format(printf, 3, 4)))
void expect_line(const struct lines *lines, size_t number, const char *format,
		 ...);

/* Expects the line that tells of a process. */
void expect_running(const struct lines *lines, size_t number, pid_t pid,
		    unsigned long inode);

/* Expects the line of any process, and returns the pid that it names. */
pid_t expect_some_running(const struct lines *lines, size_t number);

/* Runs argv with a pipe as FD, and reads all lines from the pipe. */
void run_told(struct ended *e, struct lines *lines, struct scene *scene,
	      const char *const argv[]);

/* Starts argv with a pipe as FD; *ours is the other end. */
void start_told(struct running *r, struct scene *scene, int *ours,
		const char *const argv[]);

/* Starts a spawnfd that passes a command over the socket. */
void send_to(int socket, struct running *r, const char *with, const char *verb,
	     const char *argument);

#define FILLING '#'		/* a byte that no line contains */

/* Writes FILLING until fd has no more room. */
void fill(int fd);

/* Opens a pipe without O_DIRECT, and moves both ends up. */
void open_plain_pipe(int *ours, int *theirs);

/* Expects whole lines of JSON objects that have no objects inside. */
void expect_whole_lines(const char *text, const char *what);

/*
 * Runs spawnfd once with `theirs` as FD; it writes two lines at most. It must
 * exit with 42 and leave the flags of the descriptor as they are.
 */
void run_once_with(int theirs, uid_t uid, const char *with, const char *what);

void expect_end_of_file(int fd);

/* Expects that the file contains the text, or the pid and a newline. */
void expect_content(const char *path, const char *wanted);
void expect_pid(const char *path, pid_t pid);

#endif
