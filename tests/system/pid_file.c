/* SPDX-License-Identifier: MIT */
/*
 * --pid-file: nobody sees the file half written, and spawnfd removes it when
 * COMMAND has ended.
 */
#include "harness.h"
#include "reports.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- the pid file ---- */

/*
 * Starts a spawnfd that holds "actor let-go 7", and waits for its first status
 * line. *ours is the test's end of the status pipe.
 */
static pid_t start_held(struct running *r, struct scene *scene,
			const char *option, const char *with, int *ours)
{
	struct lines lines = { 0 };

	start_told(r, scene, ours, ARGV(spawnfd, STATUS, option, with, actor,
					"let-go", "7"));
	take_line(*ours, &lines);
	return expect_some_running(&lines, 0);
}

static void end_held(struct running *r, int ours, pid_t command)
{
	kill(command, SIGTERM);
	expect_dies(r, SIGTERM);
	close(ours);
}

EVERY_WAY_WITH(pid_file_is_there_while_it_holds, COMPARES_STATUS_LINES)
{
	static const mode_t masks[] = { 022, 077, 0137, 0777 };
	const char *path = scratch_path("pid");
	int entries = count_files(scratch(), "");

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		struct scene scene = { .mask = masks[i] };
		struct running r;
		struct stat st;
		pid_t command;
		int ours;

		command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
		expect_pid(path, command);
		cr_assert_eq(stat(path, &st), 0);
		cr_expect_eq(st.st_mode & 07777, 0644 & ~masks[i], "%o",
			     st.st_mode);
		cr_expect_eq(count_files(scratch(), ""), entries + 1);
		end_held(&r, ours, command);
		cr_expect_not(exists(path), "it is still there");
		cr_expect_eq(count_files(scratch(), ""), entries);
	}
}

/*
 * The new file takes the name by a rename. The older file stays as it is for
 * those that have it open or have another link to it.
 */
EVERY_WAY_WITH(pid_file_replaces_an_older_one, COMPARES_STATUS_LINES)
{
	const char *path = scratch_path("pid"), *old = scratch_path("old");
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours;

	write_file(path, "older and longer than a pid\n", 0400);
	cr_assert_eq(link(path, old), 0);
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	expect_pid(path, command);
	expect_content(old, "older and longer than a pid\n");
	end_held(&r, ours, command);
	cr_expect_not(exists(path));
	expect_content(old, "older and longer than a pid\n");
}

EVERY_WAY_WITH(pid_file_of_somebody_else_is_not_removed, COMPARES_STATUS_LINES)
{
	const char *path = scratch_path("pid"), *other = scratch_path("other");
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours;

	/* Somebody renames another file over the pid file. */
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	write_file(other, "1\n", 0644);
	cr_assert_eq(rename(other, path), 0);
	end_held(&r, ours, command);
	expect_content(path, "1\n");

	/* Somebody removes the pid file and makes another one. */
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	cr_assert_eq(link(path, other), 0);
	cr_assert_eq(unlink(path), 0);
	write_file(path, "2\n", 0644);
	end_held(&r, ours, command);
	expect_content(path, "2\n");

	/* Somebody removes the pid file. */
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	cr_assert_eq(unlink(path), 0);
	end_held(&r, ours, command);
	cr_expect_not(exists(path));
}

/* spawnfd keeps the directory open, and so finds it under any other name. */
EVERY_WAY_WITH(pid_file_is_removed_from_a_directory_that_moved,
	       COMPARES_STATUS_LINES)
{
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours;

	cr_assert_eq(mkdir(scratch_path("here"), 0755), 0);
	command = start_held(&r, &scene, "--pid-file=here/pid", with, &ours);
	cr_assert_eq(rename(scratch_path("here"), scratch_path("there")), 0);
	expect_pid(scratch_path("there/pid"), command);
	end_held(&r, ours, command);
	cr_expect_not(exists(scratch_path("there/pid")));
}

static void expect_left(const char *sink, const char *with)
{
	const char *path = scratch_path("pid");
	struct scene scene = { 0 };
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = &scene };
	int entries = count_files(scratch(), ""), ours;
	struct running r;
	pid_t pid;

	open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
	start(&r, &way, ARGV(spawnfd, "--pid-file=pid", sink, with, actor,
			     "echo"));
	close(scene.peer);
	pid = read_pid(r.out);
	cr_expect_eq(await_end(&r), 0);
	ping(&r);
	expect_pid(path, pid);
	cr_expect_eq(count_files(scratch(), ""), entries + 1);
	close(r.in);
	expect_end_of_file(r.out);
	close(r.out);
	close(r.err);
	close(r.pidfd);
	close(ours);
	reap_orphans();
	expect_pid(path, pid);
	unlink(path);
}

