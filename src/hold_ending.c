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
	       (hold->role == ROLE_OUTER && tree_command_has_ended(hold));
}

void ending_start_timeout(struct hold *hold)
{
	hold->ending.timeout_deadline = clock_after(hold->triggers->timeout_ns);
}

static void start_kill_after(struct hold *hold)
{
	hold->ending.kill_deadline =
		clock_after(hold->triggers->kill_after_ns);
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
		/* The rest of a tree gets no time to end. */
		if (hold->tree.command_ended)
			send_sigkill(hold);
		return;
	}
	ending->cause = cause;
	held_report(hold, EVENT_ENDING, signal, cause, 0);
	if (signal == SIGKILL) {
		r = send_sigkill(hold);
	} else {
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

	if (!hold->triggers->has_kill_after || ending->cause != CAUSE_NONE ||
	    ending->reap_deadline ||
	    signal != triggers_first_signal(hold->triggers, CAUSE_SIGNAL))
		return;
	/*
	 * The caller started spawnfd with this signal ignored, so that it ends
	 * nothing. COMMAND gets the signal, and no SIGKILL after it.
	 */
	if (sys_sigignored(signal) > 0)
		return;
	ending->cause = CAUSE_SIGNAL;
	start_kill_after(hold);
}

void ending_await_reaper(struct hold *hold)
{
	hold->ending.reap_deadline = clock_after(CLOCK_PATIENCE_NS);
	hold->ending.timeout_deadline = hold->ending.kill_deadline = 0;
}

/* The sooner of two deadlines, of which 0 is never */
static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

uint64_t ending_next_deadline(const struct hold *hold)
{
	const struct hold_ending *ending = &hold->ending;

	return sooner(sooner(ending->timeout_deadline, ending->kill_deadline),
		      ending->reap_deadline);
}

int ending_handle_deadlines(struct hold *hold)
{
	struct hold_ending *ending = &hold->ending;

	if (clock_is_over(ending->reap_deadline))
		return -ETIMEDOUT;
	if (clock_is_over(ending->timeout_deadline)) {
		ending->timeout_deadline = 0;
		ending_begin(hold, CAUSE_TIMEOUT);
	}
	if (clock_is_over(ending->kill_deadline) && target_has_ended(hold))
		ending->kill_deadline = 0;
	if (clock_is_over(ending->kill_deadline)) {
		held_report(hold, EVENT_SIGKILL, SIGKILL, ending->cause, 0);
		note_sent(hold, SIGKILL, send_sigkill(hold));
	}
	return 0;
}
