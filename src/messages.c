/* SPDX-License-Identifier: MIT */
/* messages - see messages.h. It must never decide what happens. */
#include "messages.h"

#include <errno.h>
#include <unistd.h>

#include "clone_args.h"
#include "status.h"
#include "status_lines.h"
#include "text.h"
#include "write_nowait.h"

/*
 * Writes the message of an error and a newline. One write(2) takes all of it,
 * so that it does not mix with the lines of other processes.
 */
static void say_error(struct text *text)
{
	struct signals_write_mask write_mask;

	text_add(text, "\n");
	signals_mask_writes(&write_mask);
	sys_write(STDERR_FILENO, text->bytes, text->length);
	signals_unmask_writes(&write_mask);
}

/* Writes a line that is no error; drops it if there is no room for it */
static void say(struct text *text)
{
	text_add(text, "\n");
	write_nowait(STDERR_FILENO, text->bytes, text->length);
}

/* Writes a status line; drops it if there is no room for it */
static void say_status(const struct audience *audience,
		       const struct text *text)
{
	if (audience->status_fd >= 0)
		write_nowait(audience->status_fd, text->bytes, text->length);
}

/* Writes an error: the message in text, and a status line for programs */
static void say_failure(const struct audience *audience, struct text *text,
			int code, enum step step, int error)
{
	struct text line;

	text_begin(&line);
	say_error(text);
	status_line_failed(code, step_class(step), error, &line);
	say_status(audience, &line);
}

void message_mistake(const struct audience *audience,
		     const struct mistake *mistake)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "spawnfd: ");
	explain_mistake(mistake, &text);
	say_failure(audience, &text, EXIT_FAILED, STEP_BEGIN, 0);
}

void message_failure(const struct audience *audience,
		     const struct failure *failure, int code)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "spawnfd: ");
	explain_failure(failure, &text);
	say_failure(audience, &text, code, failure->step, failure->error);
}

void message_refusal(const struct audience *audience,
		     const struct refusal *refusal)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "spawnfd: ");
	explain_refusal(refusal, &text);
	say_failure(audience, &text, EXIT_FAILED, STEP_CLONE3, refusal->error);
}

void message_flags_added(const struct audience *audience, uint64_t added)
{
	struct text text;

	if (!audience->verbose || !added)
		return;
	text_begin(&text);
	text_add(&text, "spawnfd: flags added: ");
	explain_flags(added, &text);
	say(&text);
}

void message_call(const struct audience *audience, const struct launch *launch,
		  int r, const struct process *process)
{
	struct text text;

	if (!audience->verbose)
		return;
	text_begin(&text);
	clone_args_print(&launch->args, launch->cgroup, launch->use_old_clone,
			 &text);
	if (r < 0) {
		text_add(&text, " = -1 ");
		explain_error(-r, &text);
	} else {
		text_add(&text, " = %d", process->pid);
		if (process->pidfd >= 0)
			text_add(&text, ", pidfd %d", process->pidfd);
	}
	say(&text);
}

void message_emulated(const struct audience *audience, uint64_t emulated)
{
	struct text text;

	if (!audience->verbose || !emulated)
		return;
	text_begin(&text);
	text_add(&text, "spawnfd: flags emulated: ");
	explain_flags(emulated, &text);
	say(&text);
}

/* With --verbose, writes "spawnfd: WHAT ADDRESS" */
static void say_address(const struct audience *audience, const char *what,
			const char *address)
{
	struct text text;

	if (!audience->verbose)
		return;
	text_begin(&text);
	text_add(&text, "spawnfd: %s ", what);
	text_add_word(&text, address);
	say(&text);
}

void message_frozen(const struct audience *audience, const char *cgroup)
{
	say_address(audience, "COMMAND waits for the thaw of", cgroup);
}

void message_listening(const struct audience *audience, const char *address)
{
	struct text line;

	text_begin(&line);
	say_address(audience, "listening on", address);
	status_line_listening(address, &line);
	say_status(audience, &line);
}

/*
 * Begins a line with "spawnfd: PID: ". A process that had ended before it was
 * received has no pid.
 */
static void begin_process(struct text *text, const struct process *process)
{
	text_add(text, "spawnfd: ");
	if (process->pid)
		text_add(text, "%d: ", process->pid);
}

