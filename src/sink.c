/* SPDX-License-Identifier: MIT */
/* sink - see sink.h. It must never let COMMAND go on after a failure. */
#include "sink.h"

#include <signal.h>
#include <unistd.h>

#include "exec_holder.h"
#include "fd.h"
#include "hold.h"
#include "job.h"
#include "pass.h"
#include "pid_file.h"
#include "status.h"
#include "sys.h"

/*
 * Removes the PID file and kills COMMAND, which must not go on after this
 * failure. A received process is left alone: if its pidfd is an autokill one,
 * the exit of spawnfd kills it.
 */
static void give_up(struct story *story)
{
	atomic_name_remove(&story->pid_file);
	if (story->process.reaper != REAPER_OTHER)
		process_kill(&story->process);
}

/* Writes the PID file. A process that has ended already has no pid to write */
static int put_pid_file(struct story *story, struct failure *ret_failure)
{
	const char *path = options_text(story->options, OPT_PID_FILE);
	int r;

	if (!path || !story->process.pid)
		return 0;
	r = pid_file_put(path, story->process.pid, &story->pid_file);
	if (r >= 0)
		return 0;
	give_up(story);
	return step_fail(ret_failure, STEP_PID_FILE, r, path);
}

int sink_pass(struct story *story, int peer, struct failure *ret_failure)
{
	const char *address = story->options->values[OPT_PASS].address.text;
	int r = put_pid_file(story, ret_failure);

	if (r < 0)
		return r;
	/* Signals are blocked. One that ends spawnfd prevents the message. */
	r = signals_check(&story->signals);
	if (r >= 0)
		r = pass_send(peer, story->payload, story->process.pidfd);
	if (r < 0) {
		give_up(story);
		return step_fail(ret_failure, STEP_PASS, r, address);
	}
	message_passed(&story->audience, address);
	message_running(&story->audience, &story->process);
	return 0;
}

int sink_detach(struct story *story, struct failure *ret_failure)
{
	int r = put_pid_file(story, ret_failure);

	if (r < 0)
		return r;
	message_running(&story->audience, &story->process);
	return 0;
}

/* Warns if the received process can outlive who holds its pidfd */
static void check_autokill(const struct process *process)
{
	if (process->reaper == REAPER_OTHER && !sys_pidfd_kills(process->pidfd))
		message_not_autokill();
}

int sink_exec(struct story *story, struct failure *ret_failure)
{
	const struct exec_holder holder = {
		.command = story->launch.command,
		.environment = story->launch.environment,
		.path = story->launch.path,
		.fd = (int)story->options->values[OPT_EXEC_FD].number,
		.mask = &story->signals.inherited,
	};
	int r = put_pid_file(story, ret_failure);

	if (r < 0)
		return r;
	check_autokill(&story->process);
	message_running(&story->audience, &story->process);
	r = signals_check(&story->signals);
	r = r < 0 ? step_fail(ret_failure, STEP_EXEC, r, *holder.command)
		  : exec_holder_run(&holder, &story->process, ret_failure);
	give_up(story);
	/* Before the message, which says that the process has ended. */
	fd_close(&story->process.pidfd);
	return r;
}

/* ---- hold ---- */

/*
 * Closes all descriptors that the hold does not use, so that spawnfd does not
 * keep open what COMMAND has inherited: see fd_close_others.
 */
static void close_others(const struct story *story)
{
	enum { FIXED = 6 };
	const struct triggers *triggers = &story->triggers;
	int keep[FIXED + WATCHES] = {
		STDERR_FILENO,
		story->process.pidfd,
		story->process.init_socket,
		story->signals.fd,
		story->audience.status_fd,
		story->pid_file.directory,
	};

	for (size_t i = 0; i < triggers->count; i++)
		keep[FIXED + i] = triggers->watches[i].fd;
	fd_close_unlocked(keep, FIXED + triggers->count);
}

/* The context of the observer */
struct hold_context {
	struct story *story;
	struct failure failure;		/* why the observer ends the hold */
};

static int on_running(void *context)
{
	struct hold_context *own = context;
	struct story *story = own->story;
	struct process *process = &story->process;
	int r = 0;

	/* Without a COMMAND, the process was received and runs already. */
	if (story->launch.command) {
		r = spawn_read_outcome(&story->launch, process,
				       &own->failure);
		if (r < 0)
			return r;
		message_started(&story->audience, process);
	}
	r = put_pid_file(story, &own->failure);
	if (r < 0)
		return r;
	message_running(&story->audience, process);
	close_others(story);
	return 0;
}

static void on_event(void *context, enum hold_event event, int signal,
		     enum cause cause, int error)
{
	const struct hold_context *own = context;
	const struct story *story = own->story;

	message_event(&story->audience, &story->process, event, signal, cause,
		      error);
}

static void on_left(void *context, pid_t pid, const char *name, bool is_killed)
{
	const struct hold_context *own = context;
	const struct story *story = own->story;

	message_left(&story->audience, &story->process, pid, name, is_killed);
}

/* Whether --timeout has ended COMMAND, and not only run out */
static bool timed_out(const struct hold *hold)
{
	return hold->ending.cause == CAUSE_TIMEOUT &&
	       hold->ending.end_was_sent;
}

/* The exit status of spawnfd; after --timeout, that of timeout(1) */
static int hold_code(const struct hold *hold, int wait_status)
{
	bool is_killed;

	if (!timed_out(hold))
		return status_code(wait_status);
	is_killed = status_signal(wait_status) == SIGKILL;
	/* If the notice of the end is lost, the init's own status tells. */
	if (hold->role == ROLE_OUTER && !hold->tree.command_ended)
		is_killed = status_code(wait_status) == 128 + SIGKILL;
	return is_killed ? 128 + SIGKILL : EXIT_TIMED_OUT;
}

int sink_hold(struct story *story, int *ret_wait_status,
	      struct failure *ret_failure)
{
	struct hold_context own = { .story = story };
	const struct hold_observer observer = {
		.context = &own,
		.running = on_running,
		.event = on_event,
		.left = on_left,
	};
	struct hold hold = {
		.process = &story->process,
		.signals = &story->signals,
		.triggers = &story->triggers,
		.role = story->launch.init ? ROLE_OUTER : ROLE_ALONE,
		/* With --kill-tree, the init signals the group of COMMAND. */
		.leads_session = story->launch.new_session &&
				 !story->launch.init,
		.group = story->launch.two_groups,
		.waits_for_tree = story->launch.waits_for_tree,
		.clocks_from_clone = story->launch.cgroup,
		.notice_fd = -1,
		.observer = &observer,
	};
	int status, code, r;

	check_autokill(&story->process);
	r = hold_run(&hold, &status);
	atomic_name_remove(&story->pid_file);
	/* Neither a killed COMMAND nor a tree gives the terminal back. */
	if (story->launch.init || (r >= 0 && status_signal(status)))
		job_recover_terminal();
	if (r < 0) {
		/* The observer has not failed, so the loop has. */
		if (!own.failure.step) {
			step_fail(&own.failure, STEP_HOLD, r, NULL);
			give_up(story);
		}
		*ret_failure = own.failure;
		return r;
	}
	code = hold_code(&hold, status);
	message_ended(&story->audience, &hold, code, status);
	*ret_wait_status = timed_out(&hold) ? 0 : status;
	return code;
}
