/* SPDX-License-Identifier: MIT */
/*
 * The command line: what is refused, and that a refusal is one clear line,
 * status 125, and nothing started. What options there are is read from
 * --list-options, so a new one is tried with all others by itself; which of
 * them go together is written here a second time, from the contract.
 */
#include "harness.h"

#include <ctype.h>
#include <fcntl.h>

#define OPTIONS_MAX 64
#define MARK "started"
#define STATUS_FD 9		/* open, so that --status-fd is no mistake */

/* One line of --list-options. */
struct option {
	char *name;		/* --autokill */
	char *letter;		/* -d, or - */
	char *argument;		/* DIR, or - */
	char *flag;		/* CLONE_..., or - */
	char *since;
	char *help;
};

static void open_status_fd(const void *arg)
{
	(void)arg;
	inherit_as(open("/dev/null", O_WRONLY | O_CLOEXEC), STATUS_FD);
}

static const struct way usual = { .prepare = open_status_fd };

static char list[32768];
static struct option options[OPTIONS_MAX];
static size_t count;

static void read_options(void)
{
	static struct ended e;
	char *rest = list, *line;

	run(&e, NULL, ARGV(spawnfd, "--list-options"));
	expect_exit(&e, 0);
	strcpy(list, e.out);
	while ((line = strsep(&rest, "\n")) && *line) {
		struct option *o = &options[count++];

		cr_assert_leq(count, OPTIONS_MAX);
		o->name = strsep(&line, "\t");
		o->letter = strsep(&line, "\t");
		o->argument = strsep(&line, "\t");
		o->flag = strsep(&line, "\t");
		o->since = strsep(&line, "\t");
		o->help = strsep(&line, "\t");
		cr_assert_not_null(o->help, "%s: less than 6 columns", o->name);
		cr_assert_null(line, "%s: more than 6 columns", o->name);
	}
	cr_assert_geq(count, 10, "only %zu options", count);
}

static bool is(const struct option *o, const char *name)
{
	return strcmp(o->name, name) == 0 ||
	       (strcmp(name, "--nnp") == 0 && is(o, "--no-new-privs"));
}

static bool takes_argument(const struct option *o)
{
	return strcmp(o->argument, "-") != 0;
}

/* --help and its like answer and look no further. */
static bool answers(const struct option *o)
{
	return is(o, "--help") || is(o, "--version") || is(o, "--list-options");
}

/* A value that is right by itself; but where it leads there is nothing. */
static const char *sample(const struct option *o)
{
	static const struct { const char *name, *value; } samples[] = {
		{ "--cgroup", "/sys/fs/cgroup" },
		{ "--pass", "/none/socket" },
		{ "--receive", "/none/socket" },
		{ "--wait", "0.5ms" },
		{ "--peer-uid", "0" },
		{ "--timeout", "1.5m" },
		{ "--probe", "pidfd" },
		{ "--die-with-pid", "1" },
		/* a pipe, that the test reads */
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

/* As one word. */
static const char *word(const struct option *o)
{
	static char words[2][256];
	static int turn;
	char *text = words[turn ^= 1];

	if (!takes_argument(o))
		return o->name;
	snprintf(text, sizeof(words[0]), "%s=%s", o->name, sample(o));
	return text;
}

/* ---- what goes together ---- */

static const char *const exclusive[][2] = {
	{ "--autokill", "--detach" },
	{ "--pass", "--detach" },
	{ "--timeout", "--pass" }, { "--timeout", "--detach" },
	{ "--die-with-parent", "--pass" }, { "--die-with-parent", "--detach" },
	{ "--die-with-pid", "--pass" }, { "--die-with-pid", "--detach" },
	{ "--die-with-fd", "--pass" }, { "--die-with-fd", "--detach" },
	{ "--kill-after", "--pass" }, { "--kill-after", "--detach" },
	{ "--nnp", "--allow-new-privs" },
	/* the sample is a signal, and autoreap has no room for one */
	{ "--autokill", "--exit-signal" },
	{ "--autoreap", "--exit-signal" },
};

/* The first needs one of the others. */
static const char *const needed[][6] = {
	{ "--allow-new-privs", "--autokill" },
	{ "--wait", "--pass", "--receive" },
	{ "--peer-uid", "--pass", "--receive" },
	{ "--signal", "--timeout", "--die-with-parent", "--die-with-pid",
	  "--die-with-fd", "--kill-after" },
};

/* What only a hold with a pidfd can do. */
static const char *const holding[] = {
	"--timeout", "--die-with-parent", "--die-with-pid", "--die-with-fd",
	"--signal", "--kill-after",
};

/* Those that say nothing of the process: all that --receive has room for. */
static const char *const sourceless[] = {
	"--receive", "--pass", "--wait", "--peer-uid", "--pid-file",
	"--status-fd", "--verbose", "--timeout", "--die-with-parent",
	"--die-with-pid", "--die-with-fd", "--signal", "--kill-after",
};

static bool either(const struct option *a, const struct option *b,
		   const char *name)
{
	return is(a, name) || is(b, name);
}

static bool is_one_of(const struct option *o, const char *const names[],
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(o, names[i]))
			return true;
	return false;
}

static bool is_sourceless(const struct option *o)
{
	return is_one_of(o, sourceless, ARRAY_SIZE(sourceless));
}

static bool is_holding(const struct option *o)
{
	return is_one_of(o, holding, ARRAY_SIZE(holding));
}

/* The rules about clone flags, which --exact switches off. */
static bool flags_go_together(const struct option *a, const struct option *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(exclusive); i++)
		if (either(a, b, exclusive[i][0]) &&
		    either(a, b, exclusive[i][1]))
			return false;
	return true;
}

