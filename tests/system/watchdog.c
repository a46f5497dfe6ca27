/* SPDX-License-Identifier: MIT */
/*
 * The watchdog is a thread in the process that runs the tests. It prints how
 * far they have come, and kills a test that is silent (see patience.h) or that
 * uses too much processor time. A test that waits by the harness fails by
 * itself before that; the watchdog is for tests that hang elsewhere. It
 * replaces Criterion's time limits, which a slow machine would reach.
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "patience.h"

#define ROUND_S 30		/* between two looks */
#define SILENT_ROUNDS 4		/* more than PATIENCE_MS */
#define MOST_CPU_S 1800		/* for a test and all that it has started */
#define MOST_TESTS 64		/* at a time */

static atomic_uint tests_begun;
static const char *_Atomic last_begun = "none";

struct watched {
	pid_t pid;
	uint64_t sum;		/* struct doings at the last look */
	int silent;		/* rounds since the sum has changed */
};

struct watch {
	struct watched tests[MOST_TESTS];
	size_t count;
};

/* Kills all descendants too: those that are left would disturb other tests. */
static void kill_tree(pid_t pid, void *arg)
{
	kill(pid, SIGSTOP);
	for_each_child(pid, kill_tree, arg);
	kill(pid, SIGKILL);
}

static void kill_test(pid_t pid, const char *what, int seconds)
{
	printf("watchdog: process %d %s for %d s\n", pid, what, seconds);
	fflush(stdout);
	kill_tree(pid, NULL);
}

static void judge(struct watched *test)
{
	struct doings doings = { 0 };

	add_doings(test->pid, &doings);
	test->silent = doings.sum == test->sum ? test->silent + 1 : 0;
	test->sum = doings.sum;
	if (test->silent >= SILENT_ROUNDS)
		kill_test(test->pid, "has done nothing",
			  ROUND_S * SILENT_ROUNDS);
	else if (doings.ticks / (uint64_t)sysconf(_SC_CLK_TCK) > MOST_CPU_S)
		kill_test(test->pid, "has kept a processor busy", MOST_CPU_S);
}

/* Each child of this process is a test. */
static void find_test(pid_t pid, void *arg)
{
	struct watch *now = arg;

	if (now->count < MOST_TESTS)
		now->tests[now->count++].pid = pid;
}

static void watch_once(struct watch *watch)
{
	struct watch now = { .count = 0 };

	for_each_child(getpid(), find_test, &now);
	for (size_t i = 0; i < now.count; i++) {
		for (size_t j = 0; j < watch->count; j++)
			if (watch->tests[j].pid == now.tests[i].pid)
				now.tests[i] = watch->tests[j];
		judge(&now.tests[i]);
	}
	*watch = now;
}

static void *watch_always(void *arg)
{
	static struct watch watch;

	(void)arg;
	for (;;) {
		sleep(ROUND_S);
		printf("so far: %u tests begun, the last one %s\n",
		       tests_begun, last_begun);
		fflush(stdout);
		watch_once(&watch);
	}
	return NULL;
}

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
	pthread_t thread;

	(void)set;
	if (pthread_create(&thread, NULL, watch_always, NULL)) {
		fprintf(stderr, "watchdog: no thread\n");
		exit(2);
	}
}

ReportHook(PRE_TEST)(struct criterion_test *test)
{
	tests_begun++;
	last_begun = test->name;
}
