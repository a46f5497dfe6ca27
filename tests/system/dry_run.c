/* SPDX-License-Identifier: MIT */
/* The lines of --dry-run and --verbose, on which scripts and people rely. */
#include "harness.h"

#define COLUMNS 6

struct line {
	const char *options[COLUMNS];
	const char *line;
};

static const struct line lines[] = {
	{ { "--pidfd" },
	  "clone3({flags=CLONE_PIDFD, exit_signal=SIGCHLD}, 88)" },
	{ { "--autoreap" },
	  "clone3({flags=CLONE_PIDFD|CLONE_AUTOREAP, exit_signal=0}, 88)" },
	{ { "--nnp" },
	  "clone3({flags=CLONE_PIDFD|CLONE_NNP, exit_signal=SIGCHLD}, 88)" },
	{ { "--autokill" },
	  "clone3({flags=CLONE_PIDFD|CLONE_AUTOREAP|CLONE_NNP|"
	  "CLONE_PIDFD_AUTOKILL, exit_signal=0}, 88)" },
	{ { "--autokill", "--allow-new-privs" },
	  "clone3({flags=CLONE_PIDFD|CLONE_AUTOREAP|CLONE_PIDFD_AUTOKILL, "
	  "exit_signal=0}, 88)" },
	{ { "--clear-sighand" },
	  "clone3({flags=CLONE_PIDFD|CLONE_CLEAR_SIGHAND, "
	  "exit_signal=SIGCHLD}, 88)" },
	{ { "--cgroup=/some where" },
	  "clone3({flags=CLONE_PIDFD|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, "
	  "cgroup=/some where}, 88)" },
	{ { "--raw-flags=CLONE_NEWUTS|1<<63|1<<62|0x80" },
	  "clone3({flags=CLONE_NEWTIME|CLONE_PIDFD|CLONE_NEWUTS|"
	  "0xc000000000000000, exit_signal=SIGCHLD}, 88)" },
	{ { "--exit-signal=usr1" },
	  "clone3({flags=CLONE_PIDFD, exit_signal=SIGUSR1}, 88)" },
	{ { "--exit-signal=RTMIN+1" },
	  "clone3({flags=CLONE_PIDFD, exit_signal=35}, 88)" },
	{ { "--exact" },
	  "clone3({flags=0, exit_signal=SIGCHLD}, 88)" },
	{ { "--exact", "--exit-signal=none" },
	  "clone3({flags=0, exit_signal=0}, 88)" },
	{ { "--exact", "--autokill", "--pidfd" },
	  "clone3({flags=CLONE_PIDFD|CLONE_PIDFD_AUTOKILL, "
	  "exit_signal=SIGCHLD}, 88)" },
	/* Options for the receiver and for reports do not change the call. */
	{ { "--autokill", "--pass=/none/socket", "--wait=1h", "--peer-uid=7",
	    "--pid-file=/none/pid" },
	  "clone3({flags=CLONE_PIDFD|CLONE_AUTOREAP|CLONE_NNP|"
	  "CLONE_PIDFD_AUTOKILL, exit_signal=0}, 88)" },
	{ { "--detach", "--autoreap", "--status-fd=2" },
	  "clone3({flags=CLONE_PIDFD|CLONE_AUTOREAP, exit_signal=0}, 88)" },
	/* The flags stand in the order of their bits. */
	{ { "--exact", "--autokill", "--nnp", "--autoreap", "--pidfd",
	    "--clear-sighand" },
	  "clone3({flags=CLONE_PIDFD|CLONE_CLEAR_SIGHAND|CLONE_AUTOREAP|"
	  "CLONE_NNP|CLONE_PIDFD_AUTOKILL, exit_signal=SIGCHLD}, 88)" },
};

static void dry_run(struct ended *e, const char *const options[])
{
	const char *argv[COLUMNS + 6] = { spawnfd, "--dry-run" };
	size_t n = 2;

	for (size_t i = 0; i < COLUMNS && options[i]; i++)
		argv[n++] = options[i];
	argv[n++] = actor;
	argv[n++] = "mark";
	argv[n] = scratch_path("started");
	run(e, NULL, argv);
}

