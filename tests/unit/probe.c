/* SPDX-License-Identifier: MIT */
/* probe, fallback: the meaning of an error, and what can be emulated */
#include "fallback.h"
#include "probe.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(probe, a_filter_is_told_from_an_old_kernel)
{
	static const char *const old[] = { "5.2.0-1", "4.19.0", "5.0.1",
					   "3.10" };
	static const char *const new[] = { "5.3.0", "5.10.1", "6.1", "10.0" };

	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(probe_meaning(ENOSYS, old[i]), CLONE3_MISSING);
		cr_expect_eq(probe_meaning(EPERM, old[i]), CLONE3_FILTERED);
		cr_expect_eq(probe_meaning(ENOSYS, new[i]), CLONE3_FILTERED);
		cr_expect_eq(probe_meaning(EPERM, new[i]), CLONE3_FILTERED);
		cr_expect_eq(probe_meaning(EINVAL, new[i]), CLONE3_AVAILABLE);
	}
}

Test(probe, versions)
{
	cr_expect(probe_is_older("5.11.9-1", 5, 12));
	cr_expect(probe_is_older("4.19.0", 5, 12));
	cr_expect(probe_is_older("5.2", 5, 12));
	cr_expect_not(probe_is_older("5.12.0-rc1", 5, 12));
	cr_expect_not(probe_is_older("5.100", 5, 12));
	cr_expect_not(probe_is_older("6.1.0", 5, 12));
	cr_expect_not(probe_is_older("10.0", 5, 12));
}

Test(fallback, what_it_has_nothing_for)
{
	const uint64_t can = CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP |
			     CLONE_AUTOREAP | CLONE_NNP;

	cr_expect_eq(fallback_not_emulable(can | CLONE_PIDFD_AUTOKILL, false),
		     0);
	cr_expect_eq(fallback_not_emulable(can | CLONE_PIDFD_AUTOKILL, true),
		     CLONE_PIDFD_AUTOKILL);
	for (int bit = 37; bit < 64; bit++)
		cr_expect_eq(fallback_not_emulable(can | UINT64_C(1) << bit,
						   false),
			     UINT64_C(1) << bit);
	cr_expect_eq(fallback_not_emulable(CLONE_NEWTIME, false),
		     CLONE_NEWTIME);
}

/* clone(2) has the exit signal where clone3 has CLONE_NEWTIME. */
Test(fallback, what_clone_lacks)
{
	struct launch launch = { .args.flags = UINT64_MAX };

	cr_expect_eq(fallback_clone2_lacks(&launch), UINT64_MAX << 32 | 0xff);
	launch.args.flags = CLONE_PIDFD | CLONE_NEWPID | CLONE_NNP;
	cr_expect_eq(fallback_clone2_lacks(&launch), CLONE_NNP);
}
