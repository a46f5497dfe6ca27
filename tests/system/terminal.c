/* SPDX-License-Identifier: MIT */
/*
 * In a terminal, Ctrl-C ends a loop of a shell: spawnfd dies of SIGINT, not
 * with status 130, and so the shell knows that it is to stop.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define LOOP "for i in 1 2 3; do \"$0\" \"$1\" \"$2\" hang; done; " \
	     "echo the loop went on"

/* The other end of the terminal becomes 0, 1, 2 and the controlling one. */
static void take_terminal(const void *arg)
{
	int fd;

	if (setsid() < 0)
		_exit(96);
	fd = open(arg, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0))
		_exit(96);
	for (int std = 0; std < 3; std++)
		inherit_as(fd, std);
}

static int open_terminal(char *name, size_t size)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_eq(grantpt(fd), 0);
	cr_assert_eq(unlockpt(fd), 0);
	cr_assert_eq(ptsname_r(fd, name, size), 0);
	return fd;
}

/* All that is left on the terminal; EIO is its end of file. */
static void read_rest(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	do {
		await_events(fd, POLLIN);
		n = read(fd, text + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[used] = '\0';
}

/*
 * Until pid sleeps, as a shell does that waits. bash 5.2 whose SIGINT comes
 * before that was seen to send it to itself for ever.
 */
static void await_sleep(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do
		read_file(path, text, sizeof(text));
	while (text[0] && !strstr(text, ") S "));
}

static void interrupt_loop(const char *shell, const char *with)
{
	char name[64], rest[4096];
	int terminal = open_terminal(name, sizeof(name));
	const struct way way = { .prepare = take_terminal, .arg = name };
	struct running r;
	struct ended e;
	pid_t command;

	start(&r, &way, ARGV(shell, "-c", LOOP, spawnfd, with, actor));
	command = read_pid(terminal);
	await_sleep(r.pid);
	cr_assert_eq(write(terminal, "\003", 1), 1);
	finish(&r, &e);
	expect_signal(&e, SIGINT);
	/* Ctrl-C has hit them all, and a parent may have been the first. */
	reap_orphans();

	read_rest(terminal, rest, sizeof(rest));
	cr_expect_null(strstr(rest, "went on"), "%s: %s", shell, rest);
	cr_expect_null(strpbrk(rest, "0123456789"), "%s: after %d another "
		       "command was started: %s", shell, command, rest);
	close(terminal);
}

EVERY_WAY(control_c_ends_a_loop_of_sh)
{
	interrupt_loop("/bin/sh", with);
}

/* bash goes on unless what it waits for has *died of* the signal. */
EVERY_WAY(control_c_ends_a_loop_of_bash)
{
	interrupt_loop("/bin/bash", with);
}
