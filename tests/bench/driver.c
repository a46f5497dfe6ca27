/* SPDX-License-Identifier: MIT */
/*
 * driver: measures what wrappers add to the command that they run.
 *
 *	driver ROUNDS TARGET [HANG]
 *
 * TARGET is a program that does nothing; HANG is one and its words that writes
 * a byte and stays; without it nothing but time is measured. Standard input
 * names the wrappers, one a line:
 *
 *	NAME<TAB>WORD WORD ...
 *
 * with the path of a program first, and no word for TARGET by itself. Of each
 * it prints, between tabs: the name; how many times as long as TARGET alone it
 * takes, as median and both quartiles; their distance in percent of the median;
 * private memory of the process while HANG runs, in KiB; and its instructions
 * in user mode. "-" is what was not to be had.
 *
 * Machines have their moods, so no time stands for itself: each is divided by
 * that of a bare run right beside it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOLDERS 20
#define PATIENCE 5000		/* milliseconds */
#define MOST_STEPS 3000000

extern char **environ;

struct wrapper {
	char *name;
	char **run;
	char **hold;
	double *ratios;
};

static FILE *complaints;

static _Noreturn void fail(const char *what)
{
	fprintf(complaints, "driver: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what is asked ---- */

static char **command_line(const char *wrapper, const char *command)
{
	char **argv, *words;
	size_t n = 0;

	if (asprintf(&words, "%s %s", wrapper, command) < 0)
		fail("memory");
	argv = calloc(strlen(words) / 2 + 2, sizeof(*argv));
	if (!argv)
		fail("memory");
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[n++] = word;
	return argv;
}

static void read_wrapper(struct wrapper *w, char *line, int rounds,
			 char **commands)
{
	char *words = line + strcspn(line, "\t\n");

	if (*words)
		*words++ = '\0';
	words[strcspn(words, "\n")] = '\0';
	w->name = line;
	w->run = command_line(words, commands[0]);
	w->hold = commands[1] ? command_line(words, commands[1]) : NULL;
	w->ratios = calloc((size_t)rounds, sizeof(*w->ratios));
	if (!w->ratios)
		fail("memory");
}

static struct wrapper *read_wrappers(size_t *ret_n, int rounds, char **commands)
{
	struct wrapper *wrappers = NULL;
	char *line = NULL;
	size_t n = 0, size = 0;

	for (; getline(&line, &size, stdin) > 0; line = NULL, size = 0) {
		wrappers = realloc(wrappers, (n + 1) * sizeof(*wrappers));
		if (!wrappers)
			fail("memory");
		read_wrapper(&wrappers[n++], line, rounds, commands);
	}
	*ret_n = n;
	return wrappers;
}

/* ---- time ---- */

/* Another CPU has other caches, and its own mood. */
static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

/* The messages of a wrapper must not appear on the terminal in between. */
static void be_quiet(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	complaints = fdopen(fcntl(2, F_DUPFD_CLOEXEC, 3), "w");
	if (null < 0 || !complaints)
		exit(1);
	dup2(null, 0);
	dup2(null, 2);
}

/* In nanoseconds */
static double run(char **argv)
{
	struct timespec from, to;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &from);
	errno = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);
	if (errno || waitpid(pid, &status, 0) != pid)
		fail(argv[0]);
	clock_gettime(CLOCK_MONOTONIC, &to);
	errno = ECHILD;
	if (status != 0)
		fail(argv[0]);
	return (double)(to.tv_sec - from.tv_sec) * 1e9 +
		(double)(to.tv_nsec - from.tv_nsec);
}

static double run_pair(char **argv, char **bare)
{
	bool first = random() % 2;
	double alone, wrapped = first ? run(argv) : 0;

	alone = run(bare);
	if (!first)
		wrapped = run(argv);
	return wrapped / alone;
}

static void shuffle(size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t place = (size_t)random() % (i + 1);

		order[i] = order[place];
		order[place] = i;
	}
}

static void run_all(struct wrapper *wrappers, size_t n, int rounds, char **bare)
{
	size_t *order = calloc(n, sizeof(*order));

	if (!order)
		fail("memory");
	/* the first of all finds nothing in the caches */
	for (size_t i = 0; i < n; i++)
		run_pair(wrappers[i].run, bare);
	for (int round = 0; round < rounds; round++) {
		shuffle(order, n);
		for (size_t i = 0; i < n; i++) {
			struct wrapper *w = &wrappers[order[i]];

			w->ratios[round] = run_pair(w->run, bare);
		}
	}
	free(order);
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double quantile(const double *sorted, int n, double share)
{
	double place = share * (n - 1);
	int below = (int)place, above = below + (below < n - 1);

	return sorted[below] +
		(place - below) * (sorted[above] - sorted[below]);
}

/* ---- the end of what was started ---- */

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

/* Its state as a letter, and its parent */
static char state_of(pid_t pid, pid_t *ret_parent)
{
	FILE *file = open_proc(pid, "stat");
	char line[256] = "", state = '?', *rest = NULL;

	if (!file)
		return state;
	/* a name may have anything in it, but not after its last ")" */
	if (fgets(line, sizeof(line), file))
		rest = strrchr(line, ')');
	fclose(file);
	*ret_parent = 0;
	if (rest)
		sscanf(rest, ") %c %d", &state, ret_parent);
	return state;
}

/* Not every kernel lists the children of a process. */
static void kill_children(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name), parent = 0;

		if (pid > 0 && state_of(pid, &parent) != '?' &&
		    parent == getpid())
			kill(pid, SIGKILL);
	}
	closedir(dir);
}

