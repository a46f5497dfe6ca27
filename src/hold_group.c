/* SPDX-License-Identifier: MIT */
/* hold_group - see hold_group.h. It must never relay a signal twice. */
#include "hold_group.h"

#include <signal.h>
#include <unistd.h>

#include "group_leader.h"
#include "hold_target.h"
#include "hold_tree.h"
#include "job.h"

/* Signals by which a terminal stops a background group: termios(3) */
#define SIGNALS_BACKGROUND (SYS_SIGBIT(SIGTTIN) | SYS_SIGBIT(SIGTTOU))

/* A terminal sends these to a whole group: termios(3), tty_ioctl(4) */
#define SIGNALS_OF_KEYS \
	(SYS_SIGBIT(SIGINT) | SYS_SIGBIT(SIGQUIT) | SYS_SIGBIT(SIGWINCH))
#define SIGNALS_OF_HANGUP (SYS_SIGBIT(SIGHUP) | SYS_SIGBIT(SIGCONT))

/*
 * The other hold may be stopped. A signal that it has not read about yet is not
 * told again once a quarter of the queue is in use, so that there is room for
 * what is told only once: the end of COMMAND.
 */
static void tell_other_hold(struct hold *hold, int signal)
{
	const uint64_t bit = SYS_SIGBIT(signal);

	if (notice_has_room(hold->notice_fd))
		hold->told_signals = 0;
	else if (hold->told_signals & bit)
		return;
	hold->told_signals |= bit;
	notice_send(hold->notice_fd, NOTICE_GROUP_SIGNAL, STEP_NONE, signal);
}

/*
 * ROLE_INIT: tells spawnfd of what the leader of the group has passed on. Stop
 * signals are left out: spawnfd's group stops when COMMAND has stopped
 * (hold_stop.c).
 */
static void relay_to_outer(struct hold *hold, int signal)
{
	if (SYS_SIGBIT(signal) & (SIGNALS_OF_KEYS | SIGNALS_OF_HANGUP))
		tell_other_hold(hold, signal);
}

bool group_read_leader(struct hold *hold, struct signalfd_siginfo *from)
{
	bool is_of_command;

	if (!hold->leader || (pid_t)from->ssi_pid != hold->group)
		return false;
	is_of_command = from->ssi_code == SI_QUEUE &&
			from->ssi_int == hold->process->pid;
	from->ssi_code = SI_KERNEL;
	relay_to_outer(hold, (int)from->ssi_signo);
	return is_of_command;
}

bool group_had_signal(const struct signalfd_siginfo *from)
{
	const uint64_t bit = SYS_SIGBIT(from->ssi_signo);

	if (from->ssi_code != SI_KERNEL)
		return false;
	/* A hang-up sends both to the leader of the session only. */
	if (bit & SIGNALS_OF_HANGUP)
		return getsid(0) != getpid();
	return bit & (SIGNALS_OF_KEYS | SIGNALS_STOPPING);
}

/*
 * ROLE_OUTER: another process of spawnfd's group has used the terminal while
 * COMMAND had it, and the kernel has stopped it. It gets the terminal, as it
 * would if there was one group. COMMAND asks for it in the same way.
 */
static bool take_from_command(struct hold *hold, int signal)
{
	if (!(SYS_SIGBIT(signal) & SIGNALS_BACKGROUND) ||
	    !group_has_terminal(hold))
		return false;
	job_set_foreground(getpgrp());
	kill(0, SIGCONT);
	return true;
}

bool group_took_signal(struct hold *hold, const struct signalfd_siginfo *from)
{
	const int signal = (int)from->ssi_signo;

	if (!hold->group)
		return false;
	/* Before the init left spawnfd's group, spawnfd has had it as well. */
	if (hold->role == ROLE_INIT)
		return from->ssi_code == SI_KERNEL &&
		       (pid_t)from->ssi_pid != hold->group;
	if (!group_had_signal(from))
		return (pid_t)from->ssi_pid == getpid();
	if (!take_from_command(hold, signal))
		tell_other_hold(hold, signal);
	return true;
}

bool group_sends(struct hold *hold, int signal)
{
	if (hold->role != ROLE_OUTER || !hold->group ||
	    (signal != SIGINT && signal != SIGQUIT))
		return false;
	tell_other_hold(hold, signal);
	return true;
}

bool group_has_terminal(struct hold *hold)
{
	return tree_ask(hold, ASK_HAS_TERMINAL) == 1;
}

void group_handle_signals(struct hold *hold)
{
	uint64_t left = hold->tree.group_signals.bits;

	hold->tree.group_signals.bits = 0;
	for (; left; left &= left - 1)
		kill(0, __builtin_ctzll(left) + 1);
}

bool group_hands_over(struct hold *hold, int stop_signal)
{
	if (!hold->group || !(SYS_SIGBIT(stop_signal) & SIGNALS_BACKGROUND) ||
	    job_foreground() != getpgrp())
		return false;
	notice_send(hold->notice_fd, NOTICE_CONTINUE, STEP_NONE, true);
	return true;
}

void group_discard_stops(const struct hold *hold)
{
	if (!hold->leader)
		return;
	group_leader_await(hold->leader);
	for (uint64_t left = SIGNALS_STOPPING; left; left &= left - 1)
		signals_discard_from(__builtin_ctzll(left) + 1, hold->group);
}

void group_continue(struct hold *hold)
{
	group_leader_continue(hold->leader);
	target_note_undone(hold);
}

void group_finish(struct hold *hold)
{
	/* Each standard signal is pending only once (signal(7)). */
	enum { MOST = 64 };
	struct signalfd_siginfo from;

	if (!hold->leader)
		return;
	group_leader_await(hold->leader);
	for (int i = 0; i < MOST; i++) {
		if (read(hold->signals->fd, &from, sizeof(from)) < 0)
			return;
		group_read_leader(hold, &from);
	}
}
