/* SPDX-License-Identifier: MIT */
/* write_nowait: writes all of a line or nothing, and never waits */
#include "write_nowait.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE "{\"exit-code\":0}\n"
#define LENGTH (sizeof(LINE) - 1)

static int write_line(int fd)
{
	return write_nowait(fd, LINE, LENGTH);
}

static void expect_line(int fd)
{
	char text[64] = "";

	cr_expect_eq(read(fd, text, sizeof(text) - 1), (ssize_t)LENGTH);
	cr_expect_str_eq(text, LINE);
}

/* Writes until no byte fits any more; leaves O_NONBLOCK as it was */
static void fill(int fd)
{
	char bytes[4096] = { 0 };
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	for (size_t size = sizeof(bytes); size;)
		if (write(fd, bytes, size) < 0)
			size /= 2;
	fcntl(fd, F_SETFL, flags);
}

static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

Test(nowait, prepare_wants_it_open_for_writing)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(write_nowait_prepare(fds[1]), 0);
	cr_expect_eq(write_nowait_prepare(fds[0]), -EBADF);
	close(fds[0]);
	cr_expect_eq(write_nowait_prepare(fds[0]), -EBADF);
	cr_expect_eq(write_nowait_prepare(open("/dev/null", O_PATH)), -EBADF);
	cr_expect_eq(write_nowait_prepare(open("/dev/null", O_RDWR)), 0);
}

Test(nowait, prepare_keeps_it_from_the_command)
{
	int fd = open("/dev/null", O_WRONLY);

	cr_assert_eq(write_nowait_prepare(fd), 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* COMMAND inherits the standard descriptors. */
	for (int standard = 0; standard < 3; standard++) {
		dup2(fd, standard);
		cr_assert_eq(write_nowait_prepare(standard), 0);
		cr_expect_eq(fcntl(standard, F_GETFD), 0);
	}
}

Test(nowait, a_pipe_that_is_empty_or_full)
{
	int fds[2], flags;

	cr_assert_eq(pipe(fds), 0);
	flags = fcntl(fds[1], F_GETFL);
	cr_expect_geq(write_line(fds[1]), 0);
	expect_line(fds[0]);
	fill(fds[1]);
	cr_expect_eq(write_line(fds[1]), -EAGAIN);
	cr_expect_eq(fcntl(fds[1], F_GETFL), flags);
}

Test(nowait, a_fifo_that_is_empty_or_full)
{
	char path[] = "/tmp/spawnfd-unit-XXXXXX";
	int reader, writer;

	cr_assert_not_null(mkdtemp(path));
	cr_assert_eq(chdir(path), 0);
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	writer = open("fifo", O_WRONLY);
	cr_expect_geq(write_line(writer), 0);
	expect_line(reader);
	fill(writer);
	cr_expect_eq(write_line(writer), -EAGAIN);
	cr_expect_eq(fcntl(writer, F_GETFL) & O_NONBLOCK, 0);
	unlink("fifo");
	rmdir(path);
}

Test(nowait, sockets_that_are_empty_or_full)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int fds[2];

		cr_assert_eq(socketpair(AF_UNIX, types[i], 0, fds), 0);
		cr_expect_geq(write_line(fds[1]), 0);
		expect_line(fds[0]);
		fill(fds[1]);
		cr_expect_eq(write_line(fds[1]), -EAGAIN, "type %d", types[i]);
		cr_expect_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	}
}

/* No SIGPIPE stays pending, blocked or not. */
Test(nowait, a_reader_that_is_gone)
{
	sigset_t pipe_signal, pending;
	int fds[2];

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	for (int blocked = 0; blocked < 2; blocked++) {
		sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &pipe_signal,
			    NULL);
		cr_assert_eq(pipe(fds), 0);
		close(fds[0]);
		cr_expect_eq(write_line(fds[1]), -EPIPE);
		close(fds[1]);
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			cr_assert_eq(socketpair(AF_UNIX, types[i], 0, fds), 0);
			close(fds[0]);
			cr_expect_lt(write_line(fds[1]), 0);
			close(fds[1]);
		}
		sigpending(&pending);
		cr_expect_not(sigismember(&pending, SIGPIPE));
	}
}

/* The actions of the signals stay as they were. */
Test(nowait, dispositions_stay)
{
	static const int signals[] = { SIGPIPE, SIGXFSZ };
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	for (size_t i = 0; i < 2; i++) {
		struct sigaction now;

		signal(signals[i], SIG_IGN);
		cr_expect_geq(write_line(fds[1]), 0);
		sigaction(signals[i], NULL, &now);
		cr_expect(now.sa_handler == SIG_IGN);
		signal(signals[i], SIG_DFL);
		cr_expect_geq(write_line(fds[1]), 0);
		sigaction(signals[i], NULL, &now);
		cr_expect(now.sa_handler == SIG_DFL);
	}
}

Test(nowait, a_file_that_may_not_grow)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	cr_assert_geq(fd, 0);
	cr_expect_geq(write_line(fd), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	cr_expect_eq(write_line(fd), -EFBIG);
	cr_expect_eq(lseek(fd, 0, SEEK_CUR), (off_t)LENGTH);
}

Test(nowait, devices)
{
	cr_expect_geq(write_line(open("/dev/null", O_WRONLY)), 0);
	cr_expect_eq(write_line(open("/dev/full", O_WRONLY)), -ENOSPC);
	cr_expect_eq(write_line(-1), -EBADF);
}
