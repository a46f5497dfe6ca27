/* SPDX-License-Identifier: MIT */
/*
 * Limits of the process (getrlimit(2)): each at every small value, in each mode
 * of spawnfd. attempts.h says what must be right then.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempts.h"
#include "cgroups.h"
#include "receivers.h"

#define ALONE 61235		/* a user of no other process */

#define LIMITS_MEMORY NOT_UNDER(SANITIZED, \
	"limit memory, of which the sanitizers take more")

struct limit {
	const char *name;
	int resource;
	rlim_t value;
};

static void set_limit(const void *arg)
{
	const struct limit *limit = arg;
	const struct resource_limit both = { limit->resource, limit->value };

	limit_resource(&both);
}

static const char *make_group(void)
{
	static char group[128];

	snprintf(group, sizeof(group), CGROUPS "/spawnfd-limits-%d", getpid());
	cr_assert_eq(mkdir(group, 0755), 0, "%s: %s", group, strerror(errno));
	return group;
}

/* Runs all modes under the limit. */
static void attempt_under(struct limit limit, uid_t uid, const char *group,
			  struct tally *tally)
{
	const struct surroundings there = {
		.what = limit.name, .value = (long long)limit.value,
		.prepare = set_limit, .arg = &limit, .uid = uid,
		.group = group,
	};

	if (can_begin(&there))
		attempt(&there, tally);
}

/* Returns how the runs ended, for all values from limit.value to most. */
static struct tally attempt_all(struct limit limit, rlim_t most, rlim_t step)
{
	const uid_t uid = limit.resource == RLIMIT_NPROC ? ALONE : 0;
	const char *group = make_group();
	struct tally tally = { 0 };

	for (; limit.value <= most; limit.value += step)
		attempt_under(limit, uid, group, &tally);
	cr_assert_eq(rmdir(group), 0, "%s", strerror(errno));
	cr_expect_gt(tally.done, 0);
	return tally;
}

SystemTest(cgroup, limits_of_descriptors)
{
	const struct limit files = { "RLIMIT_NOFILE", RLIMIT_NOFILE, 2 };

	cr_expect_gt(attempt_all(files, 11, 1).refused, 0);
}

/* Closes standard input, whose number is then the only free one. */
static void allow_standard(const void *arg)
{
	const struct limit files = { "", RLIMIT_NOFILE, 3 };

	(void)arg;
	close(0);
	set_limit(&files);
}

/* spawnfd takes none of the numbers 0, 1 and 2 for itself. */
SystemTestWith(plain, a_limit_of_three_descriptors_without_an_input,
	       NOT_UNDER(SANITIZED, "leave free only a number that the "
			 "sanitizers do not take, and they try for ever"))
{
	static const char *const options[] = {
		"--pidfd", "--kill-tree", "--pass=@nobody", "--die-with-parent",
		"--pid-file=/tmp/spawnfd.pid", "--receive=@spawnfd-limits",
		"--receive=/tmp/spawnfd.socket",
	};
	const struct way way = { .prepare = allow_standard };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const bool receives = strstr(options[i], "--receive");

		run(&e, &way, ARGV(spawnfd, options[i], receives ? NULL : actor,
				   "exit", "0"));
		expect_refusal(&e, 125);
		cr_expect(strstr(e.err, "EMFILE") ||
			  strstr(e.err, "ulimit -n"), "%s: %s", e.words, e.err);
	}
}

/* Root has no such limit. */
SystemTest(cgroup, limits_of_processes)
{
	const struct limit processes = { "RLIMIT_NPROC", RLIMIT_NPROC, 0 };

	cr_expect_gt(attempt_all(processes, 5, 1).refused, 0);
}

/* The pid file has more bytes than that. */
SystemTest(cgroup, limits_of_files)
{
	const struct limit bytes = { "RLIMIT_FSIZE", RLIMIT_FSIZE, 0 };

	cr_expect_gt(attempt_all(bytes, 6, 2).refused, 0);
}

SystemTest(cgroup, limits_of_pending_signals)
{
	const struct limit signals = { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING,
				       0 };

	cr_expect_eq(attempt_all(signals, 1, 1).refused, 0);
}

static void attempt_crash(struct limit stack, const char *with)
{
	const struct way way = { .prepare = set_limit, .arg = &stack };
	struct running r;
	struct ended e;

	if (try_start(&r, &way, ARGV(spawnfd, "--autokill", with, actor, "say",
				     "ran")))
		return;
	finish(&r, &e);
	if (WIFSIGNALED(e.status))
		expect_died_of(e.status, SIGSEGV);
	else
		cr_expect(e.status == 0 ? !strcmp(e.out, "ran\n")
					: !not_refused(&e, 125),
			  "%lu: %#x, %s", (unsigned long)stack.value, e.status,
			  e.err);
	nothing_left();
}

/* spawnfd may crash then: see CAVEATS in the manual. */
SystemTestWith(flags, nothing_is_left_where_there_is_little_stack,
	       LIMITS_MEMORY)
{
	static const char *const withs[] = { "--new-session", "--kill-tree" };
	struct limit stack = { "RLIMIT_STACK", RLIMIT_STACK, 12 << 10 };

	for (; stack.value < 64 << 10; stack.value += 4 << 10)
		for (size_t i = 0; i < ARRAY_SIZE(withs); i++)
			attempt_crash(stack, withs[i]);
}

/* All modes work with 64 KiB. */
SystemTestWith(cgroup, limits_of_stacks, LIMITS_MEMORY)
{
	const struct limit stack = { "RLIMIT_STACK", RLIMIT_STACK, 64 << 10 };

	cr_expect_eq(attempt_all(stack, 128 << 10, 64 << 10).refused, 0);
}

/* With less than it needs, COMMAND dies of a signal without spawnfd too. */
SystemTestWith(cgroup, limits_of_memory, LIMITS_MEMORY)
{
	const struct limit memory = { "RLIMIT_AS", RLIMIT_AS, 384 << 10 };

	cr_expect_eq(attempt_all(memory, 1920 << 10, 384 << 10).refused, 0);
}
