/* SPDX-License-Identifier: MIT */
/* spawn - see spawn.h. It must never wait for COMMAND to end. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "exec_file.h"
#include "fd.h"
#include "guard.h"
#include "id_map.h"
#include "notice.h"
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

/*
 * Opens a pidfd and gives pid; on failure nothing is left of the process,
 * unless the kernel denies SIGKILL. spawnfd does not wait for its end then.
 */
static int open_pidfd(pid_t pid, int *ret_pidfd)
{
	int fd = sys_pidfd_open(pid), status;

	if (fd < 0) {
		if (kill(pid, SIGKILL) >= 0)
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

/* The stop signal that waits for this process, or 0 */
static int pending_stop(void)
{
	uint64_t stops = sys_sigpending().bits & SIGNALS_STOPPING;

	return stops ? __builtin_ctzll(stops) + 1 : 0;
}

/*
 * Takes the stop signals off the mask, so that one that is pending stops this
 * process here. It may have come before the child was there, so the child gets
 * it as well. That changes nothing for a child that has it already: the kernel
 * keeps one, and SIGCONT discards it (signal(7)).
 */
static void stop_with_child(const struct sys_sigset *before, int pidfd)
{
	int stop = pending_stop();

	if (stop)
		sys_pidfd_kill(pidfd, stop, false, NULL);
	sys_sigmask(before, NULL);
	if (stop)
		sys_pidfd_kill(pidfd, SIGCONT, false, NULL);
}

/*
 * Makes a child that shares memory. The child has the stop signals blocked from
 * its start, so that none stops it before it catches them: a child that stops
 * before its exec leaves spawnfd suspended in clone3 (vfork(2)).
 */
static int clone_sharing(const struct launch *launch,
			 const struct sys_clone_args *args,
			 const struct child *child, const int *pidfd)
{
	const struct sys_sigset stops = { SIGNALS_STOPPING };
	struct sys_sigset before;
	int r;

	/* With job control, signals_block has blocked them already. */
	if (launch->job_control)
		return vfork_clone3(args, run_child, child);
	sys_sigblock(&stops, &before);
	r = vfork_clone3(args, run_child, child);
	if (r > 0 && child->exec_outcome->kind == NOTICE_EXECUTED)
		stop_with_child(&before, *pidfd);
	else
		sys_sigmask(&before, NULL);
	return r;
}

/* Makes the child, and gives its pid; does not return in the child */
static int clone_child(const struct launch *launch, const struct child *child,
		       const struct signals *signals, int *ret_pidfd)
{
	struct sys_clone_args args = launch->args;
	int r;

	args.pidfd = (uintptr_t)ret_pidfd;
	if (args.flags & CLONE_INTO_CGROUP)
		args.cgroup = (uint64_t)child->cgroup;
	if (child->exec_outcome)
		r = clone_sharing(launch, &args, child, ret_pidfd);
	else if (launch->use_old_clone)
		r = sys_clone(args.flags, args.exit_signal, ret_pidfd);
	else
		r = sys_clone3(&args);
	if (!r && launch->init)
		launch->init(launch, child, signals);
	else if (!r)
		child_run(child);
	/* clone(2) before Linux 5.2 ignores CLONE_PIDFD. */
	if (r > 0 && *ret_pidfd < 0 &&
	    (launch->opens_pidfd || args.flags & CLONE_PIDFD))
		return open_pidfd(r, ret_pidfd);
	return r;
}

uint64_t spawn_exit_signal_set(const struct launch *launch)
{
	uint64_t signal = launch->args.exit_signal;

	return signal && signal != SIGCHLD ? SYS_SIGBIT(signal) : 0;
}

/* The subject for a failure of that step */
static const char *subject_of(const struct launch *launch, enum step step)
{
	if (step == STEP_CGROUP)
		return launch->cgroup;
	return step_is_exec(step) || step == STEP_BEFORE_EXEC
		       ? launch->command[0]
		       : NULL;
}

static int fail(const struct launch *launch, enum step step, int r,
		struct failure *ret_failure)
{
	return step_fail(ret_failure, step, r, subject_of(launch, step));
}

int spawn_prepare(struct launch *launch, struct failure *ret_failure)
{
	pid_variables_find(launch->environment, launch->pid_variables);
	launch->exec_fd = -1;
	if (!launch->exec_by_fd)
		return 0;
	launch->exec_fd = exec_file_open(launch->command[0], launch->path);
	return launch->exec_fd < 0 ? fail(launch, STEP_EXEC, launch->exec_fd,
					  ret_failure)
				   : 0;
}

/*
 * The child may share memory, which suspends spawnfd until the exec. Emulating
 * a flag would take too long for that, and vfork_clone3 needs clone3.
 */
static bool may_share(const struct launch *launch)
{
	return VFORK_WORKS && launch->may_vfork && !launch->use_old_clone &&
	       !launch->emulated;
}

/*
 * Opens what the child reports through: spawnfd's end first, then the child's.
 * A child that shares memory needs none.
 */
static int open_exec_pipe(const struct launch *launch, bool shared,
			  int ret_ends[2])
{
	ret_ends[0] = ret_ends[1] = -1;
	if (shared)
		return 0;
	if (launch->init)
		return notice_open(ret_ends);
	return pipe2(ret_ends, O_CLOEXEC) < 0 ? -errno : 0;
}

/*
 * Maps the ids of the init's user namespace, and then tells the init to begin.
 * In between, spawnfd is guarded: COMMAND does not run yet.
 */
static int begin_init(const struct launch *launch, struct process *process,
		      struct failure *ret_failure)
{
	enum step step = STEP_MAP;
	int r = id_map_write(process);

	if (r >= 0) {
		step = STEP_GUARD;
		r = guard_self();
	}
	if (r >= 0) {
		step = STEP_PREPARE;
		r = notice_send(process->init_socket, NOTICE_BEGIN, STEP_NONE,
				0);
	}
	/*
	 * An init that ends has said why, or its exit status will tell. Until
	 * it is reaped, spawnfd may not open its files in /proc (Linux 7.1).
	 */
	if (r >= 0 || notice_is_due(process->init_socket))
		return 0;
	process_kill(process);
	return fail(launch, step, r, ret_failure);
}

/*
 * Makes the process and the pipe or socket to it, and gives the pid. If
 * child->exec_outcome is set, the child shares memory.
 */
static int clone_with_pipe(const struct launch *launch,
			   const struct signals *signals, struct child *child,
			   struct process *process, struct failure *ret_failure)
{
	uint64_t pending = 0;
	int ends[2], r = open_exec_pipe(launch, child->exec_outcome, ends);

	if (r < 0)
		return fail(launch, STEP_PREPARE, r, ret_failure);
	child->parent_notice_fd = ends[0];
	child->notice_fd = ends[1];
	if (launch->job_control || child->stop_signal)
		pending = sys_sigpending().bits;
	process->pending_at_clone = launch->job_control ? pending : 0;
	/*
	 * A SIGCONT that is pending came after the stop signal, and was meant
	 * for the child too, which does not exist yet.
	 */
	if (pending & SYS_SIGBIT(SIGCONT))
		child->stop_signal = 0;
	r = clone_child(launch, child, signals, &process->pidfd);
	fd_close(&ends[1]);
	if (r < 0) {
		fd_close(&ends[0]);
		return fail(launch, STEP_CLONE3, r, ret_failure);
	}
	process->pid = r;
	process->exec_pipe = launch->init ? -1 : ends[0];
	process->init_socket = launch->init ? ends[0] : -1;
	return r;
}

/*
 * The child that shared memory has exited, because a stop signal reached it
 * before its exec. The next child has its own memory, and stops in place of the
 * first, unless a SIGCONT comes before.
 */
static int clone_again_unshared(const struct launch *launch,
				const struct signals *signals,
				struct child *child, struct process *process,
				struct failure *ret_failure)
{
	child->stop_signal = process->exec_outcome.value;
	child->exec_outcome = NULL;
	process_reap(process);
	process->exec_outcome = (struct notice){ .kind = NOTICE_EXECUTED };
	return clone_with_pipe(launch, signals, child, process, ret_failure);
}

/* Fills in what the child needs, except for the cgroup and the pipe */
static struct child child_of(const struct launch *launch,
			     const struct signals *signals,
			     struct process *process)
{
	return (struct child){
		.command = launch->command,
		.environment = launch->environment,
		.pid_variables = launch->pid_variables,
		.path = launch->path,
		.exec_fd = launch->exec_fd,
		.mask = signals->inherited,
		.ignore_sigchld = launch->ignore_sigchld,
		.new_session = launch->new_session,
		.group = launch->group,
		.takes_terminal = launch->takes_terminal,
		.emulated = launch->emulated,
		.cgroup = -1,
		.exec_outcome = may_share(launch) ? &process->exec_outcome
						  : NULL,
	};
}

/*
 * wait(2): if SIGCHLD were ignored, the kernel would reap the child unasked,
 * and spawnfd would not learn that it stops. COMMAND gets SIGCHLD back as
 * spawnfd found it.
 */
static int reset_sigchld(const struct launch *launch,
				 struct child *child)
{
	bool ignored = false;
	int r = 0;

	if (!(launch->args.flags & CLONE_AUTOREAP) || launch->job_control)
		r = sys_sigignore(SIGCHLD, false, &ignored);
	child->ignore_sigchld |= ignored;
	return r;
}

/*
 * --fallback: where pidfd_send_signal(2) is refused, signals go to the pid.
 * That takes a child of spawnfd's own: a pid that the kernel, or somebody else,
 * sets free at any moment may be another process's.
 */
static int check_signals(const struct launch *launch, struct process *process,
			 struct failure *ret_failure)
{
	int r = launch->fallback ? process_check_signals() : 0;

	if (r >= 0)
		return 0;
	process->signal_by_pid = process->reaper == REAPER_SPAWNFD;
	/* A clone3 that is refused too makes no process: a child follows. */
	if (process->signal_by_pid || sys_clone3(NULL) != -EINVAL)
		return 0;
	return fail(launch, STEP_SIGNAL, r, ret_failure);
}

int spawn(const struct launch *launch, const struct signals *signals,
	  struct process *ret_process, struct failure *ret_failure)
{
	struct process process = {
		.pidfd = -1,
		.reaper = reaper_of(launch),
		.emulated = launch->emulated,
		.exec_outcome.kind = NOTICE_EXECUTED,
		.exec_pipe = -1,
		.init_socket = -1,
	};
	struct child child = child_of(launch, signals, &process);
	auto_close cgroup = -1;
	int r;

	if (launch->cgroup) {
		cgroup = open_cgroup(launch->cgroup);
		if (cgroup < 0)
			return fail(launch, STEP_CGROUP, cgroup, ret_failure);
	}
	child.cgroup = cgroup;
	r = check_signals(launch, &process, ret_failure);
	if (r < 0)
		return r;
	r = reset_sigchld(launch, &child);
	if (r < 0)
		return fail(launch, STEP_PREPARE, r, ret_failure);
	r = clone_with_pipe(launch, signals, &child, &process, ret_failure);
	if (r >= 0 && process.exec_outcome.kind == NOTICE_LEFT_TO_STOP)
		r = clone_again_unshared(launch, signals, &child, &process,
					 ret_failure);
	if (r < 0) {
		/* --fallback may try again, and must find SIGCHLD as before. */
		if (child.ignore_sigchld)
			sys_sigignore(SIGCHLD, true, NULL);
		return r;
	}
	*ret_process = process;
	return launch->needs_id_map ? begin_init(launch, ret_process,
						 ret_failure)
				    : 0;
}

/* No failure was told. It remains that the child was killed before its exec. */
static int check_executed(const struct launch *launch, struct process *process,
			  struct failure *ret_failure)
{
	if (launch->init || !launch->checks_exec ||
	    launch->args.exit_signal == SIGCHLD ||
	    process_was_executed(process))
		return 0;
	process_reap(process);
	return fail(launch, STEP_BEFORE_EXEC, -ECHILD, ret_failure);
}

int spawn_read_outcome(const struct launch *launch, struct process *process,
		       struct failure *ret_failure)
{
	struct notice *outcome = &process->exec_outcome;
	enum step step;
	int r = 0;

	if (process->exec_pipe >= 0)
		r = notice_read(process->exec_pipe, outcome);
	if (r < 0) {
		process_kill(process);
		return fail(launch, STEP_PREPARE, r, ret_failure);
	}
	if (outcome->kind != NOTICE_FAILED) {
		fd_close(&process->exec_pipe);
		return check_executed(launch, process, ret_failure);
	}
	process_reap(process);
	step = outcome->step;
	/*
	 * The init makes COMMAND by a call of its own. Only a limit means the
	 * same for both calls.
	 */
	if (step == STEP_CLONE3 && outcome->value != EAGAIN)
		step = STEP_PREPARE;
	/* In an empty mount namespace the child saw no files at all. */
	if (step == STEP_EXEC && outcome->value == ENOENT &&
	    !(launch->args.flags & CLONE_EMPTY_MNTNS) &&
	    exec_file_exists(launch->command[0], launch->path))
		step = STEP_INTERPRETER;
	return fail(launch, step, -outcome->value, ret_failure);
}

int spawn_await_exec(const struct launch *launch, struct signals *signals,
		     struct process *process, struct failure *ret_failure)
{
	int fd = process->init_socket >= 0 ? process->init_socket
					   : process->exec_pipe;
	enum step step = STEP_PREPARE;
	int r = fd >= 0 ? signals_poll(signals, fd, POLLIN, 0)
			: signals_check(signals);

	if (r >= 0 && process->init_socket >= 0)
		r = notice_take(process->init_socket, &process->exec_outcome);
	/* The init has ended without a notice. */
	if (!r && process->init_socket >= 0) {
		step = STEP_BEFORE_EXEC;
		r = -ECHILD;
	}
	if (r >= 0)
		return spawn_read_outcome(launch, process, ret_failure);
	process_kill(process);
	return fail(launch, step, r, ret_failure);
}
