/* SPDX-License-Identifier: MIT */
/*
 * The harness: see harness.h. It waits for events, with the limits of
 * patience.h; only sleep_at_random() and wait_at_random() let time go by.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#define LAST_SIGNAL 64

const char *spawnfd;
const char *actor;

static int descriptors_before;

/* ---- in the child ---- */

/* Makes the kernel's own call, because libc refuses signals 32 and 33. */
static void reset_signals(void)
{
	const struct { uintptr_t words[4]; } dfl = { { 0 } };
	const uint64_t none = 0;

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(none));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

static int become_user(uid_t uid)
{
	if (uid == 0)
		return 0;
	if (setgroups(0, NULL) || setresgid(uid, uid, uid))
		return -1;
	return setresuid(uid, uid, uid);
}

static _Noreturn void become(const struct way *way, const char *const argv[],
			     const int std[3], int errno_pipe)
{
	union { const char *const *given; char *const *wanted; } words = {
		argv
	};

	reset_signals();
	for (int fd = 0; fd < 3; fd++)
		dup2(std[fd], fd);
	syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	if (way && way->prepare)
		way->prepare(way->arg);
	if (!way || ((!way->dir || chdir(way->dir) == 0) &&
		     become_user(way->uid) == 0))
		execv(argv[0], words.wanted);
	if (write(errno_pipe, &errno, sizeof(errno)) < 0)
		abort();
	_exit(1);
}

/* ---- starting ---- */

static void join_words(char *words, size_t size, const char *const argv[])
{
	size_t n = 0;

	words[0] = '\0';
	for (; *argv && n < size; argv++)
		n += (size_t)snprintf(words + n, size - n, "%s%.80s",
				      n ? " " : "", *argv);
}

static void open_pipe(int *ours, int *theirs, int our_end)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	*ours = fds[our_end];
	/* Not 0, 1 or 2: dup2() replaces these in the child. */
	*theirs = fcntl(fds[!our_end], F_DUPFD_CLOEXEC, 10);
	close(fds[!our_end]);
	cr_assert_geq(*theirs, 0);
}

void end_input(struct running *r)
{
	close(r->in);
	r->in = -1;
}

void close_running(struct running *r)
{
	if (r->in >= 0)
		close(r->in);
	close(r->out);
	close(r->err);
	close(r->pidfd);
}

int try_start(struct running *r, const struct way *way,
	      const char *const argv[])
{
	int std[3], errno_pipe[2], exec_errno = 0;

	join_words(r->words, sizeof(r->words), argv);
	open_pipe(&r->in, &std[0], 1);
	open_pipe(&r->out, &std[1], 0);
	open_pipe(&r->err, &std[2], 0);
	open_pipe(&errno_pipe[0], &errno_pipe[1], 0);

	r->pid = fork();
	cr_assert_geq(r->pid, 0);
	if (r->pid == 0)
		become(way, argv, std, errno_pipe[1]);
	for (int i = 0; i < 3; i++)
		close(std[i]);
	close(errno_pipe[1]);
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	cr_assert_geq(r->pidfd, 0, "pidfd_open: %s", strerror(errno));

	if (read(errno_pipe[0], &exec_errno, sizeof(exec_errno)) > 0) {
		await_end(r);
		close_running(r);
	}
	close(errno_pipe[0]);
	return exec_errno;
}

void start(struct running *r, const struct way *way, const char *const argv[])
{
	int exec_errno = try_start(r, way, argv);

	cr_assert_eq(exec_errno, 0, "%s: %s", r->words, strerror(exec_errno));
}

/* ---- waiting ---- */

void await_events(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	cr_assert_eq(poll_patiently(&p, 1), 1, "nothing happened for %d s",
		     PATIENCE_MS / 1000);
}

bool has_ended(const struct running *r)
{
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

int await_end(struct running *r)
{
	int status = 0;

	await_events(r->pidfd, POLLIN);
	cr_assert_eq(waitpid(r->pid, &status, 0), r->pid, "waitpid: %s",
		     strerror(errno));
	return status;
}

/* Reads once; false at the end of file. Text beyond size is dropped. */
static bool drain(int fd, char *text, size_t size, size_t *used)
{
	char dropped[4096];
	ssize_t n;

	if (*used < size - 1)
		n = read(fd, text + *used, size - 1 - *used);
	else
		n = read(fd, dropped, sizeof(dropped));
	if (n <= 0)
		return false;
	if (*used < size - 1)
		*used += (size_t)n;
	text[*used] = '\0';
	return true;
}

void finish(struct running *r, struct ended *e)
{
	struct pollfd p[2] = { { r->out, POLLIN, 0 }, { r->err, POLLIN, 0 } };
	size_t out_used = 0, err_used = 0;

	memcpy(e->words, r->words, sizeof(e->words));
	e->out[0] = e->err[0] = '\0';
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		cr_assert_gt(poll_patiently(p, 2), 0, "%s: still there after "
			     "%d s of silence", r->words, PATIENCE_MS / 1000);
		if (p[0].revents &&
		    !drain(r->out, e->out, sizeof(e->out), &out_used))
			p[0].fd = -1;
		if (p[1].revents &&
		    !drain(r->err, e->err, sizeof(e->err), &err_used))
			p[1].fd = -1;
	}
	hide_left(e->out);
	hide_left(e->err);
	e->status = await_end(r);
	close_running(r);
}

