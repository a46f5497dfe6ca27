/* SPDX-License-Identifier: MIT */
/* hold - see hold.h. It must never print, and never end before the process. */
#include "hold.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "hold_ending.h"
#include "hold_forward.h"
#include "hold_group.h"
#include "hold_rest.h"
#include "hold_stop.h"
#include "hold_tree.h"
#include "status.h"
#include "sys.h"

/* The descriptors that the loop waits for; the watches come last */
enum row { ROW_EXEC, ROW_SIGNALS, ROW_PROCESS, ROW_NOTICES, ROW_WATCHES };

struct loop {
	struct pollfd rows[ROW_WATCHES + WATCHES];
	bool clocks_run;	/* clocks and watches have begun */
	bool exec_announced;	/* the observer was told of the exec */
};

/* ---- the exec ---- */

/* Starts the clock of --timeout, and begins to watch */
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

/* ROLE_OUTER: whether the init has told of the exec, and the observer waits */
static bool exec_is_news(const struct hold *hold, const struct loop *loop)
{
	return hold->tree.exec_known && !loop->exec_announced;
}

/* Tells the observer of the exec, once its outcome is known */
static int handle_exec(struct hold *hold, struct loop *loop)
{
	if (loop->exec_announced)
		return 0;
	/* The init may report a stop before it reports the exec. */
	if (hold->role == ROLE_OUTER && !tree_exec_is_known(hold))
		return 0;
	return announce_exec(hold, loop);
}

/*
 * The exec pipe may have hung up since poll(2) looked at it. Once COMMAND is
 * reaped, spawnfd can no longer tell whether it was executed, so this comes
 * before the reaping.
 */
static int handle_late_exec(struct hold *hold, struct loop *loop)
{
	return fd_has_event(hold->process->exec_pipe, POLLIN)
		       ? handle_exec(hold, loop)
		       : 0;
}

/*
 * Gives r. If r is 1, the process has ended, and the observer must hear of the
 * exec before that; gives the error of the observer then, if there is one.
 */
static int finish_exec_first(struct hold *hold, struct loop *loop, int r)
{
	int announced = r > 0 ? handle_exec(hold, loop) : 0;

	return announced < 0 ? announced : r;
}

/* ---- signals ---- */

/*
 * Reaps all children that have ended. Others than the process of the hold are
 * orphans, of which process 1 and a subreaper are the parent, or are from
 * before spawnfd was executed (sh -c 'job & exec spawnfd ...'). Gives 1 and the
 * wait status if the process of the hold is among them.
 */
static int reap_children(const struct hold *hold, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = sys_wait_any(&status)) > 0)
		if (pid == hold->process->pid) {
			*ret_status = status;
			return 1;
		}
	return 0;
}

/*
 * Reads the signals that are pending, and forwards them. Gives whether a child
 * of this process has changed its state.
 */
static bool read_signals(struct hold *hold)
{
	/*
	 * A flood of signals must not keep the loop from its deadlines and
	 * descriptors.
	 */
	enum { AT_ONCE = 2, MOST = 128 };
	struct signalfd_siginfo infos[AT_ONCE];
	bool child_changed = false, is_back = false;

	for (int i = 0; i < MOST && !is_back; i++) {
		ssize_t length;
		size_t count;

		if (rest_is_next(hold))
			return true;
		length = read(hold->signals->fd, infos, sizeof(infos));
		count = length < 0 ? 0 : (size_t)length / sizeof(infos[0]);
		for (size_t n = 0; n < count; n++)
			if (infos[n].ssi_signo == SIGCHLD)
				child_changed = true;
			else if (rest_puts_back(hold, &infos[n]))
				child_changed = is_back = true;
			else if (!group_read_leader(hold, &infos[n]))
				forward_signal(hold, &infos[n]);
		if (count == AT_ONCE)
			continue;
		/*
		 * No signal is pending now. A signal that was pending at the
		 * clone has been read, or SIGCONT has discarded it (signal(7)).
		 * The next signal with that number is a newer one.
		 */
		hold->process->pending_at_clone = 0;
		break;
	}
	return child_changed;
}

