/* SPDX-License-Identifier: MIT */
/* hold - see hold.h. It must never print, and never end before the process. */
#include "hold.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "hold_ending.h"
#include "hold_forward.h"
#include "hold_stop.h"
#include "hold_tree.h"
#include "sys.h"

enum row { ROW_EXEC, ROW_SIGNALS, ROW_PROCESS, ROW_NOTICES, ROW_WATCHES };

struct loop {
	struct pollfd rows[ROW_WATCHES + WATCHES];
	bool clocks_run;	/* clocks and watches have begun */
	bool exec_announced;	/* the observer knows of the exec */
};

/* ---- the exec ---- */

static void start_clocks(struct hold *hold, struct loop *loop)
{
	if (loop->clocks_run)
		return;
	loop->clocks_run = true;
	ending_start_timeout(hold);
	triggers_poll(hold->triggers, &loop->rows[ROW_WATCHES]);
}

static int announce_exec(struct hold *hold, struct loop *loop)
{
	start_clocks(hold, loop);
	loop->exec_announced = true;
	return hold->observer->running(hold->observer->context);
}

/* Announces the exec if that has not been done and the outcome is known */
static int handle_exec(struct hold *hold, struct loop *loop)
{
	if (loop->exec_announced)
		return 0;
	/* The init may report a stop before the exec: its word is awaited. */
	if (hold->role == ROLE_OUTER && !tree_exec_is_known(hold))
		return 0;
	return announce_exec(hold, loop);
}

/* If r is 1 the process is over: whatever is still to be said comes first */
static int finish_exec_first(struct hold *hold, struct loop *loop, int r)
{
	int announced = r > 0 ? handle_exec(hold, loop) : 0;

	return announced < 0 ? announced : r;
}

/* ---- signals ---- */

/*
 * Process 1 is the parent of every orphan of its PID namespace. 1 with the
 * status if the process that is held was among those that ended.
 */
static int reap_orphans(const struct hold *hold, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = sys_wait_any(false, &status)) > 0)
		if (pid == hold->process->pid) {
			*ret_status = status;
			return 1;
		}
	return 0;
}

/* 1 with the status if the process turned out to be over */
static int handle_signals(struct hold *hold, int *ret_status)
{
	/*
	 * A flood of signals must not keep the loop from its deadlines and
	 * descriptors.
	 */
	enum { MOST = 256 };
	struct signalfd_siginfo info;
	bool child_changed = false;
	int i;

	for (i = 0; i < MOST && read(hold->signals->fd, &info,
				     sizeof(info)) == sizeof(info); i++) {
		if (info.ssi_signo == SIGCHLD)
			child_changed = true;
		else
			forward_signal(hold, &info);
	}
	/*
	 * All are read: what was pending at the clone has been among them, or
	 * SIGCONT has taken it away.
	 */
	if (i < MOST)
		hold->process->pending_at_clone = 0;
	if (!child_changed)
		return 0;
	if (hold->is_pid_1 && reap_orphans(hold, ret_status))
		return 1;
	/* For the outer hold that child is the init, not COMMAND. */
	if (hold->process->reaper != REAPER_OTHER && hold->role != ROLE_OUTER)
		stop_check(hold);
	return 0;
}

static void handle_notices(struct hold *hold)
{
	if (hold->role == ROLE_OUTER)
		tree_handle_notices(hold);
	else
		stop_answer_questions(hold);
}

/* ---- the end of the process ---- */

/* 1 with the status of a process that is over; 0 if it must be waited for */
static int handle_end(struct hold *hold, short revents, int *ret_status)
{
	struct process *process = hold->process;
	int r;

	if (process->reaper == REAPER_SPAWNFD) {
		r = sys_wait_pidfd(process->pidfd, ret_status);
		/* Linux 5.3 has no P_PIDFD, which --fallback may run on. */
		if (r == -EINVAL)
			r = sys_wait_pid(process->pid, ret_status);
		if (r != -ECHILD)
			return r < 0 ? r : 1;
		/* CLONE_PARENT: it is the child of somebody else. */
		process->reaper = REAPER_OTHER;
	}
	if (!(revents & POLLHUP)) {
		ending_await_reaper(hold);
		return 0;
	}
	r = sys_pidfd_status(process->pidfd, ret_status);
	return r < 0 ? r : 1;
}

/*
 * POLLIN says that the process has ended, POLLHUP that it has been reaped: only
 * then does the kernel keep its status (seen on Linux 7.1 to 7.3). Processes
 * that somebody else reaps may be reaped late.
 */
