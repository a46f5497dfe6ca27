/* SPDX-License-Identifier: MIT */
/*
 * spawnfd ends a COMMAND that its signals do not reach at once: one in a frozen
 * cgroup, and one of another user.
 */
#include "cgroups.h"
#include "ending.h"
#include "harness.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>

/* ---- a frozen cgroup ---- */

static void start_frozen(struct running *r, const char *group,
			 const char *option, const char *with)
{
	start(r, NULL, ARGV(spawnfd, CGROUP(group), option, "--kill-after=0.1",
			    NOTHING, with, actor, "hang"));
	await_member(group);
}

static void end_frozen(const char *group, enum cause cause, const char *with)
{
	struct stage stage = { .cause = cause, .with = with };
	struct running r;
	struct ended e;

	open_stage(&stage);
	start_frozen(&r, group, stage.option, with);
	strike(&stage, &r, 1);
	finish(&r, &e);
	if (cause == TIMEOUT)
		expect_exit(&e, 137);
	else
		expect_signal(&e, SIGKILL);
	expect_status_line(&e, cause, true, 0);
	cr_expect_str_eq(e.out, "");
	close_stage(&stage);
}

/*
 * COMMAND is never executed. With --cgroup, time limits and watches begin when
 * its process is made.
 */
SystemTest(cgroup, ends_of_a_frozen_command)
{
	const char *group = make_frozen_group();

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		end_frozen(group, TIMEOUT, ways[i]);
		end_frozen(group, PID, ways[i]);
	}
	nothing_left();
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

/* ---- a command that spawnfd is not permitted to signal ---- */

#define AS_NOBODY "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", \
		  "--clear-groups"

/* Drops CAP_KILL: the exec gives root all capabilities of the bounding set. */
static void lose_cap_kill(const void *arg)
{
	(void)arg;
	if (prctl(PR_CAPBSET_DROP, CAP_KILL))
		_exit(96);
}

static void inherit_stage(const void *arg)
{
	set_stage(arg);
	lose_cap_kill(NULL);
}

static void end_untouchable(const char *privs, const char *after,
			    const char *signals)
{
	struct stage stage = { .cause = PID };
	const struct way way = { .prepare = lose_cap_kill };
	struct running r;
	struct ended e;

	open_stage(&stage);
	start(&r, &way, ARGV(spawnfd, "--autokill", privs, after, stage.option,
			     NOTHING, AS_NOBODY, actor, "witness", "0", "0"));
	read_pid(r.out);
	strike(&stage, &r, 1);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, signals);
	expect_status_line(&e, PID, true, 0);
	close_stage(&stage);
}

SystemTest(flags, an_autokill_command_of_another_user_is_ended_too)
{
	end_untouchable(NOTHING, NOTHING, "");
	end_untouchable("--allow-new-privs", NOTHING, "");
	/* Everybody in the session can send SIGCONT: kill(2). */
	end_untouchable("--allow-new-privs", A_WHILE,
			"18\n");
}

/* spawnfd cannot end COMMAND. It says so, and goes on waiting. */
SystemTest(flags, a_command_of_another_user_is_waited_for)
{
	struct stage stage = { .cause = PID };
	const struct way way = { .prepare = lose_cap_kill };
	struct running r;
	struct ended e;
	pid_t command;

	open_stage(&stage);
	start(&r, &way, ARGV(spawnfd, "--autoreap", stage.option, NOTHING,
			     AS_NOBODY, actor, "witness", "0", "0"));
	command = read_pid(r.out);
	strike(&stage, &r, 1);
	await_said(&r, "cannot be sent SIGKILL: EPERM (Operation not "
		   "permitted); it runs as another user");
	kill(command, SIGUSR1);
	read_pid(r.out);
	kill(command, SIGKILL);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_last_line(&e, "{\"exit-code\":137,\"signal\":9,"
			 "\"core-dumped\":false}\n");
	close_stage(&stage);
}

