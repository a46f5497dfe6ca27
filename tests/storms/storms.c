/* SPDX-License-Identifier: MIT */
/*
 * The lanes of runs, and the results.
 *
 *	storms [--autokill=N] [--kill-tree=N] [--pass=N] [--signals=SECONDS]
 *		[--seed=S] [--lanes=N] [--patience=SECONDS]
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
	uint64_t seed;
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

	printf("# seed %llu, lanes %d\n", (unsigned long long)plan->seed,
	       plan->lanes);
	for (enum kind kind = 0; kind < KINDS; kind++)
		if (plan->counts[kind])
			++*(storm_runs(kind, plan) ? &passed : &failed);
	for (int tree = 0; tree < 2 && plan->seconds; tree++)
		++*(storm_signals(tree, plan->seconds) ? &passed : &failed);
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}

/* ---- the command line ---- */

/* Writes the number after the name, which ends in "=". */
static bool take_number(const char *word, const char *name, long *ret_number)
{
	const size_t length = strlen(name);
	char *end;

	if (strncmp(word, name, length))
		return false;
	/* make gives an empty word for a variable that is not set. */
	if (word[length])
		*ret_number = strtol(word + length, &end, 10);
	if (word[length] && (*end || *ret_number < 0)) {
		fprintf(stderr, "storms: not a number: %s\n", word);
		exit(2);
	}
	return true;
}

static void read_words(char **words, struct plan *plan)
{
	long lanes = 2 * sysconf(_SC_NPROCESSORS_ONLN);
	long seed = (long)time(NULL), patience = patience_s;

	for (; *words; words++)
		if (!take_number(*words, "--autokill=",
				 &plan->counts[AUTOKILL]) &&
		    !take_number(*words, "--kill-tree=",
				 &plan->counts[KILL_TREE]) &&
		    !take_number(*words, "--pass=", &plan->counts[PASS]) &&
		    !take_number(*words, "--signals=", &plan->seconds) &&
		    !take_number(*words, "--seed=", &seed) &&
		    !take_number(*words, "--lanes=", &lanes) &&
		    !take_number(*words, "--patience=", &patience)) {
			fprintf(stderr, "storms: no option: %s\n", *words);
			exit(2);
		}
	plan->lanes = (int)lanes;
	plan->seed = (uint64_t)seed;
	patience_s = (int)patience;
}

int main(int argc, char **argv)
{
	const char *path = getenv("SPAWNFD");
	struct plan plan = { { 0 }, 0, 0, 0 };

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
