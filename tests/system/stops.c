/* SPDX-License-Identifier: MIT */
/*
 * spawnfd stops together with its command. So the shell that waits for spawnfd
 * sees a stopped job, and can continue it.
 */
#include "harness.h"
#include "hearing.h"
#include "pty.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>

EVERY_WAY_WITH(a_command_that_forks_and_exits, NOT_UNDER(TREE,
	"expect what the command leaves behind to live on"))
{
	struct running r;
	pid_t child;

	start(&r, &job, ARGV(spawnfd, with, actor, "family", "exit"));
	read_pid(r.out);
	child = read_pid(r.out);
	cr_expect_eq(await_end(&r), 0);
	ping(&r);
	close(r.in);
	cr_expect_eq(waitpid(child, NULL, 0), child);
	close(r.out);
	close(r.err);
	close(r.pidfd);
}

/*
 * Waits for a stop or the end of spawnfd, as a shell does. A pidfd does not
 * report a stop to poll(2).
 */
static int await_change(const struct running *r)
{
	siginfo_t info;

	cr_assert_eq(waitid_patiently(P_PID, (id_t)r->pid, &info, WEXITED |
				      WSTOPPED), 0, "%s: neither ends nor "
		     "stops: %s", r->words, strerror(errno));
	/* Makes a status of the form that waitpid(2) gives. */
	if (info.si_code == CLD_STOPPED)
		return info.si_status << 8 | 0x7f;
	if (info.si_code == CLD_EXITED)
		return info.si_status << 8;
	return info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
}

static void await_stop(const struct running *r, int sig)
{
	int status = await_change(r);

	cr_assert(WIFSTOPPED(status), "%s: %x", r->words, status);
	cr_assert_eq(WSTOPSIG(status), sig, "%s: stopped by %d", r->words,
		     WSTOPSIG(status));
}

/*
 * The command stops itself again as soon as it is continued. spawnfd must
 * report each stop.
 */
EVERY_WAY_WITH(no_stop_is_skipped, ALSO_UNDER(TREE_OF_USER))
{
	struct running r;
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	start(&r, &job, ARGV(spawnfd, with, actor, "restop", "100"));
	for (int i = 0; i < 100; i++) {
		await_stop(&r, SIGSTOP);
		kill(-r.pid, SIGCONT);
	}
	read_pid(r.out);
	end_input(&r);
	expect_exits(&r, 0);
	close_own_terminal(&terminal);
}

