/* SPDX-License-Identifier: MIT */
#include "reports.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PEER 6			/* the N of fd:N */
#define OTHER 7			/* inherited, and of no use to spawnfd */

/* Makes a socket pair as NOBODY, whom SO_PEERCRED then names. */
static void open_foreign(void)
{
	int pair[2];

	if (seteuid(NOBODY) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    seteuid(0))
		_exit(96);
	inherit_as(pair[0], PEER);
	/* spawnfd inherits the other end too, so that it stays open. */
	inherit_as(pair[1], OTHER);
}

void set_scene(const void *arg)
{
	const struct scene *scene = arg;
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const struct rlimit size = { scene->size, scene->size };

	if (scene->status)
		inherit_as(scene->status, FD);
	if (scene->peer)
		inherit_as(scene->peer, PEER);
	if (scene->other)
		inherit_as(scene->other, OTHER);
	if (scene->foreign)
		open_foreign();
	if (scene->cores && setrlimit(RLIMIT_CORE, &all))
		_exit(96);
	if (scene->limited && setrlimit(RLIMIT_FSIZE, &size))
		_exit(96);
	if (scene->mask)
		umask(scene->mask);
	for (int fd = 0; fd < 3; fd++)
		if (scene->closed & (1U << fd))
			close(fd);
}

int move_fd_up(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	cr_assert_geq(copy, 0, "%s", strerror(errno));
	close(fd);
	return copy;
}

void open_far_pair(int type, int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	*ours = move_fd_up(fds[0]);
	*theirs = move_fd_up(fds[1]);
}

void open_packets(int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_DIRECT | O_CLOEXEC), 0);
	*ours = move_fd_up(fds[0]);
	*theirs = move_fd_up(fds[1]);
}

bool take_line(int fd, struct lines *lines)
{
	char *text = lines->text[lines->count];
	ssize_t n;

	cr_assert_lt(lines->count, LINES);
	await_events(fd, POLLIN);
	n = read(fd, text, sizeof(lines->text[0]) - 1);
	cr_assert_geq(n, 0, "%s", strerror(errno));
	text[n] = '\0';
	if (n == 0)
		return false;
	cr_expect_eq(strchr(text, '\n'), text + n - 1,
		     "a write that is not one line: \"%s\"", text);
	hide_left(text);
	lines->count++;
	return true;
}

void take_lines(int fd, struct lines *lines)
{
	while (take_line(fd, lines))
		;
}

void expect_line(const struct lines *lines, size_t number, const char *format,
		 ...)
{
	char wanted[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(wanted, sizeof(wanted), format, arguments);
	va_end(arguments);
	cr_assert_gt(lines->count, number, "no line %zu; wanted %s", number,
		     wanted);
	cr_expect_str_eq(lines->text[number], wanted, "wanted %s, saw %s",
			 wanted, lines->text[number]);
}

void expect_running(const struct lines *lines, size_t number, pid_t pid,
		    unsigned long inode)
{
	expect_line(lines, number,
		    "{\"child-pid\":%d,\"pidfd-inode\":%lu}\n", pid, inode);
}

pid_t expect_some_running(const struct lines *lines, size_t number)
{
	unsigned long inode = 0;
	pid_t pid = 0;

	cr_assert_gt(lines->count, number);
	sscanf(lines->text[number], "{\"child-pid\":%d,\"pidfd-inode\":%lu",
	       &pid, &inode);
	cr_expect(pid > 0 && inode > 0, "%s", lines->text[number]);
	expect_running(lines, number, pid, inode);
	return pid;
}

void run_told(struct ended *e, struct lines *lines, struct scene *scene,
	      const char *const argv[])
{
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = scene };
	int ours;

	lines->count = 0;
	open_packets(&ours, &scene->status);
	run(e, &way, argv);
	close(scene->status);
	take_lines(ours, lines);
	close(ours);
}

void start_told(struct running *r, struct scene *scene, int *ours,
		const char *const argv[])
{
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = scene };

	open_packets(ours, &scene->status);
	start(r, &way, argv);
	close(scene->status);
}

void send_to(int socket, struct running *r, const char *with, const char *verb,
	     const char *argument)
{
	struct scene scene = { .peer = socket };
	const struct way way = { .prepare = set_scene, .arg = &scene };

	start(r, &way, ARGV(spawnfd, TO_PEER, with, actor, verb, argument));
}

void fill(int fd)
{
	struct pollfd room = { fd, POLLOUT, 0 };
	char bytes[4096];
	int flags = fcntl(fd, F_GETFL);

	memset(bytes, FILLING, sizeof(bytes));
	cr_assert_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	/* A kernel thread empties the buffer of a terminal, and makes room. */
	do
		for (size_t size = sizeof(bytes); size > 0;)
			if (write(fd, bytes, size) < 0)
				size /= 2;
	while (isatty(fd) && poll(&room, 1, 20) > 0);
	cr_assert_eq(fcntl(fd, F_SETFL, flags), 0);
}

void open_plain_pipe(int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	*ours = move_fd_up(fds[0]);
	*theirs = move_fd_up(fds[1]);
}

void expect_whole_lines(const char *text, const char *what)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		cr_expect(line[length] == '\n' && length > 2 &&
			  strncmp(line, "{\"", 2) == 0 &&
			  strcspn(line + 1, "{}") == length - 2,
			  "%s: half a line: %s", what, text);
		line += length + (line[length] == '\n');
	}
}

void run_once_with(int theirs, uid_t uid, const char *with, const char *what)
{
	struct scene scene = { .status = theirs };
	const struct way way = { .uid = uid, .prepare = set_scene,
				 .arg = &scene };
	int flags = fcntl(theirs, F_GETFL);
	struct ended e;

	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
	cr_expect_null(not_exited(&e, 42), "%s: %s", what, not_exited(&e, 42));
	cr_expect_eq(fcntl(theirs, F_GETFL), flags, "%s: other flags", what);
}

void expect_end_of_file(int fd)
{
	char byte;

	await_events(fd, POLLIN);
	cr_expect_eq(read(fd, &byte, 1), 0);
}

void expect_content(const char *path, const char *wanted)
{
	char text[64];

	read_file(path, text, sizeof(text));
	cr_expect_str_eq(text, wanted, "%s: wanted %s, saw %s", path, wanted,
			 text);
}

void expect_pid(const char *path, pid_t pid)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%d\n", pid);
	expect_content(path, wanted);
}