void run(struct ended *e, const struct way *way, const char *const argv[])
{
	struct running r;

	start(&r, way, argv);
	end_input(&r);
	finish(&r, e);
}

unsigned int random_below(unsigned int n)
{
	unsigned int random;

	cr_assert_eq(getrandom(&random, sizeof(random), 0), sizeof(random));
	return random % n;
}

void sleep_at_random(unsigned int most_us)
{
	const struct timespec time = {
		.tv_nsec = random_below(most_us) * 1000L,
	};

	nanosleep(&time, NULL);
}

const char *far_path(void)
{
	enum { ELEMENTS = 4000 };
	static char path[3 * ELEMENTS + PATH_MAX];

	for (size_t i = 0; i < ELEMENTS; i++)
		strcpy(path + 3 * i, "/-:");
	strcat(path, actor);
	*strrchr(path, '/') = '\0';
	return path;
}

void wait_at_random(int pidfd, unsigned int most_us)
{
	const struct timespec time = {
		.tv_nsec = random_below(most_us) * 1000L,
	};
	struct pollfd p = { pidfd, POLLIN, 0 };

	cr_assert_eq(ppoll(&p, 1, &time, NULL), 0, "it ended by itself");
}

void read_line(int fd, char *line, size_t size)
{
	size_t used = 0;

	do {
		await_events(fd, POLLIN);
		cr_assert_eq(read(fd, line + used, 1), 1, "end of file");
	} while (line[used++] != '\n' && used < size);
	line[used - 1] = '\0';
}

void await_said(struct running *r, const char *text)
{
	char line[512];

	do
		read_line(r->err, line, sizeof(line));
	while (!strstr(line, text));
}

pid_t read_pid(int fd)
{
	char line[64];
	pid_t pid;

	read_line(fd, line, sizeof(line));
	pid = atoi(line);
	cr_assert_gt(pid, 0, "not a pid: %s", line);
	return pid;
}

void ping(struct running *r)
{
	char byte = 'p';

	cr_assert_eq(write(r->in, &byte, 1), 1);
	await_events(r->out, POLLIN);
	cr_assert_eq(read(r->out, &byte, 1), 1, "no answer: it is gone");
	cr_assert_eq(byte, 'p');
}

/* ---- files ---- */

/*
 * Finds a program. If NOBODY cannot reach it, for instance below a home
 * directory that is closed to others, a copy takes its place.
 */
static const char *find_program(const char *variable, const char *fallback,
				const char *name)
{
	const char *path = getenv(variable);
	char *absolute = realpath(path ? path : fallback, NULL);

	cr_assert_not_null(absolute, "%s, which may say otherwise: %s: %s",
			   variable, path ? path : fallback, strerror(errno));
	if (open_to_all(absolute))
		return absolute;
	copy_file(absolute, scratch_path(name));
	free(absolute);
	return strdup(scratch_path(name));
}

/* ---- words ---- */

const char *joined(const char *first, const char *second)
{
	static char words[8][700];
	static unsigned int next;
	char *word = words[next++ % ARRAY_SIZE(words)];

	snprintf(word, sizeof(words[0]), "%s%s", first, second);
	return word;
}

/* ---- suites ---- */

int often(int n)
{
	return getenv("SPAWNFD_SLOW") ? n / 10 : n;
}

void not_tested(const char *what, const char *why)
{
	fprintf(stderr, "NOT TESTED: %s: %s\n", what, why);
}

void begin_test(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	/*
	 * A sanitized spawnfd must dump core and die of signals as usual. It
	 * does not look for leaks: that takes a process of its own, which some
	 * tests do not allow.
	 */
	setenv("ASAN_OPTIONS", "disable_coredump=0:detect_leaks=0:"
	       "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:"
	       "handle_sigill=0", 0);
	spawnfd = find_program("SPAWNFD", variant_program(), "spawnfd");
	actor = find_program("SPAWNFD_ACTOR", ".build/actor", "actor");
	descriptors_before = count_descriptors();
}

void end_test(void)
{
	nothing_left();
	cr_assert_eq(count_descriptors(), descriptors_before,
		     "the test leaks descriptors");
}

/* Runs after every test, also after a failed one. */
static void clean_up(void)
{
	kill_all();
	remove_scratch();
}

/* No time limits: see watchdog.c. */
TestSuite(usage, .fini = clean_up);
TestSuite(plain, .fini = clean_up);
TestSuite(flags, .fini = clean_up);
TestSuite(cgroup, .fini = clean_up);
TestSuite(old, .fini = clean_up);