/* Gives 1 and the wait status if reap_children has reaped the process */
static int handle_signals(struct hold *hold, struct loop *loop, int *ret_status)
{
	/* A process that has ended cannot be stopped. */
	bool is_over = loop->rows[ROW_PROCESS].revents;
	int r;

	/* The rest of a tree is reaped by rest_is_over. */
	if (!read_signals(hold) || hold->rest.begun)
		return 0;
	r = handle_late_exec(hold, loop);
	if (!r)
		r = reap_children(hold, ret_status);
	if (r)
		return r;
	/* A tracer may have let COMMAND go: the pidfd is polled again. */
	hold->ending.is_traced = false;
	/* The child of the outer hold is the init, which may stop alone. */
	if (!is_over && hold->process->reaper != REAPER_OTHER &&
	    hold->role != ROLE_OUTER)
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

/*
 * The process has ended, or its pidfd has hung up. Gives 1 and the wait status;
 * 0 if another process has not reaped it yet.
 */
static int handle_end(struct hold *hold, short revents, int *ret_status)
{
	struct process *process = hold->process;
	int r;

	if (process->reaper == REAPER_SPAWNFD) {
		r = sys_wait_pidfd(process->pidfd, ret_status);
		/* waitid(2): Linux 5.3 lacks P_PIDFD; --fallback serves it. */
		if (r == -EINVAL)
			r = sys_wait_pid(process->pid, ret_status);
		if (!r)
			ending_await_tracer(hold);
		if (r != -ECHILD)
			return r <= 0 ? r : 1;
		/* With CLONE_PARENT, it is a child of spawnfd's parent. */
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
 * POLLIN says that the process has ended. POLLHUP, which poll(2) always adds,
 * says that it has been reaped; only from then on can the pidfd tell the status
 * (seen on Linux 7.1 to 7.3). If the kernel reaps the process, POLLHUP is
 * enough. If another process reaps it, POLLIN starts the deadline for that, and
 * must not wake the loop again afterwards; nor if a tracer does so first, whose
 * end SIGCHLD tells (ptrace(2)).
 */
static short end_events(const struct hold *hold)
{
	const enum reaper reaper = hold->process->reaper;

	return reaper == REAPER_KERNEL || hold->ending.is_traced ||
			       (reaper == REAPER_OTHER &&
				hold->ending.reap_deadline)
		       ? 0
		       : POLLIN;
}

/* ---- the loop ---- */

static int wait_for_events(struct hold *hold, struct loop *loop)
{
	const struct process *process = hold->process;
	const size_t count = ROW_WATCHES + hold->triggers->count;
	struct timespec left;
	uint64_t deadline = ending_next_deadline(hold);
	int r;

	if (hold->rest.begun)
		deadline = clock_sooner(deadline, rest_next_look(hold));
	loop->rows[ROW_EXEC].fd = process->exec_pipe;
	loop->rows[ROW_PROCESS].fd = hold->rest.begun ? -1 : process->pidfd;
	loop->rows[ROW_PROCESS].events = end_events(hold);
	loop->rows[ROW_NOTICES].fd = hold->notice_fd;
	do {
		r = ppoll(loop->rows, count, clock_left(deadline, &left), NULL);
		if (r >= 0)
			return r;
		/* COMMAND exists already, and has a limit of its own. */
		r = errno == EINVAL ? fd_allow_rows(count) : -errno;
	} while (!r || r == -EINTR);
	return r;
}

/* Ends COMMAND for each watch that has fired. A watch fires once. */
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

/*
 * ROLE_OUTER: acts on all that the init has told. Many functions take notices,
 * for example each that asks the init. No event tells of a notice that has been
 * taken, so this is done before every wait.
 */
static int act_on_notices(struct hold *hold, struct loop *loop)
{
	if (hold->role != ROLE_OUTER)
		return 0;
	do {
		int r = exec_is_news(hold, loop) ? announce_exec(hold, loop)
						 : 0;

		if (r < 0)
			return r;
		group_handle_signals(hold);
		stop_handle_reports(hold);
		/* The questions about a stop may have taken such notices. */
	} while (exec_is_news(hold, loop) || hold->tree.group_signals.bits);
	ending_follow_init(hold);
	return 0;
}

/*
 * The process was killed, and its pidfd is lost. Gives 1 if the init has told
 * the status of COMMAND before that, otherwise the error.
 */
static int finish_without_pidfd(const struct hold *hold)
{
	return hold->tree.command_ended ? 1 : hold->ending.status_error;
}

/* Waits once, and handles all events. 1 and the status if the process ended */
static int poll_once(struct hold *hold, struct loop *loop, int *ret_status)
{
	const struct pollfd *rows = loop->rows;
	int r = act_on_notices(hold, loop);

	if (r >= 0)
		r = wait_for_events(hold, loop);
	if (r < 0)
		return r;
	r = 0;
	/*
	 * The exec comes first, because COMMAND may have been executed and have
	 * ended since the last poll.
	 */
	if (rows[ROW_EXEC].revents || rows[ROW_PROCESS].revents ||
	    (hold->role == ROLE_OUTER && rows[ROW_NOTICES].revents))
		r = handle_exec(hold, loop);
	if (!r && rows[ROW_SIGNALS].revents)
		r = finish_exec_first(hold, loop,
				      handle_signals(hold, loop, ret_status));
	if (r)
		return r;
	/*
	 * The init forwards its signals before it answers questions. The outer
	 * hold asks whether COMMAND has been continued, and a SIGCONT that was
	 * just read may have done so.
	 */
	if (rows[ROW_NOTICES].revents)
		handle_notices(hold);
	r = act_on_notices(hold, loop);
	if (r < 0)
		return r;
	if (rows[ROW_PROCESS].revents)
		return handle_end(hold, rows[ROW_PROCESS].revents, ret_status);
	handle_watches(hold, loop);
	r = ending_handle_deadlines(hold);
	if (r >= 0 && hold->ending.status_error)
		return finish_without_pidfd(hold);
	return r < 0 || !hold->rest.begun ? r : rest_is_over(hold);
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

/*
 * The init has ended. It exits with 128+N if signal N killed COMMAND, so the
 * wait status that it has told is the one that counts.
 */
static int finish_tree(struct hold *hold, int *ret_status)
{
	if (hold->notice_fd >= 0)
		tree_handle_notices(hold);
	group_handle_signals(hold);
	if (hold->tree.command_ended)
		*ret_status = hold->tree.command_status;
	/* An init that cannot even tell of the exec exits at once. */
	else if (!hold->tree.exec_known && !status_signal(*ret_status))
		return -EPIPE;
	return -hold->tree.init_error;
}

/* ROLE_INIT: COMMAND has ended; gives whether the init stays nevertheless */
static bool stays_for_rest(struct hold *hold, int status)
{
	if (hold->role != ROLE_INIT || hold->rest.begun)
		return false;
	/* A tracer has let COMMAND go, and its pid may be used again. */
	hold->ending.reap_deadline = 0;
	/* A notice may say that spawnfd has begun to end the tree. */
	handle_notices(hold);
	notice_send(hold->notice_fd, NOTICE_ENDED, STEP_NONE, status);
	return rest_begin(hold);
}

/* ROLE_INIT: all is over; tells spawnfd what it does not know yet */
static void finish_init(struct hold *hold)
{
	rest_finish(hold);
	group_finish(hold);
}

int hold_run(struct hold *hold, int *ret_status)
{
	const struct process *process = hold->process;
	struct loop loop = { 0 };
	int r = 0;

	prepare_rows(hold, &loop);
	hold->tree.left = hold->tree.killed = -1;
	if (hold->role == ROLE_OUTER)
		hold->notice_fd = process->init_socket;
	if (hold->clocks_from_clone)
		start_clocks(hold, &loop);
	hold->is_pid_1 = getpid() == 1;
	/*
	 * Process 1 may have children that ended before it executed spawnfd.
	 * They send no SIGCHLD any more.
	 */
	if (hold->is_pid_1)
		r = handle_late_exec(hold, &loop);
	if (hold->is_pid_1 && !r)
		r = finish_exec_first(hold, &loop,
				      reap_children(hold, ret_status));
	/* Without a pipe or an init, the process is known to run. */
	if (r == 0 && process->exec_pipe < 0 && process->init_socket < 0 &&
	    !loop.exec_announced)
		r = announce_exec(hold, &loop);
	while (r == 0 || (r > 0 && stays_for_rest(hold, *ret_status)))
		r = poll_once(hold, &loop, ret_status);
	if (hold->role == ROLE_INIT)
		finish_init(hold);
	if (r < 0 || hold->role != ROLE_OUTER)
		return r < 0 ? r : 0;
	return finish_tree(hold, ret_status);
}
