/* SPDX-License-Identifier: MIT */
/*
 * spawnfd - start a command with the clone3 flags of Linux 7.1, or receive one
 * that runs already; then hold it, or pass it on.
 *
 * The whole story is here: a source, spawn or receive, gives a process to a
 * sink, hold or pass. Only this file chooses the exit status.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "clone_args.h"
#include "fallback.h"
#include "fd.h"
#include "hold.h"
#include "init.h"
#include "write_nowait.h"
#include "pid_file.h"
#include "probe.h"
#include "receive.h"
#include "answers.h"
#include "search.h"
#include "status.h"
#include "messages.h"

/* What the parts of the story hand on to each other */
struct story {
	const struct options *options;
	struct audience audience;
	struct triggers triggers;
	struct launch launch;		/* of the source spawn */
	struct signals signals;
	struct process process;
	struct text *payload;		/* that a receiver is to get */
	struct atomic_name pid_file;
	int code;			/* the exit status, where hold cannot */
};

/*
 * Ends as a process with that wait status ended: by the same signal, so that a
 * shell sees it die of Ctrl-C, but without a second core. Returns, with what $?
 * would have been, where the signal does nothing (to pid 1) or there was none.
 */
static int end_like(int wait_status)
{
	int signal = status_signal(wait_status);

	if (signal) {
		const struct sys_sigset others = { ~SYS_SIGBIT(signal) };

		/* core(5): a core_pattern pipe does not ask RLIMIT_CORE */
		prctl(PR_SET_DUMPABLE, 0);
		sys_sigignore(signal, false, NULL);
		sys_sigmask(&others, NULL);
		kill(getpid(), signal);
	}
	return status_code(wait_status);
}

/* The exit status for a step that failed with r; a signal may be the cause */
static int fail(const struct story *story, enum step step, int r,
		const char *subject)
{
	if (r == -EINTR && story->signals.fatal)
		return end_like(story->signals.fatal);
	return message_failure(&story->audience, step, -r, subject);
}

static const struct address *address_of(const struct story *story,
					enum option_id id)
{
	return &story->options->values[id].address;
}

/* The same for a PID or FD that cannot be watched, or no longer */
static int fail_watch(const struct story *story, enum step step, int r)
{
	const union value *values = story->options->values;
	struct text number;

	text_begin(&number);
	if (step == STEP_PID)
		text_add(&number, "%d", values[OPT_DIE_WITH_PID].process.pid);
	if (step == STEP_FD)
		text_add(&number, "%d", (int)values[OPT_DIE_WITH_FD].number);
	return fail(story, step, r, number.length ? number.bytes : NULL);
}

/* The user of --peer-uid, put into *room; NULL without */
static const uid_t *allowed_peer(const struct story *story, uid_t *room)
{
	*room = (uid_t)story->options->values[OPT_PEER_UID].number;
	return options_has(story->options, OPT_PEER_UID) ? room : NULL;
}

static uint64_t wait_ns(const struct story *story)
{
	return story->options->values[OPT_WAIT].number;
}

/* --pass: connects to who may get what is to come. 0, or a failure's status */
static int find_peer(struct story *story, int *ret_peer)
{
	const struct address *address = address_of(story, OPT_PASS);
	enum step step = STEP_CONNECT;
	uid_t room;
	int r;

	if (address->kind == ADDRESS_FD) {
		step = STEP_ADDRESS;
		r = address_take_fd(address);
	} else {
		r = address_connect(address, wait_ns(story));
	}
	*ret_peer = r;
	if (r >= 0) {
		step = STEP_PEER;
		r = address_check_peer(r, allowed_peer(story, &room));
	}
	return r < 0 ? fail(story, step, r, address->text) : 0;
}

/* A hold sees for itself that COMMAND is executed; the other sinks wait here */
static bool holds(const struct story *story)
{
	return story->process.pidfd >= 0 &&
	       !(story->options->given & OPTIONS_WITHOUT_HOLD);
}

/* COMMAND could not be executed, or not be put where it is to run */
static int fail_start(const struct story *story, enum step step, int r)
{
	const struct launch *launch = &story->launch;
	const char *subject = NULL;

	if (step == STEP_CGROUP)
		subject = launch->cgroup;
	if (explain_is_exec(step))
		subject = launch->command[0];
	return fail(story, step, r, subject);
}

