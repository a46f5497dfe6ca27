/* SPDX-License-Identifier: MIT */
/* step: the words that a status line has for a failure */
#include "step.h"

#include <criterion/criterion.h>
#include <errno.h>

/* The man page promises these words to programs. */
Test(step, classes)
{
	static const char *const classes[] = {
		[STEP_BEGIN] = "usage", [STEP_PRINT] = "usage",
		[STEP_STATUS_FD] = "usage", [STEP_ADDRESS] = "usage",
		[STEP_PARENT] = "usage", [STEP_PID] = "usage",
		[STEP_FD] = "usage",
		[STEP_CONNECT] = "connect", [STEP_PEER] = "peer",
		[STEP_CGROUP] = "clone3", [STEP_PREPARE] = "clone3",
		[STEP_SIGNAL] = "clone3", [STEP_GUARD] = "clone3",
		[STEP_CLONE3] = "clone3", [STEP_MAP] = "clone3",
		[STEP_EMULATE] = "clone3", [STEP_EXEC] = "exec",
		[STEP_BEFORE_EXEC] = "exec",
		[STEP_INTERPRETER] = "exec", [STEP_EXEC_NOT_STATIC] = "exec",
		[STEP_EXEC_FD] = "usage", [STEP_PASS] = "pass",
		[STEP_LISTEN] = "receive", [STEP_RECEIVE] = "receive",
		[STEP_PID_FILE] = "hold", [STEP_HOLD] = "hold",
	};

	cr_expect_null(step_class(STEP_NONE));
	for (size_t i = STEP_BEGIN; i < sizeof(classes) / sizeof(classes[0]); i++)
		cr_expect_str_eq(step_class((enum step)i), classes[i]);
}

Test(step, a_failure_is_filled_and_its_error_returned)
{
	struct failure failure = { .number = 7 };

	cr_expect_eq(step_fail(&failure, STEP_PASS, -EPIPE, "@a"), -EPIPE);
	cr_expect_eq(failure.step, STEP_PASS);
	cr_expect_eq(failure.error, EPIPE);
	cr_expect_str_eq(failure.subject, "@a");
	cr_expect_eq(failure.number, 0);
}

Test(step, executing_takes_three_steps)
{
	for (int step = STEP_NONE; step <= STEP_HOLD; step++)
		cr_expect_eq(step_is_exec((enum step)step),
			     step == STEP_EXEC || step == STEP_INTERPRETER ||
				     step == STEP_EXEC_NOT_STATIC,
			     "%d", step);
}