static const int stopping[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

static void stop_and_continue(const struct way *way, const char *with, int sig)
{
	char number[16];
	struct running r;
	pid_t command;

	snprintf(number, sizeof(number), "%d", sig);
	start(&r, way, ARGV(spawnfd, with, actor, "stop", number));
	await_stop(&r, sig);
	command = command_of(r.pid);
	cr_expect_eq(state_of(command), 'T');
	cr_expect_eq(state_of(r.pid), 'T');
	kill(r.pid, SIGCONT);
	expect_exits(&r, 7);
}

EVERY_WAY_WITH(spawnfd_stops_with_the_command, ALSO_UNDER(TREE_OF_USER))
{
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
		stop_and_continue(&job, with, stopping[i]);
	close_own_terminal(&terminal);
}

/* The caller may have ignored or blocked SIGCHLD and other signals. */
EVERY_WAY_WITH(spawnfd_stops_whatever_is_ignored_or_blocked,
	       ALSO_UNDER(TREE_OF_USER))
{
	static const uint64_t sets[] = { 0, BIT(SIGCHLD), BIT(SIGPIPE),
					 BIT(SIGHUP), BIT(SIGCONT),
					 BIT(SIGTERM) };
	struct inherited inherited = { 0 };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	for (size_t i = 0; i < 36; i++) {
		inherited.ignored = sets[i / 6] & ~BIT(SIGCONT);
		inherited.blocked = sets[i % 6];
		stop_and_continue(&way, with, stopping[i % 4]);
	}
	close_own_terminal(&terminal);
}

EVERY_WAY_WITH(spawnfd_stops_without_standard_descriptors,
	       ALSO_UNDER(TREE_OF_USER))
{
	const struct inherited inherited = { .closed = true };
	const struct way way = { .prepare = set_inherited, .arg = &inherited };
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	stop_and_continue(&way, with, SIGTSTP);
	stop_and_continue(&way, "--verbose", SIGSTOP);
	close_own_terminal(&terminal);
}

/* A stop signal sent to spawnfd stops the command, and that stops spawnfd. */
EVERY_WAY_WITH(a_stop_signal_is_passed_on, ALSO_UNDER(TREE_OF_USER))
{
	struct running r;
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	for (size_t i = 1; i < ARRAY_SIZE(stopping); i++) {
		pid_t command;

		start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
		command = read_pid(r.out);
		kill(r.pid, stopping[i]);
		await_stop(&r, stopping[i]);
		cr_expect_eq(state_of(command), 'T');
		kill(r.pid, SIGCONT);
		ping(&r);
		end_input(&r);
		expect_exits(&r, 0);
	}
	close_own_terminal(&terminal);
}

/*
 * Signals that arrive during the stop are forwarded when it is over, and
 * spawnfd does not stop again.
 */
EVERY_WAY_WITH(signals_for_a_stopped_pair_arrive_when_continued,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct hearing h;
	struct ended e;
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	start_hearing(&h, &job, ARGV(spawnfd, with, actor, "hear"));
	kill(h.command, SIGSTOP);
	await_stop(&h.r, SIGSTOP);
	kill(h.r.pid, SIGUSR1);
	for (int i = 0; i < 20; i++)
		queue(&h, 34, i);
	kill(h.r.pid, SIGCONT);
	hears(&h, SIGUSR1);
	hears(&h, SIGCONT);
	for (int i = 0; i < 20; i++)
		hears_value(&h, 34, i);
	end_hearing(&h, &e);
	close_own_terminal(&terminal);
}

/*
 * Expects that spawnfd has not stopped. The command stopped before SIGWINCH was
 * sent. When spawnfd reports SIGURG, it has handled the stop and SIGWINCH.
 */
static void expect_no_stop(struct running *r)
{
	kill(r->pid, SIGWINCH);
	await_said(r, "passed on SIGWINCH");
	kill(r->pid, SIGURG);
	await_said(r, "passed on SIGURG");
	cr_expect_eq(waitpid(r->pid, NULL, WUNTRACED | WNOHANG), 0, "%s: "
		     "stopped", r->words);
}

static void stop_alone(const char *with, const char *session, const char *group,
		       int sig)
{
	char number[16];
	struct running r;
	struct ended e;
	pid_t command;

	snprintf(number, sizeof(number), "%d", sig);
	start(&r, &job, ARGV(spawnfd, "--verbose", session, with, actor,
			     "stop", number, group));
	command = read_pid(r.out);
	await_state(command, 'T');
	expect_no_stop(&r);
	cr_expect_eq(state_of(command), 'T');
	kill(r.pid, SIGCONT);
	finish(&r, &e);
	expect_exit(&e, 7);
	cr_expect_null(strstr(e.err, "stopped"), "%s", e.err);
}

EVERY_WAY_WITH(spawnfd_does_not_stop_with_another_group,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
		stop_alone(with, NOTHING, "group", stopping[i]);
	/* The group of a new session is orphaned: only SIGSTOP stops it. */
	stop_alone(with, "--new-session", NULL, SIGSTOP);
	close_own_terminal(&terminal);
}

/*
 * SIGTSTP, SIGTTIN and SIGTTOU do not stop a process in an orphaned group:
 * setpgid(2).
 */
EVERY_WAY(an_orphaned_group_does_not_hang)
{
	struct ended e;

	run(&e, &orphaned, ARGV(spawnfd, with, actor, "stop", "20"));
	expect_exit(&e, 7);
	run(&e, &orphaned, ARGV(spawnfd, with, actor, "stop", "21"));
	expect_exit(&e, 7);
	run(&e, &orphaned, ARGV(spawnfd, with, actor, "stop", "22"));
	expect_exit(&e, 7);
}

/* Waits for spawnfd's end, and continues both whenever they are stopped. */
static int continue_to_the_end(const struct running *r, pid_t command)
{
	int status;

	do {
		kill(command, SIGCONT);
		kill(r->pid, SIGCONT);
		status = await_change(r);
	} while (WIFSTOPPED(status));
	return status;
}

/* Stops and continues the command alone, or the whole group. */
static void stop_quickly(const char *with, bool whole)
{
	struct running r;
	pid_t command;

	start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
	command = read_pid(r.out);
	for (int i = 0; i < 200; i++) {
		kill(whole ? -r.pid : command, SIGSTOP);
		sched_yield();
		kill(whole ? -r.pid : command, SIGCONT);
		sched_yield();
	}
	close(r.in);
	cr_expect_eq(continue_to_the_end(&r, command), 0);
	close(r.out);
	close(r.err);
	close(r.pidfd);
}

EVERY_WAY_WITH(stopped_and_continued_quickly, ALSO_UNDER(TREE_OF_USER))
{
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	stop_quickly(with, false);
	stop_quickly(with, true);
	close_own_terminal(&terminal);
}

/* The moment may also be before the command is executed. */
EVERY_WAY_WITH(stopped_at_any_moment, ALSO_UNDER(TREE_OF_USER))
{
	const int n = often(200);
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	for (int i = 0; i < n; i++) {
		struct running r;

		start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
		wait_at_random(r.pidfd, 2000);
		kill(-r.pid, SIGTSTP);
		await_stop(&r, SIGTSTP);
		kill(-r.pid, SIGCONT);
		read_pid(r.out);
		end_input(&r);
		expect_exits(&r, 0);
	}
	close_own_terminal(&terminal);
}

static void lead_far_away(const void *arg)
{
	lead_group(arg);
	setenv("PATH", far_path(), 1);
}

/* If the child alone is stopped before its exec, spawnfd stops with it. */
EVERY_WAY_WITH(halted_alone_before_the_exec, NOT_UNDER(TREE,
	"stop the first child of spawnfd, which is the init of the tree"))
{
	const struct way way = { .prepare = lead_far_away };
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	for (int i = 0; i < often(30); i++) {
		struct running r;
		pid_t child;

		start(&r, &way, ARGV(spawnfd, with, "actor", "echo"));
		while (!(child = child_of(r.pid)))
			sched_yield();
		sleep_at_random(5000);
		kill(child, SIGTSTP);
		await_stop(&r, SIGTSTP);
		kill(-r.pid, SIGCONT);
		read_pid(r.out);
		end_input(&r);
		expect_exits(&r, 0);
	}
	close_own_terminal(&terminal);
}

/* ---- stops of COMMAND alone, by its pid ---- */

/* cpulimit(1) and load governors do this. */
static void stop_by_pid(const struct way *way, const char *with, int sig)
{
	struct running r;
	pid_t command;

	start(&r, way, ARGV(spawnfd, "--verbose", with, actor, "echo"));
	command = read_pid(r.out);
	kill(command, sig);
	await_state(command, 'T');
	expect_no_stop(&r);
	kill(command, SIGCONT);
	ping(&r);
	end_input(&r);
	expect_exits(&r, 0);
}

/* Without a terminal nobody sees that spawnfd is stopped. */
EVERY_WAY_WITH(without_a_terminal_spawnfd_keeps_watching,
	       ALSO_UNDER(TREE_OF_USER))
{
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
		stop_by_pid(&job, with, stopping[i]);
}

/* Nobody could continue spawnfd there: setpgid(2). */
EVERY_WAY_WITH(in_an_orphaned_group_spawnfd_keeps_watching,
	       ALSO_UNDER(TREE_OF_USER))
{
	char path[64];
	const struct way way = { .prepare = lead_session_at,
				 .arg = path };
	int master = open_pty(path, sizeof(path));

	stop_by_pid(&way, with, SIGSTOP);
	close(master);
}

EVERY_WAY_WITH(a_stopped_command_is_ended_in_time, ALSO_UNDER(TREE_OF_USER))
{
	struct running r;
	struct ended e;

	start(&r, &job, ARGV(spawnfd, "--timeout=2", with, actor, "echo"));
	kill(read_pid(r.out), SIGSTOP);
	finish(&r, &e);
	expect_exit(&e, 124);
}

EVERY_WAY_WITH(stopped_and_continued_3000_times, ALSO_UNDER(TREE_OF_USER))
{
	struct running r;
	pid_t command;

	start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
	command = read_pid(r.out);
	for (int i = 0; i < often(3000); i++) {
		kill(command, SIGSTOP);
		kill(command, SIGCONT);
	}
	ping(&r);
	end_input(&r);
	expect_exits(&r, 0);
}

/* The waker ends as soon as spawnfd runs again. */
static void await_one_child(pid_t pid)
{
	struct patience patience = { 0 };

	while (count_children(pid) != 1) {
		cr_assert(is_patient(&patience));
		sched_yield();
	}
}

/* Continues COMMAND alone. The terminal is the test's. */
static void continue_alone(const struct way *way, const char *with)
{
	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++) {
		struct running r;
		siginfo_t info;
		pid_t command;

		start(&r, way, ARGV(spawnfd, with, actor, "echo"));
		command = read_pid(r.out);
		kill(command, stopping[i]);
		await_stop(&r, stopping[i]);
		kill(command, SIGCONT);
		cr_assert_eq(waitid_patiently(P_PID, (id_t)r.pid, &info,
					      WCONTINUED), 0, "%s: %s",
			     r.words, strerror(errno));
		ping(&r);
		await_one_child(r.pid);
		end_input(&r);
		expect_exits(&r, 0);
	}
}

