/* SPDX-License-Identifier: MIT */
/* notice: spawnfd and the init send notices, and no sender waits */
#include "notice.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct notice stopped = { .kind = NOTICE_STOPPED,
					.value = SIGTSTP };
static const struct notice ended = { .kind = NOTICE_ENDED, .value = 256 };

/* The socket of spawnfd, and that of the init */
static int ends[2];

static void open_ends(void)
{
	cr_assert_eq(notice_open(ends), 0);
}

TestSuite(notice, .init = open_ends);

static void send_notice(int fd, const struct notice *notice)
{
	notice_send(fd, notice->kind, notice->step, notice->value);
}

static void expect_notice(int fd, const struct notice *wanted)
{
	struct notice notice;

	cr_assert_eq(notice_take(fd, &notice), 1);
	cr_expect_eq(notice.kind, wanted->kind);
	cr_expect_eq(notice.step, wanted->step);
	cr_expect_eq(notice.value, wanted->value);
}

static void expect_nothing(int fd, int r)
{
	struct notice notice;

	cr_expect_eq(notice_take(fd, &notice), r);
}

Test(notice, a_command_inherits_neither_end)
{
	cr_expect_eq(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
}

Test(notice, never_in_place_of_a_standard_descriptor)
{
	int others[2];

	for (int fd = 0; fd < 3; fd++)
		close(fd);
	cr_assert_eq(notice_open(others), 0);
	cr_expect_gt(others[0], 2);
	cr_expect_gt(others[1], 2);
	cr_expect_eq(fcntl(others[0], F_GETFD), FD_CLOEXEC);
	cr_expect_eq(fcntl(others[1], F_GETFD), FD_CLOEXEC);
}

/* Notices arrive one by one, in both directions. */
Test(notice, one_after_the_other)
{
	for (int to = 0; to < 2; to++) {
		send_notice(ends[!to], &stopped);
		send_notice(ends[!to], &ended);
		expect_notice(ends[to], &stopped);
		expect_notice(ends[to], &ended);
		expect_nothing(ends[to], -EAGAIN);
	}
}

Test(notice, await_one_that_is_there_or_comes)
{
	struct notice notice = stopped;

	send_notice(ends[1], &ended);
	cr_expect_eq(notice_await(ends[0], 0, &notice), 1);
	cr_expect_eq(notice.kind, NOTICE_ENDED);
	if (!fork()) {
		send_notice(ends[1], &stopped);
		_exit(0);
	}
	cr_expect_eq(notice_await(ends[0], -1, &notice), 1);
	cr_expect_eq(notice.kind, NOTICE_STOPPED);
	wait(NULL);
}

Test(notice, await_none)
{
	struct notice notice;

	cr_expect_eq(notice_await(ends[0], 0, &notice), -ETIMEDOUT);
	cr_expect_eq(notice_await(ends[0], 1, &notice), -ETIMEDOUT);
}

Test(notice, is_due_or_not)
{
	cr_expect_not(notice_is_due(ends[0]));
	send_notice(ends[1], &ended);
	cr_expect(notice_is_due(ends[0]));
	/* Looking takes nothing. */
	expect_notice(ends[0], &ended);
	cr_expect_not(notice_is_due(ends[0]));
	close(ends[1]);
	cr_expect(notice_is_due(ends[0]));
}

/* Notices sent before the close come first, then end of file. */
Test(notice, the_other_end_is_gone)
{
	struct notice notice;

	send_notice(ends[1], &ended);
	close(ends[1]);
	expect_notice(ends[0], &ended);
	expect_nothing(ends[0], 0);
	cr_expect_eq(notice_await(ends[0], -1, &notice), 0);
}

/* A SIGPIPE would kill the test. */
Test(notice, sent_to_nobody)
{
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL);
	cr_expect_eq(notice_send(ends[1], NOTICE_ENDED, STEP_NONE, 0),
		     -EPIPE);
}

/* A notice that does not fit is lost as a whole; the others arrive. */
Test(notice, sent_to_somebody_who_does_not_take, .timeout = 60)
{
	struct notice notice;
	int sent = 0, taken = 0;

	for (; sent < 100000; sent++)
		send_notice(ends[1], &ended);
	for (; notice_take(ends[0], &notice) > 0; taken++)
		cr_assert_eq(notice.value, ended.value);
	cr_expect(taken > 0 && taken < sent, "%d of %d", taken, sent);
	send_notice(ends[1], &stopped);
	expect_notice(ends[0], &stopped);
}

/* Without an init, the pipe of the child is empty after a successful exec. */
Test(notice, out_of_a_pipe)
{
	const struct notice failed = { NOTICE_FAILED, STEP_EXEC, ENOENT };
	struct notice notice = { 0 };
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], &failed, sizeof(failed)),
		     (ssize_t)sizeof(failed));
	close(fds[1]);
	cr_expect_eq(notice_read(fds[0], &notice), 1);
	cr_expect_eq(notice.step, STEP_EXEC);
	cr_expect_eq(notice.value, ENOENT);
	cr_expect_eq(notice_read(fds[0], &notice), 0);
	cr_expect_eq(notice_read(-1, &notice), -EBADF);
}

/* Many of them leave room for others, and wait for a reader, but not for ever */
Test(notice, of_one_process_among_many)
{
	const char name[PROC_NAME_SIZE] = "fifteen-letters";
	struct notice notice;
	int sent = 0, taken = 0;

	while (notice_send_one(ends[1], NOTICE_LEFT_ONE, sent, name) == 0)
		sent++;
	cr_assert_geq(sent, 50);
	cr_expect_eq(notice_send(ends[1], NOTICE_ENDED, STEP_NONE, 256), 0);
	for (int i = 0; i < sent; i++) {
		cr_assert_eq(notice_take(ends[0], &notice), 1);
		cr_expect_eq(notice.kind, NOTICE_LEFT_ONE);
		cr_expect_eq(notice.value, taken++);
		cr_expect_str_eq(notice.name, name);
	}
	expect_notice(ends[0], &ended);
}
