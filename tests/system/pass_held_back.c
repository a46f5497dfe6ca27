/* SPDX-License-Identifier: MIT */
/*
 * --pass while its message, or the exec of the command, is held back. So an
 * event is sure to come in between.
 */
#include "cgroups.h"
#include "harness.h"
#include "passing.h"
#include "sockets.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- while the message is held back ---- */

/*
 * Starts spawnfd under strace, which keeps it at the entry of that system call
 * for longer than any test takes. spawnfd goes on when strace is killed. The
 * command runs when this function returns the pid of spawnfd.
 */
static pid_t hold_back(struct running *r, const char *call, const char *with,
		       pid_t *ret_command)
{
	const char *file = scratch_path("pid");
	char trace[64], inject[96], pid_file[512];

	snprintf(trace, sizeof(trace), "trace=%s", call);
	snprintf(inject, sizeof(inject), "inject=%s:delay_enter=1000000000",
		 call);
	snprintf(pid_file, sizeof(pid_file), "--pid-file=%s", file);
	start(r, NULL, ARGV("/usr/bin/env", "strace", "-o", "/dev/null", "-e",
			    trace, "-e", inject, spawnfd, pid_file,
			    PASS(abstract()), with, actor, "hang"));
	*ret_command = read_pid(r->out);
	return child_of(r->pid);
}

static int wait_for(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid, "%s", strerror(errno));
	return status;
}

/* The receiver closes before the send: an error, though the command runs. */
static void lose_held_back(const char *with, int type, bool accepted)
{
	int listener = listen_at(abstract(), type), connection = -1;
	pid_t self, command;
	struct running r;
	struct ended e;
	int status;

	self = hold_back(&r, "sendmsg", with, &command);
	if (accepted)
		connection = accept_one(listener);
	close(accepted ? connection : listener);
	cr_expect_eq(kill(command, 0), 0);
	kill(r.pid, SIGKILL);
	await_end(&r);
	status = wait_for(self);
	nothing_left();
	conclude(&r, &e, status);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: pass: ");
	expect_said(&e, "the receiver has closed");
	cr_expect(!exists(scratch_path("pid")));
	if (accepted)
		close(listener);
}

SystemTest(flags, pass_to_a_listener_that_died_before_the_send)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t j = 0; j < ARRAY_SIZE(listening_types); j++) {
			lose_held_back(ways[i], listening_types[j], false);
			lose_held_back(ways[i], listening_types[j], true);
		}
}

/*
 * The test kills strace after spawnfd, because strace would hold back the exit
 * of spawnfd too (PTRACE_EVENT_EXIT).
 */
SystemTest(flags, pass_killed_before_the_send_takes_the_command)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	struct running r;
	pid_t self, command;
	int pidfd;

	self = hold_back(&r, "sendmsg", "--autokill", &command);
	pidfd = open_pidfd(command);
	kill(self, SIGKILL);
	kill(r.pid, SIGKILL);
	cr_expect(is_gone_soon(pidfd));
	await_end(&r);
	reap_orphans();
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	close(connection);
	close(listener);
	close(pidfd);
	close_running(&r);
}

/*
 * Waits for the temporary pid file, which spawnfd makes after the exec has been
 * confirmed.
 */
static void await_pid_file(pid_t self)
{
	char name[64];

	snprintf(name, sizeof(name), ".spawnfd.%d.0", self);
	while (!exists(scratch_path(name)))
		;
}

static void term_before_send(const char *with)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	struct running r;
	struct ended e;
	pid_t self, command;
	int status;

	self = hold_back(&r, "renameat2", with, &command);
	await_pid_file(self);
	kill(self, SIGTERM);
	kill(r.pid, SIGKILL);
	await_end(&r);
	status = wait_for(self);
	nothing_left();
	conclude(&r, &e, status);
	expect_signal(&e, SIGTERM);
	cr_expect(!exists(scratch_path("pid")));
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	close(connection);
	close(listener);
}

SystemTest(flags, pass_termed_before_the_send_takes_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		term_before_send(ways[i]);
}

/* ---- while the exec is held back ---- */

/* Starts spawnfd; the command is cloned, but cannot reach its exec. */
static void start_frozen(struct running *r, const char *group,
			 const char *with)
{
	static const int ignored = SIGHUP;
	const struct way way = { .prepare = ignore_signal, .arg = &ignored };

	start(r, &way, ARGV(spawnfd, CGROUP(group), PASS(abstract()), with,
			    actor, "hang"));
	await_member(group);
}

/* SIGHUP has the lower number, but it is ignored: SIGTERM ends spawnfd. */
static void term_frozen(const char *with)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	const char *group = make_frozen_group();
	struct running r;
	struct ended e;

	start_frozen(&r, group, with);
	kill(r.pid, SIGHUP);
	kill(r.pid, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	cr_expect_str_eq(e.out, "", "it ran");
	cr_expect_str_eq(e.err, "");
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	nothing_left();
	close(connection);
	close(listener);
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

SystemTest(cgroup, pass_termed_before_the_exec_takes_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		term_frozen(ways[i]);
}

SystemTest(cgroup, pass_goes_on_after_an_ignored_signal)
{
	int listener = listen_at(abstract(), SOCK_STREAM);
	const char *group = make_frozen_group();
	struct running r;

	start_frozen(&r, group, "--autokill");
	kill(r.pid, SIGHUP);
	write_group(group, "cgroup.freeze", "0");
	cr_expect_eq(await_end(&r), 0);
	read_pid(r.out);
	close(expect_one_connection(listener));
	nothing_left();
	close(listener);
	close_running(&r);
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}