static bool any_of(const struct option *a, const struct option *b,
		   const char *const names[], size_t n)
{
	return is_one_of(a, names, n) || is_one_of(b, names, n);
}

static bool needs_are_met(const struct option *a, const struct option *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		size_t n = 0;

		while (n < ARRAY_SIZE(needed[i]) && needed[i][n])
			n++;
		if (either(a, b, needed[i][0]) &&
		    !any_of(a, b, &needed[i][1], n - 1))
			return false;
	}
	return true;
}

static bool go_together(const struct option *a, const struct option *b)
{
	if (either(a, b, "--receive"))
		return is_sourceless(a) && is_sourceless(b) &&
		       needs_are_met(a, b);
	if (either(a, b, "--exact") &&
	    (either(a, b, "--fallback") || either(a, b, "--kill-tree")))
		return false;
	if (!either(a, b, "--exact"))
		return flags_go_together(a, b) && needs_are_met(a, b);
	/* without a pidfd there is none to pass on, or to hold */
	return either(a, b, "--allow-new-privs") ||
	       (!either(a, b, "--pass") && !is_holding(a) && !is_holding(b) &&
		needs_are_met(a, b));
}

/* ---- running them ---- */

/* The functions named not_ give NULL, or what is wrong: see judging.h. */
static const char *not_without_command(const struct ended *e)
{
	const bool started = exists(scratch_path(MARK));

	unlink(scratch_path(MARK));
	return started ? describe(e, "that no command is started") : NULL;
}

/* A refusal in a single line: not even one that says what to do. */
static const char *not_bad_usage(const struct ended *e)
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

/* Would really start a command, and be caught at it. */
static const char *not_refused_both(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second, actor, "mark",
			     scratch_path(MARK)));
	return not_bad_usage(&e);
}

static const char *not_accepted(const char *first, const char *second)
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

static const char *not_answered(const char *first, const char *second)
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

static bool speaks_of_address(const struct ended *e)
{
	return strncmp(e->err, "spawnfd: receive: /none/", 24) == 0 ||
	       strncmp(e->err, "spawnfd: connect: /none/", 24) == 0;
}

/* What is in the way of a mere receiver is not its options but its address. */
static const char *not_a_receiver(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second));
	if (not_refused(&e, 125))
		return not_refused(&e, 125);
	if (!speaks_of_address(&e))
		return describe(&e, "the address to be refused");
	return not_refused_both(first, second);	/* with a command */
}

static const char *not_refused_receiver(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second));
	if (not_refused(&e, 125))
		return not_refused(&e, 125);
	if (speaks_of_address(&e))
		return describe(&e, "the options to be refused");
	return not_refused_both(first, second);
}

static void expect_refused(const char *first, const char *second)
{
	expect_fine(not_refused_both(first, second));
}

static void expect_accepted(const char *first, const char *second)
{
	expect_fine(not_accepted(first, second));
}

