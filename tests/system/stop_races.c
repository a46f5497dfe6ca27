/* SPDX-License-Identifier: MIT */
/*
 * Stop signals and SIGCONT that meet on their way through spawnfd. strace(1)
 * delays spawnfd, its init or the leader of COMMAND's group at a system call.
 */
#include "harness.h"
#include "prepare.h"
#include "processes.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

/* Reads up to this text of strace(1), and leaves the rest of the line. */
static void await_call(const struct running *tracer, const char *text)
{
	char written[4096] = "";

	for (size_t used = 0; !strstr(written, text); used++) {
		await_events(tracer->err, POLLIN);
		cr_assert_lt(used, sizeof(written) - 1);
		cr_assert_eq(read(tracer->err, written + used, 1), 1,
			     "no \"%s\" in \"%s\"", text, written);
	}
}

/* Delays a process at a system call, as inject of strace(1) says it. */
static void delay(struct running *tracer, pid_t pid, const char *inject)
{
	char target[16], call[32] = "trace=", how[96];

	snprintf(target, sizeof(target), "%d", pid);
	snprintf(how, sizeof(how), "inject=%s", inject);
	strncat(call, inject, strcspn(inject, ":"));
	start(tracer, NULL, ARGV("/usr/bin/env", "strace", "-p", target, "-e",
				 call, "-e", how));
	await_said(tracer, "attached");
}

/* ---- a job of bash ---- */

struct job {
	struct terminal t;
	struct running tracer;
	pid_t holder;		/* spawnfd */
};

static void start_job(struct job *job)
{
	type(&job->t, "$S sh -c 'echo begun; exec cat'\r");
	await_text(&job->t, "begun");
	job->holder = child_of(job->t.r.pid);
}

static void expect_stopped(struct job *job)
{
	await_text(&job->t, "Stopped");
	prompt(&job->t);
}

/* The job goes on in the foreground, and ends by Ctrl-C. */
static void finish_job(struct job *job)
{
	type(&job->t, "fg\r");
	type(&job->t, "alive\r");
	await_text(&job->t, "alive");
	type(&job->t, CONTROL_C);
	prompt(&job->t);
	close_shell(&job->t);
}

static void finish_tracer(struct job *job)
{
	struct ended e;

	finish(&job->tracer, &e);
}

static void open_job(struct job *job, const char *with)
{
	open_shell(&job->t, with);
	start_job(job);
}

/*
 * spawnfd has seen a SIGCONT, and does not stop. A Ctrl-Z right after that look
 * discards the SIGCONT, and so it counts.
 */
EVERY_WAY_WITH(a_stop_that_discards_sigcont_is_seen,
	       NOT_UNDER(TREE, "delay the parent of COMMAND as a spawnfd"))
{
	static struct job job;

	open_job(&job, with);
	delay(&job.tracer, job.holder, "rt_sigpending:delay_enter=500000:"
				       "delay_exit=500000:when=1");
	type(&job.t, CONTROL_Z);
	await_call(&job.tracer, "rt_sigpending(");
	kill(-job.holder, SIGCONT);
	await_call(&job.tracer, "DELAYED");
	type(&job.t, CONTROL_Z);
	expect_stopped(&job);
	finish_job(&job);
	finish_tracer(&job);
}

/* COMMAND has had the SIGCONT, and has stopped again, when spawnfd sends it. */
EVERY_WAY_WITH(a_late_sigcont_does_not_undo_a_stop,
	       NOT_UNDER(TREE, "delay the parent of COMMAND as a spawnfd"))
{
	static struct job job;

	open_job(&job, with);
	delay(&job.tracer, job.holder,
	      "pidfd_send_signal:delay_enter=500000:when=1");
	kill(-job.holder, SIGCONT);
	await_call(&job.tracer, "pidfd_send_signal(");
	type(&job.t, CONTROL_Z);
	expect_stopped(&job);
	finish_job(&job);
	finish_tracer(&job);
}

/* The group of COMMAND has the terminal again, but not yet its SIGCONT. */
SystemTestWith(plain, a_stop_right_before_the_sigcont_of_fg,
	       ALSO_UNDER(TREE_OF_USER))
{
	static struct job job;

	open_job(&job, "--kill-tree");
	type(&job.t, CONTROL_Z);
	expect_stopped(&job);
	delay(&job.tracer, child_of(job.holder), "ioctl:delay_exit=500000");
	type(&job.t, "fg\r");
	await_call(&job.tracer, "TIOCSPGRP");
	await_call(&job.tracer, "DELAYED");
	type(&job.t, CONTROL_Z);
	expect_stopped(&job);
	finish_job(&job);
	finish_tracer(&job);
}