static int clone_once(struct story *story, enum step *ret_step)
{
	int r = spawn(&story->launch, &story->signals, &story->process,
		      ret_step);

	if (*ret_step == STEP_CLONE3)
		message_call(&story->audience, &story->launch, r,
			     &story->process);
	return r;
}

/* The clone, and with --fallback another one. 0, or a failure's status */
static int clone_or_fall_back(struct story *story)
{
	const bool passes = options_has(story->options, OPT_PASS);
	struct launch *launch = &story->launch;
	enum step step;
	int r = clone_once(story, &step);

	if (r < 0 && step == STEP_CLONE3 && launch->fallback &&
	    !fallback_adapt(launch, passes, -r)) {
		message_emulated(&story->audience, launch->emulated);
		r = clone_once(story, &step);
	}
	if (r < 0 && step == STEP_CLONE3)
		return message_refusal(&story->audience, launch, passes, -r);
	return r < 0 ? fail_start(story, step, r) : 0;
}

/* Source: COMMAND. 0, or the exit status of a failure */
static int start(struct story *story)
{
	struct launch *launch = &story->launch;
	struct process *process = &story->process;
	enum step step;
	int r = spawn_prepare(launch);

	if (r < 0)
		return fail_start(story, STEP_EXEC, r);
	r = clone_or_fall_back(story);
	if (r || holds(story))
		return r;
	r = spawn_await_exec(launch, &story->signals, process, &step);
	if (r < 0)
		return fail_start(story, step, r);
	message_started(&story->audience, process);
	if (options_has(story->options, OPT_PASS))
		status_message(process->pid, sys_pidfd_inode(process->pidfd),
			       launch->args.flags, story->payload);
	return 0;
}

/* Source: --receive. 0, or the exit status of a failure */
static int receive(struct story *story)
{
	const struct address *address = address_of(story, OPT_RECEIVE);
	const uint64_t deadline = clock_after(wait_ns(story));
	struct pollfd watched[WATCHES];
	struct receiver receiver;
	enum step step;
	uid_t room;
	int r;

	receive_ignore_children();
	story->signals.also_watched = watched;
	story->signals.also_watched_count =
		triggers_poll(&story->triggers, watched);
	r = receive_open(address, &receiver, &step);

	if (r >= 0) {
		message_listening(&story->audience, address->text);
		r = receive_take(&receiver, &story->signals,
				 allowed_peer(story, &room), deadline,
				 story->payload, &story->process, &step);
	}
	story->signals.also_watched_count = 0;
	if (r == -ECANCELED) {
		r = triggers_error(&story->triggers, &step);
		return fail_watch(story, step, r);
	}
	if (r < 0)
		return fail(story, step, r, address->text);
	message_started(&story->audience, &story->process);
	/* a COMMAND has been made with them held */
	r = holds(story) ? signals_hold(&story->signals) : 0;
	return r < 0 ? fail(story, STEP_HOLD, r, NULL) : 0;
}

/* What is not to be had is not to run: a command of one's own is killed */
static int give_up(struct story *story, enum step step, int r,
		   const char *subject)
{
	atomic_name_remove(&story->pid_file);
	if (story->process.reaper != REAPER_OTHER)
		spawn_kill(&story->process);
	return fail(story, step, r, subject);
}

/* --pid-file, and the line with the pid. 0, or the exit status of a failure */
static int put_pid_file(struct story *story)
{
	const char *path = options_text(story->options, OPT_PID_FILE);
	int r = 0;

	if (path && story->process.pid)
		r = pid_file_put(path, story->process.pid, &story->pid_file);
	return r < 0 ? give_up(story, STEP_PID_FILE, r, path) : 0;
}

/* Sink: the other end of peer */
static int pass(struct story *story, int peer)
{
	const char *address = address_of(story, OPT_PASS)->text;
	int r = put_pid_file(story);

	if (r)
		return r;
	r = signals_check(&story->signals);
	if (r >= 0)
		r = pass_send(peer, story->payload, story->process.pidfd);
	if (r < 0)
		return give_up(story, STEP_PASS, r, address);
	message_passed(&story->audience, address);
	message_running(&story->audience, &story->process);
	return 0;
}