/* COMMAND gets the user of spawnfd again, and the next cause ends it. */
SystemTest(flags, a_command_that_was_of_another_user_is_ended)
{
	struct stage first = { .cause = FD }, second = { .cause = PID };
	const struct way way = { .prepare = inherit_stage, .arg = &first };
	struct running r;
	struct ended e;

	open_stage(&first);
	open_stage(&second);
	start(&r, &way, ARGV(spawnfd, "--autoreap", first.option,
			     second.option, NOTHING, actor, "away"));
	read_pid(r.out);
	strike(&first, &r, 1);
	await_said(&r, "cannot be sent SIGKILL: EPERM (Operation not "
		   "permitted); it runs as another user");
	cr_assert_eq(write(r.in, "\n", 1), 1);
	read_pid(r.out);
	strike(&second, &r, 1);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, PID, true, 0);
	close_stage(&first);
	close_stage(&second);
}

/* ---- a kernel that denies more ---- */

/*
 * strace(1) denies spawnfd all signals, with the error of a security module,
 * and the second pidfd, which is to tell the status.
 */
static void end_by_closing(const char *open_error, const char *tree,
			   const char *after, struct ended *e)
{
	char inject[64];

	snprintf(inject, sizeof(inject), "inject=pidfd_open:error=%s",
		 open_error);
	run(e, NULL, ARGV("/usr/bin/strace", "-o", "/dev/null", "-e",
			  "trace=pidfd_open,pidfd_send_signal", "-e",
			  "inject=pidfd_send_signal:error=EACCES", "-e", inject,
			  spawnfd, "--autokill", "--timeout=0.1", after, tree,
			  NOTHING, "/bin/sleep", "1000"));
}

static void end_with_lost_status(const char *tree, const char *after)
{
	static const struct { const char *error, *said; } losses[] = {
		{ "ENFILE", "ENFILE" },
		{ "EMFILE", "the limit of open files was lowered; see ulimit" },
		{ "ENOMEM", "ENOMEM" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		char lost[128];
		struct ended e;

		snprintf(lost, sizeof(lost), "\nspawnfd: hold: the status "
			 "cannot be known: %s", losses[i].said);
		end_by_closing(losses[i].error, tree, after, &e);
		expect_exit(&e, 125);
		expect_said(&e, lost);
	}
}

/* The end of the test sees that no command is left. */
SystemTest(flags, a_command_is_ended_even_if_its_status_is_lost)
{
	struct ended e;

	end_with_lost_status(NOTHING, "--signal=KILL");
	end_with_lost_status(NOTHING, "--kill-after=0.1");
	end_with_lost_status("--kill-tree", "--signal=KILL");
	/* Here the init sends SIGKILL, and strace(1) does not deny it that. */
	end_by_closing("ENFILE", "--kill-tree", "--kill-after=0.1", &e);
	expect_exit(&e, 137);
}

/*
 * spawnfd writes the ids of a user's tree once the init is known to be alive. A
 * security module that denies the signal 0 has found the init.
 */
SystemTest(flags, tree_begins_where_a_signal_to_its_init_is_denied)
{
	static const struct { const char *inject; int status; } denials[] = {
		{ "inject=pidfd_send_signal:error=EACCES:when=1", 3 },
		{ "inject=pidfd_send_signal:error=EPERM:when=1", 3 },
		{ "inject=pidfd_send_signal:error=ESRCH:when=1", 125 },
	};
	const struct way user = { .uid = NOBODY };

	for (size_t i = 0; i < ARRAY_SIZE(denials); i++) {
		struct ended e;

		run(&e, &user,
		    ARGV("/usr/bin/strace", "-o", "/dev/null", "-e",
			 "trace=pidfd_send_signal", "-e", denials[i].inject,
			 spawnfd, "--kill-tree", actor, "exit", "3"));
		expect_exit(&e, denials[i].status);
	}
}

/*
 * strace(1) plays a kernel before Linux 5.2, which also denies the pidfd of
 * COMMAND and SIGKILL. spawnfd cannot hold COMMAND, and does not wait for it.
 */
SystemTest(plain, a_command_without_a_pidfd_is_not_waited_for)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV("/usr/bin/strace", "-o", "/dev/null", "-e",
			     "trace=clone3,clone,pidfd_open,kill", "-e",
			     "inject=clone3:error=ENOSYS", "-e",
			     "inject=clone:error=EINVAL:when=1", "-e",
			     "inject=pidfd_open:error=EMFILE", "-e",
			     "inject=kill:error=EACCES", spawnfd, "--fallback",
			     actor, "echo"));
	await_events(r.pidfd, POLLIN);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EMFILE: ");
	/* The test is a subreaper, and so the parent of COMMAND by now. */
	cr_expect_gt(waitpid(atoi(e.out), NULL, 0), 0);
}
