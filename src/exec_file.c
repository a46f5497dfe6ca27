/* SPDX-License-Identifier: MIT */
/* exec_file - see exec_file.h. It must never execute anything. */
#include "exec_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "search.h"

/* For search_try. execve(2) takes only a regular file that is executable */
static int open_executable(const char *path, const void *context)
{
	int fd = open(path, O_PATH | O_CLOEXEC), r;
	struct stat st;

	(void)context;
	if (fd < 0 || fstat(fd, &st) < 0 || access(path, X_OK) < 0)
		r = -errno;
	else
		r = S_ISREG(st.st_mode) ? 0 : -EACCES;
	if (r < 0) {
		fd_close(&fd);
		return r;
	}
	fd = fd_above_standard(fd);
	return fd < 0 ? -errno : fd;
}

int exec_file_open(const char *command, const char *path)
{
	return search_try(command, path, open_executable, NULL);
}

/* For search_try */
static int file_exists(const char *path, const void *context)
{
	(void)context;
	return access(path, F_OK) < 0 ? -ENOENT : 0;
}

bool exec_file_exists(const char *command, const char *path)
{
	return search_try(command, path, file_exists, NULL) >= 0;
}
