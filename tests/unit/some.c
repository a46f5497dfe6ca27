/* SPDX-License-Identifier: MIT */
/* A run that has no test, for its --filter has a mistake, is no success. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
	FOREACH_SET(struct criterion_suite_set *suite, set->suites)
		FOREACH_SET(struct criterion_test *test, suite->tests)
			if (!test->data->disabled)
				return;
	fprintf(stderr, "no test has that name\n");
	exit(1);
}
