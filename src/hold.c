/* SPDX-License-Identifier: MIT */
/* hold - see hold.h. It must never print, and never end before the process. */
#include "hold.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "notice.h"
#include "sys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The lowest of the descriptors to be kept that is not below from, or -1 */
static int next_kept(const int *keep, size_t count, int from)
{
	int next = -1;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= from && (next < 0 || keep[i] < next))
			next = keep[i];
	return next;
}

void hold_release(const int *keep, size_t count)
{
	unsigned int from = 0;

	for (;;) {
		int kept = next_kept(keep, count, (int)from);

		if (kept < 0)
			break;
		if ((unsigned int)kept > from)
			sys_close_range(from, (unsigned int)kept - 1);
		from = (unsigned int)kept + 1;
	}
	sys_close_range(from, UINT_MAX);
}

static void happened(const struct hold *hold, enum happening what, int signal,
		     enum cause cause)
{
	hold->observer->happened(hold->observer->context, what, signal, cause);
}

/* ---- to the process ---- */

/* To the whole group of a session; info may be NULL */
static int send(const struct hold *hold, int signal, const siginfo_t *info)
{
	int pidfd = hold->process->pidfd;

	/* there is no group of its own before the setsid, nor at the end */
	if (hold->session && sys_pidfd_kill(pidfd, signal, true, info) >= 0)
		return 0;
	return sys_pidfd_kill(pidfd, signal, false, info);
}

/*
 * What nobody here may signal, for it is of another user by now, the kernel
 * kills when its autokill pidfd is closed. Another one is to tell the status.
 */
static void kill_by_closing(struct process *process)
{
	int copy = sys_pidfd_open(process->pid);

	if (copy < 0)
		return;
	if (sys_pidfd_inode(copy) != sys_pidfd_inode(process->pidfd)) {
		close(copy);
		return;
	}
	close(process->pidfd);
	process->pidfd = copy;
}

static int send_kill(struct hold *hold)
{
	struct process *process = hold->process;
	int r;

	hold->grace = 0;
	if (hold->session)
		sys_pidfd_kill(process->pidfd, SIGKILL, true, NULL);
	r = sys_pidfd_kill(process->pidfd, SIGKILL, false, NULL);
	if (r == -EPERM && sys_pidfd_kills(process->pidfd)) {
		kill_by_closing(process);
		r = 0;
	}
	hold->killed = r != -EPERM;
	return r;
}

/* Of another user by now it may be out of reach, and perhaps not for ever */
static void judge(struct hold *hold, int signal, int r)
{
	if (r == -EPERM)
		happened(hold, HAPPENED_REFUSED, signal, hold->cause);
	else
		hold->reached = true;
}

static void end(struct hold *hold, enum cause cause)
{
	int r, signal = triggers_first_signal(hold->triggers, cause);

	/* a clock that runs is not set back; and what is over has ended */
	if (hold->killed || hold->grace || hold->patience)
		return;
	/* the command too; what of its tree is left is not to keep it */
	if (hold->ended) {
		send_kill(hold);
		return;
	}
	hold->cause = cause;
	happened(hold, HAPPENED_END, signal, cause);
	if (signal == SIGKILL) {
		r = send_kill(hold);
	} else {
		r = send(hold, signal, NULL);
		/* a stopped process does not see it else */
		send(hold, SIGCONT, NULL);
		if (hold->triggers->graceful)
			hold->grace = clock_after(hold->triggers->grace_ns);
	}
	judge(hold, signal, r);
}

void hold_leave_children(void)
{
	int status;

	sys_sigignore(SIGCHLD, true, NULL);
	/* those that ended before that */
	while (sys_wait_any(false, &status) > 0)
		;
}

/* ---- from others to it ---- */

static bool in_own_group(const struct hold *hold)
{
	return getpgid(hold->process->pid) == getpgrp();
}

/* tty_ioctl(4), termios(3): what a terminal sends to a whole process group */
static bool had_by_group(const struct hold *hold, int signal)
{
	switch (signal) {
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		return in_own_group(hold);
	case SIGHUP:
	case SIGCONT:
		/* of a hang-up the leader of the session alone is told */
		return in_own_group(hold) && getsid(0) != getpid();
	default:
		return false;
	}
}

