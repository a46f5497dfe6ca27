/* SPDX-License-Identifier: MIT */
/*
 * --empty-mntns: a static program runs in a mount namespace without files, and
 * notices no other change. If a program cannot run there, the message says why.
 * exec.c tests how the program is found.
 */
#include "harness.h"

#include <fcntl.h>
#include <stdlib.h>

#define USER 61234	/* not NOBODY: unmapped users show as that */

static const char *const ways[] = { "--pidfd", "--autoreap", "--autokill",
				    "--kill-tree" };

#define EVERY(i, array) size_t i = 0; i < ARRAY_SIZE(array); i++

/* Expects the output of "actor look", with these descriptors and that user. */
static void expect_nothing_but(const struct ended *e, const char *descriptors,
			       uid_t uid)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "cwd /\n"
		 "/proc: No such file or directory\n%suid %d, gid %d, "
		 "euid %d\n",
		 descriptors, (int)uid, (int)uid, (int)uid);
	expect_exit(e, 0);
	cr_expect_str_eq(e->out, expected, "%s: saw %s", e->words, e->out);
}

SystemTest(flags, mntns_has_nothing_in_it)
{
	struct ended e;

	for (EVERY(i, ways)) {
		run(&e, NULL, ARGV(spawnfd, "--empty-mntns", ways[i], actor,
				   "look"));
		expect_nothing_but(&e, "fd 0\nfd 1\nfd 2\n", 0);
		cr_expect_str_eq(e.err, "");
	}
}

/* ---- everything else is as without the option ---- */

static void close_two(const void *arg)
{
	(void)arg;
	close(0);
	close(2);
}

/* The file of COMMAND, opened before clone3, does not get number 0 or 2. */
SystemTest(flags, mntns_closed_descriptors_stay_closed)
{
	const struct way way = { .prepare = close_two };
	struct ended e;

	for (EVERY(i, ways)) {
		run(&e, &way, ARGV(spawnfd, "-v", "--empty-mntns", ways[i],
				   actor, "look"));
		expect_nothing_but(&e, "fd 1\n", 0);
	}
}

static void two_more(const void *arg)
{
	(void)arg;
	inherit_as(open("/dev/null", O_WRONLY | O_CLOEXEC), 7);
	inherit_as(open("/dev/null", O_WRONLY | O_CLOEXEC), 9);
}

/* The command inherits no descriptor that spawnfd opens for its own use. */
SystemTest(cgroup, mntns_inherits_what_the_caller_gave)
{
	const struct way way = { .prepare = two_more };
	char pid_file[256];
	struct ended e;

	snprintf(pid_file, sizeof(pid_file), "--pid-file=%s",
		 scratch_path("pid"));
	for (EVERY(i, ways)) {
		run(&e, &way, ARGV(spawnfd, "--empty-mntns", ways[i],
				   "--cgroup=/sys/fs/cgroup", pid_file,
				   "--status-fd=9", "--timeout=1h",
				   "--die-with-parent", actor, "look"));
		expect_nothing_but(&e, "fd 0\nfd 1\nfd 2\nfd 7\n", 0);
		cr_expect(!exists(scratch_path("pid")));
	}
}

static void set_variable(const void *arg)
{
	(void)arg;
	setenv("EMPTY", "", 1);
	setenv("LINES", "a\nb", 1);
}

/* Gives the environment without the first line, which has pid and inode. */
static const char *environment(struct ended *e, const char *option)
{
	const struct way way = { .prepare = set_variable };

	run(e, &way, ARGV(spawnfd, "--pidfd", option, actor, "environment"));
	expect_exit(e, 0);
	return strchr(e->out, '\n');
}

SystemTest(flags, mntns_arguments_and_environment)
{
	struct ended with, without;

	run(&with, NULL, ARGV(spawnfd, "--empty-mntns", actor, "say", "", "a b",
			      "--", "-v"));
	expect_exit(&with, 0);
	cr_expect_str_eq(with.out, "\na b\n--\n-v\n");
	cr_expect_str_eq(environment(&with, "--empty-mntns"),
			 environment(&without, "--"));
}

SystemTest(flags, mntns_statuses_and_deaths)
{
	static const char *const numbers[] = { "1", "9", "15", "34" };
	struct ended e;

	for (EVERY(i, ways)) {
		run(&e, NULL, ARGV(spawnfd, "--empty-mntns", ways[i], actor,
				   "exit", "42"));
		expect_exit(&e, 42);
		for (EVERY(n, numbers)) {
			run(&e, NULL, ARGV(spawnfd, "--empty-mntns", ways[i],
					   actor, "die", numbers[n]));
			expect_signal(&e, atoi(numbers[n]));
		}
	}
}

