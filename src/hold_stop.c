/* SPDX-License-Identifier: MIT */
/* hold_stop - see hold_stop.h. It must never stop for a stop that is over. */
#include "hold_stop.h"

#include <signal.h>
#include <unistd.h>

#include "hold_group.h"
#include "hold_rest.h"
#include "hold_target.h"
#include "hold_tree.h"
#include "job.h"
#include "sys.h"
#include "waker.h"

bool stop_shares_our_group(const struct hold *hold)
{
	const pid_t ours = hold->group ? hold->group : getpgrp();

	return getpgid(hold->process->pid) == ours;
}

/*
 * Whether COMMAND, in a group of its own, or a job of it has the terminal:
 * COMMAND is a shell, for example, and suspends itself. Without spawnfd the
 * caller would see COMMAND stop. fish(1) suspends itself by a job, kill(1).
 */
static bool has_terminal(const struct hold *hold)
{
	const pid_t command = hold->process->pid, group = job_foreground();

	return group > 0 && group != getpgrp() &&
	       (group == getpgid(command) || sys_parent(group) == command);
}

/*
 * Consumes the stop report of the kernel, and gives its signal; 0 if there is
 * none. waitid(2) gives a report only while COMMAND is stopped, so a report
 * proves that it still is. Without a report, the stop is over, or its report
 * was consumed before.
 */
static int consume_stop_report(struct hold *hold)
{
	int signal;

	hold->stop.is_reported = false;
	if (hold->rest.begun)
		return hold->rest.is_stopped ? SIGTSTP : 0;
	signal = sys_stop(hold->process->pidfd, true);
	/* SIGCONT discards the stop signals that came before it (signal(7)). */
	if (signal > 0)
		hold->stop.may_stop_again = false;
	return signal;
}

