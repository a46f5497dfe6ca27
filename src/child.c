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

#include "search.h"
#include "signals.h"
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
static void retarget_pid_variables(const struct child *child)
{
	static char variables[PID_VARIABLES][40];

	for (size_t i = 0; i < PID_VARIABLES; i++) {
		char **variable = child->pid_variables[i];
		size_t length;

		if (!variable)
			continue;
		length = strcspn(*variable, "=") + 1;
		/* itself, if a child that shared memory was here before */
		memmove(variables[i], *variable, length);
		snprintf(variables[i] + length, sizeof(variables[i]) - length,
			 "%" PRIu64,
			 i == VARIABLE_LISTEN_PIDFDID ? sys_own_inode()
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
static int emulate_autokill(const struct child *child)
{
	struct pollfd report = { .fd = child->notice_fd };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	close(child->parent_notice_fd);
	if (poll(&report, 1, 0) > 0)
		_exit(127);
	return 0;
}

int child_emulate(const struct child *child, struct failure *ret_failure)
{
	enum step step = STEP_EMULATE;
	int error = 0;

	if (child->emulated & CLONE_PIDFD_AUTOKILL)
		error = emulate_autokill(child);
	if (!error && child->emulated & CLONE_NNP &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		error = errno;
	if (!error && child->emulated & CLONE_INTO_CGROUP) {
		step = STEP_CGROUP;
		error = enter_cgroup(child);
	}
	return error ? step_fail(ret_failure, step, -error, NULL) : 0;
}

/* Of a child that shares memory; a handler has no other place to look at */
static struct notice *shared_outcome;

static void report_stop_and_exit(int signal)
{
	shared_outcome->kind = NOTICE_LEFT_TO_STOP;
	shared_outcome->value = signal;
	child_exit(127);
}

/* Stopped before the exec, it would stop spawnfd too, unseen: vfork(2) */
static void exit_on_stop_signals(struct notice *outcome)
{
	shared_outcome = outcome;
	for (uint64_t left = SIGNALS_STOPPING; left; left &= left - 1)
		vfork_catch_signal(__builtin_ctzll(left) + 1,
				   report_stop_and_exit);
}

/* Gives COMMAND its surroundings; returns only with the error of the exec */
static int prepare_and_exec(const struct child *child)
{
	/* fails if it leads a process group, which a new process never does */
	if (child->new_session)
		setsid();
	retarget_pid_variables(child);
	if (child->ignore_sigchld)
		sys_sigignore(SIGCHLD, true, NULL);
	if (child->exec_outcome)
		exit_on_stop_signals(child->exec_outcome);
	/* blocked until then, as if it had come now; or SIGCONT has already */
	if (child->stop_signal &&
	    !(sys_sigpending().bits & SYS_SIGBIT(SIGCONT)))
		kill(getpid(), child->stop_signal);
	sys_sigmask(&child->mask, NULL);
	if (child->exec_fd >= 0)
		return sys_execveat(child->exec_fd, child->command,
				    child->environment);
	return search_try(child->command[0], child->path, execute, child);
}

noreturn void child_exit(int code)
{
	_exit(code);
}

/* Returns only if COMMAND could not be executed: what to tell of that */
static struct notice run_command(const struct child *child)
{
	struct failure failure = { .step = STEP_NONE };
	int error;

	if (child_emulate(child, &failure) < 0)
		return (struct notice){ NOTICE_FAILED, failure.step,
					failure.error };
	error = -prepare_and_exec(child);
	/* The file was opened before, so its interpreter is what is missing. */
	return (struct notice){
		NOTICE_FAILED,
		child->exec_fd >= 0 && error == ENOENT ? STEP_EXEC_NOT_STATIC
						       : STEP_EXEC,
		error
	};
}

noreturn void child_run(const struct child *child)
{
	struct notice failure = run_command(child);

	if (child->exec_outcome)
		*child->exec_outcome = failure;
	else
		sys_write(child->notice_fd, (const char *)&failure,
			  sizeof(failure));
	child_exit(127);
}