SystemTest(usage, dry_run_prints_the_call_and_starts_nothing)
{
	struct ended e;
	char expected[512];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		dry_run(&e, lines[i].options);
		expect_exit(&e, 0);
		snprintf(expected, sizeof(expected), "%s\n", lines[i].line);
		cr_expect_str_eq(e.out, expected, "wanted %s, saw %s",
				 expected, e.out);
		cr_expect_str_eq(e.err, "");
		cr_expect(!exists(scratch_path("started")));
	}
}

/* --raw-flags accepts the flags as --dry-run prints them. */
SystemTest(usage, raw_flags_read_what_dry_run_prints)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char raw[512] = "--raw-flags=";
		const char *flags = strstr(lines[i].line, "flags=") + 6;
		const char *options[COLUMNS] = { "--exact", raw,
						 "--cgroup=/x" };
		struct ended e;

		strncat(raw, flags, strcspn(flags, ","));
		if (!strstr(raw, "CLONE_INTO_CGROUP"))
			options[2] = NULL;
		dry_run(&e, options);
		expect_exit(&e, 0);
		cr_assert_not_null(strstr(e.out, "flags="), "%s", e.out);
		cr_expect_eq(strncmp(strstr(e.out, "flags=") + 6, flags,
				     strcspn(flags, ",") + 1), 0,
			     "%s gives %s", raw, e.out);
	}
}

static int count_lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Expects the line of --dry-run with its result, and at least one more line. */
static void verbose(const char *with)
{
	struct ended e, dry;
	char expected[1024];
	pid_t pid = 0;

	run(&dry, NULL, ARGV(spawnfd, "--dry-run", with, actor, "echo"));
	expect_exit(&dry, 0);
	dry.out[strcspn(dry.out, "\n")] = '\0';

	run(&e, NULL, ARGV(spawnfd, "-v", with, actor, "echo"));
	expect_exit(&e, 0);
	pid = atoi(e.out);
	cr_assert_gt(pid, 0);
	snprintf(expected, sizeof(expected), "%.900s = %d, pidfd ", dry.out,
		 pid);
	expect_said(&e, expected);
	cr_expect_geq(count_lines(e.err), 2);

	run(&e, NULL, ARGV(spawnfd, "--verbose", with, actor, "say", "hello"));
	expect_said(&e, "clone3({flags=");
	cr_expect_str_eq(e.out, "hello\n");

	run(&e, NULL, ARGV(spawnfd, "-v", with, "/none"));
	expect_exit(&e, 127);
	expect_said(&e, "clone3({flags=");
	expect_said(&e, "spawnfd: /none: ");
}

SystemTest(plain, verbose_prints_the_call_and_its_result)
{
	verbose("--");
	verbose("--clear-sighand");
}

SystemTest(flags, verbose_prints_the_call_and_its_result)
{
	verbose("--autoreap");
	verbose("--nnp");
	verbose("--autokill");
}

/* spawnfd tells which flags it has added unasked. */
SystemTest(flags, verbose_says_what_autokill_added)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "-v", "--autokill", actor, "exit", "0"));
	expect_exit(&e, 0);
	expect_said(&e, "added");
	run(&e, NULL, ARGV(spawnfd, "-v", "--exact", "--autoreap", "--pidfd",
			   "--exit-signal=0", actor, "exit", "0"));
	expect_exit(&e, 0);
	cr_expect_null(strstr(e.err, "added"), "%s", e.err);
}

SystemTest(flags, verbose_shows_a_refusal)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "-v", "--exact", "--autokill", actor,
			   "exit", "0"));
	expect_exit(&e, 125);
	expect_begun(&e, "clone3({flags=CLONE_PIDFD_AUTOKILL, "
		     "exit_signal=SIGCHLD}, 88) = -1 EINVAL "
		     "(Invalid argument)\nspawnfd: clone3: EINVAL: ");
}

/* A reader of standard error that goes away is no reason to end. */
EVERY_WAY(verbose_without_a_reader)
{
	struct running r;
	int status;

	start(&r, NULL, ARGV(spawnfd, "-v", with, actor, "echo"));
	read_pid(r.out);
	close(r.err);
	close(r.in);
	status = await_end(&r);
	cr_expect(WIFEXITED(status) && !WEXITSTATUS(status), "%x",
		  (unsigned int)status);
	close(r.out);
	close(r.pidfd);
}
