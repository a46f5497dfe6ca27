/* SPDX-License-Identifier: MIT */
/*
 * The descriptor of --status-fd: which descriptors spawnfd accepts, which
 * process has it and how long, and lines that are appended to regular files.
 */
#include "harness.h"
#include "reports.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- which descriptors spawnfd accepts, and who has them ---- */

static void expect_unusable(struct scene *scene, const char *option)
{
	static const char *const sinks[] = { HOLD, "--detach", TO_PEER };
	const struct way way = { .prepare = set_scene, .arg = scene };
	const char *mark = scratch_path("mark");
	const char *begun = joined("spawnfd: --status-fd: ",
				   strchr(option, '=') + 1);
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(sinks); i++) {
		run(&e, &way, ARGV(spawnfd, option, sinks[i], actor, "mark",
				   mark));
		expect_refusal(&e, 125);
		expect_begun(&e, begun);
		cr_expect_not(exists(mark), "%s ran it", e.words);
	}
	run(&e, &way, ARGV(spawnfd, option, "--receive=/none/socket"));
	expect_refusal(&e, 125);
	expect_begun(&e, begun);
}

SystemTest(usage, refuses_a_status_fd_that_cannot_be_written)
{
	static const int flags[] = { O_RDONLY, O_PATH,
				     O_RDONLY | O_NONBLOCK };
	struct scene scene = { 0 };
	int ours;

	open_far_pair(SOCK_STREAM, &ours, &scene.peer);
	expect_unusable(&scene, STATUS);		/* not open */
	expect_unusable(&scene, "--status-fd=2147483647");
	expect_unusable(&scene, "--status-fd=0");	/* read end of a pipe */
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		scene.status = move_fd_up(open("/dev/null",
					       flags[i] | O_CLOEXEC));
		expect_unusable(&scene, STATUS);
		close(scene.status);
	}
	close(scene.peer);
	close(ours);
}

/* COMMAND does not have FD, but has all other descriptors. */
EVERY_WAY(the_command_does_not_have_the_status_fd)
{
	struct scene scene = { 0 };
	const struct way way = { .prepare = set_scene, .arg = &scene };
	int ours;
	struct ended e;

	open_packets(&ours, &scene.status);
	scene.other = scene.status;
	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "show", "1"));
	expect_exit(&e, 0);
	cr_expect_null(strstr(e.out, "fd 5 is"), "%s", e.out);
	cr_expect_null(strstr(e.out, "pidfd"), "%s", e.out);
	for (const char *has = "0127"; *has; has++) {
		const char wanted[] = { 'f', 'd', ' ', *has, ' ', 'i', 's', 0 };

		cr_expect_not_null(strstr(e.out, wanted), "no %s", wanted);
	}
	close(scene.status);
	close(ours);
}

EVERY_WAY(the_command_shares_a_standard_descriptor)
{
	static const char *const options[] = { "--status-fd=1",
					       "--status-fd=2" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct ended e;
		const char *told;

		run(&e, NULL, ARGV(spawnfd, options[i], with, actor, "show",
				   i ? "1" : "2"));
		expect_exit(&e, 0);
		told = i ? e.err : e.out;
		cr_expect_eq(strncmp(told, "{\"child-pid\":", 13), 0, "%s",
			     told);
		cr_expect_not_null(strstr(told, "}\n{\"exit-code\":0}\n"),
				   "%s", told);
		for (const char *has = "012"; *has; has++) {
			const char wanted[] = { 'f', 'd', ' ', *has, ' ', 'i',
						's', 0 };

			cr_expect_not_null(strstr(i ? e.out : e.err, wanted),
					   "%s: no %s", options[i], wanted);
		}
	}
}

/* ---- regular files ---- */

static void expect_appended(const char *with, int flags)
{
	const char *path = scratch_path("log");
	char text[4096], wanted[4096];
	int pids[2], theirs, length = 0;
	unsigned long inodes[2];

	unlink(path);
	write_file(path, "before\n", 0600);
	theirs = move_fd_up(open(path, O_WRONLY | flags | O_CLOEXEC));
	cr_assert_eq(lseek(theirs, 0, SEEK_END), 7);
	run_once_with(theirs, 0, with, "file");
	run_once_with(theirs, NOBODY, with, "file");
	close(theirs);
	read_file(path, text, sizeof(text));
	hide_left(text);
	cr_assert_eq(sscanf(text, "before\n{\"child-pid\":%d,\"pidfd-inode\":"
			    "%lu}\n{\"exit-code\":42}\n{\"child-pid\":%d,"
			    "\"pidfd-inode\":%lu}\n", &pids[0], &inodes[0],
			    &pids[1], &inodes[1]), 4, "%s", text);
	for (int i = 0; i < 2; i++)
		length += snprintf(wanted + length, sizeof(wanted) -
				   (size_t)length, "%s{\"child-pid\":%d,"
				   "\"pidfd-inode\":%lu}\n{\"exit-code\":42}\n",
				   i ? "" : "before\n", pids[i], inodes[i]);
	cr_expect_str_eq(text, wanted);
}

