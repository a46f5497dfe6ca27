/* SPDX-License-Identifier: MIT */
/* triggers: what keeps a watch from being opened */
#include "triggers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

/*
 * Descriptor 0 is the only free one, and a watch must not have it: it would be
 * the standard input of COMMAND.
 */
Test(triggers, a_watch_without_a_descriptor)
{
	static struct options options;
	struct triggers triggers = { 0 };
	struct failure failure = { 0 };

	options.given = UINT64_C(1) << OPT_DIE_WITH_PARENT;
	while (dup(0) >= 0)
		;
	cr_assert_eq(errno, EMFILE);
	close(0);
	cr_expect_eq(triggers_open(&options, &triggers, &failure), -EMFILE);
	cr_expect_eq(failure.step, STEP_PARENT);
	cr_expect_eq(failure.error, EMFILE);
	cr_expect_eq(dup(1), 0, "descriptor 0 is in use");
}