/* Sink: nobody */
static int detach(struct story *story)
{
	int r = put_pid_file(story);

	if (!r)
		message_running(&story->audience, &story->process);
	return r;
}

/* Observer of a hold. What is kept open is watched, or needed at the end */
static int on_running(void *context)
{
	struct story *story = context;
	const struct triggers *triggers = &story->triggers;
	struct process *process = &story->process;
	int keep[6 + WATCHES];
	size_t count = 0;
	enum step step;
	int r;

	if (story->launch.command) {
		r = spawn_read_outcome(&story->launch, process, &step);
		if (r < 0) {
			story->code = fail_start(story, step, r);
			return -ECANCELED;
		}
		message_started(&story->audience, process);
	}
	story->code = put_pid_file(story);
	if (story->code)
		return -ECANCELED;
	message_running(&story->audience, process);
	keep[count++] = STDERR_FILENO;
	keep[count++] = process->pidfd;
	keep[count++] = process->init_socket;
	keep[count++] = story->signals.fd;
	keep[count++] = story->audience.status_fd;
	keep[count++] = story->pid_file.directory;
	for (size_t i = 0; i < triggers->count; i++)
		keep[count++] = triggers->watches[i].fd;
	fd_close_others(keep, count);
	return 0;
}

static void on_event(void *context, enum hold_event event, int signal,
		     enum cause cause)
{
	const struct story *story = context;

	message_event(&story->audience, &story->process, event, signal, cause);
}

/* Sink: spawnfd itself, until the end of the process */
static int hold(struct story *story)
{
	const struct hold_observer observer = {
		.context = story,
		.running = on_running,
		.event = on_event,
	};
	struct hold hold = {
		.process = &story->process,
		.signals = &story->signals,
		.triggers = &story->triggers,
		/* the init has COMMAND in one, and reaches it there */
		.leads_session = story->launch.new_session && !story->launch.init,
		.role = story->launch.init ? ROLE_OUTER : ROLE_ALONE,
		.clocks_from_clone = story->launch.cgroup,
		.notice_fd = -1,
		.observer = &observer,
	};
	int status, code, r;

	if (hold.process->reaper == REAPER_OTHER &&
	    !sys_pidfd_kills(hold.process->pidfd))
		message_not_autokill();
	r = hold_run(&hold, &status);
	if (r == -ECANCELED)
		return story->code;
	atomic_name_remove(&story->pid_file);
	if (r < 0)
		return fail(story, STEP_HOLD, r, NULL);
	code = status_code(status);
	if (hold.ending.cause == CAUSE_TIMEOUT)
		code = status_signal(status) == SIGKILL ? 128 + SIGKILL
							: EXIT_TIMED_OUT;
	message_ended(&story->audience, &hold, code, status);
	return hold.ending.cause == CAUSE_TIMEOUT ? code : end_like(status);
}

static int run(struct story *story)
{
	const struct options *options = story->options;
	const bool receives = options_has(options, OPT_RECEIVE);
	const struct address *from = address_of(story, OPT_RECEIVE);
	auto_close peer = -1;
	enum step step;
	int r;

	/* before anything else is opened, and gets that number */
	r = receives ? address_check_fd(from) : 0;
	if (r < 0)
		return fail(story, STEP_ADDRESS, r, from->text);
	r = triggers_open(options, &story->triggers, &step);
	if (r < 0)
		return fail_watch(story, step, r);
	r = options_has(options, OPT_PASS) ? find_peer(story, &peer) : 0;
	if (r)
		return r;
	r = signals_block(spawn_exit_signal_set(&story->launch),
			  story->launch.job_control, &story->signals);
	if (r < 0)
		return receives ? fail(story, STEP_LISTEN, r, from->text)
				: fail(story, STEP_PREPARE, r, NULL);
	r = receives ? receive(story) : start(story);
	if (r)
		return r;
	if (holds(story))
		return hold(story);
	return peer >= 0 ? pass(story, peer) : detach(story);
}

