/* SPDX-License-Identifier: MIT */
/*
 * --status-fd never holds spawnfd up. The descriptor can be full, without a
 * reader, or a stopped terminal: spawnfd neither waits for it nor dies of it.
 */
#include "harness.h"
#include "pty.h"
#include "reports.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

static void open_fifo(int *ours, int *theirs)
{
	const char *path = scratch_path("fifo");

	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	*ours = move_fd_up(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	*theirs = move_fd_up(open(path, O_WRONLY | O_CLOEXEC));
}

static void open_stream(int *ours, int *theirs)
{
	open_far_pair(SOCK_STREAM, ours, theirs);
}

static void open_seqpacket(int *ours, int *theirs)
{
	open_far_pair(SOCK_SEQPACKET, ours, theirs);
}

static void open_datagram(int *ours, int *theirs)
{
	open_far_pair(SOCK_DGRAM, ours, theirs);
}

static void open_terminal(int *ours, int *theirs)
{
	struct termios raw;
	char name[64];

	*ours = move_fd_up(open_pty(name, sizeof(name)));
	*theirs = move_fd_up(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
	cr_assert_eq(tcgetattr(*theirs, &raw), 0);
	cfmakeraw(&raw);
	cr_assert_eq(tcsetattr(*theirs, TCSANOW, &raw), 0);
}

static const struct outlet {
	const char *name;
	void (*open)(int *ours, int *theirs);
} outlets[] = {
	{ "pipe", open_plain_pipe },
	{ "packet pipe", open_packets },
	{ "FIFO", open_fifo },
	{ "stream socket", open_stream },
	{ "seqpacket socket", open_seqpacket },
	{ "datagram socket", open_datagram },
	{ "terminal", open_terminal },
};

/*
 * Reads all that is there, without waiting for more. Leaves FILLING out of the
 * text, and returns how much of it there was.
 */
static size_t drain(int ours, char *text, size_t size)
{
	char bytes[8192];
	size_t length = 0, filling = 0;
	ssize_t n;

	cr_assert_eq(fcntl(ours, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(ours, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == FILLING)
				filling++;
			else if (length < size - 1)
				text[length++] = bytes[i];
		}
	text[length] = '\0';
	return filling;
}

/* Runs spawnfd twice with `theirs` as FD, and expects that its flags stay. */
static void run_with(int theirs, uid_t uid, const char *with, const char *what)
{
	struct scene scene = { .status = theirs };
	const struct way way = { .uid = uid, .prepare = set_scene,
				 .arg = &scene };
	int flags = fcntl(theirs, F_GETFL);
	struct ended e;

	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
	cr_expect_null(not_exited(&e, 42), "%s: %s", what, not_exited(&e, 42));
	cr_expect_str_eq(e.err, "", "%s", what);
	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "die", "15"));
	cr_expect_null(not_killed(&e, 15), "%s: %s", what, not_killed(&e, 15));
	cr_expect_eq(fcntl(theirs, F_GETFL), flags, "%s: other flags", what);
}

static void try_full(const struct outlet *outlet, const char *with, uid_t uid,
		     int flags)
{
	int ours, theirs, size;
	char text[4096];
	size_t before;

	outlet->open(&ours, &theirs);
	fill(theirs);
	before = 0;
	cr_assert_eq(fcntl(theirs, F_SETFL, flags | (fcntl(theirs, F_GETFL) &
		     (O_ACCMODE | O_DIRECT))), 0);
	size = (int)sizeof(text);
	run_with(theirs, uid, with, outlet->name);
	close(theirs);
	before = drain(ours, text, (size_t)size);
	cr_expect_gt(before, 0, "%s: it was not full", outlet->name);
	cr_expect_str_eq(text, "", "%s: full, but there is %s", outlet->name,
			 text);
	close(ours);
}

/* A line that finds no room is lost. The status of COMMAND is not. */
EVERY_WAY(a_full_status_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++) {
		try_full(&outlets[i], with, 0, 0);
		try_full(&outlets[i], with, 0, O_NONBLOCK);
		try_full(&outlets[i], with, NOBODY, 0);
	}
}

static void try_nearly_full(const struct outlet *outlet, size_t room,
			    uid_t uid, int flags)
{
	int ours, theirs;
	char what[64], text[8192];

	outlet->open(&ours, &theirs);
	if (outlet->open == open_plain_pipe || outlet->open == open_fifo)
		fcntl(theirs, F_SETPIPE_SZ, 4096);
	fill(theirs);
	cr_assert_gt(read(ours, text, room), 0);
	cr_assert_eq(fcntl(theirs, F_SETFL, flags | (fcntl(theirs, F_GETFL) &
		     (O_ACCMODE | O_DIRECT))), 0);
	snprintf(what, sizeof(what), "%s with room for %zu, uid %u",
		 outlet->name, room, uid);
	run_once_with(theirs, uid, "--", what);
	close(theirs);
	drain(ours, text, sizeof(text));
	expect_whole_lines(text, what);
	close(ours);
}

/* There is room for more than a line, for less, or a byte: no line is cut. */
SystemTest(plain, a_nearly_full_status_fd)
{
	static const size_t rooms[] = { 1, 10, 16, 17, 40, 60, 100, 255, 256,
					300, 1000, 4095, 4096, 8000 };

	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rooms); j++) {
			try_nearly_full(&outlets[i], rooms[j], 0, 0);
			try_nearly_full(&outlets[i], rooms[j], 0, O_NONBLOCK);
			try_nearly_full(&outlets[i], rooms[j], NOBODY, 0);
		}
}

