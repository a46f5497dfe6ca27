/* SPDX-License-Identifier: MIT */
/*
 * The pidfd of an autokill command in the hands of spawnfd: a process of the
 * same user cannot copy it, and so cannot keep the command alive. Root can.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define TRIED 21		/* the descriptors that "actor grab" tries */

static const struct way nobody = { .uid = NOBODY };

/* Reads what "actor grab" says; gives how many descriptors it has copied. */
static int read_copied(int fd)
{
	char line[128];
	int copied, refused;

	read_line(fd, line, sizeof(line));
	cr_assert_eq(sscanf(line, "copied %d, refused %d", &copied, &refused),
		     2, "%s", line);
	cr_assert(copied ? !refused : refused == TRIED, "%s", line);
	return copied;
}

/* Gives how many descriptors another process of NOBODY copies from pid. */
static int copies_from(pid_t pid)
{
	struct running r;
	char word[16];
	int copied;

	snprintf(word, sizeof(word), "%d", pid);
	start(&r, &nobody, ARGV(actor, "grab", word));
	copied = read_copied(r.out);
	end_input(&r);
	expect_exits(&r, 0);
	return copied;
}

/* Starts spawnfd with "actor grab"; gives how many descriptors it copied. */
static int start_grab(struct running *r, const struct way *way,
		      const char *const argv[])
{
	start(r, way, argv);
	return read_copied(r->out);
}

static void end_grab(struct running *r)
{
	end_input(r);
	expect_exits(r, 0);
}

/* ---- who cannot ---- */

SystemTest(flags, a_command_of_a_user_gets_no_copy)
{
	struct running r;
	int command;

	cr_expect_eq(start_grab(&r, &nobody, ARGV(spawnfd, "--autokill", actor,
						  "grab")), 0);
	command = open_pidfd(read_pid(r.out));
	cr_expect_eq(copies_from(r.pid), 0);
	kill(r.pid, SIGKILL);
	await_end(&r);
	await_events(command, POLLHUP);
	close(command);
	close_running(&r);
	nothing_left();
}

/*
 * Not even right after its exec, whether the child shares spawnfd's memory or
 * not, and while spawnfd sends the message of --pass.
 */
SystemTest(flags, a_command_of_a_user_never_gets_a_copy)
{
	static const char *const options[] = { "--pidfd", "--timeout=1h",
					       "--pass=fd:10" };
	const int n = often(50);
	int ends[2];
	struct inheritance theirs = { .as = 10 };
	const struct way way = {
		.uid = NOBODY, .prepare = inherit, .arg = &theirs,
	};

	open_pair(SOCK_DGRAM, ends);
	theirs.fd = ends[1];
	for (int i = 0; i < n; i++) {
		struct running r;
		struct message m;

		cr_expect_eq(start_grab(&r, &way,
					ARGV(spawnfd, options[i % 3],
					     "--autokill", actor, "grab")), 0);
		end_grab(&r);
		if (i % 3 < 2)
			continue;
		await_message(ends[0], &m);
		close(m.pidfd);
	}
	close(ends[0]);
	close(ends[1]);
}

/* COMMAND tries its init; another process tries spawnfd and the init. */
SystemTest(flags, a_tree_of_a_user_gets_no_copy)
{
	static const char *const with[] = { "--pidfd", "--autokill" };

	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		struct running r;

		cr_expect_eq(start_grab(&r, &nobody,
					ARGV(spawnfd, with[i], "--kill-tree",
					     actor, "grab")), 0);
		read_pid(r.out);
		cr_expect_eq(copies_from(r.pid), 0, "%s", r.words);
		/* The user has all capabilities in the tree's namespace. */
		cr_expect_eq(copies_from(child_of(r.pid)), 0, "%s",
			     r.words);
		end_grab(&r);
	}
}

/* ---- root without CAP_SYS_PTRACE ---- */

static void drop_capabilities(const void *arg)
{
	(void)arg;
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) ||
	    prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE))
		_exit(96);
}

/* Such a COMMAND has all capabilities in the user namespace of the tree. */
SystemTest(flags, a_tree_of_root_without_capabilities_gets_no_copy)
{
	static const char *const with[] = { "--pidfd", "--autokill" };
	const struct way way = { .prepare = drop_capabilities };

	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		struct running r;

		cr_expect_eq(start_grab(&r, &way,
					ARGV(spawnfd, with[i], "--kill-tree",
					     actor, "grab")), 0);
		end_grab(&r);
	}
}

/* ---- receivers ---- */

static void expect_none_from(struct receiver *v)
{
	cr_expect_eq(copies_from(v->r.pid), 0, "%s", v->r.words);
}

