/* SPDX-License-Identifier: MIT */
/* hold_stop - see hold_stop.h. It must never stop spawnfd without COMMAND. */
#include "hold_stop.h"

#include <signal.h>
#include <unistd.h>

#include "hold_tree.h"
#include "sys.h"

bool stop_shares_our_group(const struct hold *hold)
{
	return getpgid(hold->process->pid) == getpgrp();
}

/*
 * Consumes the stop report, and tells the signal. waitid(2) gives a report only
 * while COMMAND is still stopped; none may also mean that it was consumed
 * before.
 */
static int consume_stop_report(struct hold *hold)
{
	hold->stop.is_reported = false;
	return sys_stop(hold->process->pidfd, true);
}

/* COMMAND changed its state after its stop report was consumed */
static bool changed_since_stop(const struct hold *hold)
{
	/* A report that nobody has consumed yet is that of a newer stop. */
	return hold->stop.is_reported || sys_changed(hold->process->pidfd);
}

/* The stop that was seen, or reported by the init, is over */
static bool stop_is_over(struct hold *hold)
{
	if (hold->role == ROLE_OUTER)
		return tree_ask(hold, ASK_STILL_STOPPED) != 1;
	return consume_stop_report(hold) <= 0;
}

static bool command_changed(struct hold *hold)
{
	if (hold->role == ROLE_OUTER)
		return tree_ask(hold, ASK_CHANGED) != 0 ||
		       hold->tree.reported_stop;
	return changed_since_stop(hold);
}

static bool sigcont_is_pending(void)
{
	return sys_sigpending().bits & SYS_SIGBIT(SIGCONT);
}

/*
 * The shell that waits for spawnfd must see a stopped job, but somebody may
 * continue both at any moment. So the stop signal is made pending here first,
 * and COMMAND is looked at then: a SIGCONT in between takes the pending stop
 * away (signal(7)). SIGSTOP cannot stay pending; SIGTSTP stands in for it until
 * the look is over.
 */
static void stop_with_command(struct hold *hold, int signal)
{
	const int first = signal == SIGSTOP ? SIGTSTP : signal;
	const struct sys_sigset set = { SYS_SIGBIT(first) };
	siginfo_t info;

	/* pid_namespaces(7): nothing inside can stop process 1. */
	if (hold->is_pid_1)
		return;
	/*
	 * This SIGCONT is newer than the stop. The loop forwards it, in case it
	 * was sent to spawnfd alone.
	 */
	if (sigcont_is_pending()) {
		stop_is_over(hold);
		return;
	}
	kill(getpid(), first);
	if (stop_is_over(hold)) {
		signals_discard(first);
		return;
	}
	held_report(hold, EVENT_STOPPED, signal, CAUSE_NONE);
	if (first == signal)
		signals_deliver(signal);
	else if (sys_sigtake(&set, &info) > 0)
		kill(getpid(), signal);
	/* fg(1) sends SIGCONT to the whole group, so COMMAND has had it too. */
	if (command_changed(hold))
		signals_discard(SIGCONT);
}

/* ROLE_INIT: the outer hold decides, and asks the init before it stops */
static void report_stop(struct hold *hold, int signal, bool is_shared)
{
	/* As in stop_with_command: the loop forwards this SIGCONT. */
	if (sigcont_is_pending())
		return;
	hold->stop.is_reported = true;
	hold->stop.outer_knows = is_shared;
	held_report(hold, is_shared ? EVENT_STOPPED : EVENT_STOPPED_ALONE,
		    signal, CAUSE_NONE);
}

void stop_check(struct hold *hold)
{
	int signal = sys_stop(hold->process->pidfd, false);
	bool is_shared;

	if (signal <= 0 || hold->stop.is_reported)
		return;
	is_shared = stop_shares_our_group(hold) || hold->stop.is_shared;
	hold->stop.is_shared = false;
	if (hold->role == ROLE_INIT)
		report_stop(hold, signal, is_shared);
	else if (is_shared)
		stop_with_command(hold, signal);
}

void stop_handle_reports(struct hold *hold)
{
	/* The next stop may be reported while this one is handled. */
	while (hold->tree.reported_stop) {
		bool is_shared = hold->stop.is_shared;
		int signal = hold->tree.reported_stop;

		hold->tree.reported_stop = 0;
		hold->stop.is_shared = false;
		if (is_shared)
			stop_with_command(hold, signal);
		else
			stop_is_over(hold);
	}
}

void stop_answer_questions(struct hold *hold)
{
	struct notice notice;

	while (tree_next_notice(hold, &notice)) {
		int reply;

		if (notice.kind == ASK_STILL_STOPPED)
			reply = consume_stop_report(hold) > 0;
		else if (notice.kind == ASK_CHANGED)
			reply = changed_since_stop(hold);
		else
			continue;
		notice_send(hold->notice_fd, NOTICE_REPLY, STEP_NONE, reply);
	}
}

bool stop_command_had_cont(struct hold *hold, int signal)
{
	bool outer_knew = hold->stop.outer_knows;

	if (signal != SIGCONT)
		return false;
	hold->stop.outer_knows = false;
	if (!outer_knew)
		return false;
	return hold->stop.is_reported
		       ? sys_stop(hold->process->pidfd, false) <= 0
		       : sys_changed(hold->process->pidfd);
}