/* It came before the clone: what the group got then, the command did not */
static bool is_earlier(struct hold *hold, int signal)
{
	const uint64_t bit = SYS_SIGBIT(signal);
	bool earlier = hold->process->pending_at_clone & bit;

	hold->process->pending_at_clone &= ~bit;
	return earlier;
}

/*
 * Not executed yet. What came just before the clone it may not have got; what
 * came later it still blocks, and two of them are one; or it has died of it.
 */
static bool is_newborn(const struct hold *hold)
{
	struct pollfd report = { hold->process->exec_pipe, POLLIN, 0 };

	/* an init blocks it as long as it lives, and then it is up to that */
	if (hold->half == HALF_SPAWNFD)
		return false;
	return report.fd >= 0 && !poll(&report, 1, 0);
}

static bool stops(int signal)
{
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/*
 * Sent by the command. What comes out of a PID namespace has the pid that its
 * sender has in there, up to Linux 7.2; that of the command is the second of
 * all, and here it may be a kernel thread, which sends nothing, or somebody
 * whose signals are not to get lost. Linux 7.3 gives the pid of here: a child
 * of the init.
 */
static bool is_its_own(const struct hold *hold, pid_t sender)
{
	enum { INSIDE = 2 };

	if (hold->half != HALF_SPAWNFD)
		return sender == hold->process->pid;
	if (sender == INSIDE && getpgid(INSIDE) <= 0)
		return true;
	return sys_parent(sender) == hold->process->pid;
}

/* Being taken is what tells whether it is still stopped; no news do not */
static int take_stop(struct hold *hold)
{
	hold->told = false;
	return sys_stop(hold->process->pidfd, true);
}

/* Whether anything became of it since a stop was taken; a newer stop too */
static bool changed(const struct hold *hold)
{
	return hold->told || sys_changed(hold->process->pidfd);
}

/* An init: the SIGCONT that ends a stop has come to the command too */
static bool had_with_stop(struct hold *hold, int signal)
{
	bool stopped = hold->stopped;

	if (signal != SIGCONT)
		return false;
	hold->stopped = false;
	return stopped && (hold->told ? sys_stop(hold->process->pidfd,
						 false) <= 0
				      : sys_changed(hold->process->pidfd));
}

/*
 * What was ignored when spawnfd started. To an init others send it as to the
 * command, and spawnfd what is to end that; but terminals do not.
 */
static bool is_ignored(const struct hold *hold,
		       const struct signalfd_siginfo *from)
{
	if (hold->half == HALF_INIT && from->ssi_code != SI_KERNEL)
		return false;
	return sys_sigignored((int)from->ssi_signo) > 0;
}

static void pass_on(struct hold *hold, const struct signalfd_siginfo *from)
{
	int r, signal = (int)from->ssi_signo;
	bool earlier = is_earlier(hold, signal);
	siginfo_t info = {
		.si_signo = signal,
		.si_code = SI_QUEUE,
	};

	if (is_its_own(hold, (pid_t)from->ssi_pid) ||
	    had_with_stop(hold, signal) || is_ignored(hold, from) ||
	    (from->ssi_code == SI_KERNEL && had_by_group(hold, signal) &&
	     !earlier && !is_newborn(hold)))
		return;
	/* Ctrl-Z, and a command in another group: the shell waits for us */
	if (from->ssi_code == SI_KERNEL && stops(signal))
		hold->stopping = true;
	info.si_pid = (pid_t)from->ssi_pid;
	info.si_uid = from->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)from->ssi_ptr;
	/* sigqueue(3), and timers and the like, have a value with them */
	r = send(hold, signal,
		 from->ssi_code < 0 && from->ssi_code != SI_TKILL ? &info
								  : NULL);
	happened(hold, r < 0 ? HAPPENED_LOST : HAPPENED_PASSED_ON, signal,
		 CAUSE_SIGNAL);
	if (hold->triggers->graceful && hold->cause == CAUSE_NONE &&
	    !hold->patience &&
	    signal == triggers_first_signal(hold->triggers, CAUSE_SIGNAL)) {
		hold->cause = CAUSE_SIGNAL;
		hold->grace = clock_after(hold->triggers->grace_ns);
	}
}

/* Process 1: every orphan of its PID namespace is its child. 1: it was ours */
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