EVERY_WAY_WITH(a_file_gets_the_lines_in_order, COMPARES_STATUS_LINES)
{
	expect_appended(with, 0);
	expect_appended(with, O_APPEND);
	expect_appended(with, O_APPEND | O_NONBLOCK);
}

/* The file may not grow further: spawnfd must not die of SIGXFSZ. */
EVERY_WAY(a_file_at_its_limit)
{
	struct scene scene = { .limited = true };
	const struct way way = { .prepare = set_scene, .arg = &scene };
	const char *path = scratch_path("log");
	struct stat st;
	struct ended e;

	write_file(path, "", 0600);
	scene.status = move_fd_up(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
	expect_exit(&e, 42);
	run(&e, &way, ARGV(spawnfd, STATUS, with, "/none"));
	expect_refusal(&e, 127);
	close(scene.status);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, 0);
}

EVERY_WAY(a_file_with_less_than_a_line_to_its_limit)
{
	static const rlim_t sizes[] = { 1, 10, 16, 17, 40, 50, 60, 70 };
	const char *path = scratch_path("log");

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct scene scene = { .limited = true, .size = sizes[i] };
		const struct way way = { .prepare = set_scene, .arg = &scene };
		struct ended e;
		char text[4096], what[64];

		unlink(path);
		write_file(path, "", 0600);
		scene.status = move_fd_up(open(path, O_WRONLY | O_APPEND |
					       O_CLOEXEC));
		run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
		expect_exit(&e, 42);
		close(scene.status);
		read_file(path, text, sizeof(text));
		snprintf(what, sizeof(what), "a file of %d bytes",
			 (int)sizes[i]);
		expect_whole_lines(text, what);
	}
}

/* ---- how long the descriptor stays open ---- */

static void expect_open(int fd, const char *what)
{
	struct pollfd p = { fd, POLLIN, 0 };

	cr_expect_eq(poll(&p, 1, 0), 0, "%s: end of file too early", what);
}

/* spawnfd keeps FD and no other inherited descriptor. */
EVERY_WAY_WITH(holds_the_status_fd_and_nothing_else, COMPARES_STATUS_LINES)
{
	struct scene scene = { 0 };
	struct lines lines = { 0 };
	struct running r;
	int ours, other;
	pid_t command;

	open_plain_pipe(&other, &scene.other);
	start_told(&r, &scene, &ours, ARGV(spawnfd, STATUS, with, actor,
					   "let-go", "7", "1"));
	close(scene.other);
	take_line(ours, &lines);
	command = expect_some_running(&lines, 0);
	expect_end_of_file(other);
	expect_end_of_file(r.out);
	expect_open(ours, "spawnfd holds");
	cr_expect_eq(child_of(r.pid), command);
	kill(command, SIGTERM);
	expect_dies(&r, SIGTERM);
	take_lines(ours, &lines);
	cr_expect_eq(lines.count, 2);
	close(other);
	close(ours);
}

/* spawnfd also keeps a standard descriptor that COMMAND has closed. */
EVERY_WAY(holds_a_standard_descriptor_that_is_the_status_fd)
{
	struct running r;
	struct ended e;
	char line[256];
	pid_t command = 0;

	start(&r, NULL, ARGV(spawnfd, "--status-fd=1", with, actor, "let-go",
			     "1", "0"));
	read_line(r.out, line, sizeof(line));
	sscanf(line, "{\"child-pid\":%d", &command);
	await_events(r.in, 0);	/* POLLERR: every read end is closed */
	expect_open(r.out, "spawnfd holds");
	cr_assert_gt(command, 0);
	kill(command, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	cr_expect_str_eq(e.out, "{\"exit-code\":143,\"signal\":15,"
			 "\"core-dumped\":false}\n");
}
