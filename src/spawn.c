/* SPDX-License-Identifier: MIT */
/* spawn - see spawn.h. It must never wait for COMMAND to end. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "fd.h"
#include "search.h"

static int open_cgroup(const char *directory)
{
	int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static enum reaper reaper_of(const struct launch *launch)
{
	return launch->args.flags & CLONE_AUTOREAP ? REAPER_KERNEL
						   : REAPER_SPAWNFD;
}

/* Gives pid, or leaves nothing of the process */
static int open_pidfd(pid_t pid, int *ret_pidfd)
{
	int fd = sys_pidfd_open(pid), status;

	if (fd < 0) {
		kill(pid, SIGKILL);
		sys_wait_pid(pid, &status);
		return fd;
	}
	*ret_pidfd = fd;
	return pid;
}

/* Gives the pid; in the child it does not return */
static int clone_child(const struct launch *launch, const struct child *child,
		       int *ret_pidfd)
{
	struct sys_clone_args args = launch->args;
	int r;

	args.pidfd = (uintptr_t)ret_pidfd;
	if (args.flags & CLONE_INTO_CGROUP)
		args.cgroup = (uint64_t)child->cgroup;
	if (launch->by_clone)
		r = sys_clone(args.flags, args.exit_signal, ret_pidfd);
	else
		r = sys_clone3(&args);
	if (!r)
		child_run(child);
	/* clone(2) leaves out what it does not know: CLONE_PIDFD before 5.2 */
	if (r > 0 && args.flags & CLONE_PIDFD && *ret_pidfd < 0)
		return open_pidfd(r, ret_pidfd);
	return r;
}

uint64_t spawn_own_signal(const struct launch *launch)
{
	uint64_t signal = launch->args.exit_signal;

	return signal && signal != SIGCHLD ? SYS_SIGBIT(signal) : 0;
}

/* The variable of that name in the environment, if it has that value */
static char **find_name(char **environment, const char *name, uint64_t value)
{
	char wanted[40];

	snprintf(wanted, sizeof(wanted), "%s=%" PRIu64, name, value);
	for (; *environment; environment++)
		if (!strcmp(*environment, wanted))
			return environment;
	return NULL;
}

/* The inode is asked for only if there may be one to compare it with */
static char **find_inode(char **environment, const char *name)
{
	uint64_t inode = 0;
	auto_close pidfd = getenv(name) ? sys_pidfd_open(getpid()) : -1;

	if (pidfd < 0 || sys_pidfd_inode(pidfd, &inode) < 0)
		return NULL;
	return find_name(environment, name, inode);
}

int spawn(const struct launch *launch, const struct signals *signals,
	  struct process *ret_process, enum step *ret_step)
{
	const uint64_t self = (uint64_t)getpid();
	char **environment = launch->environment;
	struct child child = {
		.command = launch->command,
		.environment = environment,
		.path = launch->path,
		.names = {
			find_name(environment, "LISTEN_PID", self),
			find_name(environment, "WATCHDOG_PID", self),
			find_inode(environment, "LISTEN_PIDFDID"),
		},
		.mask = signals->found,
		.new_session = launch->new_session,
		.emulated = launch->emulated,
	};
	auto_close cgroup = -1;
	uint64_t earlier = 0;
	int report[2], pidfd = -1, r = 0;

	*ret_step = STEP_CGROUP;
	if (launch->cgroup) {
		cgroup = open_cgroup(launch->cgroup);
		if (cgroup < 0)
			return cgroup;
	}
	*ret_step = STEP_PREPARE;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	child.cgroup = cgroup;
	child.report = report[1];
	child.parent = report[0];
	/*
	 * ignored, it would make the kernel reap the child unasked, and tell
	 * nobody when it stops: wait(2)
	 */
	if (!(launch->args.flags & CLONE_AUTOREAP) || launch->watched)
		r = sys_sigignore(SIGCHLD, false, &child.ignore_sigchld);
	if (r >= 0) {
		*ret_step = STEP_CLONE3;
		earlier = launch->watched ? sys_sigpending().bits : 0;
		r = clone_child(launch, &child, &pidfd);
	}
	close(report[1]);
	if (r < 0) {
		close(report[0]);
		/* as it was found, should there be another try */
		if (child.ignore_sigchld)
			sys_sigignore(SIGCHLD, true, NULL);
		return r;
	}
	*ret_process = (struct process){
		.pid = r,
		.pidfd = pidfd,
		.reaper = reaper_of(launch),
		.earlier = earlier,
		.emulated = launch->emulated,
		.report = report[0],
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
static void bury(struct process *process)
{
	int status;

	if (process->reaper == REAPER_SPAWNFD)
		sys_wait_pid(process->pid, &status);
	fd_close(&process->pidfd);
	fd_close(&process->report);
}

void spawn_abandon(struct process *process)
{
	int r;

	/* nobody else has the pid of one not reaped, or still on its way */
	if (process->pidfd >= 0)
		r = sys_pidfd_kill(process->pidfd, SIGKILL, false,
				   NULL);
	else if (process->reaper == REAPER_SPAWNFD || process->report >= 0)
		r = kill(process->pid, SIGKILL);
	else
		return;
	if (r < 0)
		fd_close(&process->pidfd);
	else
		bury(process);
}

int spawn_report(const struct launch *launch, struct process *process,
		 enum step *ret_step)
{
	struct child_failure failure;
	int r = 0;
	ssize_t n;

	*ret_step = STEP_PREPARE;
	n = read(process->report, &failure, sizeof(failure));
	if (n < 0) {
		r = -errno;
		spawn_abandon(process);
		return r;
	}
	if (n == sizeof(failure)) {
		bury(process);
		*ret_step = failure.step;
		if (failure.step == STEP_EXEC && failure.error == ENOENT &&
		    exists(launch))
			*ret_step = STEP_INTERPRETER;
		return -failure.error;
	}
	fd_close(&process->report);
	if (process->pidfd >= 0)
		r = sys_pidfd_inode(process->pidfd, &process->inode);
	if (r < 0)
		spawn_abandon(process);
	return r;
}

int spawn_confirm(const struct launch *launch, struct signals *signals,
		  struct process *process, enum step *ret_step)
{
	int r = signals_poll(signals, process->report, POLLIN, 0);

	if (r >= 0)
		return spawn_report(launch, process, ret_step);
	*ret_step = STEP_PREPARE;
	spawn_abandon(process);
	return r;
}
