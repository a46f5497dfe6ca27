/* SPDX-License-Identifier: MIT */
/* proc - see proc.h. It must never take another namespace's pid for its own. */
#include "proc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

bool proc_list_open(const char *path, struct proc_list *ret_list)
{
	ret_list->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret_list->length = ret_list->at = 0;
	return ret_list->directory >= 0;
}

/* The number that an entry is named after, or -1 for another name */
static int number_of(const char *name)
{
	int number = -1;

	for (; *name >= '0' && *name <= '9'; name++)
		number = (number < 0 ? 0 : number * 10) + (*name - '0');
	return number;
}

int proc_list_next(struct proc_list *list)
{
	/* struct linux_dirent64: inode, offset, length, type, name */
	enum { LENGTH_AT = 16, NAME_AT = 19 };
	int number = -1;

	while (number < 0) {
		const char *entry = list->bytes + list->at;
		uint16_t length;

		if (list->at >= list->length) {
			list->at = 0;
			list->length = sys_getdents(list->directory,
						    list->bytes,
						    sizeof(list->bytes));
			if (list->length <= 0)
				return -1;
			continue;
		}
		memcpy(&length, entry + LENGTH_AT, sizeof(length));
		list->at += length;
		number = number_of(entry + NAME_AT);
	}
	return number;
}

void proc_list_close(struct proc_list *list)
{
	close(list->directory);
	list->directory = -1;
}

bool proc_is_ours(void)
{
	char target[16] = "";

	return readlink("/proc/self", target, sizeof(target) - 1) > 0 &&
	       atoi(target) == getpid();
}

/* Copies the name, which stands between the first "(" and the last ")" */
static void copy_name(const char *stat, const char *end,
		      char ret_name[PROC_NAME_SIZE])
{
	const char *name = strchr(stat, '(');
	size_t length = name ? (size_t)(end - ++name) : 0;

	if (length >= PROC_NAME_SIZE)
		length = PROC_NAME_SIZE - 1;
	memcpy(ret_name, length ? name : "", length);
	ret_name[length] = '\0';
}

char proc_state_at(int fd, char ret_name[PROC_NAME_SIZE])
{
	char stat[128] = "";
	/* At offset 0, the kernel writes the line anew. */
	ssize_t length = pread(fd, stat, sizeof(stat) - 1, 0);
	/* The name, in parentheses, may contain any character. */
	const char *end = length > 0 ? strrchr(stat, ')') : NULL;

	if (!end || end[1] != ' ')
		return 0;
	if (ret_name)
		copy_name(stat, end, ret_name);
	return end[2];
}

/* Somebody may have mounted another file system at /proc. */
static int open_file(const char *path)
{
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_of(pid_t pid, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open_file(path);
}

int proc_open_own_state(void)
{
	return open_file("/proc/self/stat");
}

char proc_state(pid_t pid, char ret_name[PROC_NAME_SIZE])
{
	int fd = open_of(pid, "stat");
	char state;

	if (fd < 0)
		return 0;
	state = proc_state_at(fd, ret_name);
	close(fd);
	return state;
}

pid_t proc_tracer(pid_t pid)
{
	static const char name[] = "\nTracerPid:\t";
	int fd = open_of(pid, "status");
	/* The line is among the first ten: Linux 7.3, fs/proc/array.c. */
	char status[512] = "";
	const char *line;

	if (fd < 0)
		return 0;
	if (read(fd, status, sizeof(status) - 1) < 0)
		status[0] = '\0';
	close(fd);
	line = strstr(status, name);
	return line ? atoi(line + strlen(name)) : 0;
}
