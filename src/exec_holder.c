/* SPDX-License-Identifier: MIT */
/* exec_holder - see exec_holder.h. It must never lose a descriptor's number. */
#include "exec_holder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exec_file.h"
#include "fd.h"
#include "search.h"

#define PIDFD "SPAWNFD_PIDFD="
#define PROCESS "SPAWNFD_PROCESS="

static int fail_fd(int fd, int r, struct failure *ret_failure)
{
	step_fail(ret_failure, STEP_EXEC_FD, r, NULL);
	ret_failure->number = fd;
	return r;
}

int exec_holder_check(int fd, struct failure *ret_failure)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return fail_fd(fd, -errno, ret_failure);
	return (rlim_t)fd < limit.rlim_cur ? 0
					   : fail_fd(fd, -EBADF, ret_failure);
}

/* ---- the descriptor ---- */

/*
 * Puts the pidfd at fd, without close-on-exec. *ret_replaced is a copy of what
 * was open there, or -1. If the exec fails, spawnfd may need that: standard
 * error, the FD of --status-fd, or a descriptor of its own.
 */
static int put_pidfd(int pidfd, int fd, int *ret_replaced)
{
	int replaced, r;

	if (pidfd == fd)
		return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
	replaced = fd_copy(fd);
	if (replaced < 0 && errno != EBADF)
		return -errno;
	*ret_replaced = replaced;
	/* The result is fd, and stays open for COMMAND. */
	r = dup2(pidfd, fd);
	return r < 0 ? -errno : r;
}

/* Undoes what put_pidfd has done */
static void take_back(int pidfd, int fd, int replaced)
{
	if (replaced >= 0)
		dup2(replaced, fd);
	else if (pidfd != fd)
		close(fd);
}

/* ---- the environment ---- */

static bool begins(const char *variable, const char *name)
{
	return !strncmp(variable, name, strlen(name));
}

/*
 * Copies the environment without the variables of --exec-fd, and adds these:
 * an array that ends in NULL. Returns NULL if there is no memory for the array.
 * The exec releases it.
 */
static char **extend(char **environment, char *const added[], size_t count)
{
	size_t n = 0, length = 0;
	char **extended;

	while (environment[length])
		length++;
	extended = mmap(NULL, (length + count + 1) * sizeof(*extended),
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	if (extended == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < length; i++)
		if (!begins(environment[i], PIDFD) &&
		    !begins(environment[i], PROCESS))
			extended[n++] = environment[i];
	for (size_t i = 0; i < count; i++)
		extended[n++] = added[i];
	return extended;
}

/* ---- the exec ---- */

/* Executes COMMAND, and returns only with the error */
static int search_and_execute(const struct exec_holder *holder,
			      const struct process *process)
{
	char pidfd[sizeof(PIDFD) + 12], name[sizeof(PROCESS) + 40];
	char *const added[] = { pidfd, name };
	char **environment;
	int r;

	snprintf(pidfd, sizeof(pidfd), PIDFD "%d", holder->fd);
	snprintf(name, sizeof(name), PROCESS "%d:%" PRIu64, (int)process->pid,
		 sys_pidfd_inode(process->pidfd));
	/* A process that had ended when it was received has no pid. */
	environment = extend(holder->environment, added, process->pid ? 2 : 1);
	if (!environment)
		return -ENOMEM;
	r = sys_sigmask(holder->mask, NULL);
	return r < 0 ? r : search_execute(holder->command, holder->path,
					  environment);
}

/* The failure of the exec */
static int fail(const struct exec_holder *holder, const struct process *process,
		int r, struct failure *ret_failure)
{
	const bool exists = r == -ENOENT &&
			    exec_file_exists(holder->command[0], holder->path);

	step_fail(ret_failure, exists ? STEP_INTERPRETER : STEP_EXEC, r,
		  holder->command[0]);
	ret_failure->ends_received = sys_pidfd_kills(process->pidfd);
	return r;
}

int exec_holder_run(const struct exec_holder *holder,
		    const struct process *process, struct failure *ret_failure)
{
	auto_close replaced = -1;
	int r = put_pidfd(process->pidfd, holder->fd, &replaced);

	if (r < 0)
		return fail_fd(holder->fd, r, ret_failure);
	r = search_and_execute(holder, process);
	take_back(process->pidfd, holder->fd, replaced);
	return fail(holder, process, r, ret_failure);
}
