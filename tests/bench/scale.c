/* SPDX-License-Identifier: MIT */
/*
 * scale: how holds and passes grow with their number.
 *
 *	scale SPAWNFD COMMAND [MOST]
 *
 * COMMAND writes a byte and stays if it has a word, else it ends. It is started
 * 10 times, 100 times and so on up to MOST, 10000: alone; each held by a
 * spawnfd; and passed to one receiver. A line for each number tells how long it
 * took until the last of them was there, and how much more memory was in use
 * then, both divided by the number; and how long it took until all of them were
 * gone, when they, their holders or the receiver had been killed. The lines
 * below tell how many a second are run to their end; and how long it takes to
 * have the pidfd of one in hand, in runs of one that is alone.
 *
 * Where the flag is missing, --fallback stands in for it, and none is passed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 4096
#define RUNS 200		/* of each, one block of the rates */
#define BLOCKS 10

extern char **environ;

enum { ALONE, HELD, PASSED, WAYS };

static char *spawnfd, *command, *pass;
static bool has_flag;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "scale: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/*
 * The memory of processes, and of the kernel for them: proc_meminfo(5). Free
 * memory tells less, for the kernel keeps some of what it gets back at hand.
 */
static long used_kib(void)
{
	static const char *const names[] = {
		"AnonPages", "PageTables", "KernelStack", "Slab"
	};
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128], name[32];
	long sum = 0, kib;

	if (!file)
		fail("/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (sscanf(line, "%31[^:]: %ld", name, &kib) == 2 &&
			    strcmp(name, names[i]) == 0)
				sum += kib;
	fclose(file);
	return sum;
}

/* Those that are gone leave some of it a moment later. */
static long settled_kib(void)
{
	const useconds_t moment = 100000;
	long before, now = used_kib();

	do {
		before = now;
		usleep(moment);
		now = used_kib();
	} while (before - now > 64);
	return now;
}

/* ---- one command ---- */

/* out is its standard output, or -1 */
static pid_t launch(char **argv, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	errno = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (errno)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* With a word it stays. */
static pid_t start(int way, char *word, int out)
{
	char *words[] = { spawnfd, has_flag ? "--autoreap" : "--fallback",
			  "--autokill", way == PASSED ? pass : "--", command,
			  word, NULL };

	return launch(way == ALONE ? words + 4 : words, out);
}

static void reap(pid_t pid, bool killed)
{
	int status;

	if (waitpid(pid, &status, 0) != pid ||
	    (killed ? !WIFSIGNALED(status) : status != 0)) {
		errno = ECHILD;
		fail("not the end that it should have");
	}
}

/* ---- the receiver ---- */

static int take(int listener)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } rest;
	char text[512];
	struct iovec part = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = &rest,
				  .msg_controllen = sizeof(rest) };
	int from = accept4(listener, NULL, NULL, SOCK_CLOEXEC), pidfd;

	if (from < 0 || recvmsg(from, &message, MSG_CMSG_CLOEXEC) <= 0 ||
	    message.msg_flags & MSG_CTRUNC || !message.msg_controllen)
		fail("receiver");
	close(from);
	memcpy(&pidfd, CMSG_DATA(&rest.head), sizeof(pidfd));
	return pidfd;
}

static int open_listener(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size;

	/* an abstract name, for which unix(7) takes five digits */
	if (listener < 0 ||
	    bind(listener, (void *)&name, sizeof(name.sun_family)) ||
	    listen(listener, BACKLOG))
		fail("listen");
	size = sizeof(name);
	if (getsockname(listener, (void *)&name, &size) ||
	    asprintf(&pass, "--pass=@%.*s",
		     (int)(size - sizeof(name.sun_family)) - 1,
		     name.sun_path + 1) < 0)
		fail("address");
	return listener;
}

