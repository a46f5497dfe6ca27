/* SPDX-License-Identifier: MIT */
/* hold_forward - see hold_forward.h. It must never send a signal twice. */
#include "hold_forward.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "hold_ending.h"
#include "hold_stop.h"
#include "hold_target.h"
#include "sys.h"

/* tty_ioctl(4), termios(3): a terminal sends these to a whole process group */
static bool terminal_sent_to_group(const struct hold *hold, int signal)
{
	switch (signal) {
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		return stop_shares_our_group(hold);
	case SIGHUP:
	case SIGCONT:
		/* A hang-up reaches the leader of the session alone. */
		return stop_shares_our_group(hold) && getsid(0) != getpid();
	default:
		return false;
	}
}

/*
 * The signal came before the clone: when the terminal sent it to the process
 * group, COMMAND was not in that yet. Asked once for each signal.
 */
static bool came_before_clone(struct hold *hold, int signal)
{
	const uint64_t bit = SYS_SIGBIT(signal);
	bool came_before = hold->process->pending_at_clone & bit;

	hold->process->pending_at_clone &= ~bit;
	return came_before;
}

/*
 * COMMAND has not been executed yet, so the child blocks the signal still, or
 * has died of it. To send it once more does no harm: the kernel keeps only one
 * of each pending. The child may not have got a signal that came just before
 * the clone.
 */
static bool exec_pending(const struct hold *hold)
{
	struct pollfd outcome = { hold->process->exec_pipe, POLLIN, 0 };

	/* The init blocks all signals while it lives, and decides for itself. */
	if (hold->role == ROLE_OUTER)
		return false;
	return outcome.fd >= 0 && !poll(&outcome, 1, 0);
}

/*
 * The sender is COMMAND. When a signal comes out of a PID namespace, si_pid is
 * the sender's pid inside, up to Linux 7.2. COMMAND is always process 2 there;
 * outside, process 2 may be a kernel thread, which sends nothing, or somebody
 * whose signals must not be lost. Linux 7.3 gives the pid that is valid here;
 * COMMAND is then a child of the init.
 */
static bool sent_by_command(const struct hold *hold, pid_t sender)
{
	enum { COMMAND_INSIDE = 2 };

	if (hold->role != ROLE_OUTER)
		return sender == hold->process->pid;
	if (sender == COMMAND_INSIDE && getpgid(COMMAND_INSIDE) <= 0)
		return true;
	return sys_parent(sender) == hold->process->pid;
}

/*
 * This process ignored the signal when it started. Whoever signals the init
 * means COMMAND, or is spawnfd and ends COMMAND; a terminal means the group.
 */
static bool is_ignored(const struct hold *hold,
		       const struct signalfd_siginfo *from)
{
	if (hold->role == ROLE_INIT && from->ssi_code != SI_KERNEL)
		return false;
	return sys_sigignored((int)from->ssi_signo) > 0;
}

static int send_on(const struct hold *hold,
		   const struct signalfd_siginfo *from)
{
	siginfo_t info = {
		.si_signo = (int)from->ssi_signo,
		.si_code = SI_QUEUE,
	};
	bool has_value = from->ssi_code < 0 && from->ssi_code != SI_TKILL;

	info.si_pid = (pid_t)from->ssi_pid;
	info.si_uid = from->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)from->ssi_ptr;
	/* sigqueue(3), timers and the like send a value with the signal. */
	return target_send(hold, info.si_signo, has_value ? &info : NULL);
}

void forward_signal(struct hold *hold, const struct signalfd_siginfo *from)
{
	const int signal = (int)from->ssi_signo;
	const bool from_terminal = from->ssi_code == SI_KERNEL;
	bool came_before = came_before_clone(hold, signal);
	int r;

	if (sent_by_command(hold, (pid_t)from->ssi_pid) ||
	    stop_command_had_cont(hold, signal) || is_ignored(hold, from) ||
	    (from_terminal && terminal_sent_to_group(hold, signal) &&
	     !came_before && !exec_pending(hold)))
		return;
	/*
	 * Ctrl-Z for a COMMAND in another process group: the shell waits for
	 * spawnfd, which therefore stops when COMMAND does.
	 */
	if (from_terminal && SIGNALS_STOPPING & SYS_SIGBIT(signal))
		hold->stop.is_shared = true;
	r = send_on(hold, from);
	held_report(hold, r < 0 ? EVENT_NOT_SENT : EVENT_FORWARDED, signal,
		    CAUSE_SIGNAL);
	ending_note_forwarded(hold, signal);
}
