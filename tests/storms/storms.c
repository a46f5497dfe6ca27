/* SPDX-License-Identifier: MIT */
/*
 * The lanes of runs, and the results.
 *
 *	storms [--runs=N] [--autokill=N] [--kill-tree=N] [--pass=N]
 *		[--signals=SECONDS] [--seed=S] [--lanes=N] [--patience=SECONDS]
 *
 * --runs=N stands for N runs with --autokill, and a quarter as many trees and
 * passes, rounded up.
 *
 * It needs a kernel that has the flags, and root for trees without a user
 * namespace: tests/kernel/run.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../faults/number.h"
#include "../system/patience.h"
#include "storms.h"

#define TOLD 20		/* how many faults of a kind are told, at most */

char spawnfd[4096], self[4096];
struct receiver *receiver;
int patience_s = 120;

static const struct {
	const char *name;
	void (*make)(struct run *run);
	const char *(*judge)(const struct run *run);
} kinds[KINDS] = {
	[AUTOKILL] = { "autokill", make_hold, judge_hold },
	[KILL_TREE] = { "kill-tree", make_hold, judge_hold },
	[PASS] = { "pass", make_pass, judge_pass },
};

struct plan {
	long counts[KINDS];
	long seconds;		/* of the signal storm */
	int lanes;
	unsigned long seed;
};

/* ---- a lane: it makes one run after another ---- */

static long add(long *number, long more)
{
	return __atomic_fetch_add(number, more, __ATOMIC_RELAXED);
}

static void tell_fault(const struct run *run, const char *what)
{
	printf("# %s, run %ld: %s; signal %d%s after %ld us, COMMAND %s, "
	       "wait status 0x%x, messages %d, survivors %d, zombies %d\n",
	       kinds[run->kind].name, run->index, what, run->signal,
	       run->kills_receiver ? " to spawnfd, 9 to the receiver" : "",
	       run->moment_us, run->executed ? "executed" : "not executed",
	       (unsigned int)run->status, run->received.messages,
	       run->survivors, run->zombies);
}

static void count_run(struct tally *tally, const struct run *run)
{
	const char *wrong = kinds[run->kind].judge(run), *what = wrong;
	const bool over = WIFEXITED(run->status) &&
			  WEXITSTATUS(run->status) != 125;

	add(&tally->runs, 1);
	add(&tally->survivors, run->survivors);
	add(&tally->zombies, run->zombies);
	if (run->signal || run->kills_receiver)
		add(over ? &tally->after : run->executed ? &tally->during
			 : &tally->before, 1);
	if (wrong)
		add(&tally->wrong, 1);
	else if (run->survivors)
		what = "a process is left";
	else if (run->zombies)
		what = "a zombie is left";
	if (what && add(&tally->told, 1) < TOLD)
		tell_fault(run, what);
}

static void __attribute__((noreturn))
run_lane(enum kind kind, const struct plan *plan, struct tally *tally)
{
	long length = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_TIMERSLACK, 1);
	receiver = mmap(NULL, sizeof(*receiver), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (receiver == MAP_FAILED)
		_exit(99);
	for (;;) {
		struct run run = { .kind = kind };

		run.index = add(&tally->taken, 1);
		if (run.index >= plan->counts[kind])
			break;
		draw_run(&run, plan->seed, length);
		kinds[kind].make(&run);
		count_run(tally, &run);
		if (!run.signal && !run.kills_receiver)
			length = length ? (3 * length + run.length_us) / 4
					: run.length_us;
	}
	fflush(stdout);
	_exit(0);
}

/* ---- all lanes ---- */

static void tell_progress(enum kind kind, const struct tally *tally,
			  const struct plan *plan, long *told_us)
{
	if (now_us() - *told_us < 60000000)
		return;
	*told_us = now_us();
	printf("# %s: %ld of %ld runs\n", kinds[kind].name, tally->runs,
	       plan->counts[kind]);
}

/* Returns how many lanes did not reach their end. */
static int await_lanes(enum kind kind, const struct tally *tally,
		       const struct plan *plan)
{
	long told = now_us();
	int status, broken = 0;

	/* The clock interrupts the wait each second. */
	start_patience();
	for (;;) {
		pid_t pid = wait(&status);

		if (pid > 0 && status)
			broken++;
		if (pid < 0 && errno != EINTR)
			return broken;
		tell_progress(kind, tally, plan, &told);
	}
}

