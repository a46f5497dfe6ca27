/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

long now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* Returns the length of the text; 0 if the file no longer exists. */
static size_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void add_text(const char *text, uint64_t *sum)
{
	/* FNV-1a */
	for (; *text; text++)
		*sum = (*sum ^ (unsigned char)*text) * 0x100000001b3;
}

/*
 * Adds what one process has done, from proc(5). The counts of context switches,
 * at the end of "status", change whenever the process has run. Fields 14 to 17
 * of "stat" are its processor time and that of the children it has reaped.
 */
static void add_process(pid_t pid, struct doings *doings)
{
	unsigned long long times[4] = { 0 };
	char path[64], text[4096], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_text(path, text, sizeof(text));
	at = strstr(text, "\nvoluntary_ctxt_switches:");
	add_text(at ? at : "gone", &doings->sum);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_text(path, text, sizeof(text));
	at = strrchr(text, ')');
	if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			  "%llu %llu %llu %llu", &times[0], &times[1],
			  &times[2], &times[3]) != 4)
		return;
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "%d %llu", pid, times[i]);
		add_text(text, &doings->sum);
		doings->ticks += times[i];
	}
}

static void call_for(const char *path, void (*call)(pid_t, void *), void *arg)
{
	FILE *file = fopen(path, "re");
	int child;

	if (!file)
		return;
	while (fscanf(file, "%d", &child) == 1)
		call(child, arg);
	fclose(file);
}

void for_each_child(pid_t pid, void (*call)(pid_t, void *), void *arg)
{
	char path[300];
	struct dirent *thread;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	if (!threads)
		return;
	while ((thread = readdir(threads))) {
		if (thread->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.32s/children",
			 pid, thread->d_name);
		call_for(path, call, arg);
	}
	closedir(threads);
}

/*
 * The waker of a spawnfd that is stopped looks again and again. Only what it
 * waits for counts.
 */
static bool is_waker(pid_t pid)
{
	char path[64], name[32];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_text(path, name, sizeof(name));
	return strcmp(name, "spawnfd-waker\n") == 0;
}

static void add_child(pid_t child, void *doings)
{
	if (!is_waker(child))
		add_doings(child, doings);
}

void add_doings(pid_t pid, struct doings *doings)
{
	add_process(pid, doings);
	for_each_child(pid, add_child, doings);
}

/* Leaves out the test itself, which may look again and again. */
static uint64_t look_at_descendants(void)
{
	struct doings doings = { 0 };

	for_each_child(getpid(), add_child, &doings);
	return doings.sum;
}

/* Gives half of the allowed silence: is_patient() looks after each half. */
static int half_of(const struct patience *patience)
{
	return (patience->silence_ms ? patience->silence_ms : PATIENCE_MS) / 2;
}

bool is_patient(struct patience *patience)
{
	const long now = now_us();
	uint64_t seen;

	if (!patience->until) {
		patience->until = now + half_of(patience) * 1000L;
		return true;
	}
	if (now < patience->until)
		return true;
	seen = look_at_descendants();
	if (patience->seen && seen == patience->seen)
		return false;
	patience->seen = seen ? seen : 1;
	patience->until = now + half_of(patience) * 1000L;
	return true;
}

int poll_until_silence(struct pollfd *fds, nfds_t count, int silence_ms)
{
	struct patience patience = { .silence_ms = silence_ms };
	int n;

	is_patient(&patience);
	do
		n = poll(fds, count, half_of(&patience));
	while ((n < 0 && errno == EINTR) || (n == 0 && is_patient(&patience)));
	return n;
}

int poll_patiently(struct pollfd *fds, nfds_t count)
{
	return poll_until_silence(fds, count, PATIENCE_MS);
}