EVERY_WAY_WITH(pid_file_stays_after_a_pass,
	       COMPARES_STATUS_LINES, KNOWS_PIDS)
{
	expect_left(TO_PEER, with);
}

SystemTest(plain, pid_file_stays_when_detached)
{
	expect_left("--detach", "--");
}

SystemTest(flags, pid_file_stays_when_detached)
{
	expect_left("--detach", "--autoreap");
}

SystemTest(flags, pid_file_of_a_received_process)
{
	const char *path = scratch_path("pid");
	struct scene scene = { 0 };
	struct lines lines = { 0 };
	struct running sender, r;
	struct ended e;
	int ours, status;
	pid_t pid;

	open_far_pair(SOCK_STREAM, &ours, &scene.peer);
	start_told(&r, &scene, &status, ARGV(spawnfd, STATUS, FROM_PEER,
					     "--pid-file=pid"));
	close(scene.peer);
	take_line(status, &lines);
	cr_expect_not(exists(path), "it is there too early");
	send_to(ours, &sender, "--autokill", "echo", NULL);
	close(ours);
	pid = read_pid(sender.out);
	take_line(status, &lines);
	expect_pid(path, pid);
	end_input(&sender);
	finish(&sender, &e);
	end_input(&r);
	expect_exits(&r, 0);
	cr_expect_not(exists(path));
	close(status);
}

/* ---- never half written ---- */

/* Watches the scratch directory; see events_of(). */
static int watch(void)
{
	int fd = move_fd_up(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));

	cr_assert_geq(inotify_add_watch(fd, scratch(), IN_CREATE | IN_MODIFY |
					IN_ATTRIB | IN_MOVE | IN_DELETE), 0);
	return fd;
}

static uint32_t events_of(int fd, const char *name)
{
	_Alignas(struct inotify_event) char bytes[16384];
	uint32_t seen = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (char *at = bytes; at < bytes + n;) {
			struct inotify_event *event = (void *)at;

			if (event->len && strcmp(event->name, name) == 0)
				seen |= event->mask;
			at += sizeof(*event) + event->len;
		}
	return seen;
}

/* The file gets its name when it is complete; no write or chmod(2) follows. */
EVERY_WAY_WITH(pid_file_appears_by_rename, COMPARES_STATUS_LINES)
{
	static const struct { const char *verb, *number; } ends[] = {
		{ "exit", "42" }, { "die", "9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct scene scene = { 0 };
		struct lines lines;
		struct ended e;
		int fd = watch();

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "--pid-file=pid", with, actor,
			      ends[i].verb, ends[i].number));
		cr_expect_eq(events_of(fd, "pid"), IN_MOVED_TO | IN_DELETE);
		close(fd);
	}
}

/* A file that was there before is not touched either. */
EVERY_WAY_WITH(pid_file_is_not_there_for_what_was_not_executed,
	       COMPARES_STATUS_LINES)
{
	static const struct { const char *command; int code; } commands[] = {
		{ "/none", 127 }, { "/", 126 }, { "none", 127 },
	};
	const char *path = scratch_path("pid");

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		for (int old = 0; old < 2; old++) {
			struct scene scene = { 0 };
			struct lines lines;
			struct ended e;
			int fd, entries;

			if (old)
				write_file(path, "old\n", 0644);
			entries = count_files(scratch(), "");
			fd = watch();
			run_told(&e, &lines, &scene,
				 ARGV(spawnfd, STATUS, "--pid-file=pid", with,
				      commands[i].command));
			expect_refusal(&e, commands[i].code);
			cr_expect_eq(events_of(fd, "pid"), 0);
			cr_expect_eq(count_files(scratch(), ""), entries);
			if (old)
				expect_content(path, "old\n");
			unlink(path);
			close(fd);
		}
}

/* The pid file appears before the message, which then cannot be sent. */
EVERY_WAY_WITH(pid_file_is_taken_back_when_the_send_fails,
	       COMPARES_STATUS_LINES)
{
	for (int full = 0; full < 2; full++) {
		struct scene scene = { 0 };
		struct lines lines;
		struct ended e;
		int ours, fd = watch(), entries = count_files(scratch(), "");

		open_far_pair(SOCK_STREAM, &ours, &scene.peer);
		if (full)
			fill(scene.peer);
		else
			close(ours);
		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "--pid-file=pid", TO_PEER, with,
			      actor, "let-go"));
		expect_refusal(&e, 125);
		cr_expect_eq(lines.count, 1, "%zu lines", lines.count);
		cr_expect_eq(events_of(fd, "pid"), IN_MOVED_TO | IN_DELETE);
		cr_expect_eq(count_files(scratch(), ""), entries);
		nothing_left();
		close(scene.peer);
		if (full)
			close(ours);
		close(fd);
	}
}

