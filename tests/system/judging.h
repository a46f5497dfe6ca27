/* SPDX-License-Identifier: MIT */
/* Compares what a program did with what the test wants. */
#ifndef JUDGING_H
#define JUDGING_H

#include <criterion/criterion.h>

struct ended;

/*
 * describe() says what was wanted and what was seen, with the command line. The
 * not_ functions give NULL if the outcome is right, else such a description.
 * expect_fine takes the result, so that Criterion's message has the line of the
 * test.
 */
const char *describe(const struct ended *e, const char *wanted);
const char *not_exited(const struct ended *e, int code);
const char *not_killed(const struct ended *e, int sig);
/* A refusal has that exit code, no output, and one or two lines of error. */
const char *not_refused(const struct ended *e, int code);
const char *not_said(const struct ended *e, const char *text);
const char *not_begun(const struct ended *e, const char *text);

#define expect_fine(complaint) do { \
	const char *complaint_ = (complaint); \
	cr_expect_null(complaint_, "%s", complaint_); \
} while (0)
#define expect_exit(e, code) expect_fine(not_exited(e, code))
#define expect_signal(e, sig) expect_fine(not_killed(e, sig))
#define expect_refusal(e, code) expect_fine(not_refused(e, code))
/* Expects the text anywhere in standard error, or at its start. */
#define expect_said(e, text) expect_fine(not_said(e, text))
#define expect_begun(e, text) expect_fine(not_begun(e, text))

/* Finishes a program, and expects that exit code, or death by that signal. */
#define expect_exits(r, code) do { \
	struct ended ended_; \
	finish(r, &ended_); \
	expect_exit(&ended_, code); \
} while (0)
#define expect_dies(r, sig) do { \
	struct ended ended_; \
	finish(r, &ended_); \
	expect_signal(&ended_, sig); \
} while (0)

#endif