/* Whether COMMAND has changed its state since a stop report was consumed */
static bool changed_since_stop(const struct hold *hold)
{
	if (hold->rest.begun)
		return !hold->rest.is_stopped;
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

/* Whether signals are pending that the loop would read before a SIGCONT */
static bool others_come_first(void)
{
	const uint64_t lower = SYS_SIGBIT(SIGCONT) - 1;

	return sys_sigpending().bits & lower & ~SYS_SIGBIT(SIGCHLD);
}

/*
 * Stops this process by the signal, and returns when it is continued. Gives
 * whether a process other than the waker sent a SIGCONT. That SIGCONT is not
 * pending any more; *ret_cont says who sent it. The waker does not want COMMAND
 * to go on.
 */
static bool stop_here(struct hold *hold, int first, int signal,
		      siginfo_t *ret_cont)
{
	const struct sys_sigset set = { SYS_SIGBIT(first) };
	const struct sys_sigset cont = { SYS_SIGBIT(SIGCONT) };
	const bool is_outer = hold->role == ROLE_OUTER;
	pid_t waker = waker_start(is_outer ? 0 : hold->process->pid,
				  is_outer ? hold->notice_fd : -1);
	siginfo_t info;

	if (first == signal)
		signals_deliver(signal);
	else if (sys_sigtake(&set, &info) > 0)
		kill(getpid(), signal);
	waker_end(waker);
	return sys_sigtake(&cont, ret_cont) > 0 && ret_cont->si_pid != waker;
}

/*
 * Stops this process by the signal that has stopped COMMAND.
 *
 * There is a race: somebody may continue both at any moment, and spawnfd must
 * not stop after that. So the stop signal, which is blocked, is made pending
 * here first. Then COMMAND is looked at. If the SIGCONT comes before the look,
 * COMMAND is not stopped any more. If it comes later, it discards the pending
 * stop signal (signal(7)). SIGSTOP cannot be pending; SIGTSTP takes its place
 * until the last moment. A SIGCONT between that moment and SIGSTOP is lost for
 * this process; the waker sees that COMMAND has gone on.
 */
static void stop_with_command(struct hold *hold, int signal)
{
	const int first = signal == SIGSTOP ? SIGTSTP : signal;
	const bool is_apart = hold->group || hold->stop.in_foreground;
	bool was_asked, has_cont;
	siginfo_t cont;

	/* Process 1 cannot stop itself: pid_namespaces(7). */
	if (hold->is_pid_1)
		return;
	/*
	 * A SIGCONT has come since the loop last read signals, so spawnfd does
	 * not stop. The stop signal below would discard it (signal(7)), hence
	 * this look. The loop forwards the SIGCONT, in case it was sent to
	 * spawnfd alone. The stop report is consumed, so that only a new stop
	 * is seen. But if a newer stop signal has discarded the SIGCONT, the
	 * report may be that of the new stop.
	 */
	was_asked = sigcont_is_pending();
	if (was_asked && (stop_is_over(hold) || sigcont_is_pending()))
		return;
	kill(getpid(), first);
	if (was_asked ? command_changed(hold) : stop_is_over(hold)) {
		signals_discard(first);
		return;
	}
	/*
	 * The terminal stopped the group of COMMAND; it meant the whole job.
	 * This signal would discard a SIGCONT that has come since.
	 */
	if (hold->group && first == signal && !sigcont_is_pending())
		kill(0, signal);
	held_report(hold, EVENT_STOPPED, signal, CAUSE_NONE, 0);
	has_cont = stop_here(hold, first, signal, &cont);
	/*
	 * fg(1) sends SIGCONT to the whole group. If COMMAND has received it as
	 * well, it is not forwarded.
	 */
	if (command_changed(hold)) {
		signals_discard(SIGCONT);
		return;
	}
	hold->stop.command_waits = is_apart;
	/* To put it back would discard a newer stop signal (signal(7)). */
	if (has_cont && is_apart && !others_come_first())
		stop_continue(hold);
	else if (has_cont)
		signals_put_back(&cont);
}

/*
 * ROLE_INIT: the init cannot stop, so it reports the stop. The outer hold asks
 * whether COMMAND is still stopped before it stops itself.
 */
static void report_stop(struct hold *hold, int signal, bool is_shared)
{
	struct hold_stop *stop = &hold->stop;

	/* As in stop_with_command, the loop forwards this newer SIGCONT. */
	if (sigcont_is_pending())
		return;
	stop->is_reported = true;
	stop->outer_knows = is_shared || stop->in_foreground;
	stop->went_on_sent = false;
	held_report(hold, stop->in_foreground ? EVENT_STOPPED_FOREGROUND
			  : is_shared	      ? EVENT_STOPPED
					      : EVENT_STOPPED_ALONE,
		    signal, CAUSE_NONE, 0);
}

/* ROLE_INIT: tells a spawnfd that has stopped with COMMAND that this is over */
static void report_going_on(struct hold *hold)
{
	struct hold_stop *stop = &hold->stop;

	if (hold->role != ROLE_INIT || !stop->outer_knows ||
	    stop->went_on_sent || !changed_since_stop(hold))
		return;
	stop->went_on_sent = true;
	notice_send(hold->notice_fd, NOTICE_WENT_ON, STEP_NONE, 0);
}

void stop_check(struct hold *hold)
{
	int signal = sys_stop(hold->process->pidfd, false);
	bool is_shared;

	/* The init has reported this stop, and was not asked about it yet. */
	if (hold->stop.is_reported)
		return;
	if (signal <= 0) {
		report_going_on(hold);
		return;
	}
	is_shared = stop_shares_our_group(hold) || hold->stop.is_shared;
	hold->stop.is_shared = false;
	hold->stop.in_foreground = !is_shared && has_terminal(hold);
	if (hold->role == ROLE_INIT)
		report_stop(hold, signal, is_shared);
	else if ((is_shared || hold->stop.in_foreground) &&
		 job_can_be_continued())
		stop_with_command(hold, signal);
}

/*
 * Continues COMMAND with its process group, and first gives it the terminal if
 * that is asked for. In the group of process 1, COMMAND has no group number
 * inside, and goes on alone.
 */
static void continue_command(struct hold *hold, bool give_terminal)
{
	pid_t group = getpgid(hold->process->pid);

	if (target_has_ended(hold))
		return;
	group_discard_stops(hold);
	if (give_terminal && group > 0)
		job_set_foreground(group);
	if (hold->role == ROLE_INIT && stop_command_had_cont(hold, SIGCONT))
		return;
	if (hold->leader && group == hold->group)
		group_continue(hold);
	else if (group > 0)
		kill(-group, SIGCONT);
	else
		target_send(hold, SIGCONT, NULL);
}

void stop_continue(struct hold *hold)
{
	bool is_foreground = job_foreground() == getpgrp();

	hold->stop.command_waits = false;
	if (hold->role == ROLE_OUTER)
		notice_send(hold->notice_fd, NOTICE_CONTINUE, STEP_NONE,
			    is_foreground);
	else
		continue_command(hold, is_foreground);
}

/*
 * ROLE_OUTER: whether the kernel would not have stopped COMMAND in spawnfd's
 * group. That group is orphaned, and no signal but SIGSTOP stops such a group
 * (setpgid(2)). The group of COMMAND is not orphaned: spawnfd, the parent of
 * the init, is in another one. A COMMAND that was stopped because it used the
 * terminal from the background would only be stopped again.
 */
static bool is_void_stop(struct hold *hold, int signal)
{
	return hold->group && signal != SIGSTOP &&
	       (signal == SIGTSTP || group_has_terminal(hold));
}

void stop_handle_reports(struct hold *hold)
{
	/* The init may report the next stop while this one is handled. */
	while (hold->tree.reported_stop) {
		bool is_shared = hold->stop.is_shared;
		int signal = hold->tree.reported_stop;

		hold->tree.reported_stop = 0;
		hold->stop.is_shared = false;
		if (group_hands_over(hold, signal))
			continue;
		if (is_shared && job_can_be_continued())
			stop_with_command(hold, signal);
		else if (is_void_stop(hold, signal))
			stop_continue(hold);
		else
			/* The question makes the init consume the report. */
			stop_is_over(hold);
	}
}

void stop_send_to_group(const struct hold *hold, int signal)
{
	if (rest_gets_signals(hold)) {
		rest_send(signal);
		return;
	}
	kill(-hold->group, signal);
	/* COMMAND may have left the group: timeout(1) does so. */
	if (!stop_shares_our_group(hold))
		target_send(hold, signal, NULL);
}

/* ROLE_INIT: does what the outer hold says */
static void handle_order(struct hold *hold, const struct notice *notice)
{
	switch (notice->kind) {
	case NOTICE_GROUP_SIGNAL:
		stop_send_to_group(hold, notice->value);
		break;
	case NOTICE_CONTINUE:
		/* The report is consumed, so that only a new stop counts. */
		consume_stop_report(hold);
		if (hold->rest.begun)
			rest_continue(hold, notice->value);
		else
			continue_command(hold, notice->value);
		break;
	case NOTICE_ENDING:
		rest_note_end(hold);
		break;
	case NOTICE_KILL:
		if (!hold->rest.begun)
			target_kill(hold);
		break;
	default:
		break;
	}
}

/* ROLE_INIT: the reply to ASK_ENDED; -1 if it is not known yet */
static int is_over(struct hold *hold, int question)
{
	if (hold->rest.begun || !target_has_ended(hold))
		return 0;
	/* Whether COMMAND has left something is known when it is reaped. */
	hold->rest.question = hold->waits_for_tree ? question : 0;
	return hold->waits_for_tree ? -1 : 1;
}

/* ROLE_INIT: the reply to a question; -1 if it comes later, or for an order */
static int reply_to(struct hold *hold, const struct notice *notice)
{
	switch (notice->kind) {
	case ASK_ENDED:
		return is_over(hold, notice->value);
	case ASK_STILL_STOPPED:
		return consume_stop_report(hold) > 0;
	case ASK_CHANGED:
		return changed_since_stop(hold);
	case ASK_HAS_TERMINAL:
		return job_foreground() == hold->group;
	default:
		handle_order(hold, notice);
		return -1;
	}
}

void stop_answer_questions(struct hold *hold)
{
	struct notice notice;

	while (tree_next_notice(hold, &notice)) {
		int reply = reply_to(hold, &notice);

		if (reply >= 0)
			notice_send(hold->notice_fd, NOTICE_REPLY, STEP_NONE,
				    notice.value + reply);
	}
}

bool stop_command_had_cont(struct hold *hold, int signal)
{
	/*
	 * The init may have read a stop signal before the SIGCONT, and sent it
	 * after the SIGCONT. COMMAND runs, but is about to stop again.
	 */
	bool outer_knew = hold->stop.outer_knows &&
			  !hold->stop.may_stop_again;

	if (signal != SIGCONT)
		return false;
	hold->stop.outer_knows = hold->stop.may_stop_again = false;
	if (!outer_knew)
		return false;
	/* Without a question so far, the stop report is not consumed yet. */
	return hold->stop.is_reported
		       ? sys_stop(hold->process->pidfd, false) <= 0
		       : sys_changed(hold->process->pidfd);
}
