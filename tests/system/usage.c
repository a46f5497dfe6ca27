/* SPDX-License-Identifier: MIT */
/*
 * The command line, word by word: which words spawnfd refuses. A refusal is one
 * clear line and exit status 125, and spawnfd starts nothing.
 */
#include "command_lines.h"
#include "harness.h"

#include <ctype.h>
#include <fcntl.h>

/* ---- single words ---- */

SystemTest(usage, flag_options_set_the_flag_of_the_table)
{
	char expected[256];
	int flags = 0;

	read_options();
	for (size_t i = 0; i < option_count; i++) {
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
	for (size_t i = 0; i < option_count; i++) {
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
	for (size_t i = 0; i < option_count; i++) {
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

/* "--option VALUE" means the same as "--option=VALUE". */
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
	for (size_t i = 0; i < option_count; i++) {
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
	expect_refused("--auto", "--");		/* --autokill, --autoreap */
	expect_refused("--ex", "--");		/* --exact, --exit-signal */
	expect_refused("--p=x", "--");		/* --pass, --peer-uid... */
	expect_refused("--pid=x", "--");	/* --pid-file, --pidfd */
	expect_refused("--r=x", "--");		/* --receive, --raw-flags */
	expect_accepted("--pas=/none/socket", "--pid-=/none/pid");
	run(&e, NULL, ARGV(spawnfd, "--exit-s=USR2", "--dry", actor));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, "exit_signal=SIGUSR2"));
}

/* Options end at COMMAND; spawnfd does not look at the options of COMMAND. */
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
	/* --signal needs a real signal; "none" is for --exit-signal only. */
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
	/* sun_path has 108 bytes, with a NUL in place of the "@". */
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
	/* The largest uid is not a user: chown(2). */
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
		{ "9223372036854775808|1<<62", "flags=0xc000000000000000," },
		{ "CLONE_NEWIPC|0x04000000|128",
		  "flags=CLONE_NEWTIME|CLONE_NEWUTS|CLONE_NEWIPC," },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		expect_line("--raw-flags", good[i][0], good[i][1]);
}

/* spawnfd refuses these flags by name and by number, with --exact too. */
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

/* ---- answers, and output that cannot be written ---- */

static const char *const answering[] = { "--help", "-h", "--version", "-V",
					 "--list-options" };

SystemTest(usage, answers_go_to_standard_output)
{
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(answering); i++)
		expect_fine(not_answered(answering[i], "--"));
	read_options();
	run(&e, NULL, ARGV(spawnfd, "--help"));
	for (size_t i = 0; i < option_count; i++)
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

/* argv has no word at all, not even the name of the program. */
SystemTest(usage, an_empty_argument_vector)
{
	const struct way way = { .prepare = no_arguments };
	struct ended e;

	run(&e, &way, ARGV(actor));
	expect_fine(not_bad_usage(&e));
}