/* ps(1) shows the name of the program, not of the descriptor. */
SystemTest(flags, mntns_names_of_the_process)
{
	char path[64], name[64], line[512];
	struct running r;
	pid_t pid;

	start(&r, NULL, ARGV(spawnfd, "--empty-mntns", actor, "echo"));
	pid = read_pid(r.out);
	name_of(pid, name, sizeof(name));
	cr_expect_str_eq(name, strrchr(actor, '/') + 1);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	read_file(path, line, sizeof(line));
	cr_expect_str_eq(line, actor);
	end_input(&r);
	expect_exits(&r, 0);
}

/* ---- sinks ---- */

static const char *const trees[] = { "--pidfd", "--kill-tree" };

SystemTest(flags, mntns_autokill)
{
	struct running r;

	for (EVERY(i, trees)) {
		start(&r, NULL, ARGV(spawnfd, "--empty-mntns", "--autokill",
				     trees[i], actor, "echo"));
		read_pid(r.out);
		ping(&r);
		kill(r.pid, SIGKILL);
		/* The command has the output pipe too: its end is read here. */
		expect_dies(&r, SIGKILL);
		nothing_left();
	}
}

SystemTest(flags, mntns_detach)
{
	struct running r;
	struct ended e;

	for (EVERY(i, trees)) {
		start(&r, NULL, ARGV(spawnfd, "--empty-mntns", "--detach",
				     trees[i], actor, "echo"));
		read_pid(r.out);
		await_events(r.pidfd, POLLIN);
		ping(&r);
		end_input(&r);
		expect_exits(&r, 0);
		reap_orphans();
		run(&e, NULL, ARGV(spawnfd, "--empty-mntns", "--detach",
				   trees[i], "/bin/sh"));
		expect_refusal(&e, 126);
	}
}

SystemTest(flags, mntns_pass)
{
	char receive[256], pass[256], line[512];
	struct running listener;
	struct ended e;

	snprintf(receive, sizeof(receive), "--receive=%s",
		 scratch_path("socket"));
	snprintf(pass, sizeof(pass), "--pass=%s", scratch_path("socket"));
	for (EVERY(i, trees)) {
		start(&listener, NULL, ARGV(spawnfd, receive,
					    "--status-fd=1"));
		read_line(listener.out, line, sizeof(line));
		run(&e, NULL, ARGV(spawnfd, "--empty-mntns", "--autokill",
				   trees[i], pass, actor, "exit", "42"));
		expect_exit(&e, 0);
		expect_exits(&listener, 42);
	}
}

/* ---- programs that cannot run there ---- */

SystemTest(flags, mntns_only_a_static_program_runs)
{
	const char *script = scratch_path("script");
	const char *text = scratch_path("text");
	char *dynamic = realpath("/proc/self/exe", NULL);
	struct ended e;

	write_file(script, "#!/bin/sh\n", 0755);
	write_file(text, "echo ran\n", 0755);
	for (EVERY(i, ways)) {
		const char *const files[] = { script, dynamic };

		for (EVERY(n, files)) {
			run(&e, NULL, ARGV(spawnfd, "--empty-mntns", ways[i],
					   files[n]));
			expect_refusal(&e, 126);
			expect_said(&e, files[n]);
			expect_said(&e, "only a static program runs there");
		}
		run(&e, NULL, ARGV(spawnfd, "--empty-mntns", ways[i], text));
		expect_refusal(&e, 126);
		expect_said(&e, "#!");
		run(&e, NULL, ARGV(spawnfd, "--empty-mntns", ways[i], "none"));
		expect_refusal(&e, 127);
		expect_said(&e, "none: not found in PATH");
	}
	free(dynamic);
}

SystemTest(flags, mntns_of_an_ordinary_user)
{
	const struct way way = { .uid = USER };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--empty-mntns", actor, "look"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EPERM: CLONE_EMPTY_MNTNS takes "
		     "CAP_SYS_ADMIN\n");
	expect_said(&e, "--kill-tree");
	run(&e, &way, ARGV(spawnfd, "--empty-mntns", "--kill-tree", actor,
			   "look"));
	expect_nothing_but(&e, "fd 0\nfd 1\nfd 2\n", USER);
}

/* ---- by hand ---- */

/* --dry-run does not look for the file. */
SystemTest(usage, mntns_dry_run)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--dry-run", "--empty-mntns", "/none"));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "clone3({flags=CLONE_PIDFD|CLONE_EMPTY_MNTNS, "
				"exit_signal=SIGCHLD}, 88)\n");
}

SystemTest(flags, mntns_exact)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--exact", "--empty-mntns", actor, "look"));
	expect_nothing_but(&e, "fd 0\nfd 1\nfd 2\n", 0);
	reap_orphans();
}

/* With the raw flag spawnfd opens no file first, so none can be found. */
SystemTest(flags, mntns_by_its_bit)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--raw-flags=1<<37", actor, "look"));
	expect_refusal(&e, 127);
}