struct verdict {
	const char *wanted;	/* of a pair of options */
	const char *(*complain)(const char *first, const char *second);
};

static struct verdict verdict_on(const struct option *a, const struct option *b)
{
	if (answers(a) || answers(b))
		return (struct verdict){ "to be answered", not_answered };
	if (either(a, b, "--probe") || either(a, b, "--json"))
		return (struct verdict){ "to be refused with a command",
					 not_refused_both };
	if (either(a, b, "--receive"))
		return go_together(a, b) ?
			(struct verdict){ "to receive", not_a_receiver } :
			(struct verdict){ "to be refused with --receive",
					  not_refused_receiver };
	return go_together(a, b) ?
		(struct verdict){ "to be accepted", not_accepted } :
		(struct verdict){ "to be refused", not_refused_both };
}

static void try_pair(const struct option *a, const struct option *b)
{
	const struct verdict verdict = verdict_on(a, b);
	const char *complaint = verdict.complain(word(a), word(b));

	cr_expect_null(complaint, "%s with %s: the rules of \"what goes "
		       "together\" in usage.c want them %s. %s", word(a),
		       word(b), verdict.wanted, complaint);
}

/*
 * In both orders; and each with itself, which is each alone. Where it is slow,
 * a tenth of the pairs, each option among them.
 */
SystemTest(usage, every_pair_of_options)
{
	size_t step = 10 / (size_t)often(10);

	read_options();
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if ((i + j) % step == 0)
				try_pair(&options[i], &options[j]);
}

