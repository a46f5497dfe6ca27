/* SPDX-License-Identifier: MIT */
/* source - see source.h. It must never leave a process behind when it fails. */
#include "source.h"

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "diagnose.h"
#include "fallback.h"
#include "guard.h"
#include "job.h"
#include "receive.h"
#include "status_lines.h"

/* ---- spawn ---- */

/* Makes the process, and tells --verbose about the call */
static int clone_once(struct story *story, struct failure *ret_failure)
{
	int r = spawn(&story->launch, &story->signals, &story->process,
		      ret_failure);

	/* The failure of another step is not about the call. */
	if (r >= 0 || ret_failure->step == STEP_CLONE3)
		message_call(&story->audience, &story->launch, r,
			     &story->process);
	return r;
}

/* If the call is refused, tries again with what --fallback puts in its place */
static int clone_or_fall_back(struct story *story, struct failure *ret_failure)
{
	struct launch *launch = &story->launch;
	uint64_t told = 0;
	int r;

	while ((r = clone_once(story, ret_failure)) < 0 &&
	       ret_failure->step == STEP_CLONE3 && launch->fallback &&
	       fallback_adapt(launch, story_passes(story),
			      ret_failure->error) >= 0) {
		message_emulated(&story->audience, launch->emulated & ~told);
		told = launch->emulated;
	}
	return r;
}

/* --kill-tree: at a terminal, COMMAND needs a group of its own: hold_group.h */
static void choose_groups(struct launch *launch)
{
	const pid_t ours = getpgrp(), front = job_standard_foreground();

	/*
	 * 0 stands for a group of another PID namespace. An empty mount
	 * namespace has no /dev/tty.
	 */
	launch->two_groups = ours > 0 && front >= 0 && !launch->exec_by_fd;
	/*
	 * A parent in the same group may read from the terminal meanwhile.
	 * Then COMMAND gets the terminal when it asks for it, by SIGTTIN or
	 * SIGTTOU.
	 */
	launch->takes_terminal = launch->two_groups && front == ours &&
				 getpgid(getppid()) != ours;
}

/*
 * COMMAND must not copy the pidfd or trace its init, so this comes before the
 * clone, and the init inherits it. With needs_id_map it would be too early: the
 * init's files in /proc would belong to root. See begin_init in spawn.c.
 */
static int guard_before_clone(const struct launch *launch,
			      struct failure *ret_failure)
{
	const bool is_promised = launch->init ||
				 launch->args.flags & CLONE_PIDFD_AUTOKILL;
	int r = is_promised && !launch->needs_id_map ? guard_self() : 0;

	return r < 0 ? step_fail(ret_failure, STEP_GUARD, r, NULL) : 0;
}

int source_spawn(struct story *story, struct failure *ret_failure)
{
	struct launch *launch = &story->launch;
	struct process *process = &story->process;
	/* Asked before the clone: a group is frozen when all in it are. */
	const bool is_frozen = launch->cgroup && story->audience.verbose &&
			       diagnose_is_frozen(launch->cgroup);
	int r = spawn_prepare(launch, ret_failure);

	if (launch->init && launch->job_control && !launch->new_session)
		choose_groups(launch);
	if (r >= 0)
		r = guard_before_clone(launch, ret_failure);
	if (r >= 0)
		r = clone_or_fall_back(story, ret_failure);
	if (r >= 0 && is_frozen)
		message_frozen(&story->audience, launch->cgroup);
	/* A hold waits for the exec in its loop, with all that it watches. */
	if (r < 0 || story_holds(story))
		return r;
	r = spawn_await_exec(launch, &story->signals, process, ret_failure);
	if (r < 0)
		return r;
	message_started(&story->audience, process);
	if (story_passes(story))
		status_line_payload(process->pid,
				    sys_pidfd_inode(process->pidfd),
				    launch->args.flags, story->payload);
	return 0;
}

/* ---- receive ---- */

/* Listens and takes the message; -ECANCELED if a watch has fired */
static int receive_process(struct story *story, struct failure *ret_failure)
{
	const union value *values = story->options->values;
	uid_t room;
	struct receiver receiver = {
		.address = &values[OPT_RECEIVE].address,
		.allowed_peer = story_allowed_peer(story, &room),
		.deadline = clock_after(values[OPT_WAIT].number),
	};
	/* Only a hold sends signals. */
	int r = story->options->given & OPTIONS_WITHOUT_HOLD
			? 0
			: process_check_signals();

	if (r < 0)
		return step_fail(ret_failure, STEP_SIGNAL, r, NULL);
	/* With --exec-fd, the exec would end it. */
	r = options_has(story->options, OPT_EXEC_FD) ? 0 : guard_self();
	if (r < 0)
		return step_fail(ret_failure, STEP_GUARD, r, NULL);
	r = receive_open(&receiver, ret_failure);
	if (r < 0)
		return r;
	message_listening(&story->audience, receiver.address->text);
	return receive_take(&receiver, &story->signals, story->payload,
			    &story->process, ret_failure);
}

/*
 * Fills an array of WATCHES entries for poll(2); gives how many it filled. A
 * relay watches its receiver for POLLHUP, which poll(2) reports unasked, and
 * which does not come while the receiver has only shut down its own sending. A
 * hold has its watches; options_parse lets nobody have both.
 */
static size_t list_watched(const struct story *story, int peer,
			   struct pollfd *ret_fds)
{
	if (peer < 0)
		return triggers_poll(&story->triggers, ret_fds);
	*ret_fds = (struct pollfd){ .fd = peer };
	return 1;
}

/* The failure that an event of list_watched is */
static int fail_watched(const struct story *story, int peer,
			struct failure *ret_failure)
{
	const struct options *options = story->options;

	if (peer < 0)
		return triggers_error(options, &story->triggers, ret_failure);
	/* The error that sending would have. */
	return step_fail(ret_failure, STEP_PASS, -EPIPE,
			 options->values[OPT_PASS].address.text);
}

int source_receive(struct story *story, int peer, struct failure *ret_failure)
{
	struct signals *signals = &story->signals;
	struct pollfd watched[WATCHES];
	int r;

	/*
	 * The received process may turn out to be a child of spawnfd. Under
	 * --exec-fd the children of spawnfd become those of COMMAND, which may
	 * wait for them.
	 */
	if (!options_has(story->options, OPT_EXEC_FD))
		receive_ignore_children();
	signals->also_watched = watched;
	signals->also_watched_count = list_watched(story, peer, watched);
	r = receive_process(story, ret_failure);
	signals->also_watched_count = 0;
	if (r == -ECANCELED)
		return fail_watched(story, peer, ret_failure);
	if (r < 0)
		return r;
	message_started(&story->audience, &story->process);
	/* For source_spawn, signals_block has held them since the start. */
	r = story_holds(story) ? signals_hold(signals) : 0;
	return r < 0 ? step_fail(ret_failure, STEP_HOLD, r, NULL) : 0;
}
