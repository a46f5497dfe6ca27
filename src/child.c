/* SPDX-License-Identifier: MIT */
/* child - see child.h. It must never return. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fd.h"
#include "pid_variables.h"
#include "search.h"
#include "signals.h"
#include "vfork.h"

#define CGROUP2_MAGIC 0x63677270	/* statfs(2) */

/* Moves this process; cgroups(7): 0 stands for the process that writes */
static int enter_cgroup(const struct child *child)
{
	struct statfs fs;
	int fd, error;

	/* In another file system, cgroup.procs could be any file. */
	if (fstatfs(child->cgroup, &fs) || fs.f_type != CGROUP2_MAGIC)
		return EBADF;
	fd = openat(child->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	error = fd < 0 || write(fd, "0", 1) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return error;
}

/*
 * Makes the kernel kill this process when spawnfd ends. spawnfd may have ended
 * before the prctl. getppid(2) cannot tell in a new PID namespace, but the pipe
 * or socket to spawnfd can: the kernel closes spawnfd's end before it sends the
 * signal of PR_SET_PDEATHSIG (Linux 7.3, kernel/exit.c). If that end is open
 * after the prctl, the signal is still to come.
 */
static int emulate_autokill(const struct child *child)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	close(child->parent_notice_fd);
	if (fd_has_event(child->notice_fd, POLLHUP))
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

/* For the handler below, in a child that shares memory */
static struct notice *shared_outcome;

static void report_stop_and_exit(int signal)
{
	shared_outcome->kind = NOTICE_LEFT_TO_STOP;
	shared_outcome->value = signal;
	child_exit(127);
}

/*
 * A child that shares memory must not stop: spawnfd would stay suspended in
 * clone3 (vfork(2)), and the shell would see no stopped job. The child exits
 * instead, and spawnfd makes one with memory of its own.
 */
static void exit_on_stop_signals(struct notice *outcome)
{
	shared_outcome = outcome;
	for (uint64_t left = SIGNALS_STOPPING; left; left &= left - 1)
		vfork_catch_signal(__builtin_ctzll(left) + 1,
				   report_stop_and_exit);
}

/* Restores what spawnfd changed. Gives 0 or -errno */
static int restore(const struct child *child)
{
	int r = 0;

	/* setsid(2) fails for group leaders only; a new process is none. */
	if (child->new_session && setsid() < 0)
		return -errno;
	/* The terminal is standard input, and SIGTTOU is blocked. */
	if (child->group && !setpgid(0, child->group) && child->takes_terminal)
		tcsetpgrp(STDIN_FILENO, child->group);
	pid_variables_retarget(child->pid_variables);
	if (child->ignore_sigchld)
		r = sys_sigignore(SIGCHLD, true, NULL);
	if (child->exec_outcome)
		exit_on_stop_signals(child->exec_outcome);
	/*
	 * A stop signal made an earlier child exit. It is sent again here, in
	 * place of that one, unless a SIGCONT has come since.
	 */
	if (child->stop_signal &&
	    !(sys_sigpending().bits & SYS_SIGBIT(SIGCONT)))
		kill(getpid(), child->stop_signal);
	return r < 0 ? r : sys_sigmask(&child->mask, NULL);
}

/* Returns only with the error */
static int execute(const struct child *child)
{
	if (child->exec_fd >= 0)
		return sys_execveat(child->exec_fd, child->command,
				    child->environment);
	return search_execute(child->command, child->path, child->environment);
}

noreturn void child_exit(int code)
{
	_exit(code);
}

/* Returns only if COMMAND could not be executed, with the notice for spawnfd */
static struct notice run_command(const struct child *child)
{
	struct failure failure = { .step = STEP_NONE };
	int error, r = child_emulate(child, &failure);

	if (r >= 0) {
		r = restore(child);
		if (r < 0)
			step_fail(&failure, STEP_PREPARE, r, NULL);
	}
	if (r < 0)
		return (struct notice){ .kind = NOTICE_FAILED,
					.step = failure.step,
					.value = failure.error };
	error = -execute(child);
	/* The file itself is open: ENOENT is about its interpreter. */
	return (struct notice){
		.kind = NOTICE_FAILED,
		.step = child->exec_fd >= 0 && error == ENOENT
				? STEP_EXEC_NOT_STATIC
				: STEP_EXEC,
		.value = error,
	};
}

noreturn void child_run(const struct child *child)
{
	struct notice failure = run_command(child);

	if (child->exec_outcome)
		*child->exec_outcome = failure;
	else if (notice_write(child->notice_fd, &failure) < 0)
		/* An exit status could be that of a COMMAND. */
		kill(getpid(), SIGKILL);
	child_exit(127);
}