/* The pipe has one page. A few bytes at its end are free, but no other slot. */
SystemTest(plain, a_pipe_with_less_than_a_line_of_room)
{
	static const size_t rooms[] = { 1, 5, 15, 16, 17, 30, 41, 60 };
	char bytes[4096], text[4096];

	memset(bytes, FILLING, sizeof(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
		for (int fifo = 0; fifo < 2; fifo++) {
			size_t filling = sizeof(bytes) - rooms[i];
			int ours, theirs;

			(fifo ? open_fifo : open_plain_pipe)(&ours, &theirs);
			cr_assert_eq(fcntl(theirs, F_SETPIPE_SZ, 4096), 4096);
			cr_assert_eq(write(theirs, bytes, filling),
				     (ssize_t)filling);
			run_once_with(theirs, 0, "--", "nearly full pipe");
			close(theirs);
			cr_expect_eq(drain(ours, text, sizeof(text)), filling);
			expect_whole_lines(text, "nearly full pipe");
			close(ours);
		}
}

/* Writes the longest line there is: the address takes 3000 bytes of it. */
static void try_long_line(const struct outlet *outlet, size_t room)
{
	char option[4096] = "--receive=", text[16384];
	struct scene scene = { 0 };
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = &scene };
	const int tiny = 1;
	int ours;
	struct ended e;

	for (int i = 0; i < 1500; i++)
		strcat(option, "./");
	strcat(option, "socket");
	outlet->open(&ours, &scene.status);
	setsockopt(scene.status, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof(tiny));
	if (room) {
		fill(scene.status);
		cr_assert_gt(read(ours, text, room), 0);
	}
	run(&e, &way, ARGV(spawnfd, STATUS, "--wait=1ms", option));
	expect_refusal(&e, 125);
	close(scene.status);
	drain(ours, text, sizeof(text));
	expect_whole_lines(text, outlet->name);
	close(ours);
}

SystemTest(plain, a_long_line)
{
	static const size_t rooms[] = { 0, 1, 100, 300, 2000, 2500, 4000 };

	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rooms); j++)
			try_long_line(&outlets[i], rooms[j]);
}

/* Where there is room, the lines come: so the tests above can fail. */
EVERY_WAY(an_empty_status_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++)
		for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
			int ours, theirs, all;
			char text[4096];

			outlets[i].open(&ours, &theirs);
			all = fcntl(theirs, F_GETFL);
			fcntl(theirs, F_SETFL, all | flags);
			run_once_with(theirs, 0, with, outlets[i].name);
			close(theirs);
			cr_expect_eq(drain(ours, text, sizeof(text)), 0);
			expect_whole_lines(text, outlets[i].name);
			cr_expect_not_null(strstr(text, "}\n{\"exit-code\""),
					   "%s: %s", outlets[i].name, text);
			close(ours);
		}
}

EVERY_WAY(a_status_fd_whose_reader_is_gone)
{
	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++) {
		int ours, theirs;

		outlets[i].open(&ours, &theirs);
		close(ours);
		run_with(theirs, 0, with, outlets[i].name);
		fcntl(theirs, F_SETFL, fcntl(theirs, F_GETFL) | O_NONBLOCK);
		run_with(theirs, NOBODY, with, outlets[i].name);
		close(theirs);
	}
}

/* tcflow(3) stops the output, as Ctrl-S does. */
EVERY_WAY_WITH(a_terminal_whose_output_is_stopped, ALSO_UNDER(TREE_OF_USER))
{
	static const uid_t users[] = { 0, NOBODY };

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		int ours, theirs;
		char text[4096];

		open_terminal(&ours, &theirs);
		cr_assert_eq(tcflow(theirs, TCOOFF), 0);
		run_with(theirs, users[i], with, "stopped terminal");
		cr_assert_eq(tcflow(theirs, TCOON), 0);
		cr_expect_eq(drain(ours, text, sizeof(text)), 0);
		cr_expect_str_eq(text, "", "came later: %s", text);
		close(theirs);
		close(ours);
	}
}

/* Makes a session, with the terminal that is FD as its controlling terminal. */
static void lead_session_of_fd(const void *arg)
{
	const struct scene *scene = arg;

	set_scene(scene);
	if (setsid() < 0 || ioctl(FD, TIOCSCTTY, 0))
		_exit(96);
}

#define JOB "stty -F /dev/tty tostop; set -m; \"$@\" & wait $!"

/* With tostop, a background job that writes to the terminal stops: stty(1). */
EVERY_WAY_WITH(a_terminal_that_stops_jobs_in_the_background,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct scene scene = { 0 };
	const struct way way = { .prepare = lead_session_of_fd, .arg = &scene };
	struct ended e;
	int ours;

	open_terminal(&ours, &scene.status);
	run(&e, &way, ARGV("/bin/bash", "-c", JOB, "bash", spawnfd, STATUS,
			   with, actor, "exit", "42"));
	expect_exit(&e, 42);
	close(scene.status);
	close(ours);
}

EVERY_WAY(devices_as_a_status_fd)
{
	static const char *const paths[] = { "/dev/full", "/dev/null",
					     "/dev/zero" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = move_fd_up(open(paths[i], O_WRONLY | O_CLOEXEC));

		run_with(fd, 0, with, paths[i]);
		run_with(fd, NOBODY, with, paths[i]);
		close(fd);
	}
}
