/* SPDX-License-Identifier: MIT */
/* clock: deadlines that come, and deadlines that never come */
#include "clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define HOUR UINT64_C(3600000000000)

Test(clock, sooner_of_two)
{
	cr_expect_eq(clock_sooner(1, 2), 1);
	cr_expect_eq(clock_sooner(2, 1), 1);
	cr_expect_eq(clock_sooner(0, 2), 2);
	cr_expect_eq(clock_sooner(2, 0), 2);
	cr_expect_eq(clock_sooner(0, 0), 0);
}

Test(clock, nothing_and_too_much_are_never)
{
	struct timespec room;

	cr_expect_eq(clock_after(0), 0);
	cr_expect_eq(clock_after(UINT64_MAX), 0);
	cr_expect_null(clock_left(0, &room));
}

Test(clock, what_is_left_gets_less)
{
	uint64_t deadline = clock_after(HOUR);
	struct timespec room, later;

	cr_assert_neq(deadline, 0);
	cr_assert_eq(clock_left(deadline, &room), &room);
	cr_expect(room.tv_sec == 3600 || room.tv_sec == 3599);
	cr_expect(room.tv_nsec >= 0 && room.tv_nsec < 1000000000);
	cr_assert_not_null(clock_left(deadline, &later));
	cr_expect(later.tv_sec < room.tv_sec ||
		  (later.tv_sec == room.tv_sec &&
		   later.tv_nsec <= room.tv_nsec));
}

Test(clock, what_is_over_leaves_nothing)
{
	struct timespec room = { 1, 1 };

	/* The machine started at 0, so the deadline 1 has passed. */
	cr_assert_not_null(clock_left(1, &room));
	cr_expect_eq(room.tv_sec, 0);
	cr_expect_eq(room.tv_nsec, 0);
}

Test(clock, a_nanosecond_is_not_never)
{
	cr_expect_neq(clock_after(1), 0);
	cr_expect_neq(clock_after(UINT64_MAX / 2), 0);
}

static bool is_monotonic(void)
{
	struct timespec before, after;
	uint64_t deadline;

	clock_gettime(CLOCK_MONOTONIC, &before);
	deadline = clock_after(1000000000);
	clock_gettime(CLOCK_MONOTONIC, &after);
	return deadline / 1000000000 - 1 >= (uint64_t)before.tv_sec &&
	       deadline / 1000000000 - 1 <= (uint64_t)after.tv_sec;
}

enum { FAILED = 1, NOT_PERMITTED };

/*
 * The boot time runs eleven days ahead, as if the machine had slept so long:
 * time_namespaces(7). unshare(2) puts only later children into the new time
 * namespace. Without the right to make one, the test makes a user namespace
 * too, which user_namespaces(7) forbids in a chroot, where packages are built.
 */
static int sleep_eleven_days(void)
{
	const char *offset = "boottime 1000000 0\n";
	int fd, status;

	if (unshare(CLONE_NEWTIME) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWTIME) < 0)
		return errno == EPERM ? NOT_PERMITTED : FAILED;
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (write(fd, offset, strlen(offset)) != (ssize_t)strlen(offset))
		return FAILED;
	close(fd);
	if (fork() == 0)
		_exit(is_monotonic() ? 0 : FAILED);
	wait(&status);
	return status ? FAILED : 0;
}

/* In a child, because a process with threads may not make a user namespace */
Test(clock, time_asleep_does_not_count)
{
	int status;

	if (fork() == 0)
		_exit(sleep_eleven_days());
	wait(&status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_PERMITTED)
		cr_skip_test("this user may not make a time namespace here");
	cr_expect_eq(status, 0);
}
