/* SPDX-License-Identifier: MIT */
/* hold_stop - see hold_stop.h. It must never stop for a stop that is over. */
#include "hold_stop.h"

#include <signal.h>
#include <unistd.h>

#include "hold_target.h"
#include "hold_tree.h"
#include "sys.h"

bool stop_shares_our_group(const struct hold *hold)
{
	return getpgid(hold->process->pid) == getpgrp();
}

/*
 * Consumes the stop report of the kernel, and gives its signal; 0 if there is
 * none. waitid(2) gives a report only while COMMAND is stopped, so a report
 * proves that it still is. Without a report, the stop is over, or its report
 * was consumed before.
 */
static int consume_stop_report(struct hold *hold)
{
	hold->stop.is_reported = false;
	return sys_stop(hold->process->pidfd, true);
}

/* Whether COMMAND has changed its state since a stop report was consumed */
static bool changed_since_stop(const struct hold *hold)
{
	/* A report that is not consumed yet belongs to a newer stop. */
	return hold->stop.is_reported || sys_changed(hold->process->pidfd);
}

/* Whether the stop that was seen, or that the init has reported, is over */
static bool stop_is_over(struct hold *hold)
{
	/* Without a reply, spawnfd does not stop. */
	if (hold->role == ROLE_OUTER)
		return tree_ask(hold, ASK_STILL_STOPPED) != 1;
	return consume_stop_report(hold) <= 0;
}

/* Whether COMMAND has changed its state since stop_is_over was asked */
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
 * Stops this process by the signal that has stopped COMMAND.
 *
 * There is a race: somebody may continue both at any moment, and spawnfd must
 * not stop after that. So the stop signal, which is blocked, is made pending
 * here first. Then COMMAND is looked at. If the SIGCONT comes before the look,
 * COMMAND is not stopped any more. If it comes later, it discards the pending
 * stop signal (signal(7)). SIGSTOP cannot be pending; SIGTSTP takes its place
 * until the last moment. A SIGCONT between that moment and SIGSTOP is lost: see
 * CAVEATS in spawnfd(1).
 */
static void stop_with_command(struct hold *hold, int signal)
{
	const int first = signal == SIGSTOP ? SIGTSTP : signal;
	const struct sys_sigset set = { SYS_SIGBIT(first) };
	siginfo_t info;

	/* Process 1 cannot stop itself: pid_namespaces(7). */
	if (hold->is_pid_1)
		return;
	/*
	 * A SIGCONT has come since the loop last read signals, so spawnfd does
	 * not stop. The stop signal below would discard it (signal(7)), hence
	 * this look. The loop forwards the SIGCONT, in case it was sent to
	 * spawnfd alone. The stop report is consumed, so that only a new stop
	 * is seen.
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
	held_report(hold, EVENT_STOPPED, signal, CAUSE_NONE, 0);
	/* This process stops here, and goes on when it is continued. */
	if (first == signal)
		signals_deliver(signal);
	else if (sys_sigtake(&set, &info) > 0)
		kill(getpid(), signal);
	/*
	 * fg(1) sends SIGCONT to the whole group. If COMMAND has received it as
	 * well, it is not forwarded.
	 */
	if (command_changed(hold))
		signals_discard(SIGCONT);
}

/*
 * ROLE_INIT: the init cannot stop, so it reports the stop. The outer hold asks
 * whether COMMAND is still stopped before it stops itself.
 */
static void report_stop(struct hold *hold, int signal, bool is_shared)
{
	/* As in stop_with_command, the loop forwards this newer SIGCONT. */
	if (sigcont_is_pending())
		return;
	hold->stop.is_reported = true;
	hold->stop.outer_knows = is_shared;
	held_report(hold, is_shared ? EVENT_STOPPED : EVENT_STOPPED_ALONE,
		    signal, CAUSE_NONE, 0);
}

void stop_check(struct hold *hold)
{
	int signal = sys_stop(hold->process->pidfd, false);
	bool is_shared;

	/* The init has reported this stop, and was not asked about it yet. */
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
	/* The init may report the next stop while this one is handled. */
	while (hold->tree.reported_stop) {
		bool is_shared = hold->stop.is_shared;
		int signal = hold->tree.reported_stop;

		hold->tree.reported_stop = 0;
		hold->stop.is_shared = false;
		if (is_shared)
			stop_with_command(hold, signal);
		else
			/* The question makes the init consume the report. */
			stop_is_over(hold);
	}
}

void stop_answer_questions(struct hold *hold)
{
	struct notice notice;

	while (tree_next_notice(hold, &notice)) {
		int reply;

		if (notice.kind == ASK_ENDED)
			reply = target_has_ended(hold);
		else if (notice.kind == ASK_STILL_STOPPED)
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
	/* Without a question so far, the stop report is not consumed yet. */
	return hold->stop.is_reported
		       ? sys_stop(hold->process->pidfd, false) <= 0
		       : sys_changed(hold->process->pidfd);
}
