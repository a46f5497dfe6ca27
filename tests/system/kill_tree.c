/* SPDX-License-Identifier: MIT */
/*
 * --kill-tree: every process that COMMAND has started ends with it. The option
 * changes nothing else, as the other tests show: the variants "tree" and
 * "tree-of-user" run them with --kill-tree.
 */
#include "ending.h"
#include "harness.h"
#include "message.h"
#include "sockets.h"
#include "trees.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- a tree of a thousand processes ---- */

#define TIMES 50	/* in each of two tests */

/* The init's pidfd has POLLHUP when all processes of the tree are gone. */
static void expect_felled(struct running *r, int init)
{
	await_events(init, POLLHUP);
	cr_expect(is_at_end(r->out), "%s: some are left", r->words);
	close(init);
	close_running(r);
	nothing_left();
}

SystemTestWith(flags, tree_of_1000_dies_with_spawnfd, REPEATS_PATHS)
{
	const int n = often(TIMES);

	for (int i = 0; i < n; i++) {
		const struct way way = { .uid = users[i / 2 % 2] };
		struct running r;
		pid_t init;
		int pidfd = fell_by_sigkill(&r, &way, "--", "1000", i % 2,
					    &init);

		expect_felled(&r, pidfd);
	}
}

/* Starts spawnfd with one more option; it passes the pidfd to the test. */
static int start_passed(struct running *r, uid_t uid, const char *option,
			const char *verb, const char *number, pid_t *ret_pid)
{
	int ends[2];
	struct message m;
	struct inheritance theirs = { .as = 10 };
	const struct way way = {
		.uid = uid, .prepare = inherit, .arg = &theirs,
	};

	open_pair(SOCK_STREAM, ends);
	theirs.fd = ends[1];
	start(r, &way, ARGV(spawnfd, "--kill-tree", option, "--pass=fd:10",
			    actor, verb, number));
	close(ends[1]);
	await_message(ends[0], &m);
	cr_assert_geq(m.pidfd, 0);
	cr_assert_eq(sscanf(m.text, "{\"pid\":%d", ret_pid), 1, "%s", m.text);
	close(ends[0]);
	cr_expect_eq(await_end(r), 0);
	return m.pidfd;
}

SystemTestWith(flags, tree_of_1000_dies_with_its_pidfd, REPEATS_PATHS)
{
	const int n = often(TIMES);

	for (int i = 0; i < n; i++) {
		struct running r;
		int pidfd, seen;
		pid_t init;

		pidfd = start_passed(&r, users[i / 2 % 2], "--autokill",
				     "forest", "1000", &init);
		/* This pidfd keeps nothing alive; it only tells of the end. */
		seen = open_pidfd(init);
		grow(&r, seen, i % 2);
		close(pidfd);
		expect_felled(&r, seen);
	}
}

/* Without --autokill, SIGKILL of spawnfd leaves the tree running. */
SystemTest(flags, tree_without_autokill_lives_on)
{
	struct running r;
	int init;

	start(&r, NULL, ARGV(spawnfd, "--kill-tree", actor, "echo"));
	read_pid(r.out);
	init = open_pidfd(child_of(r.pid));
	kill(r.pid, SIGKILL);
	await_end(&r);
	ping(&r);
	close(r.in);
	await_events(init, POLLIN);
	waitpid(-1, NULL, __WALL);
	r.in = -1;
	close(init);
	close_running(&r);
}

/* ---- the command ends by itself ---- */

static void expect_brood_gone(struct ended *e, uid_t uid, const char *flag,
			      const char *code)
{
	const struct way way = { .uid = uid };
	struct running r;

	start(&r, &way, ARGV(spawnfd, "--kill-tree", flag, "--status-fd=2",
			     actor, "brood", code));
	end_input(&r);
	/* The whole tree has the pipe open: no process outlives spawnfd. */
	await_events(r.pidfd, POLLIN);
	cr_expect(is_at_end(r.out), "%s: some are left", r.words);
	finish(&r, e);
}

SystemTest(flags, tree_ends_with_the_command)
{
	struct ended e;

	for (EVERY(u, users))
		for (EVERY(i, flags)) {
			expect_brood_gone(&e, users[u], flags[i], "7");
			expect_exit(&e, 7);
			expect_said(&e, "\n{\"exit-code\":7,\"left\":");
			expect_brood_gone(&e, users[u], flags[i], "-15");
			expect_signal(&e, SIGTERM);
			expect_said(&e, "\n{\"exit-code\":143,\"signal\":15,"
				    "\"core-dumped\":false,\"left\":");
		}
}

SystemTest(flags, tree_tells_of_a_core)
{
	const struct way way = { .dir = scratch(), .prepare = allow_cores };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--kill-tree", "--status-fd=2", "--",
			   actor, "brood", "-6"));
	expect_signal(&e, SIGABRT);
	expect_said(&e, "\"signal\":6,\"core-dumped\":true,\"left\":");
}

