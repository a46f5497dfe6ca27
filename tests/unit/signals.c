/* SPDX-License-Identifier: MIT */
/* signals: waits for descriptors, and leaves the signals of others pending */
#include "signals.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static struct signals signals;

static void block(void)
{
	cr_assert_eq(signals_block(0, false, &signals), 0);
}

TestSuite(signals, .init = block);

/* ---- waits ---- */

Test(signals, a_wait_has_an_end)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_expect_eq(signals_poll(&signals, fds[0], POLLIN, clock_after(1)),
		     -ETIMEDOUT);
}

/* The signal may be pending before the wait begins. */
Test(signals, a_signal_ends_the_wait)
{
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	raise(SIGTERM);
	cr_expect_eq(signals_poll(&signals, fds[0], POLLIN, 0), -EINTR);
	cr_expect_eq(signals.fatal, SIGTERM);
}

Test(signals, waits_for_each_of_many)
{
	int fds[SIGNALS_POLL_MOST][2];

	for (int i = 0; i < SIGNALS_POLL_MOST; i++)
		cr_assert_eq(pipe(fds[i]), 0);
	for (int i = 0; i < SIGNALS_POLL_MOST; i++) {
		struct pollfd rows[SIGNALS_POLL_MOST];
		char byte;

		for (int j = 0; j < SIGNALS_POLL_MOST; j++)
			rows[j] = (struct pollfd){ fds[j][0], POLLIN, 0 };
		cr_assert_eq(write(fds[i][1], "x", 1), 1);
		cr_assert_eq(signals_poll_any(&signals, rows, SIGNALS_POLL_MOST,
					      0), 0);
		for (int j = 0; j < SIGNALS_POLL_MOST; j++)
			cr_expect_eq(rows[j].revents, j == i ? POLLIN : 0);
		cr_assert_eq(read(fds[i][0], &byte, 1), 1);
	}
}

/* A descriptor with an event comes before a watch, and a watch before none. */
Test(signals, a_watch_ends_the_wait)
{
	struct pollfd watch;
	int fds[2], watched[2];

	cr_assert_eq(pipe(fds) | pipe(watched), 0);
	watch = (struct pollfd){ watched[0], POLLIN, 0 };
	signals.also_watched = &watch;
	signals.also_watched_count = 1;
	cr_assert_eq(write(watched[1], "x", 1), 1);
	cr_expect_eq(signals_poll(&signals, fds[0], POLLIN, 0), -ECANCELED);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(signals_poll(&signals, fds[0], POLLIN, 0), 0);
}

/* ---- signals of others ---- */

/*
 * Sends SIGPIPE twice, to the thread and to the process: each has a place of
 * its own for it. Behind them comes SIGXFSZ, to the process.
 */
static pid_t send_from_child(void)
{
	const pid_t parent = getpid();
	pid_t child = fork();
	int status;

	if (!child) {
		syscall(SYS_tgkill, parent, parent, SIGPIPE);
		kill(parent, SIGPIPE);
		kill(parent, SIGXFSZ);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return child;
}

Test(signals, those_of_others_stay_pending)
{
	static const int both[] = { SIGPIPE, SIGXFSZ };
	struct signals_write_mask mask;
	pid_t child;

	signals_mask_writes(&mask);
	child = send_from_child();
	signals_unmask_writes(&mask);
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		siginfo_t info = { 0 };
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, both[i]);
		cr_expect_eq(sigtimedwait(&set, &info, &(struct timespec){ 0 }),
			     both[i], "signal %d", both[i]);
		cr_expect_eq(info.si_pid, child);
	}
}

Test(signals, that_of_an_own_write_goes)
{
	struct signals_write_mask mask;
	sigset_t pending;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	close(fds[0]);
	signals_mask_writes(&mask);
	cr_expect_eq(write(fds[1], "x", 1), -1);
	signals_unmask_writes(&mask);
	sigpending(&pending);
	cr_expect_eq(sigismember(&pending, SIGPIPE), 0);
}