/* This is a subreaper: with a wrapper gone, what it started is found here. */
static void end_all(void)
{
	do
		kill_children();
	while (waitpid(-1, NULL, 0) > 0);
}

/* ---- memory ---- */

/* Whether all of them write a byte */
static bool start_holders(char **argv, pid_t *pids)
{
	struct pollfd from = { .events = POLLIN };
	posix_spawn_file_actions_t actions;
	char bytes[HOLDERS];
	int fds[2], n = 0;
	ssize_t got = 1;

	if (pipe2(fds, O_CLOEXEC) || posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, fds[1], 1))
		fail("pipe");
	for (int i = 0; i < HOLDERS; i++)
		if (posix_spawn(&pids[i], argv[0], &actions, NULL, argv,
				environ))
			fail(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	from.fd = fds[0];
	for (; n < HOLDERS && got > 0; n += (int)got)
		got = poll(&from, 1, PATIENCE) == 1 ?
			read(fds[0], bytes, sizeof(bytes)) : 0;
	close(fds[0]);
	return n == HOLDERS;
}

static bool all_sleep(const pid_t *pids)
{
	pid_t parent;

	for (int ms = 0, i = 0; ms < PATIENCE; ms++) {
		while (i < HOLDERS && state_of(pids[i], &parent) == 'S')
			i++;
		if (i == HOLDERS)
			return true;
		usleep(1000);
	}
	return false;
}

/* It is no wrapper any more if it has become the command itself. */
static bool stays(pid_t pid, const char *command)
{
	struct stat own, of_command;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return stat(path, &own) == 0 && stat(command, &of_command) == 0 &&
		(own.st_dev != of_command.st_dev ||
		 own.st_ino != of_command.st_ino);
}

static long private_kib(pid_t pid)
{
	FILE *rollup = open_proc(pid, "smaps_rollup");
	long all = -1, kib;
	char line[256];

	if (!rollup)
		return -1;
	while (fgets(line, sizeof(line), rollup))
		if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			all = (all < 0 ? 0 : all) + kib;
	fclose(rollup);
	return all;
}

/* Several side by side, so that what they share is nobody's own */
static double memory_of(char **argv, const char *command)
{
	pid_t pids[HOLDERS];
	bool right = start_holders(argv, pids) && all_sleep(pids);
	long all = 0;

	for (int i = 0; i < HOLDERS && right; i++) {
		long kib = private_kib(pids[i]);

		right = kib >= 0 && stays(pids[i], command);
		all += kib;
	}
	end_all();
	return right ? (double)all / HOLDERS : -1;
}

/* ---- instructions ---- */

static pid_t start_traced(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			execv(argv[0], argv);
		_exit(96);
	}
	return pid;
}

/* One stop for each, and one for the execve; other signals are its own. */
static long count_steps(char **argv)
{
	pid_t pid = start_traced(argv);
	int status = -1;
	long steps = -1;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       steps < MOST_STEPS) {
		intptr_t sig = WSTOPSIG(status);

		steps += sig == SIGTRAP;
		sig = sig == SIGTRAP ? 0 : sig;
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)sig))
			break;
	}
	if (WIFSTOPPED(status))
		kill(pid, SIGKILL);
	end_all();
	return status == 0 ? steps : -1;
}

/* ---- the answer ---- */

static void print_figure(double figure)
{
	if (figure < 0)
		printf("\t-");
	else
		printf("\t%.0f", figure);
}

static void report(struct wrapper *w, int rounds, const char *command)
{
	double low, median, high;

	qsort(w->ratios, (size_t)rounds, sizeof(*w->ratios), compare);
	low = quantile(w->ratios, rounds, 0.25);
	median = quantile(w->ratios, rounds, 0.5);
	high = quantile(w->ratios, rounds, 0.75);
	printf("%s\t%.2f\t%.2f\t%.2f\t%.0f", w->name, median, low, high,
	       (high - low) / median * 100);
	print_figure(w->hold ? memory_of(w->hold, command) : -1);
	print_figure(w->hold ? (double)count_steps(w->run) : -1);
	putchar('\n');
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 || argc == 4 ? atoi(argv[1]) : 0;
	struct wrapper *wrappers;
	size_t n;

	if (rounds < 1) {
		fprintf(stderr, "usage: driver ROUNDS TARGET [HANG]\n");
		return 1;
	}
	complaints = stderr;
	/* the forks below are not to have what is not written yet */
	setvbuf(stdout, NULL, _IOLBF, 0);
	srandom((unsigned int)time(NULL));
	wrappers = read_wrappers(&n, rounds, argv + 2);
	be_quiet();
	pin();
	run_all(wrappers, n, rounds, command_line("", argv[2]));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < n; i++)
		report(&wrappers[i], rounds, argv[2]);
	return 0;
}