/* Reads the file until it has the wanted text; before, it has the old one. */
static void read_until(const char *path, const char *old, const char *wanted)
{
	char text[64];
	int fd;

	do {
		ssize_t n;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert_geq(fd, 0, "not there: %s", strerror(errno));
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		close(fd);
		cr_assert(!strcmp(text, old) || !strcmp(text, wanted),
			  "neither %s nor %s: %s", old, wanted, text);
	} while (strcmp(text, wanted) != 0);
}

/* A reader that opens the file at any time finds the old or the new text. */
EVERY_WAY_WITH(pid_file_is_whole_for_a_reader_that_looks_all_the_time,
	       COMPARES_STATUS_LINES, KNOWS_PIDS)
{
	const char *path = scratch_path("pid");
	const struct way way = { .dir = scratch() };

	for (int i = 0; i < often(200); i++) {
		struct running r;
		char wanted[32];

		write_file(path, "old\n", 0644);
		start(&r, &way, ARGV(spawnfd, "--pid-file=pid", with, actor,
				     "echo"));
		snprintf(wanted, sizeof(wanted), "%d\n", read_pid(r.out));
		read_until(path, "old\n", wanted);
		end_input(&r);
		expect_exits(&r, 0);
		cr_expect_not(exists(path));
	}
}

/* ---- places where no pid file can be ---- */

static const char long_name[] =
	"--pid-file="
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

static const struct misplaced {
	const char *option;
	const char *error;
} misplaced[] = {
	{ "--pid-file=.", "EISDIR" },
	{ "--pid-file=..", "EISDIR" },
	{ "--pid-file=/", "EISDIR" },
	{ "--pid-file=dir/", "EISDIR" },
	{ "--pid-file=file/", "EISDIR" },
	{ "--pid-file=dir/..", "EISDIR" },
	{ "--pid-file=none/pid", "ENOENT" },
	{ "--pid-file=file/pid", "ENOTDIR" },
	{ "--pid-file=loop/pid", "ELOOP" },
	{ "--pid-file=dir", "EEXIST" },
	{ "--pid-file=device", "EEXIST" },
	{ "--pid-file=fifo", "EEXIST" },
	{ "--pid-file=socket", "EEXIST" },
	{ "--pid-file=link", "EEXIST" },
	{ "--pid-file=dangling", "EEXIST" },
	{ "--pid-file=loop", "EEXIST" },
	{ "--pid-file=way", "EEXIST" },
	{ long_name, "ENAMETOOLONG" },
};

static void fill_directory(void)
{
	cr_assert_eq(mkdir(scratch_path("dir"), 0755), 0);
	write_file(scratch_path("file"), "content\n", 0644);
	cr_assert_eq(mknod(scratch_path("device"), S_IFCHR | 0666, 0x103), 0);
	cr_assert_eq(mkfifo(scratch_path("fifo"), 0666), 0);
	close(bind_to(scratch_path("socket"), SOCK_STREAM));
	cr_assert_eq(symlink("file", scratch_path("link")), 0);
	cr_assert_eq(symlink("none", scratch_path("dangling")), 0);
	cr_assert_eq(symlink("loop", scratch_path("loop")), 0);
	cr_assert_eq(symlink("dir", scratch_path("way")), 0);
}

/* Lists the names, types and link targets in the scratch directory. */
static void list_names(char *text, size_t size)
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "cd \"$0\" && ls -lAR .",
			   scratch()));
	expect_exit(&e, 0);
	snprintf(text, size, "%s", e.out);
}

static void expect_misplaced(const char *option, const char *error,
			     const char *sink, const char *with, uid_t uid)
{
	struct scene scene = { 0 };
	const struct way way = { .uid = uid, .dir = scratch(),
				 .prepare = set_scene, .arg = &scene };
	struct lines lines = { 0 };
	struct ended e;
	int peer, ours;
	char byte;

	open_far_pair(SOCK_SEQPACKET, &peer, &scene.peer);
	open_packets(&ours, &scene.status);
	run(&e, &way, ARGV(spawnfd, STATUS, option, sink, with, actor,
			   "let-go"));
	close(scene.peer);
	close(scene.status);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --pid-file: ");
	nothing_left();
	cr_expect_eq(recv(peer, &byte, 1, 0), 0, "%s: a message", e.words);
	take_lines(ours, &lines);
	cr_expect_eq(lines.count, 1);
	expect_line(&lines, 0, "{\"exit-code\":125,\"error\":\"hold\","
		    "\"errno\":\"%s\"}\n", error);
	close(peer);
	close(ours);
}