void message_started(const struct audience *audience,
		     const struct process *process)
{
	const bool received = process->reaper == REAPER_OTHER;
	struct text text;

	if (!audience->verbose)
		return;
	text_begin(&text);
	begin_process(&text, process);
	text_add(&text, "%s", received ? "received" : "executed");
	if (process->exec_outcome.value) {
		text_add(&text, ", with no /proc of its own: ");
		explain_error(process->exec_outcome.value, &text);
	}
	say(&text);
}

void message_running(const struct audience *audience,
		     const struct process *process)
{
	struct text line;

	if (audience->status_fd < 0)
		return;
	text_begin(&line);
	status_line_running(process->pid, sys_pidfd_inode(process->pidfd),
			    process->emulated, &line);
	say_status(audience, &line);
}

void message_passed(const struct audience *audience, const char *address)
{
	say_address(audience, "passed to", address);
}

/* The words for ended-by, which the man page promises to programs */
static const char *const causes[CAUSES] = {
	[CAUSE_TIMEOUT] = "timeout",
	[CAUSE_PARENT] = "parent",
	[CAUSE_PID] = "pid",
	[CAUSE_FD] = "fd",
	[CAUSE_SIGNAL] = "signal",
};

/* COMMAND cannot be sent the signal */
static void add_refusal(struct text *text, int signal, int error)
{
	text_add(text, "cannot be sent ");
	status_print_signal(signal, text);
	text_add(text, ": ");
	explain_error(error, text);
	/* kill(2): it has changed its user, or its sender has another one. */
	if (error == EPERM)
		text_add(text, "; it runs as another user");
}

void message_event(const struct audience *audience,
		   const struct process *process, enum hold_event event,
		   int signal, enum cause cause, int error)
{
	/* The two events that follow are for the observer of the init. */
	static const char *const words[] = {
		[EVENT_FORWARDED] = "passed on",
		[EVENT_NOT_SENT] = "could not be sent",
		/* Not "sent": EVENT_REFUSED may follow. */
		[EVENT_ENDING] = "sending",
		[EVENT_SIGKILL] = "sending",
		[EVENT_STOPPED] = "stopped by",
	};
	struct text text;

	/* Everybody must know that COMMAND cannot be signalled, or ended. */
	if (!audience->verbose && event != EVENT_REFUSED)
		return;
	text_begin(&text);
	begin_process(&text, process);
	if (event == EVENT_REFUSED) {
		add_refusal(&text, signal, error);
		say(&text);
		return;
	}
	text_add(&text, "%s ", words[event]);
	status_print_signal(signal, &text);
	if (event == EVENT_ENDING || event == EVENT_SIGKILL)
		text_add(&text, ": %s", causes[cause]);
	if (event == EVENT_NOT_SENT) {
		text_add(&text, ": ");
		explain_error(error, &text);
	}
	say(&text);
}

void message_left(const struct audience *audience,
		  const struct process *process, pid_t pid, const char *name,
		  bool is_killed)
{
	struct text text;

	if (!audience->verbose)
		return;
	text_begin(&text);
	begin_process(&text, process);
	text_add(&text, "%s %d ", is_killed ? "kills" : "leaves", (int)pid);
	text_add_word(&text, name);
	say(&text);
}

/*
 * Whether ended-by names the cause. A forwarded signal counts only if SIGKILL
 * followed it, for COMMAND or for its tree. Any other cause counts only if the
 * kernel took a signal for it.
 */
static bool was_ended_by_us(const struct hold *hold)
{
	const struct hold_ending *ending = &hold->ending;

	return ending->cause == CAUSE_SIGNAL
		       ? ending->sigkill_sent || hold->tree.killed > 0
		       : ending->end_was_sent;
}

void message_ended(const struct audience *audience, const struct hold *hold,
		   int code, int wait_status)
{
	const char *cause =
		was_ended_by_us(hold) ? causes[hold->ending.cause] : NULL;
	struct text text, line;

	text_begin(&text);
	text_begin(&line);
	if (audience->verbose) {
		begin_process(&text, hold->process);
		status_print(wait_status, &text);
		say(&text);
	}
	if (audience->status_fd < 0)
		return;
	status_line_ended(code, wait_status, cause, hold->tree.left,
			  hold->tree.killed, &line);
	say_status(audience, &line);
}

void message_not_autokill(void)
{
	struct text text;

	text_begin(&text);
	text_add(&text, "spawnfd: the received pidfd is not an autokill pidfd: "
		 "its process will outlive its holder");
	say(&text);
}