static void enter_with_a_filter(const void *arg)
{
	static const struct denial denial = {
		.error = EPERM, .calls = { SYS_rt_sigqueueinfo },
	};

	enter(arg);
	deny_calls(&denial);
}

/* spawnfd cannot make the SIGCONT pending again that it has looked at. */
SystemTestWith(plain, fg_where_rt_sigqueueinfo_is_denied,
	       ALSO_UNDER(TREE_OF_USER))
{
	static struct job job;
	const struct way way = {
		.prepare = enter_with_a_filter, .arg = &job.t,
	};

	set_up(&job.t, "--kill-tree");
	start(&job.t.r, &way,
	      ARGV("/bin/bash", "--norc", "--noediting", "-i"));
	prompt(&job.t);
	start_job(&job);
	type(&job.t, CONTROL_Z);
	expect_stopped(&job);
	finish_job(&job);
}

/* ---- the leader of COMMAND's group ---- */

/*
 * A shell that leaves its group at once, and ends at BELL, which spawnfd
 * forwards last of all. A signal right before a read does not interrupt it, so
 * no read lasts.
 */
#define LEAVE_GROUP \
	"exec bash -mc 'trap \"echo belled; exit 5\" RTMAX; " \
	"echo left group; while :; do read -t 0.1 x; done'"

/*
 * Runs the script in a tree. The leader of COMMAND's group, which is process 2
 * of the tree, gets a signal at the first "read x". strace keeps it from
 * passing the signal on for a while. COMMAND has left the group by then.
 */
static void pass_on_late(const char *script, const char *call)
{
	struct running tracer;
	struct terminal t;
	struct ended e;

	set_up(&t, "--kill-tree");
	start_in(&t, ARGV(spawnfd, t.with, "/bin/bash", "-c", script));
	await_text(&t, "begun");
	delay(&tracer, child_of(child_of(t.r.pid)),
	      "kill,rt_sigqueueinfo:delay_enter=300000:when=1");
	type(&t, "x\r");
	await_call(&tracer, call);
	type(&t, "x\r");
	await_text(&t, "left group");
	await_said(&tracer, "= 0");
	kill(t.r.pid, BELL);
	await_text(&t, "belled");
	expect_exits(&t.r, 5);
	finish(&tracer, &e);
	tear_down(&t);
}

/*
 * Such a shell stops itself with its group until that has the terminal. SIGCONT
 * discards the stop signals that came before it, also those on their way.
 */
SystemTestWith(plain, a_stop_signal_from_before_sigcont_is_void,
	       ALSO_UNDER(TREE_OF_USER))
{
	pass_on_late("echo begun; read x; (kill -TTIN 2); read x; "
		     "kill -TTIN $$; " LEAVE_GROUP, "(1, SIGTTIN");
}

/* COMMAND has had it: what it sends to its own group does not come back. */
SystemTestWith(plain, a_signal_of_the_command_to_its_group_comes_once,
	       ALSO_UNDER(TREE_OF_USER))
{
	pass_on_late("trap '' USR1; echo begun; read x; kill -USR1 0; "
		     "trap - USR1; read x; " LEAVE_GROUP, "(1, SIGUSR1");
}

/*
 * The init says that COMMAND has ended, because spawnfd asks, and is stopped
 * before it tells the status. Nobody continues it. The tree must end all the
 * same.
 */
SystemTest(flags, a_stop_of_an_init_whose_command_has_ended)
{
	struct running r, watched, tracer;
	struct ended e;
	char option[32], target[16];
	pid_t init, command;

	start(&watched, NULL, ARGV(actor, "echo"));
	snprintf(option, sizeof(option), "--die-with-pid=%d", watched.pid);
	start(&r, NULL, ARGV(spawnfd, "--kill-tree", option, "--status-fd=2",
			     actor, "echo"));
	read_pid(r.out);
	init = child_of(r.pid);
	command = child_of(init);
	snprintf(target, sizeof(target), "%d", init);
	start(&tracer, NULL, ARGV("/usr/bin/env", "strace", "-p", target, "-e",
				  "trace=read,sendto", "-e",
				  "inject=read:delay_enter=500000:when=1", "-e",
				  "inject=sendto:delay_enter=500000:when=2"));
	await_said(&tracer, "attached");
	end_input(&r);
	await_call(&tracer, "read(");
	await_state(command, 'Z');
	kill(watched.pid, SIGKILL);
	expect_dies(&watched, SIGKILL);
	await_call(&tracer, "sendto(");
	await_call(&tracer, "sendto(");
	kill(init, SIGSTOP);
	finish(&r, &e);
	expect_exit(&e, 0);
	expect_said(&e, "\n{\"exit-code\":0}\n");
	finish(&tracer, &e);
}
