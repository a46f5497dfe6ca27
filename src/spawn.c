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

/* The signals as they must be before clone3; *child learns what they were */
static int set_signals(const struct launch *launch, struct child *child)
{
	const struct sys_sigset all = { ~UINT64_C(0) };
	int r = 0;

	/* ignored, it would make the kernel reap the child unasked: wait(2) */
	if (launch_reaps(launch))
		r = sys_sigignore(SIGCHLD, false, &child->ignore_sigchld);
	return r < 0 ? r : sys_sigmask(&all, &child->mask);
}

/* Gives the pid; in the child it does not return */
static int clone_child(const struct launch *launch, const struct child *child,
		       int cgroup, int *ret_pidfd)
{
	struct sys_clone_args args = launch->args;
	int r;

	args.pidfd = (uintptr_t)ret_pidfd;
	if (launch->cgroup)
		args.cgroup = (uint64_t)cgroup;
	r = sys_clone3(&args);
	if (!r)
		child_run(child);
	return r;
}

/* The exit signal, if it is one that has an effect where nobody expects it */
static uint64_t own_signal(const struct launch *launch)
{
	uint64_t signal = launch->args.exit_signal;

	return signal && signal != SIGCHLD ? UINT64_C(1) << (signal - 1) : 0;
}

int spawn(const struct launch *launch, struct process *ret_process,
	  enum step *ret_step)
{
	struct child child = {
		.command = launch->command,
		.environment = launch->environment,
		.path = launch->path,
	};
	auto_close cgroup = -1;
	int report[2], pidfd = -1, r;

	*ret_step = STEP_CGROUP;
	if (launch->cgroup) {
		cgroup = open_cgroup(launch->cgroup);
		if (cgroup < 0)
			return cgroup;
	}
	*ret_step = STEP_PREPARE;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	child.report = report[1];
	r = set_signals(launch, &child);
	if (r >= 0) {
		*ret_step = STEP_CLONE3;
		r = clone_child(launch, &child, cgroup, &pidfd);
	}
	close(report[1]);
	if (r < 0) {
		close(report[0]);
		return r;
	}
	*ret_process = (struct process){
		.pid = r,
		.pidfd = pidfd,
		.report = report[0],
		.mask.bits = child.mask.bits | own_signal(launch),
	};
	return 0;
}

/* Whether there is a file for what exec did not find, where the child looked */
static bool exists(const struct launch *launch)
{
	struct search search;
	const char *path;

	if (launch->args.flags & CLONE_EMPTY_MNTNS)
		return false;
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
	*ret_step = STEP_PREPARE;
	if (n < 0)
		return -errno;
	fd_close(&process->report);
	if (n == sizeof(error)) {
		bury(launch, process);
		*ret_step = error == ENOENT && exists(launch) ? STEP_INTERPRETER
							      : STEP_EXEC;
		return -error;
	}
	return launch->holds ? sys_sigmask(&process->mask, NULL) : 0;
}