/* Apart, for a hold has only the pages of its stack for itself */
__attribute__((noinline)) static int run_with_payload(struct story *story)
{
	struct text payload;

	text_begin(&payload);
	story->payload = &payload;
	return run(story);
}

/* What was asked for has gone to standard output, or r says why not */
static int print_result(const struct audience *audience, int r)
{
	return r < 0 ? message_failure(audience, STEP_PRINT, -r, NULL) : 0;
}

/* --probe. 0, or 1 if FLAG is not to be had here */
static int probe(const struct options *options, const struct audience *audience)
{
	uint64_t flag = options->values[OPT_PROBE].number;

	if (!flag)
		return print_result(
			audience, answer_probe(options_has(options, OPT_JSON)));
	return probe_support(probe_clone3(), flag) == SUPPORT_YES ? 0 : 1;
}

/* Started setuid, the command would run with the rights of the file's owner */
static bool is_setuid(void)
{
	return getauxval(AT_SECURE) &&
	       (getauxval(AT_UID) != getauxval(AT_EUID) ||
		getauxval(AT_GID) != getauxval(AT_EGID));
}

/* --status-fd, as far as it was read, and if it can be written to */
static int find_audience(const struct options *options,
			 struct audience *ret_audience)
{
	struct audience audience = {
		.status_fd = -1,
		.verbose = options_has(options, OPT_VERBOSE),
	};
	int fd = (int)options->values[OPT_STATUS_FD].number, r = 0;

	if (options_has(options, OPT_STATUS_FD))
		r = write_nowait_prepare(fd);
	if (options_has(options, OPT_STATUS_FD) && r >= 0)
		audience.status_fd = fd;
	*ret_audience = audience;
	return r;
}

int main(int argc, char **argv, char **envp)
{
	struct options options;
	struct mistake mistake;
	struct story story = {
		.options = &options,
		.audience.status_fd = -1,
		.launch.environment = envp,
		.pid_file.directory = -1,
	};
	struct launch *launch = &story.launch;
	const struct audience *audience = &story.audience;
	int r, status_fd_error;

	(void)argc;
	if (is_setuid())
		return message_failure(audience, STEP_BEGIN, EPERM, NULL);
	r = options_parse(argv, &options, &mistake);
	status_fd_error = find_audience(&options, &story.audience);
	if (r < 0)
		return message_mistake(audience, &mistake);
	if (options.given & OPTIONS_INFO)
		return print_result(audience, answer_info(&options));
	if (options_has(&options, OPT_PROBE))
		return probe(&options, audience);
	if (status_fd_error < 0)
		return message_failure(audience, STEP_STATUS_FD,
				       -status_fd_error, NULL);
	if (options_has(&options, OPT_RECEIVE))
		return run_with_payload(&story);

	launch->needs_id_map =
		options_has(&options, OPT_KILL_TREE) && !sys_is_admin();
	clone_args_fill(&options, launch->needs_id_map, &launch->args);
	if (clone_args_check(&options, &launch->args, &mistake) < 0)
		return message_mistake(audience, &mistake);
	message_flags_added(audience, launch->args.flags &
					      ~clone_args_requested(&options));
	launch->cgroup = options_text(&options, OPT_CGROUP);
	launch->command = options.command;
	if (search_uses_path(*launch->command))
		launch->path = getenv("PATH");
	if (options_has(&options, OPT_KILL_TREE))
		launch->init = init_run;
	launch->exec_by_fd = options_has(&options, OPT_EMPTY_MNTNS);
	launch->fallback = options_has(&options, OPT_FALLBACK);
	launch->new_session = options_has(&options, OPT_NEW_SESSION);
	launch->job_control = launch->args.flags & CLONE_PIDFD &&
			      !(options.given & OPTIONS_WITHOUT_HOLD);
	launch->may_vfork = launch->args.flags & CLONE_PIDFD &&
			    !(options.given & OPTIONS_WITHOUT_VFORK);
	if (options_has(&options, OPT_DRY_RUN))
		return print_result(audience, answer_dry_run(&launch->args,
							     launch->cgroup));
	return options_has(&options, OPT_PASS) ? run_with_payload(&story)
					       : run(&story);
}