/* ---- between spawnfd and the init of --kill-tree ---- */

static void take_notice(struct hold *hold, const struct notice *notice)
{
	switch (notice->kind) {
	case NOTICE_STOPPED:
		hold->stopping = true;
		/* fall through */
	case NOTICE_STOPPED_APART:
		hold->stop = notice->value;
		break;
	case NOTICE_ANSWER:
		hold->answer = notice->value;
		break;
	case NOTICE_EXECUTED:
	case NOTICE_FAILED:
		if (hold->settled)
			hold->failed = notice->value;
		else
			hold->process->exec_outcome = *notice;
		hold->settled = true;
		break;
	case NOTICE_ENDED:
		hold->ended = true;
		hold->status = notice->value;
		break;
	case NOTICE_IS_OVER:
		notice_send(hold->other, NOTICE_ANSWER, STEP_BEGIN,
			    take_stop(hold) <= 0);
		break;
	case NOTICE_HAS_CHANGED:
		notice_send(hold->other, NOTICE_ANSWER, STEP_BEGIN,
			    changed(hold));
		break;
	default:
		break;
	}
}

/* All that there are */
static void take_notices(struct hold *hold)
{
	struct notice notice;
	int r;

	while ((r = notice_take(hold->other, &notice)) > 0)
		take_notice(hold, &notice);
	/* gone, and it will not be back */
	if (r != -EAGAIN)
		hold->other = -1;
}

/* What the init says to that; who does not answer is no reason to stop */
static bool ask(struct hold *hold, enum notice_kind question)
{
	enum { PATIENCE_MS = 1000 };	/* an init may be frozen */
	struct notice notice;

	if (hold->other < 0)
		return true;
	hold->answer = -1;
	notice_send(hold->other, question, STEP_BEGIN, 0);
	while (hold->answer < 0 &&
	       notice_await(hold->other, PATIENCE_MS, &notice) > 0)
		take_notice(hold, &notice);
	return hold->answer != 0;
}

/* ---- stopping ---- */

/* Whether the stop that was seen, or told, is over */
static bool is_over(struct hold *hold)
{
	if (hold->half == HALF_SPAWNFD)
		return ask(hold, NOTICE_IS_OVER);
	return take_stop(hold) <= 0;
}

/* The same for what became of the command since */
static bool has_changed(struct hold *hold)
{
	if (hold->half == HALF_SPAWNFD)
		return ask(hold, NOTICE_HAS_CHANGED) || hold->stop;
	return changed(hold);
}

/*
 * When the command stops so does spawnfd, for a shell that waits for that. Who
 * continues both at once may do so at any moment: SIGCONT takes away a signal
 * to stop that waits, so that is there before the command is looked at. SIGSTOP
 * does not wait; SIGTSTP stands for it until the last moment.
 */
static void stop_too(struct hold *hold, int signal)
{
	const int first = signal == SIGSTOP ? SIGTSTP : signal;
	const struct sys_sigset set = { SYS_SIGBIT(first) };
	siginfo_t info;

	/* process 1 cannot */
	if (hold->init)
		return;
	/* a newer one, to be passed on in case it was not for both */
	if (sys_sigpending().bits & SYS_SIGBIT(SIGCONT)) {
		is_over(hold);
		return;
	}
	kill(getpid(), first);
	if (is_over(hold)) {
		signals_discard(first);
		return;
	}
	happened(hold, HAPPENED_STOP, signal, CAUSE_NONE);
	if (first == signal)
		signals_deliver(signal);
	else if (sys_sigtake(&set, &info) > 0)
		kill(getpid(), signal);
	/* fg(1) continues the whole group: so the command has had that too */
	if (has_changed(hold))
		signals_discard(SIGCONT);
}

/* An init leaves it to spawnfd, which asks before it stops */
static void tell_stop(struct hold *hold, int signal, bool together)
{
	/* to be passed on in case it was not for both */
	if (sys_sigpending().bits & SYS_SIGBIT(SIGCONT))
		return;
	hold->told = true;
	hold->stopped = together;
	happened(hold, together ? HAPPENED_STOP : HAPPENED_STOP_APART, signal,
		 CAUSE_NONE);
}