/* The rules that take more than two options, or a value, to break or keep. */
SystemTest(usage, values_and_options_that_go_together)
{
	static const char *const accepted[][2] = {
		{ "--autoreap", "--exit-signal=0" },
		{ "--autokill", "--exit-signal=none" },
		{ "--raw-flags=CLONE_PARENT", "--exit-signal=0" },
		{ "--raw-flags=CLONE_AUTOREAP", "--exit-signal=0" },
		{ "--autokill", "--raw-flags=CLONE_NEWTIME" },
		{ "--raw-flags=1<<33", "--cgroup=/sys/fs/cgroup" },
		{ "--exact", "--raw-flags=CLONE_PARENT" },
		{ "--exact", "--raw-flags=CLONE_PIDFD_AUTOKILL" },
		{ "--pass=fd:9", "--peer-uid=7" },
		{ "--pass=@x", "--wait=0" },
		{ "--wait=99999999999999999999d", "-p/none/socket" },
		{ "--pidfd", "-p/none/socket" },
		{ "-t.5", "-sint" },
		{ "--die-with-pid=1:1", "--kill-after=0" },
		{ "--new-session", "--detach" },
		{ "--exact", "--empty-mntns" },
		{ "--die-with-fd=9", "--status-fd=9" },
	};
	static const char *const refused[][2] = {
		{ "--autoreap", "--raw-flags=CLONE_PARENT" },
		{ "--autokill", "--raw-flags=CLONE_PARENT" },
		{ "--raw-flags=CLONE_PARENT", "--exit-signal=USR1" },
		{ "--raw-flags=CLONE_AUTOREAP", "--exit-signal=CHLD" },
		{ "--raw-flags=CLONE_PIDFD_AUTOKILL", "--exit-signal=0" },
		{ "--raw-flags=CLONE_PIDFD_AUTOKILL", "--nnp" },
		{ "-v", "--raw-flags=CLONE_PARENT" },
		{ "-v", "--raw-flags=1<<33" },
		{ "-v", "--raw-flags=CLONE_INTO_CGROUP" },
		{ "--nnp", "--allow-new-privs" },
		{ "--exit-signal=TERM", "--autoreap" },
		{ "--pass=fd:9", "--wait=1" },
		{ "--pass=fd:9", "--wait=0" },
		{ "--wait=1", "--receive=fd:9" },
		{ "-p/none/socket", "-dv" },
		{ "-t0", "-d" },
		{ "-vsTERM", "--new-session" },
		{ "--receive=fd:9", "--die-with-fd=9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		expect_accepted(accepted[i][0], accepted[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		expect_refused(refused[i][0], refused[i][1]);
}

/* A pidfd that only --exact leaves out, however else it may be asked for. */
SystemTest(usage, exact_passes_only_a_pidfd_that_was_asked_for)
{
	static const char *const asking[] = { "--pidfd",
		"--raw-flags=CLONE_PIDFD", "--raw-flags=1<<12" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(asking); i++) {
		run(&e, NULL, ARGV(spawnfd, "--exact", "--dry-run", asking[i],
				   "--pass=/none/socket", actor));
		expect_exit(&e, 0);
	}
	run(&e, NULL, ARGV(spawnfd, "--exact", "--autokill", "--autoreap",
			   "--nnp", "-p/none/socket", actor));
	expect_fine(not_bad_usage(&e));
	expect_said(&e, "--pidfd");
}

SystemTest(usage, a_receiver_has_no_command)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--receive=/none/socket", "--", actor));
	expect_fine(not_bad_usage(&e));
	run(&e, NULL, ARGV(spawnfd, "--receive", "/none/socket", actor));
	expect_fine(not_bad_usage(&e));
	run(&e, NULL, ARGV(spawnfd, "--receive=/none/socket", "--"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: receive: /none/socket: ");
}

/* ---- single words ---- */

SystemTest(usage, flag_options_set_the_flag_of_the_table)
{
	char expected[256];
	int flags = 0;

	read_options();
	for (size_t i = 0; i < count; i++) {
		struct ended e;

		if (strcmp(options[i].flag, "-") == 0)
			continue;
		run(&e, NULL, ARGV(spawnfd, "--dry-run", "--exact",
				   word(&options[i]), actor));
		expect_exit(&e, 0);
		snprintf(expected, sizeof(expected),
			 "clone3({flags=%s, exit_signal=SIGCHLD",
			 options[i].flag);
		cr_expect_eq(strncmp(e.out, expected, strlen(expected)), 0,
			     "wanted %s, saw %s", expected, e.out);
		flags++;
	}
	cr_assert_geq(flags, 6);
}

SystemTest(usage, letters_are_their_long_options)
{
	struct ended by_letter, by_name;
	const char *need;
	char text[256];
	int letters = 0;

	read_options();
	for (size_t i = 0; i < count; i++) {
		if (strcmp(options[i].letter, "-") == 0)
			continue;
		need = is(&options[i], "--signal") ? "--timeout=1" : "-v";
		snprintf(text, sizeof(text), "%s%s", options[i].letter,
			 takes_argument(&options[i]) ? sample(&options[i])
						     : "");
		run(&by_letter, NULL, ARGV(spawnfd, "--dry-run", need, text,
					   actor));
		run(&by_name, NULL, ARGV(spawnfd, "--dry-run", need,
					 word(&options[i]), actor));
		expect_exit(&by_letter, 0);
		cr_expect_str_eq(by_letter.out, by_name.out);
		letters++;
	}
	cr_assert_geq(letters, 5);
	run(&by_letter, NULL, ARGV(spawnfd, "--dry-run", "-p", "/none/socket",
				   actor));
	expect_exit(&by_letter, 0);
	run(&by_letter, NULL, ARGV(spawnfd, "--dry-run", "-vp/none/socket",
				   actor));
	expect_exit(&by_letter, 0);
	run(&by_letter, NULL, ARGV(spawnfd, "--dry-run", "-dv", actor));
	expect_exit(&by_letter, 0);
}

SystemTest(usage, arguments_missing_or_unwanted)
{
	char text[128];
	struct ended e;

	read_options();
	for (size_t i = 0; i < count; i++) {
		if (is(&options[i], "--probe"))
			continue;
		if (takes_argument(&options[i])) {
			run(&e, NULL, ARGV(spawnfd, options[i].name));
			expect_fine(not_bad_usage(&e));
		} else {
			snprintf(text, sizeof(text), "%s=1", options[i].name);
			expect_refused(text, "--");
		}
	}
}

/* --opt VALUE is --opt=VALUE */
SystemTest(usage, arguments_in_a_word_of_their_own)
{
	struct ended apart, joined;

	run(&apart, NULL, ARGV(spawnfd, "--dry-run", "--exit-signal", "USR1",
			       "--raw-flags", "1<<26", "--cgroup", "/x",
			       actor));
	run(&joined, NULL, ARGV(spawnfd, "--dry-run", "--exit-signal=USR1",
				"--raw-flags=1<<26", "--cgroup=/x", actor));
	expect_exit(&apart, 0);
	expect_exit(&joined, 0);
	cr_expect_str_eq(apart.out, joined.out);
	cr_expect_not_null(strstr(joined.out, "exit_signal=SIGUSR1"));
}

SystemTest(usage, command_missing)
{
	struct ended e;

	read_options();
	run(&e, NULL, ARGV(spawnfd));
	expect_fine(not_bad_usage(&e));
	run(&e, NULL, ARGV(spawnfd, "--"));
	expect_fine(not_bad_usage(&e));
	for (size_t i = 0; i < count; i++) {
		if (answers(&options[i]) || is(&options[i], "--receive") ||
		    is(&options[i], "--probe"))
			continue;
		run(&e, &usual, ARGV(spawnfd, word(&options[i])));
		expect_fine(not_bad_usage(&e));
		run(&e, &usual, ARGV(spawnfd, word(&options[i]), "--"));
		expect_fine(not_bad_usage(&e));
	}
}

SystemTest(usage, unknown_options)
{
	static const char *const never[] = {
		"--no-such-option", "--autokillx", "-k", "-n", "-x", "-dx",
		"-1", "--=", "--=x", "---", "-\n", "--new\nline", "--\xff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		expect_refused(never[i], "--");
}

SystemTest(usage, abbreviations)
{
	struct ended e;

	expect_accepted("--autok", "--verb");
	expect_accepted("--no-new", "--clear-s");
	expect_refused("--auto", "--");		/* kill or reap */
	expect_refused("--ex", "--");		/* act or it-signal */
	expect_refused("--p=x", "--");		/* ass, eer-uid, id... */
	expect_refused("--pid=x", "--");	/* -file or fd */
	expect_refused("--r=x", "--");		/* eceive or aw-flags */
	expect_accepted("--pas=/none/socket", "--pid-=/none/pid");
	run(&e, NULL, ARGV(spawnfd, "--exit-s=USR2", "--dry", actor));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, "exit_signal=SIGUSR2"));
}

/* Options end at the command, whose own are none of spawnfd's business. */
SystemTest(usage, options_end_at_the_command)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--dry-run", actor, "--no-such-option"));
	expect_exit(&e, 0);
	run(&e, NULL, ARGV(spawnfd, "--dry-run", "--", "--no-such-option"));
	expect_exit(&e, 0);
	run(&e, NULL, ARGV(spawnfd, "--dry-run", "-"));
	expect_exit(&e, 0);
}

/* ---- values ---- */

static void expect_value_refused(const char *option, const char *value)
{
	char text[512];

	snprintf(text, sizeof(text), "%s=%s", option, value);
	expect_refused(text, "--");
}

static void expect_values_refused(const char *option, const char *const bad[],
				  size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect_value_refused(option, bad[i]);
}

static void expect_line(const char *option, const char *value,
			const char *expected)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--exact", "--dry-run", option, value,
			   actor));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, expected), "%s %s: wanted %s, saw %s",
			   option, value, expected, e.out);
}

