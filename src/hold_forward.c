/* SPDX-License-Identifier: MIT */
/* hold_forward - see hold_forward.h. It must never forward a signal twice. */
#include "hold_forward.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "hold_ending.h"
#include "hold_group.h"
#include "hold_rest.h"
#include "hold_stop.h"
#include "hold_target.h"
#include "sys.h"

/*
 * Whether the signal is in the set. Takes it out: the next signal with this
 * number is a newer one. SIGCONT has discarded the stop signals that came
 * before it (signal(7)).
 */
static bool take_out(uint64_t *set, int signal)
{
	const uint64_t bit = SYS_SIGBIT(signal);
	bool was_in = *set & bit;

	*set &= ~(signal == SIGCONT ? bit | SIGNALS_STOPPING : bit);
	return was_in;
}

/*
 * Whether the signal came before the clone. If a terminal sent it to the group,
 * COMMAND was not in the group yet.
 */
static bool came_before_clone(struct hold *hold, int signal)
{
	return take_out(&hold->process->pending_at_clone, signal);
}

/* Whether a SIGCONT may have undone what this stop signal did to COMMAND */
static bool was_undone(struct hold *hold, int signal)
{
	return take_out(&hold->stop.undone.bits, signal);
}

/*
 * Whether COMMAND has not been executed yet. A signal from a terminal is
 * forwarded then: if it came just before the clone, the child did not receive
 * it. If the child did receive it, forwarding does no harm. The child still
 * blocks the signal, and the kernel keeps only one standard signal of each
 * number pending (signal(7)); or the child has died of it.
 */
static bool exec_pending(const struct hold *hold)
{
	struct pollfd outcome = { hold->process->exec_pipe, POLLIN, 0 };

	/* The init blocks all signals all the time, and decides itself. */
	if (hold->role == ROLE_OUTER)
		return false;
	/* The child joins this group before the terminal belongs to it. */
	if (hold->group)
		return false;
	return outcome.fd >= 0 && !poll(&outcome, 1, 0);
}

/*
 * Whether COMMAND has sent the signal. Up to Linux 7.2, si_pid of a signal that
 * leaves a PID namespace is the pid of the sender inside. COMMAND is always
 * process 2 there. Outside, process 2 may be a kernel thread, whose process
 * group is 0 and which sends no signals. If it is an ordinary process, its
 * signals must not be lost. Linux 7.3 gives the pid outside; COMMAND is a child
 * of the init.
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
 * Fills *room and gives it if a value goes with the signal; otherwise gives
 * NULL. sigqueue(3), timers and others send a value: their si_code is negative
 * (sigaction(2)).
 */
static const siginfo_t *value_of(const struct signalfd_siginfo *from,
				 siginfo_t *room)
{
	if (from->ssi_code >= 0 || from->ssi_code == SI_TKILL)
		return NULL;
	*room = signals_info(from);
	room->si_code = SI_QUEUE;
	return room;
}

static int send_to_command(struct hold *hold, int signal, const siginfo_t *info,
			   bool undone)
{
	if (undone && hold->leader) {
		stop_send_to_group(hold, signal);
		return 0;
	}
	if (!info && group_sends(hold, signal))
		return 0;
	if (signal == SIGCONT)
		group_discard_stops(hold);
	return target_send(hold, signal, info);
}

/* No COMMAND is left to get a signal (-ESRCH), or it cannot be sent to it */
static enum hold_event event_of(int r)
{
	if (r >= 0)
		return EVENT_FORWARDED;
	return r == -ESRCH ? EVENT_NOT_SENT : EVENT_REFUSED;
}

void forward_signal(struct hold *hold, const struct signalfd_siginfo *from)
{
	const int signal = (int)from->ssi_signo;
	bool came_before = came_before_clone(hold, signal);
	bool undone = was_undone(hold, signal) && group_had_signal(from);
	siginfo_t room;
	const siginfo_t *info = value_of(from, &room);
	int r;

	/* A stop signal has discarded the SIGCONT, and comes in its place. */
	if (hold->stop.command_waits &&
	    (SIGNALS_STOPPING | SYS_SIGBIT(SIGCONT)) & SYS_SIGBIT(signal)) {
		stop_continue(hold);
		if (signal == SIGCONT)
			return;
	}
	/* COMMAND cannot have had the key of a terminal in its place. */
	if (hold->ending.is_for_rest &&
	    !sent_by_command(hold, (pid_t)from->ssi_pid))
		ending_note_forwarded(hold, signal);
	if (group_took_signal(hold, from))
		return;
	if (hold->rest.begun) {
		rest_forward(hold, from, info);
		return;
	}
	if (sent_by_command(hold, (pid_t)from->ssi_pid) ||
	    stop_command_had_cont(hold, signal) ||
	    (group_had_signal(from) && stop_shares_our_group(hold) &&
	     !came_before && !undone && !exec_pending(hold)))
		return;
	/*
	 * COMMAND gets this Ctrl-Z from here, as a rule because it is in
	 * another process group. The shell waits for spawnfd, so spawnfd must
	 * stop when COMMAND stops.
	 */
	if (from->ssi_code == SI_KERNEL &&
	    SIGNALS_STOPPING & SYS_SIGBIT(signal))
		hold->stop.is_shared = true;
	ending_note_forwarded(hold, signal);
	r = send_to_command(hold, signal, info, undone);
	if (signal == SIGCONT)
		target_note_undone(hold);
	if (SIGNALS_STOPPING & SYS_SIGBIT(signal))
		hold->stop.may_stop_again = true;
	held_report(hold, event_of(r), signal, CAUSE_SIGNAL, r < 0 ? -r : 0);
}
