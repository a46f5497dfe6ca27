/* SPDX-License-Identifier: MIT */
/*
 * spawnfd - start a command with the clone3 flags of Linux 7.1, or receive one
 * that runs already; then hold it, or pass it on.
 *
 * A tour of src/, from the command line to the exit status. Each stage gets
 * the value of the stage before it, and none reads argv, the environment or the
 * table again. story.h has what they hand on to each other. tests/README.md
 * says how to build, test and extend all this.
 *
 *	argv to struct options
 *		table.c		the one table: each option, and its clone flag
 *		value.c		an argument to a value: a duration, an address
 *		names.c		the names of signals and errors
 *		options.c	reads argv by the table, and checks the rules
 *	options to the clone3 call
 *		clone_args.c	struct clone_args; --dry-run stops here
 *		launch.c	what to run, and how
 *		search.c	COMMAND in PATH
 *	a source gives struct process: a pid and its pidfd
 *		source.c	the two sources
 *		process.h	what goes from a source to its end
 *		spawn.c		source: clone3, and the outcome of the exec
 *		child.c		the child, between clone3 and the exec
 *		vfork.c		a child that shares memory; a port adds to it
 *		init.c		--kill-tree: process 1 of the new PID namespace
 *		id_map.c	ids in the user namespace of --kill-tree
 *		notice.c	what the child and the init tell spawnfd
 *		fallback.c	--fallback: another call for a refused one
 *		receive.c	source: --receive
 *		listener.c	a listening socket, and its name
 *		address.c	an ADDRESS to a socket, and who the peer is
 *		pass.c		the message that carries a pidfd, in and out
 *	a sink takes it: held until its end, passed on, or left alone
 *		sink.c		the three sinks
 *		hold.c		the loop that waits for the end
 *		held.h		the state of a hold
 *		hold_target.c	signals to COMMAND
 *		hold_forward.c	which signals are forwarded to COMMAND
 *		hold_stop.c	Ctrl-Z: stopping and continuing together
 *		hold_ending.c	ends COMMAND: --timeout, --kill-after
 *		hold_tree.c	--kill-tree: asks the init, and hears from it
 *		triggers.c	what --timeout and --die-with-* look at
 *		pid_file.c	--pid-file
 *	what happened, to words and an exit status
 *		step.h		a failure, as one value
 *		diagnose.c	asks the kernel why it refused clone3
 *		explain.c	mistakes and failures to words
 *		explain_refusal.c	a refusal by clone3 to words
 *		status.c	a wait status or a failure to an exit status
 *		status_lines.c	the lines of --status-fd
 *		messages.c	standard error and --status-fd
 *	what is asked, and not run
 *		probe.c		--probe: asks the kernel for its flags
 *		answers.c	standard output: --help, --probe, --dry-run
 *	the kernel's side
 *		sys.c		system calls that no libc wraps
 *		fd.c		descriptors that close themselves
 *		signals.c	spawnfd's own signals: blocked, and read
 *		clock.c		deadlines
 *		text.c		a line on its way out
 *		write_nowait.c	writes that never wait for the reader
 *		atomic_name.c	a file or socket that appears when complete
 *
 * This file puts the stages together, and is the only one that ends spawnfd.
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
#include "fd.h"
#include "probe.h"
#include "sink.h"
#include "source.h"
#include "status.h"
#include "write_nowait.h"

/* ---- failures, and the end ---- */

/*
 * Ends as a process with that wait status ended: by the same signal, so that a
 * shell sees spawnfd die of Ctrl-C, but without a second core. Returns what $?
 * would have been if there was no signal, or if the signal has no effect, as on
 * process 1.
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

static int refuse(const struct story *story, int error)
{
	struct refusal refusal;

	diagnose_refusal(&story->launch, story_passes(story), error, &refusal);
	message_refusal(&story->audience, &refusal);
	return EXIT_FAILED;
}

/* Says what failed, and gives the exit status; a signal may be the cause */
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

/* ---- the line of stages ---- */