/* A child of this process has news; if it is the command, and has stopped */
static void see_stop(struct hold *hold)
{
	int signal = sys_stop(hold->process->pidfd, false);
	bool together;

	if (signal <= 0 || hold->told)
		return;
	together = in_own_group(hold) || hold->stopping;
	hold->stopping = false;
	if (hold->half == HALF_INIT)
		tell_stop(hold, signal, together);
	else if (together)
		stop_too(hold, signal);
}

/* Stops that the init has told of; while there is one, the next may come */
static void take_told_stops(struct hold *hold)
{
	while (hold->stop) {
		bool together = hold->stopping;
		int signal = hold->stop;

		hold->stop = 0;
		hold->stopping = false;
		if (together)
			stop_too(hold, signal);
		else
			is_over(hold);
	}
}

/* 1 if the process turned out to be over, with its status */
static int take_signals(struct hold *hold, int *ret_status)
{
	/* who sends without end is not to keep it from clocks and watches */
	enum { MOST = 256 };
	struct signalfd_siginfo info;
	bool child = false;
	int i;

	for (i = 0; i < MOST && read(hold->signals->fd, &info,
					 sizeof(info)) == sizeof(info); i++) {
		if (info.ssi_signo == SIGCHLD)
			child = true;
		else
			pass_on(hold, &info);
	}
	/* what SIGCONT has taken away meanwhile is not to be taken for later */
	if (i < MOST)
		hold->process->pending_at_clone = 0;
	if (!child)
		return 0;
	if (hold->init && reap_orphans(hold, ret_status))
		return 1;
	/* a stop of the init is none of the command's */
	if (hold->process->reaper != REAPER_OTHER &&
	    hold->half != HALF_SPAWNFD)
		see_stop(hold);
	return 0;
}

/* ---- its end ---- */

/* The status of a process that is over: 1, 0 if it must still be waited for */
static int take_status(struct hold *hold, short revents, int *ret_status)
{
	const uint64_t patience_ns = 1000000000;
	struct process *process = hold->process;
	int r;

	if (process->reaper == REAPER_SPAWNFD) {
		r = sys_wait_pidfd(process->pidfd, ret_status);
		/* Linux 5.3, under --fallback */
		if (r == -EINVAL)
			r = sys_wait_pid(process->pid, ret_status);
		if (r != -ECHILD)
			return r < 0 ? r : 1;
		/* no child after all: CLONE_PARENT */
		process->reaper = REAPER_OTHER;
	}
	if (!(revents & POLLHUP)) {
		hold->patience = clock_after(patience_ns);
		/* nothing is left to be ended */
		hold->timeout = hold->grace = 0;
		return 0;
	}
	r = sys_pidfd_status(process->pidfd, ret_status);
	return r < 0 ? r : 1;
}

/*
 * POLLIN says that it has ended, POLLHUP that it is reaped: only then is its
 * status kept (seen on Linux 7.1 to 7.3). What others reap they may reap late.
 */
static short end_events(const struct hold *hold)
{
	return hold->process->reaper == REAPER_KERNEL || hold->patience
		       ? 0
		       : POLLIN;
}

/* ---- the loop ---- */

enum row { ROW_REPORT, ROW_SIGNALS, ROW_PROCESS, ROW_OTHER, ROW_WATCHES };

struct loop {
	struct pollfd rows[ROW_WATCHES + WATCHES];
	bool counting;		/* clocks and watches have begun */
	bool running;		/* the observer knows that it was executed */
};

static void begin(struct hold *hold, struct loop *loop)
{
	if (loop->counting)
		return;
	loop->counting = true;
	hold->timeout = clock_after(hold->triggers->timeout_ns);
	triggers_poll(hold->triggers, &loop->rows[ROW_WATCHES]);
}

static int run(struct hold *hold, struct loop *loop)
{
	begin(hold, loop);
	loop->running = true;
	return hold->observer->running(hold->observer->context);
}

/* Whether it was executed at all is known before it is known to have ended */
static int settle(struct hold *hold, struct loop *loop)
{
	if (loop->running)
		return 0;
	/* an init may tell first that it was stopped before that */
	if (hold->half == HALF_SPAWNFD)
		take_notices(hold);
	if (hold->half == HALF_SPAWNFD && !hold->settled && hold->other >= 0)
		return 0;
	return run(hold, loop);
}