/* A tool that continues COMMAND alone does not know of spawnfd. */
EVERY_WAY_WITH(spawnfd_goes_on_with_a_command_that_is_continued,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	continue_alone(&job, with);
	close_own_terminal(&terminal);
}

/*
 * This /proc hides what the user may not trace, and nobody but root may trace
 * spawnfd while it holds an autokill COMMAND.
 */
EVERY_WAY_WITH(spawnfd_goes_on_where_proc_hides_it, ALSO_UNDER(TREE_OF_USER))
{
	const struct way way = { .uid = NOBODY, .prepare = lead_group };
	struct own_terminal terminal;

	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	cr_assert_eq(mount("proc", "/proc", "proc", 0, "hidepid=2"), 0);
	open_own_terminal(&terminal);
	continue_alone(&way, with);
	close_own_terminal(&terminal);
}

EVERY_WAY_WITH(spawnfd_ends_with_a_stopped_command_that_is_killed,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct own_terminal terminal;
	struct running r;
	pid_t command;

	open_own_terminal(&terminal);
	start(&r, &job, ARGV(spawnfd, with, actor, "echo"));
	command = read_pid(r.out);
	kill(command, SIGSTOP);
	await_stop(&r, SIGSTOP);
	kill(command, SIGKILL);
	expect_dies(&r, SIGKILL);
	close_own_terminal(&terminal);
}

