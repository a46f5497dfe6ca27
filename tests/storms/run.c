/* SPDX-License-Identifier: MIT */
/* One run of a hold; most of it is for a run of --pass too. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../system/patience.h"
#include "storms.h"

/* ---- drawing ---- */

/* Gives a number below `sides`, by SPLITMIX64. */
static long roll(struct run *run, long sides)
{
	uint64_t word = run->dice += 0x9e3779b97f4a7c15;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
	word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
	word ^= word >> 31;
	return (long)(word % (uint64_t)sides);
}

void draw_run(struct run *run, uint64_t seed, long length_us)
{
	static const int kills[] = { SIGKILL, SIGKILL, SIGTERM, SIGINT };

	run->dice = seed * KINDS + (uint64_t)run->kind;
	run->dice = (uint64_t)roll(run, INT64_MAX) + (uint64_t)run->index;
	run->ends = !roll(run, 4);
	run->signal = kills[roll(run, 4)];
	run->kills_receiver = run->kind == PASS && roll(run, 4);
	run->keeps_listener = !run->kills_receiver || roll(run, 2);
	/* A run without a kill tells how long a run is now. */
	if (!length_us || !roll(run, 16)) {
		run->signal = 0;
		run->kills_receiver = false;
		run->keeps_listener = true;
		run->ends = true;
		return;
	}
	if (run->kills_receiver)
		run->signal = 0;
	/* A quarter of the moments is for what follows the end. */
	run->moment_us = roll(run, length_us + length_us / 4);
}

/* ---- patience ---- */

static void do_nothing(int signal)
{
	(void)signal;
}

void start_patience(void)
{
	/* The first EINTR can come just before the wait, so more follow. */
	const struct itimerval limit = { { 1, 0 }, { patience_s, 0 } };
	const struct sigaction action = { .sa_handler = do_nothing };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &limit, NULL);
}

void await_moment(const struct run *run, long start_us)
{
	const long at = start_us + run->moment_us;
	const struct timespec until = { at / 1000000, at % 1000000 * 1000 };

	/* A loop that looks at the clock would take the CPU from spawnfd. */
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
	       EINTR)
		;
}

/* ---- the processes ---- */

void open_life(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC)) {
		perror("storms: pipe");
		_exit(99);
	}
}

void become_spawnfd(int life, char *const *words)
{
	if (life == FD_LIFE)
		fcntl(life, F_SETFD, 0);
	else
		dup2(life, FD_LIFE);
	execv(spawnfd, words);
	_exit(99);
}

void await_spawnfd(struct run *run, pid_t pid, long start_us)
{
	if (waitpid(pid, &run->status, 0) != pid)
		run->hung = true;
	run->length_us = now_us() - start_us;
}

/* Returns false if the other end stays open. */
static bool read_to_end(struct run *run, int life)
{
	char bytes[16];
	ssize_t n;

	while ((n = read(life, bytes, sizeof(bytes))) > 0)
		run->executed = true;
	return n == 0;
}

static void kill_one(pid_t pid, void *arg)
{
	int *count = arg;

	kill(pid, SIGKILL);
	++*count;
}

/* Counts, and kills, all that has become a child of this subreaper. */
static int kill_rest(void)
{
	int count = 0, others = 0;

	for_each_child(getpid(), kill_one, &count);
	while (wait4(-1, NULL, __WALL, NULL) > 0 || errno == EINTR)
		for_each_child(getpid(), kill_one, &others);
	return count;
}

void look_at_rest(struct run *run, int life)
{
	if (run->hung || !read_to_end(run, life)) {
		run->survivors = kill_rest();
		return;
	}
	/* wait(2) finds no child that the kernel reaps. */
	while (wait4(-1, NULL, __WALL, NULL) > 0)
		run->zombies++;
	if (errno != ECHILD)
		run->survivors = kill_rest();
}

void make_hold(struct run *run)
{
	const bool tree = run->kind == KILL_TREE;
	char *const verb = tree ? run->ends ? "leave-exit" : "leave"
				      : run->ends ? "exit" : "stay";
	char *const words[] = {
		"spawnfd", "--autokill", tree ? "--kill-tree" : "--nnp",
		"--", self, "command", verb, NULL,
	};
	long start;
	int life[2];
	pid_t pid;

	open_life(life);
	start_patience();
	start = now_us();
	pid = fork();
	if (!pid)
		become_spawnfd(life[1], words);
	close(life[1]);
	if (run->signal) {
		await_moment(run, start);
		kill(pid, run->signal);
	}
	await_spawnfd(run, pid, start);
	look_at_rest(run, life[0]);
	close(life[0]);
}

/* ---- the judgement ---- */

const char *judge_hold(const struct run *run)
{
	if (run->hung)
		return "spawnfd hangs";
	if (WIFSIGNALED(run->status))
		return run->signal && WTERMSIG(run->status) == run->signal
			       ? NULL : "spawnfd died of another signal";
	return run->ends && WEXITSTATUS(run->status) == OWN_STATUS
		       ? NULL : "the exit status is not that of COMMAND";
}
