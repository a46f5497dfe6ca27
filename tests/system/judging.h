/* SPDX-License-Identifier: MIT */
/* What a program did, against what it was wanted to do. */
#ifndef JUDGING_H
#define JUDGING_H

#include <criterion/criterion.h>

struct ended;

/*
 * What is wrong with an outcome, in words with the command line in them, or
 * NULL. To be wrapped in expect_fine, so that the message has the line.
 */
const char *describe(const struct ended *e, const char *wanted);
const char *not_exited(const struct ended *e, int code);
const char *not_killed(const struct ended *e, int sig);
/* Exit code, empty output, and one or two lines "spawnfd: ..." */
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
/* Somewhere in its standard error; and at the start of that. */
#define expect_said(e, text) expect_fine(not_said(e, text))
#define expect_begun(e, text) expect_fine(not_begun(e, text))

/* Finishes a program, and expects that end of it. */
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
