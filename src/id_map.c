/* SPDX-License-Identifier: MIT */
/* id_map - see id_map.h. It must never write for a recycled pid. */
#include "id_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "proc.h"
#include "sys.h"

static int write_file(int directory, const char *file, const char *text)
{
	auto_close fd = openat(directory, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : sys_write(fd, text, strlen(text));
}

int id_map_check(void)
{
	auto_close fd = -1;

	if (!proc_is_ours())
		return -ENOENT;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

/* Reads a number behind spaces, and moves *at behind the number. */
static unsigned long take_number(const char **at)
{
	unsigned long number = 0;

	for (*at += strspn(*at, " "); **at >= '0' && **at <= '9'; (*at)++)
		number = number * 10 + (unsigned long)(**at - '0');
	return number;
}

/*
 * Whether the map of a user namespace has no such id. Each line is the first id
 * inside, the first id outside, and their count: user_namespaces(7).
 */
static bool lacks_id(const char *file, unsigned long id)
{
	char text[4096];
	const char *at = text;
	auto_close fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	/* The map can be longer than this, which is rare. */
	if (length < 0 || (size_t)length == sizeof(text) - 1)
		return false;
	text[length] = '\0';
	while (*at) {
		unsigned long first = take_number(&at), count;

		take_number(&at);
		count = take_number(&at);
		if (id >= first && id - first < count)
			return false;
		at += strcspn(at, "\n");
		at += strspn(at, "\n");
	}
	return true;
}

bool id_map_lacks_us(void)
{
	return lacks_id("/proc/self/uid_map", geteuid()) ||
	       lacks_id("/proc/self/gid_map", getegid());
}

int id_map_write(const struct process *process)
{
	char path[32], uids[32], gids[32];
	auto_close directory = -1;
	int r;

	/* The /proc of another PID namespace has other processes. */
	if (!proc_is_ours())
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d", process->pid);
	snprintf(uids, sizeof(uids), "%u %u 1", geteuid(), geteuid());
	snprintf(gids, sizeof(gids), "%u %u 1", getegid(), getegid());
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	/*
	 * Another process may have got the pid before the open. If the process
	 * still takes a signal after it, the pid has not been free meanwhile,
	 * and the directory belongs to the right process.
	 */
	r = process_signal(process, 0, false, NULL);
	/* A security module can deny the signal, once the process is found. */
	if (r >= 0 || r == -EPERM || r == -EACCES)
		r = write_file(directory, "uid_map", uids);
	if (r >= 0)
		r = write_file(directory, "setgroups", "deny");
	if (r >= 0)
		r = write_file(directory, "gid_map", gids);
	return r;
}
