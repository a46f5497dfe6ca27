/* SPDX-License-Identifier: MIT */
/* init - see init.h. It must never end before COMMAND. */
#include "init.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fd.h"
#include "hold.h"
#include "notice.h"
#include "status.h"

struct init {
	const struct launch *launch;
	struct process process;		/* COMMAND */
	struct signals signals;
	int spawnfd;			/* to who started all this */
	int proc_error;
	bool held;			/* by spawnfd, which stops too */
};

noreturn static void fail(const struct init *init,
			  const struct failure *failure)
{
	notice_send(init->spawnfd, NOTICE_FAILED, failure->step,
		    failure->error);
	child_exit(EXIT_FAILED);
}

noreturn static void fail_at(const struct init *init, enum step step, int r)
{
	fail(init, &(struct failure){ .step = step, .error = -r });
}

/* A /proc that shows this PID namespace, and to nobody else */
static int mount_proc(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount("proc", "/proc", "proc", flags, NULL) < 0)
		return errno;
	return 0;
}

/* Observer of the hold */
static int on_running(void *context)
{
	struct init *init = context;
	struct process *process = &init->process;
	const int keep[] = { process->pidfd, init->signals.fd, init->spawnfd };
	struct failure failure;

	if (spawn_read_outcome(init->launch, process, &failure) < 0)
		fail(init, &failure);
	/* before others learn of it, and expect an end of file */
	fd_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	notice_send(init->spawnfd, NOTICE_EXECUTED, STEP_NONE,
		    init->proc_error);
	return 0;
}

static void on_event(void *context, enum hold_event event, int signal,
		     enum cause cause)
{
	const struct init *init = context;
	enum notice_kind kind = event == EVENT_STOPPED ? NOTICE_STOPPED
							: NOTICE_STOPPED_ALONE;

	(void)cause;
	if (init->held &&
	    (event == EVENT_STOPPED || event == EVENT_STOPPED_ALONE))
		notice_send(init->spawnfd, kind, STEP_NONE, signal);
}

/* COMMAND itself is an ordinary child: the flags are those of its init */
static struct launch command_of(const struct launch *launch)
{
	struct launch command = *launch;

	command.args = (struct sys_clone_args){
		.flags = CLONE_PIDFD,
		.exit_signal = SIGCHLD,
	};
	command.cgroup = NULL;
	command.emulated = 0;
	command.init = NULL;
	command.needs_id_map = false;
	/* filters that know no clone3 know this */
	command.use_old_clone = true;
	command.job_control = true;
	return command;
}

/* Waits for the end of COMMAND; its wait status */
static int hold(struct init *init)
{
	const struct triggers triggers = { .count = 0 };
	const struct hold_observer observer = {
		.context = init,
		.running = on_running,
		.event = on_event,
	};
	struct hold hold = {
		.process = &init->process,
		.signals = &init->signals,
		.triggers = &triggers,
		.leads_session = init->launch->new_session,
		.role = ROLE_INIT,
		.notice_fd = init->spawnfd,
		.observer = &observer,
	};
	int status, r = hold_run(&hold, &status);

	if (r < 0)
		fail_at(init, STEP_HOLD, r);
	return status;
}

noreturn void init_run(const struct launch *launch, const struct child *child,
		       const struct signals *signals)
{
	struct launch command = command_of(launch);
	struct init init = {
		.launch = &command,
		.signals = *signals,
		.spawnfd = child->notice_fd,
		.held = launch->job_control,
	};
	struct notice notice;
	struct failure failure;
	int r, status;

	if (child_emulate(child, &failure) < 0)
		fail(&init, &failure);
	/* so that the end of spawnfd is one of file */
	close(child->parent_notice_fd);
	if (launch->needs_id_map &&
	    notice_await(init.spawnfd, -1, &notice) <= 0)
		child_exit(EXIT_FAILED);
	if (!(launch->args.flags & CLONE_EMPTY_MNTNS))
		init.proc_error = mount_proc();
	/* what spawnfd's looks at is not to change: fork(2) shares that */
	fd_close(&init.signals.fd);
	r = signals_hold(&init.signals);
	if (r < 0)
		fail_at(&init, STEP_PREPARE, r);
	command.ignore_sigchld = child->ignore_sigchld;
	if (spawn(&command, &init.signals, &init.process, &failure) < 0)
		fail(&init, &failure);
	/*
	 * In its group it stands for spawnfd, to terminals too. Where that will
	 * be gone, or another group is the target, nothing is to come this way.
	 */
	if (!launch->job_control || launch->new_session)
		setsid();
	status = hold(&init);
	notice_send(init.spawnfd, NOTICE_ENDED, STEP_NONE, status);
	child_exit(status_code(status));
}
