/* SPDX-License-Identifier: MIT */
/* child - see child.h. It must never return. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "notice.h"
#include "search.h"
#include "vfork.h"

#define CGROUP2_MAGIC 0x63677270	/* statfs(2) */

/* For search_try; returns only if it fails */
static int execute(const char *path, const void *context)
{
	const struct child *child = context;

	execve(path, child->command, child->environment);
	return -errno;
}

/* What is meant for the process that spawnfd is, is now meant for this one */
static void rename_self(const struct child *child)
{
	static char variables[CHILD_NAMES][40];

	for (size_t i = 0; i < CHILD_NAMES; i++) {
		char **variable = child->names[i];
		size_t length;

		if (!variable)
			continue;
		length = strcspn(*variable, "=") + 1;
		/* itself, if a child that shared memory was here before */
		memmove(variables[i], *variable, length);
		snprintf(variables[i] + length, sizeof(variables[i]) - length,
			 "%" PRIu64, i == CHILD_LISTEN_PIDFDID ? sys_own_inode()
						   : (uint64_t)getpid());
		*variable = variables[i];
	}
}

/* cgroups(7): 0 is the process that writes */
static int enter_cgroup(const struct child *child)
{
	struct statfs fs;
	int fd, error;

	/* elsewhere a file of that name may be anything */
	if (fstatfs(child->cgroup, &fs) || fs.f_type != CGROUP2_MAGIC)
		return EBADF;
	fd = openat(child->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	error = fd < 0 || write(fd, "0", 1) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error;
}

/*
 * To die with spawnfd. That may be gone already, and in a new PID namespace
 * getppid(2) does not tell; but the pipe does, being closed before the signal
 * of PR_SET_PDEATHSIG would be sent (Linux 7.3, kernel/exit.c).
 */
static int die_with_parent(const struct child *child)
{
	struct pollfd report = { .fd = child->report };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	close(child->parent);
	if (poll(&report, 1, 0) > 0)
		_exit(127);
	return 0;
}

int child_emulate(const struct child *child, enum step *ret_step)
{
	int error = 0;

	*ret_step = STEP_EMULATE;
	if (child->emulated & CLONE_PIDFD_AUTOKILL)
		error = die_with_parent(child);
	if (!error && child->emulated & CLONE_NNP &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		error = errno;
	if (!error && child->emulated & CLONE_INTO_CGROUP) {
		*ret_step = STEP_CGROUP;
		error = enter_cgroup(child);
	}
	return -error;
}

/* Of a child that shares memory; a handler has no other place to look at */
static struct notice *stopped;

static void tell_stop(int signal)
{
	stopped->kind = NOTICE_STOPPED;
	stopped->value = signal;
	child_leave(127);
}

/* Stopped before the exec, it would stop spawnfd too, unseen: vfork(2) */
static void leave_when_stopped(struct notice *outcome)
{
	stopped = outcome;
	vfork_catch_signal(SIGTSTP, tell_stop);
	vfork_catch_signal(SIGTTIN, tell_stop);
	vfork_catch_signal(SIGTTOU, tell_stop);
}

/* Gives COMMAND its surroundings; returns only with the error of the exec */
static int become(const struct child *child)
{
	/* fails if it leads a process group, which a new process never does */
	if (child->new_session)
		setsid();
	rename_self(child);
	if (child->ignore_sigchld)
		sys_sigignore(SIGCHLD, true, NULL);
	if (child->outcome)
		leave_when_stopped(child->outcome);
	/* blocked until then, as if it had come now; or SIGCONT has already */
	if (child->stop && !(sys_sigpending().bits & SYS_SIGBIT(SIGCONT)))
		kill(getpid(), child->stop);
	sys_sigmask(&child->mask, NULL);
	if (child->file >= 0)
		return sys_execveat(child->file, child->command,
				    child->environment);
	return search_try(child->command[0], child->path, execute, child);
}

noreturn void child_leave(int code)
{
	_exit(code);
}

noreturn void child_run(const struct child *child)
{
	struct notice failure = { .kind = NOTICE_FAILED };

	failure.value = -child_emulate(child, &failure.step);
	if (!failure.value) {
		failure.value = -become(child);
		/* a file that was opened is there; what it needs is not */
		failure.step = child->file >= 0 && failure.value == ENOENT
				       ? STEP_STATIC
				       : STEP_EXEC;
	}
	if (child->outcome)
		*child->outcome = failure;
	else
		sys_write(child->report, (const char *)&failure,
			  sizeof(failure));
	child_leave(127);
}
