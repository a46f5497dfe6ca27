/* SPDX-License-Identifier: MIT */
/* clock: points in time that can be counted to, and those that cannot */
#include "clock.h"

#include <criterion/criterion.h>

#define HOUR UINT64_C(3600000000000)

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

	/* since the machine started, and so before this program did */
	cr_assert_not_null(clock_left(1, &room));
	cr_expect_eq(room.tv_sec, 0);
	cr_expect_eq(room.tv_nsec, 0);
}

Test(clock, a_nanosecond_is_not_never)
{
	cr_expect_neq(clock_after(1), 0);
	cr_expect_neq(clock_after(UINT64_MAX / 2), 0);
}
