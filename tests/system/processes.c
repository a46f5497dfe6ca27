/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "harness.h"

pid_t child_of(pid_t pid)
{
	char path[64], text[64];

	/* proc(5): CONFIG_PROC_CHILDREN, which distributions set */
	cr_assert(exists("/proc/thread-self/children"),
		  "the kernel lacks CONFIG_PROC_CHILDREN");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_file(path, text, sizeof(text));
	return atoi(text);
}

int count_children(pid_t pid)
{
	static char text[200000];
	char path[64];
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_file(path, text, sizeof(text));
	for (const char *at = text; *at; at++)
		n += *at == ' ';
	return n;
}

void await_handled(pid_t pid, uint64_t signals)
{
	struct patience patience = { 0 };

	while (signals_of(pid, "ShdPnd:") & signals || state_of(pid) != 'S') {
		cr_assert(is_patient(&patience), "%d: signals are pending",
			  pid);
		sched_yield();
	}
}

void await_init(pid_t holder)
{
	if (kills_tree())
		await_handled(child_of(holder), UINT64_MAX);
}

int open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	cr_assert_geq(fd, 0, "pidfd_open %d: %s", pid, strerror(errno));
	return fd;
}

unsigned long inode_of(pid_t pid)
{
	int pidfd = open_pidfd(pid);
	struct stat st;

	cr_assert_eq(fstat(pidfd, &st), 0);
	close(pidfd);
	return st.st_ino;
}

/* Gives the text of /proc/PID/stat after the name of the process, or NULL. */
static const char *stat_of(pid_t pid, char *text, size_t size)
{
	char path[64], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, text, size);
	end = strrchr(text, ')');
	return end ? end + 2 : NULL;
}

char state_of(pid_t pid)
{
	char text[1024];
	const char *stat = stat_of(pid, text, sizeof(text));

	return stat ? stat[0] : '\0';
}

pid_t parent_of(pid_t pid)
{
	char text[1024];
	const char *stat = stat_of(pid, text, sizeof(text));

	cr_assert_not_null(stat, "%d is gone", pid);
	return atoi(stat + strlen("S "));
}

uint64_t signals_of(pid_t pid, const char *name)
{
	char path[64], text[4096], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	line = strstr(text, name);
	cr_assert_not_null(line, "%s of %d: %s", name, pid, text);
	return strtoull(line + strlen(name) + 1, NULL, 16);
}

/* Looks again and again, because /proc cannot be polled. */
void await_state(pid_t pid, char state)
{
	struct patience patience = { 0 };

	while (state_of(pid) != state) {
		cr_assert(is_patient(&patience), "%d is %c", pid,
			     state_of(pid));
		sched_yield();
	}
}

int private_kb(pid_t pid)
{
	char path[64], text[8192];
	int clean = -1, dirty = -1;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	read_file(path, text, sizeof(text));
	cr_assert_not_null(strstr(text, "\nPrivate_Clean:"), "%s", text);
	sscanf(strstr(text, "\nPrivate_Clean:"), "\nPrivate_Clean: %d", &clean);
	sscanf(strstr(text, "\nPrivate_Dirty:"), "\nPrivate_Dirty: %d", &dirty);
	cr_assert(clean >= 0 && dirty >= 0, "%s", text);
	return clean + dirty;
}

long resident_kb(pid_t pid)
{
	char path[64], text[4096], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	line = strstr(text, "VmRSS:");
	cr_assert_not_null(line);
	return atol(line + strlen("VmRSS:"));
}

bool kills_tree(void)
{
	return variant_is(TREE | TREE_OF_USER);
}

pid_t command_of(pid_t pid)
{
	pid_t child = child_of(pid);

	return kills_tree() ? child_of(child) : child;
}

void name_of(pid_t pid, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_file(path, name, size);
	name[strcspn(name, "\n")] = '\0';
}

int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void reap_orphans(void)
{
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

static void wake_up(int sig)
{
	(void)sig;
}

int waitid_patiently(idtype_t type, id_t id, siginfo_t *info, int options)
{
	const struct sigaction wake = { .sa_handler = wake_up };
	struct patience patience = { 0 };
	int error;

	sigaction(SIGALRM, &wake, NULL);
	is_patient(&patience);
	do {
		alarm(PATIENCE_MS / 2000);
		error = waitid(type, id, info, options) ? errno : 0;
	} while (error == EINTR && is_patient(&patience));
	alarm(0);
	errno = error;
	return error ? -1 : 0;
}

void nothing_left(void)
{
	const bool falls_back = variant_is(FALLBACK | FILTERED);
	siginfo_t info = { 0 };
	int found;

	/*
	 * Without CLONE_AUTOREAP process 1 would reap the command. This test, a
	 * subreaper, takes its place.
	 */
	do
		found = waitid_patiently(P_ALL, 0, &info, WEXITED | __WALL |
					 (falls_back ? 0 : WNOWAIT));
	while (!found && falls_back);
	cr_assert_neq(found, 0, "a zombie is left: %d, status %d",
		      info.si_pid, info.si_status);
	cr_assert_neq(errno, EINTR, "still running: %d", child_of(getpid()));
	cr_assert_eq(errno, ECHILD);
}

void kill_all(void)
{
	pid_t child;

	while ((child = child_of(getpid()))) {
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL);
	}
}
