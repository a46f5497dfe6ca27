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
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "fd.h"
#include "notice.h"
#include "search.h"
#include "vfork.h"

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

static void run_child(const void *context)
{
	child_run(context);
}

/* Blocked, a signal to stop waits until the child can take it */
static int clone_sharing(const struct launch *launch,
			 const struct sys_clone_args *args,
			 const struct child *child)
{
	const struct sys_sigset stops = {
		SYS_SIGBIT(SIGTSTP) | SYS_SIGBIT(SIGTTIN) | SYS_SIGBIT(SIGTTOU)
	};
	struct sys_sigset before;
	int r;

	/* else they are blocked for good */
	if (!launch->watched)
		sys_sigblock(&stops, &before);
	r = vfork_clone3(args, run_child, child);
	if (!launch->watched)
		sys_sigmask(&before, NULL);
	return r;
}

/*
 * clone(2) where there is no clone3. qemu-user and gVisor refuse CLONE_PIDFD
 * there with EINVAL. The second call leaves it out, and clone_child opens the
 * pidfd, as it does on a kernel older than 5.2. An EINVAL with another cause
 * comes back from the second call too.
 */
static int clone_without_clone3(const struct sys_clone_args *args,
				int *ret_pidfd)
{
	int r = sys_clone(args->flags, args->exit_signal, ret_pidfd);

	if (r == -EINVAL && args->flags & CLONE_PIDFD)
		r = sys_clone(args->flags & ~(uint64_t)CLONE_PIDFD,
			      args->exit_signal, NULL);
	return r;
}

/* Gives the pid; in the child it does not return */
static int clone_child(const struct launch *launch, const struct child *child,
		       const struct signals *signals, int *ret_pidfd)
{
	struct sys_clone_args args = launch->args;
	int r;

	args.pidfd = (uintptr_t)ret_pidfd;
	if (args.flags & CLONE_INTO_CGROUP)
		args.cgroup = (uint64_t)child->cgroup;
	if (child->outcome)
		r = clone_sharing(launch, &args, child);
	else if (launch->by_clone)
		r = clone_without_clone3(&args, ret_pidfd);
	else
		r = sys_clone3(&args);
	if (!r && launch->init)
		launch->init(launch, child, signals);
	else if (!r)
		child_run(child);
	/* clone(2) before 5.2 ignores CLONE_PIDFD, or the call was without it */
	if (r > 0 && args.flags & CLONE_PIDFD && *ret_pidfd < 0)
		return open_pidfd(r, ret_pidfd);
	return r;
}

uint64_t spawn_own_signal(const struct launch *launch)
{
	uint64_t signal = launch->args.exit_signal;

	return signal && signal != SIGCHLD ? SYS_SIGBIT(signal) : 0;
}

/* Whether it is NAME=NUMBER, with what names this process by that */
static bool names_self(const char *variable, enum child_name name)
{
	static const char *const names[] = {
		[CHILD_LISTEN_PID] = "LISTEN_PID=",
		[CHILD_WATCHDOG_PID] = "WATCHDOG_PID=",
		[CHILD_LISTEN_PIDFDID] = "LISTEN_PIDFDID=",
	};
	const char *wanted = names[name];
	char number[24];

	for (; *wanted && *wanted == *variable; wanted++)
		variable++;
	if (*wanted)
		return false;
	snprintf(number, sizeof(number), "%" PRIu64,
		 name == CHILD_LISTEN_PIDFDID ? sys_own_inode()
					      : (uint64_t)getpid());
	return !strcmp(variable, number);
}

static void find_names(struct launch *launch)
{
	for (char **variable = launch->environment; *variable; variable++)
		for (enum child_name i = 0; i < CHILD_NAMES; i++)
			if (!launch->names[i] && names_self(*variable, i))
				launch->names[i] = variable;
}

/* execve(2) takes a regular file that may be executed, and no other */
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

