/* SPDX-License-Identifier: MIT */
/*
 * The signal storm: one holder gets a thousand signals a second. Half of them
 * are SIGUSR1, the others are numbered. COMMAND counts these, and ends with
 * OWN_STATUS only if each came once and in order.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../system/patience.h"
#include "storms.h"

#define TICK_US 1000

/* A page of the stack may be touched late. */
#define GROWTH_KIB 8

/* The memory and descriptors of the holder, and of its init */
struct size {
	long private_kib;
	long descriptors;
};

struct storm {
	pid_t pid;
	int sent;		/* the number of the last numbered signal */
	long merged;		/* how many SIGUSR1 were sent */
	long delayed;		/* the queue was full: setrlimit(2) */
};

/* ---- what the holder has ---- */

/* Adds what is in no other process: proc_pid_smaps(5). */
static void add_memory(pid_t pid, struct size *size)
{
	char path[64], line[256];
	FILE *file;
	long kib;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			size->private_kib += kib;
	if (file)
		fclose(file);
}

static void add_descriptors(pid_t pid, struct size *size)
{
	struct dirent *entry;
	char path[64];
	DIR *names;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	names = opendir(path);
	while (names && (entry = readdir(names)))
		size->descriptors += entry->d_name[0] != '.';
	if (names)
		closedir(names);
}

static void add_init(pid_t pid, void *arg)
{
	add_memory(pid, arg);
	add_descriptors(pid, arg);
}

/* The child of the holder is COMMAND, which does not count, or the init. */
static struct size look_once(pid_t pid, bool tree)
{
	struct size size = { 0, 0 };

	add_memory(pid, &size);
	add_descriptors(pid, &size);
	if (tree)
		for_each_child(pid, add_init, &size);
	return size;
}

/* While it forwards a signal, the init has a file of /proc open now and then. */
static struct size look(pid_t pid, bool tree)
{
	enum { LOOKS = 20 };
	struct size least = look_once(pid, tree);

	for (int i = 1; i < LOOKS; i++) {
		const struct size size = look_once(pid, tree);

		if (size.descriptors < least.descriptors)
			least = size;
	}
	return least;
}

/* ---- the storm ---- */

static void send_next(struct storm *storm, long tick)
{
	const union sigval number = { .sival_int = storm->sent + 1 };

	if (tick % 2) {
		kill(storm->pid, SIGUSR1);
		storm->merged++;
	} else if (sigqueue(storm->pid, SIGNAL_NUMBERED, number)) {
		storm->delayed++;
	} else {
		storm->sent++;
	}
}

/* Sends for one second by the clock of *at_us. */
static void storm_second(struct storm *storm, long *at_us)
{
	const long end = *at_us + 1000000;

	for (long tick = 0; *at_us < end; tick++) {
		struct timespec until;

		*at_us += TICK_US;
		until = (struct timespec){ *at_us / 1000000,
					   *at_us % 1000000 * 1000 };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until,
				       NULL) == EINTR)
			;
		send_next(storm, tick);
	}
}

/* Returns whether COMMAND has got all signals. */
static bool end_storm(const struct storm *storm, int life)
{
	const union sigval last = { .sival_int = storm->sent };
	struct run run = { .hung = false };

	start_patience();
	while (sigqueue(storm->pid, SIGNAL_LAST, last) && errno == EAGAIN)
		clock_nanosleep(CLOCK_MONOTONIC, 0,
				&(struct timespec){ 0, TICK_US * 1000 }, NULL);
	await_spawnfd(&run, storm->pid, 0);
	look_at_rest(&run, life);
	if (!run.hung && WIFEXITED(run.status) &&
	    WEXITSTATUS(run.status) == OWN_STATUS && !run.survivors &&
	    !run.zombies)
		return true;
	printf("# wait status 0x%x%s, survivors %d, zombies %d\n",
	       (unsigned int)run.status, run.hung ? ", spawnfd hangs" : "",
	       run.survivors, run.zombies);
	return false;
}

static pid_t start_holder(bool tree, int *ret_life)
{
	char *const words[] = {
		"spawnfd", "--autokill", tree ? "--kill-tree" : "--nnp", "--",
		self, "command", "count", NULL,
	};
	int life[2];
	char byte;
	pid_t pid;

	/* An earlier limit would interrupt the read. */
	start_patience();
	open_life(life);
	pid = fork();
	if (!pid)
		become_spawnfd(life[1], words);
	close(life[1]);
	/* COMMAND has blocked its signals. */
	if (read(life[0], &byte, 1) != 1)
		printf("# COMMAND did not start\n");
	*ret_life = life[0];
	return pid;
}

static bool is_grown(const struct size *first, const struct size *last)
{
	return !first->private_kib || !first->descriptors ||
	       last->private_kib > first->private_kib + GROWTH_KIB ||
	       last->descriptors > first->descriptors;
}

bool storm_signals(bool tree, long seconds)
{
	struct size first = { 0, 0 }, last = { 0, 0 };
	struct storm storm = { 0 };
	int life;
	long start, at, took;
	bool good;

	storm.pid = start_holder(tree, &life);
	at = start = now_us();
	/* The first second touches all pages that the holder needs. */
	for (long second = 0; second <= seconds; second++) {
		storm_second(&storm, &at);
		last = look(storm.pid, tree);
		if (!second)
			first = last;
		if (second % 60 == 59)
			printf("# %ld seconds, %ld KiB, %ld descriptors\n",
			       second + 1, last.private_kib, last.descriptors);
	}
	took = now_us() - start;
	good = end_storm(&storm, life);
	close(life);
	if (is_grown(&first, &last))
		good = false;
	printf("%s %s: signals %ld, a second %ld, delayed %ld, private KiB %ld "
	       "then %ld, descriptors %ld then %ld, %ld seconds\n",
	       good ? "good" : "FAIL", tree ? "kill-tree" : "autokill",
	       storm.sent + storm.merged,
	       (storm.sent + storm.merged) * 1000000 / took, storm.delayed,
	       first.private_kib, last.private_kib, first.descriptors,
	       last.descriptors, took / 1000000);
	return good;
}
