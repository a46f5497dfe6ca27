/* SPDX-License-Identifier: MIT */
/*
 * spawnfd - starts a COMMAND with the clone3 flags of Linux 7.1, or receives a
 * process that runs already; then holds the process, or passes it on.
 *
 * This is a tour of src/, from the command line to the exit status. Each stage
 * works on what the stage before it gives; only the first stage reads argv.
 * struct story (story.h) carries it all from stage to stage. tests/README.md
 * says how to build, test and extend spawnfd.
 *
 *	The command line becomes struct options.
 *		table.c		the one table: each option, and its clone flag
 *		value.c		turns an argument into a duration, an address...
 *		names.c		the names of signals and errors
 *		options.c	reads argv by the table, and checks the rules
 *	The options become a clone3 call.
 *		clone_args.c	the flags and exit signal; --dry-run prints them
 *		launch.c	all that is needed to start COMMAND
 *		search.c	looks up COMMAND in PATH
 *		exec_file.c	opens the file of COMMAND
 *	A source gives struct process: a pid and its pidfd.
 *		source.c	the two sources: spawn, and --receive
 *		process.c	struct process, and signals to it
 *		spawn.c		calls clone3, and learns whether the exec worked
 *		child.c		runs in the child, from clone3 to the exec
 *		pid_variables.c	LISTEN_PID and the like name COMMAND
 *		vfork.c		makes a child that shares memory; see it to port
 *		init.c		--kill-tree: process 1 of the new PID namespace
 *		group_leader.c	--kill-tree: leads COMMAND's group in a terminal
 *		id_map.c	--kill-tree: the ids of the user namespace
 *		notice.c	messages between spawnfd, the child and the init
 *		fallback.c	--fallback: another call if clone3 is refused
 *		guard.c		keeps COMMAND from copying its pidfd
 *		receive.c	--receive: waits for a process
 *		listener.c	a listening socket, and its name
 *		address.c	turns an ADDRESS into a socket; checks the peer
 *		pass.c		sends and receives the message with the pidfd
 *	A sink holds the process, passes it on, lets it run, or becomes COMMAND.
 *		sink.c		the four sinks
 *		exec_holder.c	--exec-fd: becomes COMMAND, which holds it
 *		hold.c		the loop that waits for the end of the process
 *		held.h		the state of a hold
 *		hold_target.c	sends signals to COMMAND
 *		hold_forward.c	decides which signals are forwarded
 *		hold_stop.c	Ctrl-Z: stops and continues with COMMAND
 *		waker.c		continues a spawnfd that has stopped
 *		hold_group.c	--kill-tree: its process group in a terminal
 *		hold_ending.c	ends COMMAND: --timeout, --kill-after
 *		hold_tree.c	--kill-tree: listens to the init, and asks it
 *		hold_rest.c	--kill-tree: what is left after COMMAND
 *		triggers.c	the watches of --die-with-*, and --timeout
 *		pid_file.c	--pid-file
 *	The result, or a failure, becomes words and an exit status.
 *		step.c		a failure, as one value
 *		diagnose.c	asks the kernel why it refused clone3
 *		explain_mistake.c	turns a wrong command line into words
 *		explain.c	turns failures into words
 *		explain_refusal.c	turns a refusal by clone3 into words
 *		status.c	wait statuses and failures to exit statuses
 *		status_lines.c	the lines of --status-fd
 *		messages.c	writes to standard error and --status-fd
 *	Some options only ask a question.
 *		probe.c		--probe: asks the kernel which flags it has
 *		probe_option.c	--probe: asks for all flags of --kill-tree
 *		answers.c	prints --help, --probe, --dry-run...
 *	All stages use these.
 *		sys.c		system calls that no libc wraps
 *		proc.c		reads /proc
 *		fd.c		descriptors that close themselves
 *		signals.c	signals to spawnfd: blocks and reads them
 *		clock.c		deadlines
 *		job.c		spawnfd's process group, and the terminal
 *		text.c		the buffer in which a line is put together
 *		write_nowait.c	writes that never wait for a slow reader
 *		atomic_name.c	a file or socket that appears when complete
 *
 * This file puts the stages together. Only this file ends spawnfd.
 */
#include <errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "address.h"
#include "answers.h"
#include "clone_args.h"
#include "diagnose.h"
#include "exec_holder.h"
#include "fd.h"
#include "pid_file.h"
#include "probe.h"
#include "probe_option.h"
#include "sink.h"
#include "source.h"
#include "status.h"
#include "write_nowait.h"

/* ---- the exit status ---- */

