/* SPDX-License-Identifier: MIT */
/*
 * spawnfd - start a command with the clone3 flags of Linux 7.1 and hold it.
 *
 * The whole story is in main. Only this file prints messages and chooses the
 * exit status.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clone_args.h"
#include "explain.h"
#include "hold.h"
#include "options.h"
#include "probe.h"
#include "report.h"
#include "spawn.h"
#include "status.h"
#include "sys.h"
#include "text.h"

/*
 * Ends the line and writes it at once, so that lines do not mix. That nobody
 * reads it is no reason to end (SIGPIPE).
 */
static void say(struct text *text)
{
	bool ignored;

	text_add(text, "\n");
	sys_sigignore(SIGPIPE, true, &ignored);
	sys_write(STDERR_FILENO, text->bytes, text->length);
	/* again, for one that is pending because it was blocked */
	sys_sigignore(SIGPIPE, true, NULL);
	sys_sigignore(SIGPIPE, ignored, NULL);
}

static int fail_mistake(const struct mistake *mistake)
{
	struct text text = { 0 };

	text_add(&text, "spawnfd: ");
	explain_mistake(mistake, &text);
	say(&text);
	return EXIT_FAILED;
}

static int fail_step(enum step step, int error, const char *subject)
{
	struct text text = { 0 };

	text_add(&text, "spawnfd: ");
	explain_step(step, error, subject, &text);
	say(&text);
	if (step == STEP_EXEC && error == ENOENT)
		return EXIT_NOT_FOUND;
	return step == STEP_EXEC || step == STEP_INTERPRETER ? EXIT_CANNOT_RUN
							     : EXIT_FAILED;
}

/* clone3 has said no: asks the kernel why, flag by flag */
static int fail_clone3(const struct launch *launch, int error)
{
	struct utsname system = { 0 };
	struct text text = { 0 };
	struct refusal refusal = {
		.error = error,
		.flags = launch->args.flags,
		.presence = probe_presence(),
		.rule = clone_args_rule(&launch->args),
		.release = system.release,
		.cgroup = launch->cgroup,
	};

	uname(&system);
	if (error == EINVAL)
		refusal.unknown = probe_unknown(launch->args.flags);
	if (error == EPERM)
		refusal.denied = probe_denied(launch->args.flags);
	text_add(&text, "spawnfd: ");
	explain_refusal(&refusal, &text);
	say(&text);
	return EXIT_FAILED;
}

/* --verbose: what was added to the flags named, if anything */
static void say_added(const struct options *options,
		      const struct sys_clone_args *args)
{
	uint64_t added = args->flags & ~clone_args_named(options);
	struct text text = { 0 };

	if (!added)
		return;
	text_add(&text, "spawnfd: flags added: ");
	explain_flags(added, &text);
	say(&text);
}

/* --verbose: the line of --dry-run with what came of it */
static void say_call(const struct launch *launch, int r,
		     const struct process *process)
{
	struct text text = { 0 };

	clone_args_print(&launch->args, launch->cgroup, &text);
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

static void say_executed(const struct process *process)
{
	struct text text = { 0 };

	text_add(&text, "spawnfd: %d: executed", process->pid);
	say(&text);
}

static void say_ended(const struct process *process, int wait_status)
{
	struct text text = { 0 };

	text_add(&text, "spawnfd: %d: ", process->pid);
	status_print(wait_status, &text);
	say(&text);
}

/*
 * Ends as the command ended: by the same signal, so that a shell sees it die
 * of Ctrl-C, but without a second core. Returns, with what $? would have been,
 * where the signal does nothing (to pid 1) or there was none.
 */
static int end_like(int wait_status)
{
	int signal = status_signal(wait_status);

	if (signal) {
		const struct sys_sigset others = {
			~(UINT64_C(1) << (signal - 1))
		};

		/* core(5): a core_pattern pipe does not ask RLIMIT_CORE */
		prctl(PR_SET_DUMPABLE, 0);
		sys_sigignore(signal, false, NULL);
		sys_sigmask(&others, NULL);
		kill(getpid(), signal);
	}
	return status_code(wait_status);
}

static int hold(const struct launch *launch, const struct process *process,
		bool verbose)
{
	int status, r;

	hold_release(process->pidfd);
	r = hold_wait(process->pid, process->pidfd, launch_reaps(launch),
		      &status);
	if (r < 0)
		return fail_step(STEP_HOLD, -r, NULL);
	if (verbose)
		say_ended(process, status);
	return end_like(status);
}

static int run(const struct launch *launch, bool verbose)
{
	struct process process;
	enum step step;
	int r = spawn(launch, &process, &step);

	if (verbose && step == STEP_CLONE3)
		say_call(launch, r, &process);
	if (r < 0 && step == STEP_CLONE3)
		return fail_clone3(launch, -r);
	if (r < 0)
		return fail_step(step, -r, launch->cgroup);
	r = spawn_confirm(launch, &process, &step);
	if (r < 0)
		return fail_step(step, -r, launch->command[0]);
	if (verbose)
		say_executed(&process);
	return launch->holds ? hold(launch, &process, verbose) : 0;
}

/* What was asked for has gone to standard output, or r says why not */
static int answered(int r)
{
	return r < 0 ? fail_step(STEP_PRINT, -r, NULL) : 0;
}

/* Started setuid, the command would run with the rights of the file's owner */
static bool is_setuid(void)
{
	return getauxval(AT_UID) != getauxval(AT_EUID) ||
	       getauxval(AT_GID) != getauxval(AT_EGID);
}

int main(int argc, char **argv, char **envp)
{
	struct launch launch = { .environment = envp, .path = getenv("PATH") };
	struct mistake mistake;
	struct options options;
	bool verbose;

	(void)argc;
	if (is_setuid())
		return fail_step(STEP_BEGIN, EPERM, NULL);
	if (options_parse(argv, &options, &mistake) < 0)
		return fail_mistake(&mistake);
	if (options.given & OPTIONS_INFO)
		return answered(report_info(&options));

	clone_args_fill(&options, &launch.args);
	if (clone_args_check(&options, &launch.args, &mistake) < 0)
		return fail_mistake(&mistake);
	verbose = options_has(&options, OPT_VERBOSE);
	if (verbose)
		say_added(&options, &launch.args);
	if (options_has(&options, OPT_DRY_RUN))
		return answered(report_call(&launch.args, options.cgroup));

	launch.cgroup = options.cgroup;
	launch.command = options.command;
	launch.holds = launch.args.flags & CLONE_PIDFD &&
		       !options_has(&options, OPT_DETACH);
	return run(&launch, verbose);
}