/* The signal of --timeout ends COMMAND, and so the rest of the tree. */
SystemTest(flags, tree_ends_with_a_clock)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--kill-tree", "--timeout=0.5", actor,
			   "forest", "6"));
	expect_exit(&e, 124);
	run(&e, NULL, ARGV(spawnfd, "--kill-tree", "--timeout=0.5", "-sKILL",
			   actor, "forest", "6"));
	expect_exit(&e, 137);
}

/* A receiver learns nothing of COMMAND but the exit status of the init. */
SystemTest(flags, tree_of_a_receiver_exits_with_128_plus_the_signal)
{
	for (EVERY(u, users)) {
		const char *socket = scratch_path("socket");
		const struct way way = { .uid = users[u] };
		struct running r;
		struct ended e;

		cr_assert_eq(chmod(scratch(), 0777), 0);
		start(&r, &way, ARGV(spawnfd, "--receive", socket));
		run(&e, &way, ARGV(spawnfd, "--kill-tree", "--autoreap",
				   "--wait=10", "--pass", socket, actor,
				   "brood", "-15"));
		expect_exit(&e, 0);
		expect_exits(&r, 143);
	}
}

/* ---- pids and signals ---- */

/* Gives the pid that the process has in the innermost PID namespace. */
static pid_t innermost_pid(pid_t pid)
{
	char path[64], text[4096], *line, *end;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	line = strstr(text, "NSpid:");
	cr_assert_not_null(line);
	end = strchr(line, '\n');
	*end = '\0';
	return atoi(strrchr(line, '\t'));
}

SystemTest(flags, tree_pids_are_those_of_the_init)
{
	char number[32], line[128];
	struct running r;
	pid_t init, told = 0;

	start(&r, NULL, ARGV(spawnfd, "--kill-tree", "--status-fd=2",
			     "--pid-file", scratch_path("pid"), actor, "hang"));
	read_line(r.err, line, sizeof(line));
	init = child_of(r.pid);
	cr_expect_eq(innermost_pid(init), 1);
	cr_expect_eq(innermost_pid(child_of(init)), 2);
	sscanf(line, "{\"child-pid\":%d", &told);
	cr_expect_eq(told, init, "%s", line);
	read_file(scratch_path("pid"), number, sizeof(number));
	cr_expect_eq(atoi(number), init);
	/* The init forwards the signals that it gets. */
	kill(init, SIGTERM);
	expect_dies(&r, SIGTERM);
}

/* The script sends USR1 to its whole group, and counts how often it gets it. */
#define KILL_0 "n=0; trap 'n=$((n+1))' USR1; trap 'exit $n' USR2; " \
	       "kill -USR1 0; echo ready; while :; do sleep 99 & wait $!; done"

SystemTest(flags, tree_signals_of_the_command_do_not_come_back)
{
	for (EVERY(u, users)) {
		const struct way way = {
			.uid = users[u], .prepare = lead_group,
		};
		struct running r;
		char line[16];

		start(&r, &way, ARGV(spawnfd, "--kill-tree", "sh", "-c",
				     KILL_0));
		read_line(r.out, line, sizeof(line));
		kill(r.pid, SIGUSR2);
		expect_exits(&r, 1);
	}
}

/*
 * A SIGCONT to the group comes before spawnfd learns that COMMAND has stopped.
 * spawnfd must not stop then. SIGSTOP cannot stay pending until spawnfd knows
 * whether COMMAND is still stopped.
 */
SystemTest(flags, tree_goes_on_when_all_of_it_are_continued)
{
	const struct way way = { .prepare = lead_group };

	for (int i = 0; i < 20; i++) {
		struct running r;
		pid_t command;

		start(&r, &way, ARGV(spawnfd, "--kill-tree", actor, "echo"));
		read_pid(r.out);
		command = child_of(child_of(r.pid));
		kill(r.pid, SIGSTOP);
		await_state(r.pid, 'T');
		kill(command, SIGSTOP);
		await_state(command, 'T');
		kill(-r.pid, SIGCONT);
		ping(&r);
		await_state(r.pid, 'S');
		end_input(&r);
		expect_exits(&r, 0);
	}
}

/* --timeout sends SIGTERM to COMMAND, even if spawnfd ignores SIGTERM. */
SystemTest(flags, tree_gets_an_end_that_spawnfd_ignores)
{
	static const int ignored = SIGTERM;
	const struct way way = { .prepare = ignore_signal, .arg = &ignored };
	struct running r;
	char line[64];

	start(&r, &way, ARGV(spawnfd, "--kill-tree", "--timeout=" ENOUGH, actor,
			     "hear"));
	read_pid(r.out);
	read_line(r.out, line, sizeof(line));
	cr_expect_eq(atoi(line), SIGTERM, "%s", line);
	end_input(&r);
	expect_exits(&r, 124);
}

/* ---- faults between spawnfd and the init ---- */

static void expect_no_memory(const char *trace, const char *inject,
			     const char *delay)
{
	const struct way way = { .uid = NOBODY };
	struct ended e;

	run(&e, &way, ARGV("/usr/bin/strace", "-f", "-o", "/dev/null", "-e",
			   trace, "-e", inject, "-e", delay, spawnfd,
			   "--kill-tree", actor, "exit", "0"));
	expect_refusal(&e, 125);
	expect_said(&e, "ENOMEM");
}