/* The process is over if r is 1: what is still to be told of it comes first */
static int over(struct hold *hold, struct loop *loop, int r)
{
	int settled = r > 0 ? settle(hold, loop) : 0;

	return settled < 0 ? settled : r;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static int wait(struct hold *hold, struct loop *loop)
{
	const struct process *process = hold->process;
	struct timespec left;
	uint64_t deadline = sooner(sooner(hold->timeout, hold->grace),
				   hold->patience);
	int r;

	loop->rows[ROW_REPORT].fd = process->exec_pipe;
	loop->rows[ROW_PROCESS].fd = process->pidfd;
	loop->rows[ROW_PROCESS].events = end_events(hold);
	loop->rows[ROW_OTHER].fd = hold->other;
	/* no more than there are: RLIMIT_NOFILE may be as low as that */
	do
		r = ppoll(loop->rows, ROW_WATCHES + hold->triggers->count,
			  clock_left(deadline, &left), NULL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static void take_watches(struct hold *hold, struct loop *loop)
{
	for (size_t i = 0; i < hold->triggers->count; i++) {
		struct pollfd *row = &loop->rows[ROW_WATCHES + i];

		if (row->fd < 0 || !row->revents)
			continue;
		row->fd = -1;
		end(hold, hold->triggers->watches[i].cause);
	}
}

static int take_clocks(struct hold *hold)
{
	if (clock_is_over(hold->patience))
		return -ETIMEDOUT;
	if (clock_is_over(hold->timeout)) {
		hold->timeout = 0;
		end(hold, CAUSE_TIMEOUT);
	}
	if (clock_is_over(hold->grace)) {
		happened(hold, HAPPENED_KILL, SIGKILL, hold->cause);
		judge(hold, SIGKILL, send_kill(hold));
	}
	return 0;
}

/* One time round: 1 when the process is over */
static int turn(struct hold *hold, struct loop *loop, int *ret_status)
{
	const struct pollfd *rows = loop->rows;
	int r = wait(hold, loop);

	if (r < 0)
		return r;
	r = 0;
	/* it may have ended since the report was looked at: that is first */
	if (rows[ROW_REPORT].revents || rows[ROW_PROCESS].revents ||
	    (hold->half == HALF_SPAWNFD && rows[ROW_OTHER].revents))
		r = settle(hold, loop);
	if (!r && rows[ROW_SIGNALS].revents)
		r = over(hold, loop, take_signals(hold, ret_status));
	if (r)
		return r;
	/* behind the signals: the question is whether these came to both */
	if (rows[ROW_OTHER].revents)
		take_notices(hold);
	take_told_stops(hold);
	if (rows[ROW_PROCESS].revents)
		return take_status(hold, rows[ROW_PROCESS].revents,
				   ret_status);
	take_watches(hold, loop);
	return take_clocks(hold);
}

int hold_run(struct hold *hold, int *ret_status)
{
	struct loop loop = { 0 };
	int r = 0;

	for (size_t i = 0; i < COUNT(loop.rows); i++)
		loop.rows[i].fd = -1;
	loop.rows[ROW_REPORT].events = POLLIN;
	loop.rows[ROW_SIGNALS].fd = hold->signals->fd;
	loop.rows[ROW_SIGNALS].events = POLLIN;
	loop.rows[ROW_OTHER].events = POLLIN;
	if (hold->half == HALF_SPAWNFD)
		hold->other = hold->process->init_socket;
	if (hold->early)
		begin(hold, &loop);
	/* who ended before the exec of spawnfd sends no SIGCHLD any more */
	hold->init = getpid() == 1;
	if (hold->init)
		r = over(hold, &loop, reap_orphans(hold, ret_status));
	if (r == 0 && hold->process->exec_pipe < 0 &&
	    hold->process->init_socket < 0 && !loop.running)
		r = run(hold, &loop);
	while (r == 0)
		r = turn(hold, &loop, ret_status);
	if (r < 0)
		return r;
	/* the init has ended as it could, and has told how the command did */
	if (hold->half == HALF_SPAWNFD && hold->other >= 0)
		take_notices(hold);
	if (hold->ended)
		*ret_status = hold->status;
	return -hold->failed;
}