static short end_events(const struct hold *hold)
{
	return hold->process->reaper == REAPER_KERNEL ||
			       hold->ending.reap_deadline
		       ? 0
		       : POLLIN;
}

/* ---- the loop ---- */

static int wait_for_events(struct hold *hold, struct loop *loop)
{
	const struct process *process = hold->process;
	struct timespec left;
	uint64_t deadline = ending_next_deadline(hold);
	int r;

	loop->rows[ROW_EXEC].fd = process->exec_pipe;
	loop->rows[ROW_PROCESS].fd = process->pidfd;
	loop->rows[ROW_PROCESS].events = end_events(hold);
	loop->rows[ROW_NOTICES].fd = hold->notice_fd;
	/* poll(2) refuses more rows than RLIMIT_NOFILE, which may be low. */
	do
		r = ppoll(loop->rows, ROW_WATCHES + hold->triggers->count,
			  clock_left(deadline, &left), NULL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static void handle_watches(struct hold *hold, struct loop *loop)
{
	for (size_t i = 0; i < hold->triggers->count; i++) {
		struct pollfd *row = &loop->rows[ROW_WATCHES + i];

		if (row->fd < 0 || !row->revents)
			continue;
		row->fd = -1;
		ending_begin(hold, hold->triggers->watches[i].cause);
	}
}

/* One time round: 1 with the status when the process is over */
static int poll_once(struct hold *hold, struct loop *loop, int *ret_status)
{
	const struct pollfd *rows = loop->rows;
	int r = wait_for_events(hold, loop);

	if (r < 0)
		return r;
	r = 0;
	/* COMMAND may have been executed and have ended since the last look. */
	if (rows[ROW_EXEC].revents || rows[ROW_PROCESS].revents ||
	    (hold->role == ROLE_OUTER && rows[ROW_NOTICES].revents))
		r = handle_exec(hold, loop);
	if (!r && rows[ROW_SIGNALS].revents)
		r = finish_exec_first(hold, loop,
				      handle_signals(hold, ret_status));
	if (r)
		return r;
	/*
	 * After the signals: the outer hold asks whether a SIGCONT has come to
	 * both, and that one may just have been read.
	 */
	if (rows[ROW_NOTICES].revents)
		handle_notices(hold);
	stop_handle_reports(hold);
	if (rows[ROW_PROCESS].revents)
		return handle_end(hold, rows[ROW_PROCESS].revents, ret_status);
	handle_watches(hold, loop);
	return ending_handle_deadlines(hold);
}

static void prepare_rows(const struct hold *hold, struct loop *loop)
{
	for (size_t i = 0; i < sizeof(loop->rows) / sizeof(loop->rows[0]); i++)
		loop->rows[i].fd = -1;
	loop->rows[ROW_EXEC].events = POLLIN;
	loop->rows[ROW_SIGNALS].fd = hold->signals->fd;
	loop->rows[ROW_SIGNALS].events = POLLIN;
	loop->rows[ROW_NOTICES].events = POLLIN;
}

/* The init has ended too; what it told of COMMAND's end is what counts */
static int finish_tree(struct hold *hold, int *ret_status)
{
	if (hold->notice_fd >= 0)
		tree_handle_notices(hold);
	if (hold->tree.command_ended)
		*ret_status = hold->tree.command_status;
	return -hold->tree.init_error;
}

int hold_run(struct hold *hold, int *ret_status)
{
	const struct process *process = hold->process;
	struct loop loop = { 0 };
	int r = 0;

	prepare_rows(hold, &loop);
	if (hold->role == ROLE_OUTER)
		hold->notice_fd = process->init_socket;
	if (hold->clocks_from_clone)
		start_clocks(hold, &loop);
	/*
	 * Children that ended before spawnfd was executed as process 1 send no
	 * SIGCHLD any more.
	 */
	hold->is_pid_1 = getpid() == 1;
	if (hold->is_pid_1)
		r = finish_exec_first(hold, &loop,
				      reap_orphans(hold, ret_status));
	if (r == 0 && process->exec_pipe < 0 && process->init_socket < 0 &&
	    !loop.exec_announced)
		r = announce_exec(hold, &loop);
	while (r == 0)
		r = poll_once(hold, &loop, ret_status);
	if (r < 0 || hold->role != ROLE_OUTER)
		return r < 0 ? r : 0;
	return finish_tree(hold, ret_status);
}