SystemTest(usage, bad_signals)
{
	static const char *const bad[] = {
		"", " ", "SIG", "SIGFOO", "USR3", "65", "-1", "+9", "9 ", " 9",
		"0x9", "1.5", "9x", "99999999999999999999", "4294967305",
		"RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMAX+1", "RTMIN+",
		"RTMAX-", "RTMIN+x", "RTMIN+ 1", "RTMIN+-1", "SIGSIGTERM",
		"TERM\n", "\xff",
	};

	expect_values_refused("--exit-signal", bad, ARRAY_SIZE(bad));
	expect_values_refused("--signal", bad, ARRAY_SIZE(bad));
	/* none is no way to begin an end */
	expect_value_refused("--signal", "0");
	expect_value_refused("--signal", "none");
}

SystemTest(usage, good_signals)
{
	static const char *const good[][2] = {
		{ "0", "0}" }, { "none", "0}" }, { "TERM", "SIGTERM}" },
		{ "SIGTERM", "SIGTERM}" }, { "sigterm", "SIGTERM}" },
		{ "Chld", "SIGCHLD}" }, { "9", "SIGKILL}" },
		{ "1", "SIGHUP}" }, { "31", "SIGSYS}" }, { "32", "32}" },
		{ "33", "33}" }, { "64", "64}" }, { "RTMIN", "34}" },
		{ "RTMIN+1", "35}" }, { "rtmin+30", "64}" },
		{ "RTMAX", "64}" }, { "RTMAX-1", "63}" },
		{ "SIGRTMAX-30", "34}" }, { "RTMIN+0", "34}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "exit_signal=%s",
			 good[i][1]);
		expect_line("--exit-signal", good[i][0], expected);
	}
}