static bool storm_runs(enum kind kind, const struct plan *plan)
{
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const long start = now_us();
	bool good;
	int broken;

	if (tally == MAP_FAILED)
		return false;
	for (int lane = 0; lane < plan->lanes; lane++)
		if (!fork())
			run_lane(kind, plan, tally);
	broken = await_lanes(kind, tally, plan);
	good = !broken && tally->runs == plan->counts[kind] &&
	       !tally->survivors && !tally->zombies && !tally->wrong;
	printf("%s %s: runs %ld, survivors %ld, zombies %ld, wrong statuses "
	       "%ld, %ld seconds\n", good ? "good" : "FAIL", kinds[kind].name,
	       tally->runs, tally->survivors, tally->zombies, tally->wrong,
	       (now_us() - start) / 1000000);
	printf("# the kill came before COMMAND ran %ld times, while it ran "
	       "%ld, after the end %ld\n", tally->before, tally->during,
	       tally->after);
	munmap(tally, sizeof(*tally));
	return good;
}

static int storm(const struct plan *plan)
{
	int passed = 0, failed = 0;

	printf("# seed %lu, lanes %d\n", plan->seed, plan->lanes);
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (plan->counts[kind])
			++*(storm_runs(kind, plan) ? &passed : &failed);
	for (int tree = 0; tree < 2 && plan->seconds; tree++)
		++*(storm_signals(tree, plan->seconds) ? &passed : &failed);
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}

/* ---- the command line ---- */

/* As take_number(), for a number of runs, seconds or lanes */
static bool take_count(const char *word, const char *option, long least,
		       long *ret_count)
{
	const struct range range = { (unsigned long)least, INT_MAX };
	unsigned long count = (unsigned long)*ret_count;

	if (!take_number(word, option, range, &count))
		return false;
	*ret_count = (long)count;
	return true;
}

static bool take_runs(const char *word, long counts[KINDS])
{
	long runs = 0;

	if (!take_count(word, "--runs=", 0, &runs))
		return false;
	counts[AUTOKILL] = runs;
	counts[KILL_TREE] = counts[PASS] = (runs + 3) / 4;
	return true;
}

static void read_words(char **words, struct plan *plan)
{
	long lanes = 2 * sysconf(_SC_NPROCESSORS_ONLN), patience = patience_s;
	long *counts = plan->counts;

	for (; *words; words++)
		if (!take_runs(*words, counts) &&
		    !take_count(*words, "--autokill=", 0, &counts[AUTOKILL]) &&
		    !take_count(*words, "--kill-tree=", 0,
				&counts[KILL_TREE]) &&
		    !take_count(*words, "--pass=", 0, &counts[PASS]) &&
		    !take_count(*words, "--signals=", 0, &plan->seconds) &&
		    !take_count(*words, "--lanes=", 1, &lanes) &&
		    !take_count(*words, "--patience=", 1, &patience) &&
		    !take_number(*words, "--seed=",
				 (struct range){ 0, ULONG_MAX }, &plan->seed)) {
			fprintf(stderr, "storms: %s: no such option\n", *words);
			exit(2);
		}
	if (!counts[AUTOKILL] && !counts[KILL_TREE] && !counts[PASS] &&
	    !plan->seconds) {
		fprintf(stderr, "storms: nothing to do: give a number of runs "
			"or seconds\n");
		exit(2);
	}
	plan->lanes = (int)lanes;
	patience_s = (int)patience;
}

int main(int argc, char **argv)
{
	const char *path = getenv("SPAWNFD");
	struct plan plan = { .seed = (unsigned long)time(NULL) };

	if (argc == 3 && !strcmp(argv[1], "command"))
		command_run(argv[2]);
	read_words(argv + 1, &plan);
	if (!realpath(path ? path : "spawnfd", spawnfd) ||
	    !realpath("/proc/self/exe", self)) {
		perror("storms: spawnfd");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return storm(&plan);
}