/* Neither the command is left, nor the waker, which has no copy of the pidfd */
SystemTest(flags, a_stopped_spawnfd_that_is_killed_leaves_nothing)
{
	struct own_terminal terminal;
	struct running r;

	open_own_terminal(&terminal);
	start(&r, &job, ARGV(spawnfd, "--autokill", actor, "echo"));
	kill(read_pid(r.out), SIGSTOP);
	await_stop(&r, SIGSTOP);
	kill(r.pid, SIGKILL);
	expect_dies(&r, SIGKILL);
	reap_orphans();
	close_own_terminal(&terminal);
}

/*
 * kill(2) sends both signals to the whole group. The init of --kill-tree has
 * the stop signal too, and must not be the last to send it to COMMAND.
 */
static void stop_group_at_any_moment(const char *tree)
{
	const int n = often(2000);
	struct running r;
	struct own_terminal terminal;

	open_own_terminal(&terminal);
	start(&r, &job, ARGV(spawnfd, tree, actor, "echo"));
	read_pid(r.out);
	for (int i = 0; i < n; i++) {
		kill(-r.pid, SIGTSTP);
		sleep_at_random(1500);
		kill(-r.pid, SIGCONT);
		ping(&r);
		/* A late stop signal has this time. */
		sleep_at_random(5000);
		ping(&r);
	}
	end_input(&r);
	expect_exits(&r, 0);
	close_own_terminal(&terminal);
}

SystemTest(flags, a_group_stopped_and_continued_at_any_moment)
{
	stop_group_at_any_moment("--pidfd");
	stop_group_at_any_moment("--kill-tree");
}
