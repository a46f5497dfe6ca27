/* SPDX-License-Identifier: MIT */
/*
 * The harness of the system tests: it starts the built binary the way a shell
 * or a service manager would, and gives the test all that can be seen of it.
 *
 * A suite says what its tests need of the kernel:
 *	usage	no process is started: any kernel
 *	plain	no flag newer than Linux 6.15
 *	flags	the clone3 flags of Linux 7.1
 *	cgroup	these flags, and a cgroup v2 tree that root may write to
 *	old	a kernel *without* the flags
 *
 * Before each test the harness counts the open descriptors and makes the test a
 * subreaper. After the test there must be as many descriptors, and the test
 * must have no descendant, neither a running one nor a zombie.
 *
 * These files hold what tests of several themes share:
 *	files		the directory of a test, and text of /proc
 *	processes	what /proc shows of processes, and which are left
 *	prepare		what a child does before its exec
 *	judging		expectations
 *	patience	waiting
 *	variants	which tests are run
 *	sockets, message, pty, cgroups, cores
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "judging.h"
#include "patience.h"
#include "prepare.h"
#include "processes.h"
#include "variants.h"

#define NOBODY 65534		/* the ordinary user of these tests */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))
#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Absolute paths, which NOBODY can execute too. */
extern const char *spawnfd;	/* $SPAWNFD, or as the variant says */
extern const char *actor;	/* plays the command: $SPAWNFD_ACTOR */

/*
 * A test between begin_test() and end_test(), which check every test. Criterion
 * has .init and .fini for that, but lets a test pass whose .fini fails. The
 * marks say which variants run the test: see variants.h.
 */
#define SystemTestWith(suite, name, ...) \
	static void suite##_##name(void); \
	static struct mark suite##_##name##_marks[] = { \
		__VA_ARGS__, { .last = true } \
	}; \
	Test(suite, name, .data = suite##_##name##_marks) \
	{ \
		begin_test(); \
		suite##_##name(); \
		end_test(); \
	} \
	static void suite##_##name(void)

#define SystemTest(suite, name) SystemTestWith(suite, name, NO_MARK)

/* Returns n, or n/10 if $SPAWNFD_SLOW says that programs start slowly here. */
int often(int n);

/*
 * Says on standard error that something was not tested, because the machine or
 * the kernel lacks it. It must not stand for a package that could be installed.
 */
void not_tested(const char *what, const char *why);

void begin_test(void);
void end_test(void);

/*
 * Makes three tests of one body: one in suite plain without a flag, and two in
 * suite flags, under --autoreap and --autokill. The body puts the word `with`
 * before COMMAND: the flag, or "--" for no flag.
 */
#define EVERY_WAY_WITH(name, ...) \
	static void name(const char *with); \
	SystemTestWith(plain, name, { .way = WITHOUT_FLAG }, __VA_ARGS__) \
	{ \
		name("--"); \
	} \
	SystemTestWith(flags, name##_under_autoreap, \
		       { .way = UNDER_AUTOREAP }, __VA_ARGS__) \
	{ \
		name("--autoreap"); \
	} \
	SystemTestWith(flags, name##_under_autokill, \
		       { .way = UNDER_AUTOKILL }, __VA_ARGS__) \
	{ \
		name("--autokill"); \
	} \
	static void name(const char *with)

#define EVERY_WAY(name) EVERY_WAY_WITH(name, NO_MARK)

/* Joins two words into one, in one of a few static buffers. */
const char *joined(const char *first, const char *second);

/* How a program is started. All zero: as root, in the test's directory. */
struct way {
	uid_t uid;				/* NOBODY, or 0 */
	const char *dir;			/* chdir there first */
	void (*prepare)(const void *arg);	/* in the child, before exec */
	const void *arg;
};

/*
 * A program that runs. Its descriptors 0, 1 and 2 are pipes, and the test has
 * their other ends. It inherits no other descriptor, and ignores and blocks no
 * signal, unless way->prepare changes that.
 */
struct running {
	pid_t pid;
	int pidfd;
	int in;
	int out;
	int err;
	char words[512];	/* its command line, for messages */
};

/* A program that has ended, and what it wrote. */
struct ended {
	int status;		/* as waitpid gives it */
	char out[32768];
	char err[8192];
	char words[512];
};

/*
 * Starts a program. Returns 0, or the errno of a failed exec; then there is
 * nothing to finish. `way` may be NULL.
 */
int try_start(struct running *r, const struct way *way,
	      const char *const argv[]);

/* Starts a program, and fails the test if the exec fails. */
void start(struct running *r, const struct way *way, const char *const argv[]);

bool has_ended(const struct running *r);

/* Waits for the end of the process, returns its status, leaves pipes open. */
int await_end(struct running *r);

/* Reads out and err to their end, waits, and closes everything. */
void finish(struct running *r, struct ended *e);

/* Closes everything and leaves the program alone. r->in may be -1. */
void close_running(struct running *r);

/* Closes r->in, which is the end of file for the program. */
void end_input(struct running *r);

/* start, end_input, finish */
void run(struct ended *e, const struct way *way, const char *const argv[]);

/* Waits for the next line that comes out of fd. */
void read_line(int fd, char *line, size_t size);

/* Waits for a line that begins with a pid. */
pid_t read_pid(int fd);

/* Reads lines of standard error until one contains the text. */
void await_said(struct running *r, const char *text);

/* Sends a byte to "actor echo" and waits until it comes back. */
void ping(struct running *r);

/*
 * Waits for a random time, at most most_us and less than a second: only for
 * tests of what happens at any moment. wait_at_random() fails the test if the
 * process of the pidfd ends in that time.
 */
void wait_at_random(int pidfd, unsigned int most_us);
void sleep_at_random(unsigned int most_us);

unsigned int random_below(unsigned int n);

/* Waits until fd has one of these poll events. */
void await_events(int fd, short events);

/* Returns a PATH in which the search for actor takes milliseconds. */
const char *far_path(void);

#endif