/* After the refusal no command is left, and the directory is as it was. */
EVERY_WAY_WITH(pid_file_where_none_can_be, COMPARES_STATUS_LINES)
{
	static char before[16384], after[16384];

	fill_directory();
	list_names(before, sizeof(before));
	for (size_t i = 0; i < ARRAY_SIZE(misplaced); i++) {
		const struct misplaced *m = &misplaced[i];

		expect_misplaced(m->option, m->error, HOLD, with, 0);
		expect_misplaced(m->option, m->error, TO_PEER, with, 0);
		if (strcmp(with, "--autokill") != 0)
			expect_misplaced(m->option, m->error, "--detach", with,
					 0);
		list_names(after, sizeof(after));
		cr_expect_str_eq(after, before, "%s", m->option);
	}
}

/* spawnfd checks the place before it starts COMMAND. */
EVERY_WAY(pid_file_where_none_can_be_starts_nothing)
{
	static const char *const places[] = {
		"/nonexistent/pid", "/dev/null", "/proc/self/exe", "/", "/tmp",
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct ended e;

		run(&e, NULL, ARGV(spawnfd, joined("--pid-file=", places[i]),
				   with, "/bin/sh", "-c", "echo ran"));
		expect_refusal(&e, 125);
	}
}

EVERY_WAY_WITH(pid_file_where_one_may_not_write, COMPARES_STATUS_LINES)
{
	expect_misplaced("--pid-file=pid", "EACCES", HOLD, with, NOBODY);
	expect_misplaced("--pid-file=pid", "EACCES", TO_PEER, with, NOBODY);
	cr_assert_eq(mkdir(scratch_path("closed"), 0700), 0);
	expect_misplaced("--pid-file=closed/pid", "EACCES", HOLD, with, NOBODY);
}

/* In a sticky directory nobody can replace the file of another user. */
EVERY_WAY_WITH(pid_file_in_place_of_a_file_that_one_may_not_replace,
	       COMPARES_STATUS_LINES)
{
	cr_assert_eq(chmod(scratch(), 01777), 0);
	write_file(scratch_path("pid"), "root's\n", 0666);
	expect_misplaced("--pid-file=pid", "EPERM", HOLD, with, NOBODY);
	expect_misplaced("--pid-file=pid", "EPERM", TO_PEER, with, NOBODY);
	expect_content(scratch_path("pid"), "root's\n");
	cr_expect_eq(count_files(scratch(), ""), 1);
}

/*
 * A limit of 0 or 1 byte for files acts as a full disk. It leaves no part of a
 * file and no command.
 */
EVERY_WAY_WITH(pid_file_that_cannot_be_written, COMPARES_STATUS_LINES)
{
	struct scene scene = { .limited = true };
	struct lines lines;
	struct ended e;
	int entries = count_files(scratch(), "");

	for (scene.size = 0; scene.size < 2; scene.size++) {
		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "--pid-file=pid", with, actor,
			      "let-go"));
		expect_refusal(&e, 125);
		expect_line(&lines, 0, "{\"exit-code\":125,\"error\":\"hold\","
			    "\"errno\":\"EFBIG\"}\n");
		cr_expect_eq(count_files(scratch(), ""), entries);
		nothing_left();
	}
}

static void expect_fits(const char *with, const char *path)
{
	char option[PATH_MAX + 32];
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours, dir = open(scratch(), O_PATH | O_CLOEXEC), fd;
	char text[64] = "", wanted[64];

	snprintf(option, sizeof(option), "--pid-file=%s", path);
	command = start_held(&r, &scene, option, with, &ours);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	snprintf(wanted, sizeof(wanted), "%d\n", command);
	cr_expect_str_eq(text, wanted);
	close(fd);
	end_held(&r, ours, command);
	cr_expect_eq(faccessat(dir, path, F_OK, 0), -1);
	close(dir);
}

EVERY_WAY_WITH(pid_file_with_a_long_name_and_a_long_path, COMPARES_STATUS_LINES)
{
	char path[PATH_MAX] = "";
	size_t length = 0;

	memset(path, 'n', NAME_MAX);
	path[NAME_MAX] = '\0';
	expect_fits(with, path);
	/* Fill the path with "./", but leave room for a name of 200 bytes. */
	while (length + 202 < PATH_MAX) {
		memcpy(path + length, "./", 2);
		length += 2;
	}
	memset(path + length, 'n', 200);
	path[length + 200] = '\0';
	expect_fits(with, path);
}