int spawn_prepare(struct launch *launch)
{
	find_names(launch);
	launch->file = -1;
	if (launch->by_file)
		launch->file = search_try(launch->command[0], launch->path,
					  open_executable, NULL);
	return launch->by_file && launch->file < 0 ? launch->file : 0;
}

/* What --fallback makes up for takes longer than an exec */
static bool may_share(const struct launch *launch)
{
	return VFORK_WORKS && launch->vfork && !launch->by_clone &&
	       !launch->emulated;
}

/* The ends of what the child reports on: for spawnfd, and for the child */
static int open_report(const struct launch *launch, bool shared,
		       int ret_ends[2])
{
	ret_ends[0] = ret_ends[1] = -1;
	if (shared)
		return 0;
	if (launch->init)
		return notice_open(ret_ends);
	return pipe2(ret_ends, O_CLOEXEC) < 0 ? -errno : 0;
}

static int write_map(int directory, const char *file, const char *text)
{
	auto_close fd = openat(directory, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : sys_write(fd, text, strlen(text));
}

/*
 * user_namespaces(7): the user and the group stay what they are. The pid may
 * be used again, unless the process is there after its directory was opened.
 */
static int map_ids(const struct process *process)
{
	char path[32], uids[32], gids[32];
	auto_close directory = -1;
	int r;

	snprintf(path, sizeof(path), "/proc/%d", process->pid);
	snprintf(uids, sizeof(uids), "%u %u 1", geteuid(), geteuid());
	snprintf(gids, sizeof(gids), "%u %u 1", getegid(), getegid());
	directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	r = sys_pidfd_kill(process->pidfd, 0, false, NULL);
	if (r >= 0)
		r = write_map(directory, "uid_map", uids);
	if (r >= 0)
		r = write_map(directory, "setgroups", "deny");
	if (r >= 0)
		r = write_map(directory, "gid_map", gids);
	return r;
}

/* Lets the init begin, once it is somebody in its user namespace */
static int begin_init(struct process *process, enum step *ret_step)
{
	int r = map_ids(process);

	if (r < 0)
		*ret_step = STEP_MAP;
	else
		r = notice_send(process->init, NOTICE_BEGIN, STEP_BEGIN, 0);
	/* who is gone already has a status */
	if (r >= 0 || r == -EPIPE)
		return 0;
	spawn_abandon(process);
	return r;
}

/* The child is about to exit: leaves neither it nor its pidfd behind */
static void bury(struct process *process)
{
	int status;

	if (process->reaper == REAPER_SPAWNFD)
		sys_wait_pid(process->pid, &status);
	fd_close(&process->pidfd);
	fd_close(&process->report);
	fd_close(&process->init);
}

/* One try: gives the pid. With an outcome the child shares memory */
static int try(const struct launch *launch, const struct signals *signals,
	       struct child *child, struct process *process,
	       enum step *ret_step)
{
	uint64_t pending = 0;
	int ends[2], r;

	*ret_step = STEP_PREPARE;
	r = open_report(launch, child->outcome, ends);
	if (r < 0)
		return r;
	child->parent = ends[0];
	child->report = ends[1];
	*ret_step = STEP_CLONE3;
	if (launch->watched || child->stop)
		pending = sys_sigpending().bits;
	process->earlier = launch->watched ? pending : 0;
	/* it was for all, and the child is not there yet */
	if (pending & SYS_SIGBIT(SIGCONT))
		child->stop = 0;
	r = clone_child(launch, child, signals, &process->pidfd);
	fd_close(&ends[1]);
	if (r < 0) {
		fd_close(&ends[0]);
		return r;
	}
	process->pid = r;
	process->report = launch->init ? -1 : ends[0];
	process->init = launch->init ? ends[0] : -1;
	return r;
}

/*
 * The child has left, for it was to be stopped. Another one, with memory of its
 * own, can be, unless SIGCONT comes before.
 */
static int try_again(const struct launch *launch, const struct signals *signals,
		     struct child *child, struct process *process,
		     enum step *ret_step)
{
	child->stop = process->outcome.value;
	child->outcome = NULL;
	bury(process);
	process->outcome = (struct notice){ .kind = NOTICE_EXECUTED };
	return try(launch, signals, child, process, ret_step);
}

int spawn(const struct launch *launch, const struct signals *signals,
	  struct process *ret_process, enum step *ret_step)
{
	struct process process = {
		.pidfd = -1,
		.reaper = reaper_of(launch),
		.emulated = launch->emulated,
		.outcome.kind = NOTICE_EXECUTED,
		.report = -1,
		.init = -1,
	};
	struct child child = {
		.command = launch->command,
		.environment = launch->environment,
		.names = launch->names,
		.path = launch->path,
		.file = launch->file,
		.mask = signals->found,
		.new_session = launch->new_session,
		.emulated = launch->emulated,
		.outcome = may_share(launch) ? &process.outcome : NULL,
	};
	auto_close cgroup = -1;
	int r = 0;

	*ret_step = STEP_CGROUP;
	if (launch->cgroup) {
		cgroup = open_cgroup(launch->cgroup);
		if (cgroup < 0)
			return cgroup;
	}
	child.cgroup = cgroup;
	*ret_step = STEP_PREPARE;
	/*
	 * ignored, it would make the kernel reap the child unasked, and tell
	 * nobody when it stops: wait(2)
	 */
	if (!(launch->args.flags & CLONE_AUTOREAP) || launch->watched)
		r = sys_sigignore(SIGCHLD, false, &child.ignore_sigchld);
	child.ignore_sigchld |= launch->ignore_sigchld;
	if (r >= 0)
		r = try(launch, signals, &child, &process, ret_step);
	if (r >= 0 && process.outcome.kind == NOTICE_STOPPED)
		r = try_again(launch, signals, &child, &process, ret_step);
	if (r < 0) {
		/* as it was found, should there be another try */
		if (child.ignore_sigchld)
			sys_sigignore(SIGCHLD, true, NULL);
		return r;
	}
	*ret_process = process;
	return launch->mapped ? begin_init(ret_process, ret_step) : 0;
}

static int find(const char *path, const void *context)
{
	(void)context;
	return access(path, F_OK) < 0 ? -ENOENT : 0;
}

/* Whether there is a file for what exec did not find, where the child looked */
static bool exists(const struct launch *launch)
{
	return !(launch->args.flags & CLONE_EMPTY_MNTNS) &&
	       search_try(launch->command[0], launch->path, find, NULL) >= 0;
}

void spawn_abandon(struct process *process)
{
	int r;

	/* nobody else has the pid of one not reaped, or still on its way */
	if (process->pidfd >= 0)
		r = sys_pidfd_kill(process->pidfd, SIGKILL, false,
				   NULL);
	else if (process->reaper == REAPER_SPAWNFD ||
		 process->report >= 0 || process->init >= 0)
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
	struct notice *outcome = &process->outcome;
	int r = 0;

	*ret_step = STEP_PREPARE;
	if (process->report >= 0)
		r = notice_read(process->report, outcome);
	if (r < 0) {
		spawn_abandon(process);
		return r;
	}
	if (outcome->kind == NOTICE_FAILED) {
		bury(process);
		*ret_step = outcome->step;
		if (outcome->step == STEP_EXEC && outcome->value == ENOENT &&
		    exists(launch))
			*ret_step = STEP_INTERPRETER;
		return -outcome->value;
	}
	fd_close(&process->report);
	return 0;
}

int spawn_confirm(const struct launch *launch, struct signals *signals,
		  struct process *process, enum step *ret_step)
{
	int fd = process->init >= 0 ? process->init : process->report;
	int r = fd >= 0 ? signals_poll(signals, fd, POLLIN, 0)
			: signals_look(signals);

	if (r >= 0 && process->init >= 0)
		r = notice_take(process->init, &process->outcome);
	if (r >= 0)
		return spawn_report(launch, process, ret_step);
	*ret_step = STEP_PREPARE;
	spawn_abandon(process);
	return r;
}
