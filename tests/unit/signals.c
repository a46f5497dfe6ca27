/* SPDX-License-Identifier: MIT */
/* signals: leaves the signals of others pending */
#include "signals.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct signals signals;

static void block(void)
{
	cr_assert_eq(signals_block(0, false, &signals), 0);
}

TestSuite(signals, .init = block);

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
