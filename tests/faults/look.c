/* SPDX-License-Identifier: MIT */
/* Looks at a process in /proc, in words that are the same in each run. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

static const char *relation(pid_t id, pid_t own, pid_t spawnfd)
{
	return id == own ? "its own" : id == spawnfd ? "spawnfd's" : "another";
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static size_t look_at_descriptors(pid_t pid, char *look)
{
	char path[64];
	int fds[256], count = 0;
	size_t length = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	while (folder && count < 256 && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			fds[count++] = atoi(entry->d_name);
	if (folder)
		closedir(folder);
	qsort(fds, (size_t)count, sizeof(fds[0]), compare_numbers);
	length += (size_t)sprintf(look, "descriptors:");
	for (int i = 0; i < count; i++)
		length += (size_t)sprintf(look + length, " %d", fds[i]);
	return length + (size_t)sprintf(look + length, "\n");
}

static size_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void add_field(const char *text, const char *name, char *look)
{
	const char *at = strstr(text, name);

	if (at)
		sprintf(look + strlen(look), "%.*s\n", (int)strcspn(at, "\n"),
			at);
}

/* The ids of its user namespace, whose map spawnfd may have to write. */
static void add_map(pid_t pid, const char *name, char *look)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	read_file(path, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	sprintf(look + strlen(look), "%s:%s\n", name, text);
}

/* Root owns the files of a process that has made itself undumpable: proc(5). */
static void add_owner(pid_t pid, char *look)
{
	char path[64];
	struct stat st = { .st_uid = (uid_t)-1 };

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	stat(path, &st);
	sprintf(look + strlen(look), "owner: %u\n", st.st_uid);
}

void take_look(pid_t pid, pid_t spawnfd, char look[LOOK_SIZE])
{
	char path[64], text[8192];

	look_at_descriptors(pid, look);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	add_field(text, "NoNewPrivs:", look);
	add_field(text, "SigBlk:", look);
	add_field(text, "SigIgn:", look);
	sprintf(look + strlen(look), "group: %s\nsession: %s\n",
		relation(getpgid(pid), pid, spawnfd),
		relation(getsid(pid), pid, spawnfd));
	add_map(pid, "uid_map", look);
	add_map(pid, "gid_map", look);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	read_file(path, text, sizeof(text));
	sprintf(look + strlen(look), "cgroup: %.1000s", text);
}

void take_kept(const char *who, pid_t pid, char kept[LOOK_SIZE])
{
	char path[300], text[8192], targets[64][64];
	size_t count = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	while (folder && count < 64 && (entry = readdir(folder))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%.200s", pid,
			 entry->d_name);
		n = readlink(path, targets[count], sizeof(targets[0]) - 1);
		if (n < 0)
			continue;
		targets[count][n] = '\0';
		/* pipe:[1234] has a number, anon_inode:[pidfd] has not. */
		if (strncmp(targets[count], "anon", 4))
			targets[count][strcspn(targets[count], ":")] = '\0';
		count++;
	}
	if (folder)
		closedir(folder);
	qsort(targets, count, sizeof(targets[0]),
	      (int (*)(const void *, const void *))strcmp);
	sprintf(kept + strlen(kept), "%s:", who);
	for (size_t i = 0; i < count && strlen(kept) < LOOK_SIZE - 200; i++)
		sprintf(kept + strlen(kept), " %s", targets[i]);
	strcat(kept, "\n");
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	add_field(text, "SigBlk:", kept);
	add_owner(pid, kept);
}
