/* SPDX-License-Identifier: MIT */
/*
 * spawnfd as process 1 of a PID namespace: it reaps all orphans, and gets the
 * signals that the kernel keeps from a process 1 without a handler.
 */
#include "harness.h"
#include "hearing.h"

#include <sched.h>

#define AS_PID_1 spawnfd, "--raw-flags=CLONE_NEWPID", spawnfd

/*
 * Runs a COMMAND that leaves n hundred orphans. Expects that spawnfd reaps them
 * all while COMMAND runs.
 */
static void litter(const char *with, int n)
{
	struct patience patience = { 0 };
	struct running r;
	char hundreds[16];
	pid_t inner;

	snprintf(hundreds, sizeof(hundreds), "%d", n);
	start(&r, NULL, ARGV(AS_PID_1, with, actor, "litter", hundreds));
	read_pid(r.out);
	inner = child_of(r.pid);
	while (count_children(inner) != 1) {
		cr_assert(is_patient(&patience), "%d children are left",
			     count_children(inner));
		sched_yield();
	}
	ping(&r);
	end_input(&r);
	expect_exits(&r, 0);
}

/* Leaves a zombie whose SIGCHLD came before the exec of spawnfd. */
static void leave_zombie(const void *arg)
{
	siginfo_t info;

	(void)arg;
	if (unshare(CLONE_NEWPID))
		_exit(96);
	if (fork() > 0) {
		int status;

		wait(&status);
		_exit(WEXITSTATUS(status));
	}
	if (fork() == 0)
		_exit(0);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT))
		_exit(96);
}

EVERY_WAY_WITH(pid_1_reaps_an_older_orphan, MAKES_PID_NAMESPACE)
{
	const struct way way = { .prepare = leave_zombie };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, with, actor, "await-gone", "2"));
	expect_exit(&e, 0);
}

/* Queues so many signals that COMMAND ends before spawnfd has read them all. */
static void queue_many(const void *arg)
{
	const union sigval value = { .sival_int = 0 };
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (unshare(CLONE_NEWPID))
		_exit(96);
	if (fork() > 0) {
		int status;

		wait(&status);
		_exit(WEXITSTATUS(status));
	}
	for (int i = 0; i < 2500; i++)
		sigqueue(getpid(), SIGRTMAX, value);
}

/* spawnfd learns that the exec has failed before it learns of the end. */
EVERY_WAY_WITH(pid_1_knows_what_was_not_executed, MAKES_PID_NAMESPACE)
{
	const struct way way = { .prepare = queue_many };
	struct ended e;

	for (int i = 0; i < 10; i++) {
		run(&e, &way, ARGV(spawnfd, "--status-fd=1", with,
				   "/etc/passwd"));
		expect_exit(&e, 126);
		cr_expect_str_eq(e.out, "{\"exit-code\":126,\"error\":\"exec\","
				 "\"errno\":\"EACCES\"}\n", "%s", e.out);
	}
}

EVERY_WAY_WITH(a_thousand_orphans_of_pid_1, MAKES_PID_NAMESPACE)
{
	litter(with, 10);
}

SystemTestWith(flags, ten_thousand_orphans_of_pid_1,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	litter("--autoreap", often(100));
}

/* Process 1 gets signals directly from outside, and from the outer spawnfd. */
EVERY_WAY_WITH(signals_for_pid_1_reach_the_command, MAKES_PID_NAMESPACE)
{
	struct hearing h;
	struct ended e;
	pid_t inner;

	start_hearing(&h, &job, ARGV(AS_PID_1, with, actor, "hear"));
	inner = child_of(h.r.pid);
	cr_expect_eq(h.command, child_of(inner));
	kill(inner, SIGTERM);
	hears(&h, SIGTERM);
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	kill(inner, SIGINT);
	hears(&h, SIGINT);
	kill(h.r.pid, SIGCHLD);
	kill(h.r.pid, SIGHUP);
	hears(&h, SIGHUP);
	close(h.r.in);
	h.r.in = -1;
	finish(&h.r, &e);
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "");
}

/*
 * The passer has ended. Its command is an orphan, and process 1, which has
 * received it, must reap it.
 */
#define RECEIVE_FROM_BELOW \
	"exec 8<&0; \"$0\" --wait=20s --pass=\"$1\" -- " \
	"sh -c 'read x; exit 42' <&8 & " \
	"exec \"$0\" --status-fd=2 --receive=\"$1\""

SystemTest(plain, pid_1_reaps_what_it_has_received)
{
	struct running r;

	start(&r, NULL, ARGV(spawnfd, "--raw-flags=CLONE_NEWPID", "/bin/sh",
			     "-c", RECEIVE_FROM_BELOW, spawnfd,
			     scratch_path("socket")));
	await_said(&r, "child-pid");
	end_input(&r);
	expect_exits(&r, 42);
}
