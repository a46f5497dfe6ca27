/* SPDX-License-Identifier: MIT */
/*
 * --status-fd, --pid-file, --pass and --receive where 0, 1 and 2 are closed:
 * spawnfd writes nothing to a descriptor that happens to get such a number.
 */
#include "harness.h"
#include "reports.h"
#include "sockets.h"

#include <sys/socket.h>

/* Files that spawnfd opens get these numbers, but must not get its messages. */
EVERY_WAY_WITH(reports_with_standard_descriptors_closed, COMPARES_STATUS_LINES)
{
	const char *path = scratch_path("pid");

	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines = { 0 };
		struct running r;
		struct ended e;
		pid_t pid;
		int ours;

		start_told(&r, &scene, &ours,
			   ARGV(spawnfd, STATUS, "-v", "--pid-file=pid", with,
				actor, "let-go"));
		take_line(ours, &lines);
		pid = expect_some_running(&lines, 0);
		expect_pid(path, pid);
		kill(pid, SIGTERM);
		finish(&r, &e);
		expect_signal(&e, SIGTERM);
		cr_expect_str_eq(e.out, "");
		cr_expect(closed & 4 ? !*e.err : !!strstr(e.err, "clone3({"));
		take_lines(ours, &lines);
		cr_expect_eq(lines.count, 2);
		expect_line(&lines, 1, "{\"exit-code\":143,\"signal\":15,"
			    "\"core-dumped\":false}\n");
		cr_expect_not(exists(path));
		close(ours);
	}
}

EVERY_WAY(failures_with_standard_descriptors_closed)
{
	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines;
		struct ended e;
		int entries = count_files(scratch(), "");

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=pid", with,
			      "/none"));
		expect_exit(&e, 127);
		cr_expect_eq(lines.count, 1);
		expect_line(&lines, 0, "{\"exit-code\":127,\"error\":\"exec\","
			    "\"errno\":\"ENOENT\"}\n");
		cr_expect_eq(count_files(scratch(), ""), entries);

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=none/pid",
			      with, actor, "let-go"));
		expect_exit(&e, 125);
		cr_expect_eq(lines.count, 1);
		nothing_left();
	}
}

/* Reads a message, and expects the end of file after it. */
static void expect_one_message(int socket)
{
	char bytes[4096];
	ssize_t n = read(socket, bytes, sizeof(bytes) - 1);

	cr_assert_gt(n, 0, "no message");
	bytes[n] = '\0';
	cr_expect_eq(strncmp(bytes, "{\"pid\":", 7), 0, "%s", bytes);
	cr_expect_eq(strchr(bytes, '\n'), bytes + n - 1, "%s", bytes);
	await_events(socket, POLLIN);
	cr_expect_eq(read(socket, bytes, sizeof(bytes)), 0, "one more");
}

/* An inherited socket and one at a path get the message and nothing else. */
EVERY_WAY_WITH(passes_nothing_else_with_standard_descriptors_closed,
	       PASSES_AUTOKILL)
{
	int listener = move_fd_up(listen_at(scratch_path("listener"),
				     SOCK_SEQPACKET));

	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines;
		struct ended e;
		int ours;

		open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=pid", TO_PEER,
			      with, actor, "exit", "0"));
		expect_exit(&e, 0);
		cr_expect_eq(lines.count, 1);
		close(scene.peer);
		scene.peer = 0;
		expect_one_message(ours);
		close(ours);

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=pid",
			      "--pass=listener", with, actor, "exit", "0"));
		expect_exit(&e, 0);
		expect_pid(scratch_path("pid"),
			   expect_some_running(&lines, 0));
		ours = move_fd_up(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		expect_one_message(ours);
		close(ours);
		reap_orphans();
	}
	close(listener);
}

/* --receive sends nothing to the sender: the sender sees the end of file. */
SystemTest(flags, receives_in_silence_with_standard_descriptors_closed)
{
	const char *path = scratch_path("pid");

	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines = { 0 };
		struct running sender, r;
		struct ended e;
		int ours, status;
		pid_t pid;

		open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
		start_told(&r, &scene, &status,
			   ARGV(spawnfd, STATUS, "-v", "--pid-file=pid",
				FROM_PEER));
		close(scene.peer);
		take_line(status, &lines);
		send_to(ours, &sender, "--autokill", "let-go", NULL);
		take_line(status, &lines);
		pid = expect_some_running(&lines, 1);
		expect_pid(path, pid);
		expect_end_of_file(ours);
		close(ours);
		kill(pid, SIGTERM);
		expect_exits(&sender, 0);
		finish(&r, &e);
		expect_signal(&e, SIGTERM);
		cr_expect_str_eq(e.out, "");
		take_lines(status, &lines);
		cr_expect_eq(lines.count, 3);
		cr_expect_not(exists(path));
		close(status);
	}
}
