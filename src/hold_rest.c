/* SPDX-License-Identifier: MIT */
/* hold_rest - see hold_rest.h. It must never wait for a process of its own. */
#include "hold_rest.h"

#include <signal.h>
#include <unistd.h>

#include "clock.h"
#include "hold_group.h"
#include "hold_target.h"
#include "job.h"
#include "notice.h"
#include "proc.h"
#include "sys.h"

/* The processes of the tree but the init, and the leader of COMMAND's group */
static bool open_rest(struct proc_list *ret_list)
{
	return proc_is_ours() && proc_list_open("/proc", ret_list);
}

static pid_t next_of_rest(const struct hold *hold, struct proc_list *list)
{
	pid_t pid;

	do
		pid = proc_list_next(list);
	while (pid >= 0 && (pid == getpid() || pid == hold->group));
	return pid;
}

/*
 * Tells spawnfd of every process that has not ended, and of their number if it
 * can be counted in time
 */
static void tell_rest(const struct hold *hold, enum notice_kind of_one,
		      enum notice_kind of_all)
{
	const int fd = hold->notice_fd;
	char name[PROC_NAME_SIZE];
	struct proc_list list;
	uint64_t deadline = clock_after(CLOCK_PATIENCE_NS);
	int count = 0, r = 0;
	pid_t pid;

	if (!hold->tells_left || !open_rest(&list))
		return;
	/* Processes that fork for ever must not keep the init here. */
	while ((pid = next_of_rest(hold, &list)) >= 0 &&
	       !clock_is_over(deadline)) {
		char state = proc_state(pid, name);

		/* X, Z: it has ended, and was not reaped: proc_pid_stat(5) */
		if (!state || state == 'X' || state == 'Z')
			continue;
		count++;
		/* A spawnfd that does not read is waited for once. */
		if (r >= 0)
			r = notice_send_one(fd, of_one, pid, name);
	}
	proc_list_close(&list);
	if (pid < 0)
		notice_send(fd, of_all, STEP_NONE, count);
}

static void start_clock(struct hold *hold)
{
	hold->rest.deadline = clock_after(hold->triggers->kill_after_ns);
}

bool rest_gets_signals(const struct hold *hold)
{
	if (hold->rest.begun)
		return true;
	return (hold->waits_for_tree || hold->triggers->has_kill_after) &&
	       target_has_ended(hold);
}

bool rest_is_next(const struct hold *hold)
{
	/* While a tracer delays the reaping, COMMAND has not changed yet. */
	return hold->role == ROLE_INIT && !hold->rest.begun &&
	       rest_gets_signals(hold) && sys_changed(hold->process->pidfd);
}

bool rest_puts_back(const struct hold *hold,
		    const struct signalfd_siginfo *from)
{
	/* rt_sigqueueinfo(2): a process may send itself any si_code. */
	const siginfo_t info = signals_info(from);

	return rest_is_next(hold) && sys_sigqueue(getpid(), &info) >= 0;
}

void rest_send(int signal)
{
	kill(-1, signal);
}

/*
 * Sends the first signal of an end; what is stopped handles it as well. The
 * clock comes before: a thousand processes that get a signal run before the
 * init does.
 */
static void end_rest(struct hold *hold)
{
	start_clock(hold);
	rest_send(triggers_first_signal(hold->triggers, CAUSE_SIGNAL));
	rest_send(SIGCONT);
}

static void reap_all(void)
{
	enum { MOST = 1000 };
	int status;

	for (int i = 0; i < MOST && sys_wait_any(&status) > 0; i++)
		;
}

bool rest_begin(struct hold *hold)
{
	struct hold_rest *rest = &hold->rest;
	bool waits = hold->waits_for_tree && !rest->is_ending;

	reap_all();
	tell_rest(hold, NOTICE_LEFT_ONE, NOTICE_LEFT);
	rest->begun = true;
	if (!sys_has_children() ||
	    (!waits && !hold->triggers->has_kill_after))
		return false;
	if (!waits)
		end_rest(hold);
	/* The reply is no. */
	if (rest->question)
		notice_send(hold->notice_fd, NOTICE_REPLY, STEP_NONE,
			    rest->question);
	return true;
}

void rest_note_end(struct hold *hold)
{
	struct hold_rest *rest = &hold->rest;

	rest->is_ending = true;
	if (rest->begun && hold->triggers->has_kill_after && !rest->deadline)
		start_clock(hold);
}

/* Sends the signal to each process by its pid */
static void send_to_each(const struct hold *hold, int signal,
			 const siginfo_t *info, bool skips_group)
{
	const pid_t group = hold->group ? hold->group : getpgrp();
	struct proc_list list;
	pid_t pid;

	if (!open_rest(&list)) {
		rest_send(signal);
		return;
	}
	while ((pid = next_of_rest(hold, &list)) >= 0)
		if (skips_group && getpgid(pid) == group)
			continue;
		else if (info)
			sys_sigqueue(pid, info);
		else
			kill(pid, signal);
	proc_list_close(&list);
}

/* Spawnfd may have stopped along with the tree, and must go on with it. */
static void note_going_on(struct hold *hold)
{
	if (!hold->rest.is_stopped)
		return;
	hold->rest.is_stopped = false;
	notice_send(hold->notice_fd, NOTICE_WENT_ON, STEP_NONE, 0);
}

static void note_stop(struct hold *hold, int signal)
{
	hold->rest.is_stopped = true;
	held_report(hold, EVENT_STOPPED, signal, CAUSE_NONE, 0);
}

void rest_forward(struct hold *hold, const struct signalfd_siginfo *from,
		  const siginfo_t *info)
{
	const int signal = (int)from->ssi_signo;
	bool by_terminal = group_had_signal(from);

	/* The pid of a sender outside this PID namespace is 0. */
	if (from->ssi_pid && !by_terminal)
		return;
	if (signal == SIGCONT)
		group_discard_stops(hold);
	if (by_terminal || info)
		send_to_each(hold, signal, info, by_terminal);
	else
		rest_send(signal);
	if (signal == SIGCONT)
		note_going_on(hold);
	else if (SIGNALS_STOPPING & SYS_SIGBIT(signal))
		note_stop(hold, signal);
	/* Otherwise spawnfd tells that it has begun to end the tree. */
	if (!hold->is_held && triggers_start_clock(hold->triggers, signal))
		rest_note_end(hold);
}

void rest_continue(struct hold *hold, bool give_terminal)
{
	group_discard_stops(hold);
	if (give_terminal && hold->group)
		job_set_foreground(hold->group);
	rest_send(SIGCONT);
	note_going_on(hold);
}

uint64_t rest_next_look(const struct hold *hold)
{
	/* No signal tells of the end of a child with CLONE_AUTOREAP. */
	return clock_sooner(hold->rest.deadline,
			    clock_after(CLOCK_PATIENCE_NS));
}

bool rest_is_over(const struct hold *hold)
{
	/* A child that was missed sends no SIGCHLD again. */
	reap_all();
	return !sys_has_children() || clock_is_over(hold->rest.deadline);
}

void rest_finish(const struct hold *hold)
{
	if (hold->triggers->has_kill_after)
		tell_rest(hold, NOTICE_KILLED_ONE, NOTICE_KILLED);
}
