/* SPDX-License-Identifier: MIT */
/*
 * hold_ending - see hold_ending.h. It must never end COMMAND without a cause.
 */
#include "hold_ending.h"

#include <errno.h>
#include <signal.h>

#include "clock.h"
#include "hold_target.h"
#include "hold_tree.h"
#include "proc.h"
#include "sys.h"

static int send_sigkill(struct hold *hold)
{
	int r = target_kill(hold);

	hold->ending.kill_deadline = 0;
	hold->ending.sigkill_sent = r >= 0 || r == -ESRCH;
	return r;
}

/*
 * Notes that a signal to end COMMAND was sent, unless there is no COMMAND any
 * more (-ESRCH), or the kernel refused the signal. -EPERM says that COMMAND has
 * changed its user: kill(2). It may change that again (setuid(2)), so later
 * signals are sent all the same.
 */
static void note_sent(struct hold *hold, int signal, int r)
{
	if (r >= 0)
		hold->ending.end_was_sent = true;
	else if (r != -ESRCH)
		held_report(hold, EVENT_REFUSED, signal, hold->ending.cause,
			    -r);
}

/*
 * Whether there is nothing left to end. What poll(2) told the loop may be old:
 * spawnfd may have been stopped since, or held up by a slow file system. A
 * COMMAND that ended in time must not be reported as ended by spawnfd.
 */
static bool has_ended(struct hold *hold)
{
	return target_has_ended(hold) ||
	       (hold->role == ROLE_OUTER && tree_is_over(hold));
}

void ending_start_timeout(struct hold *hold)
{
	hold->ending.timeout_deadline = clock_after(hold->triggers->timeout_ns);
}

static void start_kill_after(struct hold *hold)
{
	struct hold_ending *ending = &hold->ending;
	const uint64_t more = UINT64_C(2) * CLOCK_PATIENCE_NS;

	ending->kill_deadline = clock_after(hold->triggers->kill_after_ns);
	/*
	 * Unless it is stopped or frozen, the init has this clock as well. It
	 * starts it when it has counted the rest, and then says what it killed.
	 */
	if (ending->is_for_rest && ending->kill_deadline &&
	    ending->kill_deadline <= UINT64_MAX - more)
		ending->kill_deadline += more;
}

/* With --wait-tree, the init must know: COMMAND may end before the rest does */
static void tell_init(const struct hold *hold)
{
	if (hold->role == ROLE_OUTER)
		notice_send(hold->notice_fd, NOTICE_ENDING, STEP_NONE, 0);
}

/* COMMAND has ended, and the rest of its tree has its time now. */
static void begin_rest(struct hold *hold)
{
	struct hold_ending *ending = &hold->ending;

	ending->is_for_rest = true;
	ending->kill_deadline = 0;
	if (hold->triggers->has_kill_after &&
	    (!hold->waits_for_tree || ending->cause != CAUSE_NONE))
		start_kill_after(hold);
}

void ending_follow_init(struct hold *hold)
{
	if (hold->tree.command_ended && !hold->ending.is_for_rest)
		begin_rest(hold);
}

/*
 * ROLE_OUTER: COMMAND has ended, or the whole tree with --wait-tree; a reply
 * may say so before NOTICE_ENDED does. The rest has its time from --kill-after,
 * or none. But the init has time to say what is left.
 */
static void give_init_time(struct hold *hold)
{
	if (!hold->ending.is_for_rest)
		begin_rest(hold);
	if (!hold->triggers->has_kill_after || hold->waits_for_tree)
		hold->ending.kill_deadline = clock_after(CLOCK_PATIENCE_NS);
}

void ending_begin(struct hold *hold, enum cause cause)
{
	struct hold_ending *ending = &hold->ending;
	int r, signal = triggers_first_signal(hold->triggers, cause);

	/*
	 * A clock that runs is not set back. And a COMMAND that has ended needs
	 * no signal: only its reaping is awaited.
	 */
	if (ending->sigkill_sent || ending->kill_deadline ||
	    ending->reap_deadline)
		return;
	if (has_ended(hold)) {
		if (hold->role == ROLE_OUTER)
			give_init_time(hold);
		return;
	}
	ending->cause = cause;
	held_report(hold, EVENT_ENDING, signal, cause, 0);
	if (signal == SIGKILL) {
		r = send_sigkill(hold);
	} else {
		tell_init(hold);
		r = target_send(hold, signal, NULL);
		/* A stopped process handles the signal when it is continued. */
		target_send(hold, SIGCONT, NULL);
		if (hold->triggers->has_kill_after)
			start_kill_after(hold);
	}
	note_sent(hold, signal, r);
}