/* Writes a byte when it has them all, and then keeps them. */
static pid_t start_receiver(int number, int *ret_done)
{
	int listener = open_listener(), done[2];
	pid_t pid;

	if (pipe2(done, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		while (number--)
			take(listener);
		if (write(done[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(listener);
	close(done[1]);
	*ret_done = done[0];
	return pid;
}

/* ---- many ---- */

static void await_bytes(int fd, int number)
{
	char bytes[4096];

	while (number > 0) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n <= 0)
			fail("one has not come");
		number -= (int)n;
	}
}

static void grow_to(int way, int number)
{
	static const char *const names[] = {
		[ALONE] = "alone",
		[HELD] = "held",
		[PASSED] = "passed",
	};
	pid_t *pids = calloc((size_t)number, sizeof(*pids)), receiver = 0;
	int alive[2], done = -1;
	double from, there, gone;
	long kib = settled_kib();
	char each[32] = "-", byte;

	if (way == PASSED)
		receiver = start_receiver(number, &done);
	if (!pids || pipe2(alive, O_CLOEXEC))
		fail("pipe");
	from = now_ms();
	for (int i = 0; i < number; i++)
		pids[i] = start(way, "stay", alive[1]);
	close(alive[1]);
	await_bytes(alive[0], number);
	for (int i = 0; i < number && way == PASSED; i++)
		reap(pids[i], false);
	if (way == PASSED)
		await_bytes(done, 1);
	there = now_ms();
	kib = used_kib() - kib;
	gone = now_ms();
	if (way == PASSED)
		kill(receiver, SIGKILL);
	for (int i = 0; i < number && way != PASSED; i++)
		kill(pids[i], SIGKILL);
	/* its end, for nobody has the other end any more */
	if (read(alive[0], &byte, 1) != 0)
		fail("one is left");
	gone = now_ms() - gone;
	for (int i = 0; i < number && way != PASSED; i++)
		reap(pids[i], true);
	if (way == PASSED) {
		reap(receiver, true);
		close(done);
	}
	close(alive[0]);
	free(pids);
	/* of a few the machine's own share would be too much */
	if (number >= 1000)
		snprintf(each, sizeof(each), "%.0f", (double)kib / number);
	printf("%-8s %7d %12.0f %9s %9.1f\n", names[way], number,
	       (there - from) * 1e3 / number, each, gone);
}

/* ---- one after the other ---- */

static double run_block(int way, int jobs)
{
	const double from = now_ms();
	int started = 0, status;

	while (started < jobs)
		started += start(way, NULL, -1) > 0;
	for (int ended = 0; ended < RUNS; ended++) {
		if (wait(&status) < 0 || status != 0)
			fail("a run has failed");
		if (started < RUNS)
			started += start(way, NULL, -1) > 0;
	}
	return now_ms() - from;
}

/* Turn by turn, for a machine has its moods */
static void rate(int jobs)
{
	double ms[] = { [ALONE] = 0, [HELD] = 0 };

	for (int block = 0; block < BLOCKS; block++)
		for (int way = ALONE; way <= HELD; way++)
			ms[way] += run_block(way, jobs);
	printf("%-8d %12.0f %12.0f %9.2f\n", jobs, RUNS * BLOCKS * 1e3 / ms[0],
	       RUNS * BLOCKS * 1e3 / ms[1], ms[ALONE] / ms[HELD]);
}

static double run_alone(void)
{
	const double from = now_ms();

	reap(start(ALONE, NULL, -1), false);
	return now_ms() - from;
}

static double take_one(int listener)
{
	char *words[] = { spawnfd, pass, "--", command, NULL };
	const double from = now_ms();
	pid_t pid = launch(words, -1);
	int pidfd = take(listener);
	const double ms = now_ms() - from;

	close(pidfd);
	reap(pid, false);
	return ms;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Each beside a run alone; the median */
static void hand_over(void)
{
	int listener = open_listener();
	double ratios[RUNS];

	for (int i = 0; i < RUNS; i++) {
		double alone = run_alone();

		ratios[i] = take_one(listener) / alone;
	}
	close(listener);
	qsort(ratios, RUNS, sizeof(*ratios), compare);
	printf("\npidfd in hand: %.2f x alone\n", ratios[RUNS / 2]);
}

/* The receiver has them all. */
static void raise_limit(int most)
{
	const rlim_t needed = (rlim_t)most + 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		fail("getrlimit");
	if (limit.rlim_max < needed)
		limit.rlim_max = needed;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		fail("RLIMIT_NOFILE");
}

int main(int argc, char **argv)
{
	struct utsname machine;
	char probe[4096];
	int most = argc > 3 ? atoi(argv[3]) : 10000;

	if (argc < 3 || most < 10) {
		fprintf(stderr, "usage: scale SPAWNFD COMMAND [MOST]\n"
			"scale: MOST, or BENCH_MOST, is 10 or more\n");
		return 1;
	}
	spawnfd = argv[1];
	command = argv[2];
	snprintf(probe, sizeof(probe), "'%s' --probe=autokill 2>/dev/null",
		 spawnfd);
	has_flag = system(probe) == 0;
	raise_limit(most);
	/* the lines come at once, and the forks below have none of them */
	setvbuf(stdout, NULL, _IOLBF, 0);
	uname(&machine);
	machine.release[strcspn(machine.release, "-+")] = '\0';
	printf("%s %s, %ld CPU(s)%s\n\n", machine.sysname, machine.release,
	       sysconf(_SC_NPROCESSORS_ONLN),
	       has_flag ? "" : "; --fallback, and nothing is passed");
	printf("%-8s %7s %12s %9s %9s\n", "", "number", "us each", "KiB each",
	       "gone, ms");
	for (int way = ALONE; way < (has_flag ? WAYS : PASSED); way++)
		for (int number = 10; number <= most; number *= 10)
			grow_to(way, number);
	printf("\n%-8s %12s %12s %9s\n", "jobs", "alone, 1/s", "held, 1/s",
	       "share");
	for (int jobs = 1; jobs <= 4; jobs *= 2)
		rate(jobs);
	hand_over();
	return 0;
}