SystemTest(usage, addresses)
{
	static const char *const bad[] = {
		"", "@", "fd:", "fd:x", "fd:-1", "fd:+1", "fd: 1", "fd:1 ",
		"fd:0x1", "fd:1.", "fd:2147483648", "fd:99999999999999999999",
	};
	static const char *const good[] = {
		"x", "./fd:1", "FD:1", "@@", "@fd:1", "a@", " ", "\xff", "fd:0",
		"fd:00009", "fd:2147483647",
	};
	char name[110] = "@";

	expect_values_refused("--pass", bad, ARRAY_SIZE(bad));
	expect_values_refused("--receive", bad, ARRAY_SIZE(bad));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		expect_accepted("--pass", good[i]);
	/* sun_path has 108 bytes, of which a NUL takes the place of the @ */
	memset(name + 1, 'x', 107);
	expect_accepted("--pass", name);
	name[108] = 'x';
	expect_value_refused("--pass", name);
	expect_value_refused("--receive", name);
}

SystemTest(usage, durations)
{
	static const char *const bad[] = {
		"", " ", ".", "-1", "+1", "1 ", " 1", "1 s", "1e3", "inf",
		"infinity", "nan", "0x1", "1,5", "1.5.5", "ms", "s", "1S",
		"1ss", "1sec", "1us", "1s\n", "\xff",
	};
	static const char *const good[] = {
		"0", "00", "1", "1.5", ".5", "1.", "0.000000000001", "1ms",
		".5ms", "1s", "2m", "3h", "4d", "99999999999999999999",
		"18446744073709551616d",
	};
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "--wait=%s", bad[i]);
		expect_refused("--pass=/none/socket", text);
		expect_value_refused("--timeout", bad[i]);
		expect_value_refused("--kill-after", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(text, sizeof(text), "--wait=%s", good[i]);
		expect_accepted("--pass=/none/socket", text);
		expect_accepted("--timeout", good[i]);
		expect_accepted("--kill-after", good[i]);
	}
}

SystemTest(usage, processes)
{
	static const char *const bad[] = {
		"", " ", "0", "-1", "+1", "1 ", " 1", "1.", "0x1", "x", "1x",
		"2147483648", "18446744073709551617", "1:", ":1", "1:0", "1:x",
		"1:-1", "1:18446744073709551616", "1:2:3", "1,2", "1 :2",
	};

	expect_values_refused("--die-with-pid", bad, ARRAY_SIZE(bad));
	expect_accepted("--die-with-pid", "0001");
	expect_accepted("--die-with-pid", "2147483647");
	expect_accepted("--die-with-pid", "1:18446744073709551615");
}

SystemTest(usage, numbers_of_descriptors_and_users)
{
	static const char *const bad[] = {
		"", " ", "-1", "+1", "1 ", " 1", "1.", "0x1", "x", "1x",
		"root", "18446744073709551616", "\xff",
	};
	char text[64];

	expect_values_refused("--status-fd", bad, ARRAY_SIZE(bad));
	expect_values_refused("--die-with-fd", bad, ARRAY_SIZE(bad));
	expect_value_refused("--status-fd", "2147483648");
	expect_value_refused("--die-with-fd", "2147483648");
	expect_accepted("--status-fd", "0009");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "--peer-uid=%s", bad[i]);
		expect_refused("-p/none/socket", text);
	}
	/* chown(2): the last one is none */
	expect_refused("-p/none/socket", "--peer-uid=4294967295");
	expect_refused("-p/none/socket", "--peer-uid=4294967296");
	expect_accepted("-p/none/socket", "--peer-uid=4294967294");
}