SystemTest(flags, tree_that_cannot_begin_is_not_waited_for)
{
	expect_no_memory("trace=sendto", "inject=sendto:error=ENOMEM",
			 "signal=none");
}

/*
 * No event tells spawnfd of a notice a second time. Here spawnfd does not get
 * the notice of the exec where it looks for it, but when it reads on.
 */
SystemTest(flags, tree_whose_exec_is_told_late_has_its_time_limit)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/strace", "-o", "/dev/null", "-e",
			   "trace=recvfrom", "-e",
			   "inject=recvfrom:error=EAGAIN:when=1", spawnfd,
			   "--kill-tree", "--timeout=0.1", "--status-fd=2",
			   "sleep", "1000"));
	expect_exit(&e, 124);
	expect_begun(&e, "{\"child-pid\":");
}

/* Tells whether strace(1) can let poll(2) fail in the init alone. */
static bool can_inject_poll(void)
{
#ifdef SYS_poll
	return true;
#else
	not_tested("a poll(2) of the init that fails", "poll(2) makes the call "
		   "ppoll here, which spawnfd makes too");
	return false;
#endif
}

SystemTest(flags, tree_whose_init_cannot_begin_says_why)
{
	if (!can_inject_poll())
		return;
	expect_no_memory("trace=poll", "inject=poll:error=ENOMEM:when=1",
			 "signal=none");
}

/* The init has ended before spawnfd opens the first file in its folder. */
SystemTest(flags, tree_whose_init_ended_early_says_why)
{
	if (!can_inject_poll())
		return;
	expect_no_memory("trace=poll,openat",
			 "inject=poll:error=ENOMEM:when=1",
			 "inject=openat:delay_enter=200000");
}

/*
 * The last notice, which says that SIGKILL ended COMMAND, is the sixth message
 * that spawnfd reads. The exit status of the init says the same.
 */
SystemTest(flags, timeout_of_a_tree_whose_last_notice_is_lost)
{
	static const int ignored = SIGTERM;
	const struct way way = { .prepare = ignore_signal, .arg = &ignored };
	struct ended e;

	run(&e, &way, ARGV("/usr/bin/strace", "-o", "/dev/null", "-e",
			   "trace=recvfrom", "-e",
			   "inject=recvfrom:error=ENOMEM:when=6+", spawnfd,
			   "--kill-tree", "--timeout=.3", "--kill-after=.1",
			   "sh", "-c", "while :; do :; done"));
	expect_exit(&e, 137);
}

static const char own_proc[] =
	"test $$ = 2 && test \"$(cat /proc/$$/comm)\" = sh && "
	"test \"$(cat /proc/1/comm)\" = spawnfd && test -d /proc/self && "
	"! ls /proc | grep -qx '[0-9][0-9][0-9][0-9]*'";

SystemTest(flags, tree_sees_itself_in_proc)
{
	struct ended e;

	for (EVERY(u, users)) {
		const struct way way = { .uid = users[u] };

		run(&e, &way, ARGV(spawnfd, "--kill-tree", "--autokill", "sh",
				   "-c", own_proc));
		expect_exit(&e, 0);
		cr_expect_str_eq(e.err, "");
	}
}

/* ---- reaping ---- */

/* Waits until the init has no child but COMMAND: some orphans end late. */
static void await_one_child(pid_t init)
{
	struct patience patience = { 0 };

	while (count_children(init) != 1) {
		cr_assert(is_patient(&patience), "%d are left",
			     count_children(init));
		sched_yield();
	}
}

SystemTest(flags, tree_reaps_10000_orphans_and_does_not_grow)
{
	struct running r;
	char hundreds[16], line[16];
	long first;
	pid_t init;

	snprintf(hundreds, sizeof(hundreds), "%d", often(100));
	start(&r, NULL, ARGV(spawnfd, "--kill-tree", actor, "litter", "1",
			     hundreds));
	read_line(r.out, line, sizeof(line));
	init = child_of(r.pid);
	await_one_child(init);
	first = resident_kb(init);
	cr_assert_eq(write(r.in, "x", 1), 1);
	read_line(r.out, line, sizeof(line));
	await_one_child(init);
	cr_expect_leq(resident_kb(init), first);
	end_input(&r);
	expect_exits(&r, 0);
}

/*
 * Whichever of its first calls of waitid(2) finds nothing, the init sees later
 * that the last process of the tree has ended.
 */
SystemTest(flags, tree_whose_end_is_missed_once_is_over)
{
	char inject[64];
	struct ended e;

	for (int i = 3; i < 9; i++) {
		snprintf(inject, sizeof(inject),
			 "inject=waitid:error=ECHILD:when=%d", i);
		run(&e, NULL, ARGV("/usr/bin/strace", "-f", "-o", "/dev/null",
				   "-e", "trace=waitid", "-e", inject, spawnfd,
				   "--kill-tree", "--wait-tree", "sh", "-c",
				   "sleep 1 & exit 3"));
		expect_exit(&e, 3);
	}
}
