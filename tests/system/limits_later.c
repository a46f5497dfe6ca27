/* SPDX-License-Identifier: MIT */
/*
 * prlimit(1) lowers the limit of open files of a spawnfd that holds a command.
 * poll(2) then refuses to wait for more descriptors than that. And no signal
 * with data can be sent where RLIMIT_SIGPENDING is 0.
 */
#include <sys/resource.h>

#include "harness.h"
#include "sockets.h"

struct lowered {
	const char *name;
	const char *options[6];
	bool has_init;
};

#define WATCHES "--timeout=1000", "--die-with-parent", "--die-with-fd=0"

static const struct lowered lowered[] = {
	{ "hold", { "--" }, false },
	{ "watches", { "--autokill", WATCHES }, false },
	{ "tree", { "--autokill", "--kill-tree", WATCHES }, true },
	{ "fallback", { "--fallback", "--autokill", WATCHES }, false },
};

/* Lowers the limit of the process: all of it, or only the soft limit. */
static void lower(pid_t pid, rlim_t n, bool only_soft)
{
	struct rlimit limit;

	cr_assert_eq(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = n;
	if (!only_soft)
		limit.rlim_max = n;
	cr_assert_eq(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* Sends the signal to "actor witness"; returns whether that says so. */
static bool answers(const struct running *r, int sig)
{
	char line[16];

	kill(r->pid, sig);
	await_events(r->out, POLLIN);
	return read(r->out, line, sizeof(line)) > 0;
}

/* Runs the mode; returns the exit code, and gives what was said. */
static int run_lowered(const struct lowered *mode, uid_t uid, rlim_t n,
		       bool only_soft, struct ended *e)
{
	const struct way way = { .uid = uid };
	const char *argv[12] = { spawnfd };
	struct running r;
	size_t count = 1;

	for (size_t i = 0; mode->options[i]; i++)
		argv[count++] = mode->options[i];
	argv[count++] = actor;
	argv[count++] = "witness";
	argv[count++] = "15";
	argv[count] = "42";
	start(&r, &way, argv);
	read_pid(r.out);
	if (mode->has_init)
		lower(child_of(r.pid), n, only_soft);
	lower(r.pid, n, only_soft);
	/* When the second has arrived, spawnfd has waited since the first. */
	if (answers(&r, SIGUSR1) && answers(&r, SIGUSR1))
		answers(&r, SIGTERM);
	finish(&r, e);
	return WIFEXITED(e->status) ? WEXITSTATUS(e->status) : -1;
}

static void expect_lowered(uid_t uid, bool only_soft, bool may_fail)
{
	for (size_t i = 0; i < ARRAY_SIZE(lowered); i++)
		for (rlim_t n = 0; n < 9; n++) {
			struct ended e;
			int code = run_lowered(&lowered[i], uid, n, only_soft,
					       &e);

			if (may_fail && code == 125) {
				expect_said(&e, "see ulimit -n");
				cr_expect_eq(strchr(e.err, '\n')[1], '\0');
			} else {
				cr_expect(code == 42 && !*e.err,
					  "%s, limit %d, uid %d: %#x, \"%s\"",
					  lowered[i].name, (int)n, (int)uid,
					  e.status, e.err);
			}
			nothing_left();
		}
}

/* Root may raise the limit again, and anybody the soft limit. */
SystemTest(flags, limit_of_descriptors_that_is_lowered)
{
	expect_lowered(0, false, false);
	expect_lowered(NOBODY, true, false);
}

/* Nobody can raise the hard limit. COMMAND does not live on without a hold. */
SystemTest(flags, limit_of_descriptors_that_cannot_be_raised)
{
	expect_lowered(NOBODY, false, true);
}

/* A signal that is ignored makes the receiver wait once more. */
SystemTest(plain, limit_of_descriptors_of_a_receiver_that_is_lowered)
{
	static const int ignored = SIGUSR1;
	const struct way way = { .prepare = ignore_signal, .arg = &ignored };
	struct running r;
	struct ended e;

	start(&r, &way, ARGV(spawnfd, RECEIVE(abstract()), "--status-fd=1",
			     "--die-with-parent"));
	await_events(r.out, POLLIN);
	lower(r.pid, 1, false);
	kill(r.pid, SIGUSR1);
	finish(&r, &e);
	cr_expect_eq(WEXITSTATUS(e.status), 125, "%#x", e.status);
	expect_said(&e, "spawnfd: receive: ");
	expect_said(&e, "see ulimit -n\n");
}

/* The kernel drops the data of a signal then, such as its sender. */
SystemTest(flags, signals_without_room_for_their_data)
{
	static const char *const withs[] = { "--", "--autokill", "--kill-tree",
					     "--fallback" };
	static const int sigs[] = { SIGHUP, SIGUSR2, 34, 64, SIGTERM };
	static const struct resource_limit none = { RLIMIT_SIGPENDING, 0 };
	const struct way way = { .uid = NOBODY, .prepare = limit_resource,
				 .arg = &none };

	for (size_t i = 0; i < ARRAY_SIZE(withs); i++) {
		struct running r;

		start(&r, &way, ARGV(spawnfd, withs[i], actor, "witness", "15",
				     "42"));
		read_pid(r.out);
		for (size_t j = 0; j < ARRAY_SIZE(sigs); j++) {
			kill(r.pid, sigs[j]);
			cr_expect_eq(read_pid(r.out), sigs[j], "%s", r.words);
		}
		expect_exits(&r, 42);
	}
}