SystemTest(usage, bad_bits)
{
	static const char *const bad[] = {
		"", " ", "0x", "0xg", "x80", "1<<", "1<<64", "1<<-1", "1<<x",
		"2<<3", "<<3", "-1", "+128", "128 ", "18446744073709551616",
		"0x10000000000000000", "FOO", "CLONE_", "CLONE_FOO",
		"CLONE_NEWUTS|", "|CLONE_NEWUTS", "|", "CLONE_NEWUTS||128",
		"CLONE_NEWUTS,CLONE_NEWIPC", "CLONE_NEWUTSX", "1e3", "\xff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_value_refused("--raw-flags", bad[i]);
}

SystemTest(usage, good_bits)
{
	static const char *const good[][2] = {
		{ "0", "flags=0," }, { "128", "flags=CLONE_NEWTIME," },
		{ "0x80", "flags=CLONE_NEWTIME," },
		{ "1<<7", "flags=CLONE_NEWTIME," },
		{ "CLONE_NEWTIME", "flags=CLONE_NEWTIME," },
		{ "1<<34|1<<35", "flags=CLONE_AUTOREAP|CLONE_NNP," },
		{ "1<<36", "flags=CLONE_PIDFD_AUTOKILL," },
		{ "1<<37", "flags=CLONE_EMPTY_MNTNS," },
		{ "1<<63", "flags=0x8000000000000000," },
		{ "9223372036854775808|1<<38", "flags=0x8000004000000000," },
		{ "CLONE_NEWIPC|0x04000000|128",
		  "flags=CLONE_NEWTIME|CLONE_NEWUTS|CLONE_NEWIPC," },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		expect_line("--raw-flags", good[i][0], good[i][1]);
}

/* By name and by number; --exact does not open these doors either. */
SystemTest(usage, bits_that_a_command_cannot_run_on)
{
	static const char *const refused[] = {
		"CLONE_VM", "CLONE_VFORK", "CLONE_THREAD", "CLONE_SIGHAND",
		"CLONE_FILES", "CLONE_FS", "CLONE_SETTLS",
		"CLONE_PARENT_SETTID", "CLONE_CHILD_SETTID",
		"CLONE_CHILD_CLEARTID", "0x100", "0x4000", "0x10000", "0x800",
		"0x400", "0x200", "1<<19", "1<<20", "1<<21", "1<<24", "1<<0",
		"17", "0x7f", "64", "CLONE_NEWUTS|CLONE_VM",
		"CLONE_INTO_CGROUP", "0xffffffffffffffff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char text[512];

		expect_value_refused("--raw-flags", refused[i]);
		snprintf(text, sizeof(text), "--raw-flags=%s", refused[i]);
		expect_refused("--exact", text);
	}
}

/* ---- what is printed, and when it cannot be ---- */

static const char *const answering[] = { "--help", "-h", "--version", "-V",
					 "--list-options" };

SystemTest(usage, answers_go_to_standard_output)
{
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(answering); i++)
		expect_fine(not_answered(answering[i], "--"));
	read_options();
	run(&e, NULL, ARGV(spawnfd, "--help"));
	for (size_t i = 0; i < count; i++)
		cr_expect_not_null(strstr(e.out, options[i].name),
				   "--help lacks %s", options[i].name);
	run(&e, NULL, ARGV(spawnfd, "--version"));
	cr_expect_eq(strncmp(e.out, "spawnfd ", 8), 0, "%s", e.out);
}

static void output_full(const void *arg)
{
	(void)arg;
	inherit_as(open("/dev/full", O_WRONLY | O_CLOEXEC), 1);
}

static void output_closed(const void *arg)
{
	(void)arg;
	close(1);
}

SystemTest(usage, output_that_cannot_be_written_is_a_failure)
{
	static const struct way ways[] = { { .prepare = output_full },
					   { .prepare = output_closed } };
	struct ended e;

	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		for (size_t i = 0; i < ARRAY_SIZE(answering); i++) {
			run(&e, &ways[w], ARGV(spawnfd, answering[i]));
			expect_refusal(&e, 125);
		}
		run(&e, &ways[w], ARGV(spawnfd, "--dry-run", actor));
		expect_refusal(&e, 125);
	}
}

static void no_arguments(const void *arg)
{
	char *const nothing[] = { NULL };

	(void)arg;
	execv(spawnfd, nothing);
}

/* Not even a name of its own. */
SystemTest(usage, an_empty_argument_vector)
{
	const struct way way = { .prepare = no_arguments };
	struct ended e;

	run(&e, &way, ARGV(actor));
	expect_fine(not_bad_usage(&e));
}
