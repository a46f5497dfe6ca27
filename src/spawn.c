/* SPDX-License-Identifier: MIT */
/* spawn - see spawn.h. It must never wait for COMMAND to end. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "child.h"
#include "fd.h"
#include "search.h"

static int open_cgroup(const char *directory)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The pipe, and the signals as they must be before clone3 */
static int prepare(const struct launch *launch, struct child *child,
		   int report[2])
{
	const struct sys_sigset all = { ~UINT64_C(0) };
	int r = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	child->report = report[1];
	/* ignored, it would make the kernel reap the child unasked: wait(2) */
	if (launch_reaps(launch))
		r = sys_sigignore(SIGCHLD, false, &child->ignore_sigchld);
	return r < 0 ? r : sys_sigmask(&all, &child->mask);
}

int spawn(const struct launch *launch, struct process *ret_process,
	  enum step *ret_step)
{
	struct child child = {
		.command = launch->command,
		.environment = launch->environment,
		.path = launch->path,
	};
	struct sys_clone_args args = launch->args;
	auto_close cgroup = -1, read_end = -1, write_end = -1;
	int report[2] = { -1, -1 }, pidfd = -1, r;

	*ret_step = STEP_CGROUP;
	if (launch->cgroup) {
		cgroup = open_cgroup(launch->cgroup);
		if (cgroup < 0)
			return cgroup;
		args.cgroup = (uint64_t)cgroup;
	}
	*ret_step = STEP_PREPARE;
	r = prepare(launch, &child, report);
	read_end = report[0];
	write_end = report[1];
	if (r < 0)
		return r;
	*ret_step = STEP_CLONE3;
	args.pidfd = (uintptr_t)&pidfd;
	r = sys_clone3(&args);
	if (!r)
		child_run(&child);
	if (r < 0)
		return r;
	*ret_process = (struct process){
		.pid = r,
		.pidfd = pidfd,
		.report = fd_steal(&read_end),
		.mask = child.mask,
	};
	return 0;
}

/* Whether there is a file for what exec did not find */
static bool exists(const struct launch *launch)
{
	struct search search;
	const char *path;

	search_begin(&search, launch->command[0], launch->path);
	while ((path = search_next(&search)))
		if (!access(path, F_OK))
			return true;
	return false;
}

/* The child is about to exit: leaves neither it nor its pidfd behind */
static void bury(const struct launch *launch, struct process *process)
{
	int status;

	if (!(launch->args.flags & CLONE_AUTOREAP))
		sys_wait_pid(process->pid, &status);
	fd_close(&process->pidfd);
}

int spawn_confirm(const struct launch *launch, struct process *process,
		  enum step *ret_step)
{
	int error;
	ssize_t n;

	do
		n = read(process->report, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	fd_close(&process->report);
	if (n == sizeof(error)) {
		bury(launch, process);
		*ret_step = error == ENOENT && exists(launch) ? STEP_INTERPRETER
							      : STEP_EXEC;
		return -error;
	}
	*ret_step = STEP_PREPARE;
	return sys_sigmask(&process->mask, NULL);
}