/*
 * Ends spawnfd as COMMAND has ended. If a signal killed COMMAND, spawnfd dies
 * of the same signal, so that a shell sees it die of Ctrl-C. It leaves no core
 * of its own. Returns an exit status only if COMMAND exited, or if the signal
 * does not kill spawnfd, as it does not kill process 1.
 */
static int end_like(int wait_status)
{
	int signal = status_signal(wait_status);

	if (signal) {
		const struct sys_sigset others = { ~SYS_SIGBIT(signal) };

		/* A pipe in core_pattern ignores RLIMIT_CORE: core(5). */
		prctl(PR_SET_DUMPABLE, 0);
		sys_sigignore(signal, false, NULL);
		sys_sigmask(&others, NULL);
		kill(getpid(), signal);
	}
	return status_code(wait_status);
}

/* Says why clone3 refused the call, and gives the exit status */
static int refuse(const struct story *story, int error)
{
	struct refusal refusal;

	diagnose_refusal(&story->launch, story_passes(story), error, &refusal);
	refusal.exact = options_has(story->options, OPT_EXACT);
	message_refusal(&story->audience, &refusal);
	return EXIT_FAILED;
}

/*
 * Says what failed, and gives the exit status. If a signal to spawnfd has made
 * the step fail, spawnfd dies of this signal instead, without a message.
 */
static int fail(const struct story *story, const struct failure *failure)
{
	int code = status_of_failure(failure);

	if (failure->error == EINTR && story->signals.fatal)
		return end_like(story->signals.fatal);
	if (failure->step == STEP_CLONE3)
		return refuse(story, failure->error);
	message_failure(&story->audience, failure, code);
	return code;
}

/* ---- the stages ---- */

/*
 * --pass: connects to ADDRESS, checks the peer, and gives the socket, which
 * belongs to the caller
 */
static int find_peer(const struct story *story, struct failure *ret_failure)
{
	const union value *values = story->options->values;
	const struct address *address = &values[OPT_PASS].address;
	const bool is_inherited = address->kind == ADDRESS_FD;
	int peer = is_inherited ? address_take_fd(address, NULL)
				: address_connect(address,
						  values[OPT_WAIT].number);
	uid_t room;
	int r;

	if (peer < 0)
		return is_inherited ? address_fail_fd(address, OPT_PASS, peer,
						      ret_failure)
				    : step_fail(ret_failure, STEP_CONNECT,
						peer, address->text);
	r = address_check_peer(peer, address, story_allowed_peer(story, &room),
			       ret_failure);
	if (r >= 0)
		return peer;
	fd_close(&peer);
	return r;
}

static int check_pid_file(const struct options *options,
			  struct failure *ret_failure)
{
	const char *path = options_text(options, OPT_PID_FILE);
	int r = path ? pid_file_check(path) : 0;

	return r < 0 ? step_fail(ret_failure, STEP_PID_FILE, r, path) : 0;
}

/*
 * Does what can fail before there is a process: opens the watches, looks at the
 * pid file's place, connects to the receiver, blocks the signals
 */
static int prepare(struct story *story, int *ret_peer,
		   struct failure *ret_failure)
{
	const struct options *options = story->options;
	const struct address *from = &options->values[OPT_RECEIVE].address;
	const bool receives = options_has(options, OPT_RECEIVE);
	/* First, before a descriptor of spawnfd's own can get this number. */
	int r = receives ? address_check_source(from) : 0;

	if (r < 0)
		return address_fail_fd(from, OPT_RECEIVE, r, ret_failure);
	r = triggers_open(options, &story->triggers, ret_failure);
	if (r >= 0 && options_has(options, OPT_EXEC_FD))
		r = exec_holder_check((int)options->values[OPT_EXEC_FD].number,
				      ret_failure);
	if (r >= 0)
		r = check_pid_file(options, ret_failure);
	if (r < 0)
		return r;
	if (story_passes(story)) {
		r = find_peer(story, ret_failure);
		if (r < 0)
			return r;
		*ret_peer = r;
	}
	r = signals_block(spawn_exit_signal_set(&story->launch),
			  story->launch.job_control, &story->signals);
	if (r < 0)
		return step_fail(ret_failure,
				 receives ? STEP_LISTEN : STEP_PREPARE, r,
				 receives ? from->text : NULL);
	return 0;
}

