/* SPDX-License-Identifier: MIT */
/* init - see init.h. It must never end before COMMAND. */
#include "init.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fd.h"
#include "group_leader.h"
#include "guard.h"
#include "hold.h"
#include "notice.h"
#include "status.h"

struct init {
	const struct launch *launch;
	struct process process;		/* COMMAND */
	struct signals signals;
	struct group_leader leader;	/* if launch->group is not 0 */
	int spawnfd;			/* the socket to spawnfd */
	int proc_error;			/* 0, or why /proc is not mounted */
	bool held;			/* spawnfd holds the init */
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

/*
 * Waits until spawnfd has mapped the ids. Before that the init must not guard
 * itself; without a map to wait for, it has inherited that from spawnfd.
 */
static void await_id_map(const struct init *init)
{
	struct notice notice;
	int r = notice_await(init->spawnfd, -1, &notice);

	if (r < 0)
		fail_at(init, STEP_PREPARE, r);
	/* Spawnfd has ended. */
	if (!r)
		child_exit(EXIT_FAILED);
	r = guard_self();
	if (r < 0)
		fail_at(init, STEP_GUARD, r);
}

/*
 * Mounts a /proc that shows this PID namespace, and that only this tree sees.
 * The other mounts become slaves: changes outside still reach them, and nothing
 * reaches the outside (mount_namespaces(7)). Gives 0 or an errno.
 */
static int mount_proc(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount("proc", "/proc", "proc", flags, NULL) < 0)
		return errno;
	return 0;
}

/* COMMAND was executed, or could not be: hold_observer.running */
static int on_running(void *context)
{
	struct init *init = context;
	struct process *process = &init->process;
	const int keep[] = {
		process->pidfd, init->signals.fd, init->spawnfd,
		init->leader.replies
	};
	struct failure failure;
	int r;

	if (spawn_read_outcome(init->launch, process, &failure) < 0)
		fail(init, &failure);
	/*
	 * Before the notice: after it, a reader of COMMAND's output expects end
	 * of file as soon as COMMAND closes that output.
	 */
	fd_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	r = notice_send(init->spawnfd, NOTICE_EXECUTED, STEP_NONE,
			init->proc_error);
	/*
	 * Without this notice spawnfd would wait for it until COMMAND ends. If
	 * spawnfd has ended (EPIPE), nobody waits.
	 */
	if (r < 0 && r != -EPIPE)
		child_exit(EXIT_FAILED);
	return 0;
}

static void on_event(void *context, enum hold_event event, int signal,
		     enum cause cause, int error)
{
	const struct init *init = context;
	enum notice_kind kind;

	(void)cause;
	(void)error;
	if (event == EVENT_STOPPED)
		kind = NOTICE_STOPPED;
	else if (event == EVENT_STOPPED_ALONE)
		kind = NOTICE_STOPPED_ALONE;
	else if (event == EVENT_STOPPED_FOREGROUND)
		kind = NOTICE_STOPPED_FOREGROUND;
	else
		return;
	if (init->held)
		notice_send(init->spawnfd, kind, STEP_NONE, signal);
}

/*
 * Makes the group that COMMAND is to join: hold_group.h. The init leaves
 * spawnfd's group, so that it gets no signal of that.
 */
static void make_group(struct init *init)
{
	int r = group_leader_start(&init->leader);

	/* A limit is told as for COMMAND. */
	if (r < 0)
		fail_at(init, STEP_CLONE3, r);
	setpgid(0, 0);
}

/* COMMAND is an ordinary child: its init has the clone flags */
static struct launch command_of(const struct launch *launch)
{
	struct launch command = *launch;

	command.args = (struct sys_clone_args){
		.flags = launch->opens_pidfd ? 0 : CLONE_PIDFD,
		.exit_signal = launch->checks_exec ? 0 : SIGCHLD,
	};
	command.cgroup = NULL;
	command.emulated = 0;
	command.init = NULL;
	command.needs_id_map = false;
	/* Seccomp filters that deny clone3 permit clone(2). */
	command.use_old_clone = true;
	command.job_control = true;
	return command;
}

/* Waits for the end of COMMAND; gives its wait status */
static int hold(struct init *init)
{
	const struct hold_observer observer = {
		.context = init,
		.running = on_running,
		.event = on_event,
	};
	struct hold hold = {
		.process = &init->process,
		.signals = &init->signals,
		.triggers = &init->launch->init_triggers,
		.leads_session = init->launch->new_session,
		.group = init->launch->group,
		.leader = init->launch->group ? &init->leader : NULL,
		.role = ROLE_INIT,
		.waits_for_tree = init->launch->waits_for_tree,
		.is_held = init->held,
		.tells_left = init->launch->tells_left,
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
		.leader.replies = -1,
	};
	struct failure failure;
	int r, status;

	if (child_emulate(child, &failure) < 0)
		fail(&init, &failure);
	/* With this copy open, the end of spawnfd would not be end of file. */
	close(child->parent_notice_fd);
	if (launch->needs_id_map)
		await_id_map(&init);
	if (launch->two_groups) {
		make_group(&init);
		command.group = init.leader.pid;
	}
	if (!(launch->args.flags & CLONE_EMPTY_MNTNS))
		init.proc_error = mount_proc();
	/*
	 * The signalfd is the same open file as spawnfd's (fork(2)). So
	 * signals_hold must not change its set here, but open a new one.
	 */
	fd_close(&init.signals.fd);
	r = signals_hold(&init.signals);
	if (r < 0)
		fail_at(&init, STEP_PREPARE, r);
	command.ignore_sigchld = child->ignore_sigchld;
	if (spawn(&command, &init.signals, &init.process, &failure) < 0)
		fail(&init, &failure);
	/* COMMAND does it too. From now on, the group can be signalled. */
	if (command.group)
		setpgid(init.process.pid, command.group);
	/*
	 * The init stays in spawnfd's process group while spawnfd holds it: it
	 * then gets what the terminal sends to spawnfd, and shares a group with
	 * COMMAND if spawnfd does. After --pass or --detach spawnfd is gone,
	 * and with --new-session COMMAND has a group of its own. Signals to the
	 * old group must not reach COMMAND through the init in these cases.
	 */
	if (!launch->job_control || launch->new_session)
		setsid();
	status = hold(&init);
	child_exit(status_code(status));
}