/* --pass: connects to the receiver of what is to come; gives the socket */
static int find_peer(const struct story *story, struct failure *ret_failure)
{
	const union value *values = story->options->values;
	const struct address *address = &values[OPT_PASS].address;
	const bool is_inherited = address->kind == ADDRESS_FD;
	int peer = is_inherited ? address_take_fd(address)
				: address_connect(address,
						  values[OPT_WAIT].number);
	uid_t room;
	int r;

	if (peer < 0)
		return step_fail(ret_failure,
				 is_inherited ? STEP_ADDRESS : STEP_CONNECT,
				 peer, address->text);
	r = address_check_peer(peer, story_allowed_peer(story, &room));
	if (r >= 0)
		return peer;
	fd_close(&peer);
	return step_fail(ret_failure, STEP_PEER, r, address->text);
}

/* What can fail before there is a process */
static int prepare(struct story *story, int *ret_peer,
		   struct failure *ret_failure)
{
	const struct options *options = story->options;
	const struct address *from = &options->values[OPT_RECEIVE].address;
	const bool receives = options_has(options, OPT_RECEIVE);
	/* First, before spawnfd opens anything that could get its number. */
	int r = receives ? address_check_fd(from) : 0;

	if (r < 0)
		return step_fail(ret_failure, STEP_ADDRESS, r, from->text);
	r = triggers_open(options, &story->triggers, ret_failure);
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

static int run(struct story *story)
{
	auto_close peer = -1;
	struct failure failure;
	int wait_status = 0, r = prepare(story, &peer, &failure);

	if (r >= 0)
		r = options_has(story->options, OPT_RECEIVE)
			    ? source_receive(story, &failure)
			    : source_spawn(story, &failure);
	if (r < 0)
		return fail(story, &failure);
	if (story_holds(story))
		r = sink_hold(story, &wait_status, &failure);
	else if (peer >= 0)
		r = sink_pass(story, peer, &failure);
	else
		r = sink_detach(story, &failure);
	if (r < 0)
		return fail(story, &failure);
	return wait_status ? end_like(wait_status) : r;
}

/*
 * Not inlined: an 8 KiB buffer in run()'s frame would cost every holder two
 * private pages.
 */
__attribute__((noinline)) static int run_with_payload(struct story *story)
{
	struct text payload;

	text_begin(&payload);
	story->payload = &payload;
	return run(story);
}

static int fail_early(const struct audience *audience, enum step step,
		      int error)
{
	const struct failure failure = { .step = step, .error = error };

	message_failure(audience, &failure, EXIT_FAILED);
	return EXIT_FAILED;
}

/* The exit status of a question; r says whether the answer was written */
static int print_result(const struct audience *audience, int r)
{
	return r < 0 ? fail_early(audience, STEP_PRINT, -r) : 0;
}

/* --probe: exits with 0, or with 1 if FLAG cannot be used here */
static int probe(const struct options *options, const struct audience *audience)
{
	uint64_t flag = options->values[OPT_PROBE].number;

	if (!flag)
		return print_result(audience,
				    answer_probe(options_has(options,
							     OPT_JSON)));
	return probe_support(probe_clone3(), flag) == SUPPORT_YES ? 0 : 1;
}

/* Started setuid, COMMAND would run with the rights of the file's owner */
static bool is_setuid(void)
{
	return getauxval(AT_SECURE) &&
	       (getauxval(AT_UID) != getauxval(AT_EUID) ||
		getauxval(AT_GID) != getauxval(AT_EGID));
}

/* --status-fd, if options has it and the FD can be written to */
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

static int fail_usage(const struct audience *audience,
		      const struct mistake *mistake)
{
	message_mistake(audience, mistake);
	return EXIT_FAILED;
}

/* COMMAND, from the options to its end */
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
		return fail_early(audience, STEP_BEGIN, EPERM);
	r = options_parse(argv, &options, &mistake);
	status_fd_error = find_audience(&options, &story.audience);
	if (r < 0)
		return fail_usage(audience, &mistake);
	if (options.given & OPTIONS_INFO)
		return print_result(audience, answer_info(&options));
	if (options_has(&options, OPT_PROBE))
		return probe(&options, audience);
	if (status_fd_error < 0)
		return fail_early(audience, STEP_STATUS_FD, -status_fd_error);
	if (options_has(&options, OPT_RECEIVE))
		return run_with_payload(&story);
	return run_command(&story, envp);
}