/* A receiver is tried before it has the message and after that. */
SystemTest(flags, a_receiver_of_a_user_gives_no_copy)
{
	const struct setup setup = { .uid = NOBODY };
	struct receiver relay, last;
	struct running p;

	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	receive_at(&last, &setup, at_home("b"));
	start_receiver(&relay, &setup, ARGV(spawnfd, STATUS, RECEIVE(sock()),
					    PASS(at_home("b"))));
	await_listening(&relay);
	expect_none_from(&last);
	expect_none_from(&relay);
	pass_echo(&p, NOBODY, sock());
	await_received(&relay);
	expect_quiet_end(&relay, 0);
	await_received(&last);
	expect_none_from(&last);
	end_input(&p);
	expect_taken(&last, 0);
	close_running(&p);
}

/* ---- who can ---- */

static bool yama_forbids(void)
{
	static const char scope[] = "/proc/sys/kernel/yama/ptrace_scope";
	char text[16] = "0";

	if (exists(scope))
		read_file(scope, text, sizeof(text));
	return *text != '0';
}

/* This test shows that the tests above would see a copy. */
SystemTest(flags, a_holder_without_autokill_gives_a_copy)
{
	struct running r;

	if (yama_forbids()) {
		not_tested("a copy by COMMAND", "ptrace_scope forbids it");
		return;
	}
	cr_expect_gt(start_grab(&r, &nobody, ARGV(spawnfd, "--autoreap", actor,
						  "grab")), 0);
	read_pid(r.out);
	cr_expect_gt(copies_from(r.pid), 0);
	end_grab(&r);
}

SystemTest(flags, a_command_of_root_gets_a_copy_and_lives_on)
{
	struct running r;
	int command;

	cr_expect_gt(start_grab(&r, NULL, ARGV(spawnfd, "--autokill", actor,
					       "grab")), 0);
	command = open_pidfd(read_pid(r.out));
	kill(r.pid, SIGKILL);
	await_end(&r);
	ping(&r);
	end_input(&r);
	await_events(command, POLLIN);
	close(command);
	close_running(&r);
	nothing_left();
}

/* ---- what works as before ---- */

/* COMMAND is as dumpable as ever, and has its own files in /proc. */
SystemTestWith(flags, a_command_can_open_its_files_in_proc,
	       ALSO_UNDER(TREE | TREE_OF_USER | FALLBACK))
{
	static const char *const with[] = { "--pidfd", "--timeout=1h" };

	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		struct ended e;

		run(&e, &nobody, ARGV(spawnfd, "--autokill", with[i], actor,
				      "show", "1"));
		expect_exit(&e, 0);
		cr_expect_not_null(strstr(e.out, ", dumpable 1,"), "%s", e.out);
		cr_expect_not_null(strstr(e.out, "fd 0 is pipe"), "%s", e.out);
	}
}

static void inherit_fifo(const void *arg)
{
	int fd = open(arg, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		_exit(96);
	inherit_as(fd, STATUS_FD);
}

/* For the lines, spawnfd opens the FIFO again through its /proc/self/fd. */
static void expect_reports(const struct way *way, int fifo, const char *with)
{
	const char *file = joined("--pid-file=", at_home("pid"));
	char line[256], text[32];
	struct running r;
	int pid;

	start(&r, way, ARGV(spawnfd, STATUS, file, "--autokill", with, actor,
			    "echo"));
	read_line(fifo, line, sizeof(line));
	cr_assert_eq(sscanf(line, "{\"child-pid\":%d,", &pid), 1, "%s", line);
	read_pid(r.out);
	cr_expect_eq(pid, child_of(r.pid));
	read_file(at_home("pid"), text, sizeof(text));
	cr_expect_eq(atoi(text), pid);
	end_input(&r);
	read_line(fifo, line, sizeof(line));
	cr_expect(begins(line, "{\"exit-code\":0"), "%s", line);
	expect_exits(&r, 0);
	expect_home(0);
}

SystemTest(flags, a_guarded_spawnfd_reports_to_a_fifo_and_a_pid_file)
{
	const char *path = scratch_path("fifo");
	const struct way way = {
		.uid = NOBODY, .prepare = inherit_fifo, .arg = path,
	};
	int fifo;

	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(chown(path, NOBODY, NOBODY), 0);
	fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_assert_geq(fifo, 0);
	expect_reports(&way, fifo, "--pidfd");
	expect_reports(&way, fifo, "--kill-tree");
	close(fifo);
}

/* strace(1) sees no memory of a guarded spawnfd, and sees its calls. */
SystemTest(flags, a_user_can_trace_spawnfd_from_its_start)
{
	static const char *const with[] = { "--pidfd", "--kill-tree" };

	for (size_t i = 0; i < ARRAY_SIZE(with); i++) {
		struct ended e;

		run(&e, &nobody, ARGV("/usr/bin/env", "strace", "-f", "-e",
				      "trace=prctl,exit_group", spawnfd,
				      "--autokill", with[i], actor, "exit",
				      "42"));
		expect_exit(&e, 42);
		expect_said(&e, "prctl(PR_SET_DUMPABLE");
		expect_said(&e, "exit_group(42");
	}
}
