/* SPDX-License-Identifier: MIT */
#include "command_lines.h"

#include <ctype.h>
#include <fcntl.h>

#define MARK "started"
#define STATUS_FD 9		/* the sample for --status-fd: it is open */

static void open_status_fd(const void *arg)
{
	(void)arg;
	inherit_as(open("/dev/null", O_WRONLY | O_CLOEXEC), STATUS_FD);
}

const struct way usual = { .prepare = open_status_fd };

static char list[32768];
struct option options[OPTIONS_MAX];
size_t option_count;

void read_options(void)
{
	static struct ended e;
	char *rest = list, *line;

	run(&e, NULL, ARGV(spawnfd, "--list-options"));
	expect_exit(&e, 0);
	strcpy(list, e.out);
	while ((line = strsep(&rest, "\n")) && *line) {
		struct option *o = &options[option_count++];

		cr_assert_leq(option_count, OPTIONS_MAX);
		o->name = strsep(&line, "\t");
		o->letter = strsep(&line, "\t");
		o->argument = strsep(&line, "\t");
		o->flag = strsep(&line, "\t");
		o->since = strsep(&line, "\t");
		o->help = strsep(&line, "\t");
		cr_assert_not_null(o->help, "%s: less than 6 columns", o->name);
		cr_assert_null(line, "%s: more than 6 columns", o->name);
	}
	cr_assert_geq(option_count, 10, "only %zu options", option_count);
}

bool is(const struct option *o, const char *name)
{
	return strcmp(o->name, name) == 0 ||
	       (strcmp(name, "--nnp") == 0 && is(o, "--no-new-privs"));
}

bool takes_argument(const struct option *o)
{
	return strcmp(o->argument, "-") != 0;
}

bool answers(const struct option *o)
{
	return is(o, "--help") || is(o, "--version") || is(o, "--list-options");
}

const char *sample(const struct option *o)
{
	static const struct { const char *name, *value; } samples[] = {
		{ "--cgroup", "/sys/fs/cgroup" },
		{ "--pass", "/none/socket" },
		{ "--receive", "/none/socket" },
		{ "--exec-fd", "3" },
		{ "--wait", "0.5ms" },
		{ "--peer-uid", "0" },
		{ "--timeout", "1.5m" },
		{ "--probe", "pidfd" },
		{ "--die-with-pid", "1" },
		/* Descriptor 2 is a pipe, and the test reads from it. */
		{ "--die-with-fd", "2" },
		{ "--signal", "INT" },
		{ "--kill-after", "0.5" },
		{ "--pid-file", "/none/pid" },
		{ "--status-fd", "9" },
		{ "--exit-signal", "USR1" },
		{ "--raw-flags", "CLONE_NEWUTS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (is(o, samples[i].name))
			return samples[i].value;
	cr_assert_fail("%s takes an argument: give it a sample here", o->name);
	return NULL;
}

const char *word(const struct option *o)
{
	static char words[2][256];
	static int turn;
	char *text = words[turn ^= 1];

	if (!takes_argument(o))
		return o->name;
	snprintf(text, sizeof(words[0]), "%s=%s", o->name, sample(o));
	return text;
}

static const char *not_without_command(const struct ended *e)
{
	const bool started = exists(scratch_path(MARK));

	unlink(scratch_path(MARK));
	return started ? describe(e, "that no command is started") : NULL;
}

const char *not_bad_usage(const struct ended *e)
{
	const char *started = not_without_command(e);

	if (started)
		return started;
	if (not_refused(e, 125))
		return not_refused(e, 125);
	if (strchr(e->err, '\n') != strrchr(e->err, '\n'))
		return describe(e, "one line");
	if (strstr(e->err, "clone3"))
		return describe(e, "that the kernel is not asked");
	return NULL;
}

const char *not_refused_both(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second, actor, "mark",
			     scratch_path(MARK)));
	return not_bad_usage(&e);
}

const char *not_accepted(const char *first, const char *second)
{
	const char *started;
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, "--dry-run", first, second, actor,
			     "mark", scratch_path(MARK)));
	started = not_without_command(&e);
	if (started)
		return started;
	if (not_exited(&e, 0))
		return not_exited(&e, 0);
	return strncmp(e.out, "clone3({flags=", 14) ?
		describe(&e, "\"clone3({flags=\" on stdout") : NULL;
}

const char *not_answered(const char *first, const char *second)
{
	const char *started;
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second, actor, "mark",
			     scratch_path(MARK)));
	started = not_without_command(&e);
	if (started)
		return started;
	if (not_exited(&e, 0))
		return not_exited(&e, 0);
	return !e.out[0] || e.err[0] ?
		describe(&e, "an answer on stdout alone") : NULL;
}

void expect_refused(const char *first, const char *second)
{
	expect_fine(not_refused_both(first, second));
}

void expect_accepted(const char *first, const char *second)
{
	expect_fine(not_accepted(first, second));
}