void ending_note_forwarded(struct hold *hold, int signal)
{
	struct hold_ending *ending = &hold->ending;

	if (ending->cause != CAUSE_NONE || ending->reap_deadline ||
	    ending->sigkill_sent)
		return;
	/* Another hold has the clock, or the rest has its time already. */
	if (hold->is_held || (ending->is_for_rest && !hold->waits_for_tree))
		return;
	if (!triggers_start_clock(hold->triggers, signal))
		return;
	ending->cause = CAUSE_SIGNAL;
	hold->rest.is_ending = true;
	tell_init(hold);
	start_kill_after(hold);
}

void ending_await_reaper(struct hold *hold)
{
	hold->ending.reap_deadline = clock_after(CLOCK_PATIENCE_NS);
	hold->ending.timeout_deadline = hold->ending.kill_deadline = 0;
}

void ending_await_tracer(struct hold *hold)
{
	hold->ending.is_traced = true;
	if (hold->role == ROLE_INIT && !hold->ending.reap_deadline)
		hold->ending.reap_deadline = clock_after(CLOCK_PATIENCE_NS);
}

/* The tracer may be outside of the tree, and has the pid 0 then. */
static void kill_tracer(struct hold *hold)
{
	pid_t tracer = proc_is_ours() ? proc_tracer(hold->process->pid) : 0;

	if (tracer > 0)
		kill(tracer, SIGKILL);
	/* The next tracer has as much time. */
	hold->ending.reap_deadline = clock_after(CLOCK_PATIENCE_NS);
}

uint64_t ending_next_deadline(const struct hold *hold)
{
	const struct hold_ending *ending = &hold->ending;

	return clock_sooner(clock_sooner(ending->timeout_deadline,
					 ending->kill_deadline),
			    ending->reap_deadline);
}

/*
 * ROLE_OUTER: makes the init send SIGKILL to COMMAND, so that the rest of the
 * tree gets a signal and time after that. Gives false if COMMAND has ended, or
 * the init was told before, or cannot be told.
 */
static bool kill_command_alone(struct hold *hold)
{
	struct hold_ending *ending = &hold->ending;

	if (hold->role != ROLE_OUTER || ending->is_for_rest ||
	    ending->sigkill_sent)
		return false;
	if (notice_send(hold->notice_fd, NOTICE_KILL, STEP_NONE, 0) < 0)
		return false;
	ending->sigkill_sent = ending->end_was_sent = true;
	ending->kill_deadline = clock_after(CLOCK_PATIENCE_NS);
	return true;
}

static void handle_kill_deadline(struct hold *hold)
{
	struct hold_ending *ending = &hold->ending;

	ending->kill_deadline = 0;
	if (target_has_ended(hold))
		return;
	if (!ending->is_for_rest && !ending->sigkill_sent)
		held_report(hold, EVENT_SIGKILL, SIGKILL, ending->cause, 0);
	if (!kill_command_alone(hold))
		note_sent(hold, SIGKILL, send_sigkill(hold));
}

int ending_handle_deadlines(struct hold *hold)
{
	struct hold_ending *ending = &hold->ending;

	if (clock_is_over(ending->reap_deadline)) {
		if (hold->process->reaper == REAPER_OTHER)
			return -ETIMEDOUT;
		kill_tracer(hold);
	}
	if (clock_is_over(ending->timeout_deadline)) {
		ending->timeout_deadline = 0;
		ending_begin(hold, CAUSE_TIMEOUT);
	}
	/* The end of COMMAND may have been told just now. */
	if (clock_is_over(ending->kill_deadline) && hold->role == ROLE_OUTER) {
		tree_handle_notices(hold);
		ending_follow_init(hold);
	}
	if (clock_is_over(ending->kill_deadline))
		handle_kill_deadline(hold);
	return 0;
}