/* Runs the story from the source to the sink, and gives the exit status */
static int run(struct story *story)
{
	auto_close peer = -1;
	struct failure failure;
	int wait_status = 0, r = prepare(story, &peer, &failure);

	if (r >= 0)
		r = options_has(story->options, OPT_RECEIVE)
			    ? source_receive(story, peer, &failure)
			    : source_spawn(story, &failure);
	if (r < 0)
		return fail(story, &failure);
	if (story_holds(story))
		r = sink_hold(story, &wait_status, &failure);
	else if (peer >= 0)
		r = sink_pass(story, peer, &failure);
	else if (options_has(story->options, OPT_EXEC_FD))
		r = sink_exec(story, &failure);
	else
		r = sink_detach(story, &failure);
	if (r < 0)
		return fail(story, &failure);
	return wait_status ? end_like(wait_status) : r;
}

/*
 * Calls run() with a buffer for the message. Not inlined, because 8 KiB more in
 * the frame of run() would cost every hold two private pages.
 */
__attribute__((noinline)) static int run_with_payload(struct story *story)
{
	struct text payload;
	int code;

	text_begin(&payload);
	story->payload = &payload;
	code = run(story);
	story->payload = NULL;
	return code;
}

/* Says what failed before there was a story, and gives the exit status */
static int fail_early(const struct audience *audience, enum step step,
		      int error, int number)
{
	const struct failure failure = {
		.step = step, .error = error, .number = number
	};

	message_failure(audience, &failure, EXIT_FAILED);
	return EXIT_FAILED;
}

/* The exit status after an answer; r says whether it could be printed */
static int print_result(const struct audience *audience, int r)
{
	return r < 0 ? fail_early(audience, STEP_PRINT, -r, 0) : 0;
}

/* Answers --probe, and gives the exit status: 1 if FLAG cannot be used here */
static int probe(const struct options *options, const struct audience *audience)
{
	const union value *value = &options->values[OPT_PROBE];
	const bool json = options_has(options, OPT_JSON);
	enum support support;
	uint64_t flags;

	if (!options_probes_one(options))
		return print_result(audience, answer_probe(json));
	support = value->probed.option
			  ? probe_option(value->probed.option, &flags, NULL)
			  : probe_support(probe_clone3(), value->probed.flag);
	return support == SUPPORT_YES ? 0 : 1;
}

/*
 * Whether spawnfd was started setuid or setgid. Its caller could then run any
 * COMMAND with the rights of the file's owner.
 */
static bool is_setuid(void)
{
	return getauxval(AT_SECURE) &&
	       (getauxval(AT_UID) != getauxval(AT_EUID) ||
		getauxval(AT_GID) != getauxval(AT_EGID));
}

/*
 * Fills in the FD of --status-fd and --verbose. Gives 0; or the error of an FD
 * that cannot be written to, and leaves it out.
 */
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

/* Says what is wrong with the command line, and gives the exit status */
static int fail_usage(const struct audience *audience,
		      const struct mistake *mistake)
{
	message_mistake(audience, mistake);
	return EXIT_FAILED;
}

/* Starts COMMAND or answers --dry-run, and gives the exit status */
static int run_command(struct story *story, char **environment)
{
	const struct options *options = story->options;
	const struct audience *audience = &story->audience;
	struct launch *launch = &story->launch;
	struct mistake mistake;

	if (launch_from_options(options, environment, launch, &mistake) < 0)
		return fail_usage(audience, &mistake);
	message_flags_added(audience, launch->args.flags &
					      ~clone_args_requested(options));
	if (options_has(options, OPT_DRY_RUN))
		return print_result(audience, answer_dry_run(&launch->args,
							     launch->cgroup));
	return story_passes(story) ? run_with_payload(story) : run(story);
}

int main(int argc, char **argv, char **envp)
{
	struct options options;
	struct mistake mistake;
	struct story story = {
		.options = &options,
		.audience.status_fd = -1,
		.pid_file.directory = -1,
	};
	const struct audience *audience = &story.audience;
	int r, status_fd_error;

	(void)argc;
	if (is_setuid())
		return fail_early(audience, STEP_BEGIN, EPERM, 0);
	r = options_parse(argv, &options, &mistake);
	status_fd_error = find_audience(&options, &story.audience);
	if (r < 0)
		return fail_usage(audience, &mistake);
	if (options.given & OPTIONS_INFO)
		return print_result(audience, answer_info(&options));
	if (options_has(&options, OPT_PROBE))
		return probe(&options, audience);
	if (status_fd_error < 0)
		return fail_early(audience, STEP_STATUS_FD, -status_fd_error,
				  (int)options.values[OPT_STATUS_FD].number);
	if (options_has(&options, OPT_EXEC_FD))
		launch_name_command(&options, envp, &story.launch);
	if (options_has(&options, OPT_RECEIVE))
		return run_with_payload(&story);
	return run_command(&story, envp);
}
