/* SPDX-License-Identifier: MIT */
/* options: argv becomes struct options, and every mistake is found */
#include "options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sys.h"

#define PARSE(...) parse((char *[]){ "spawnfd", __VA_ARGS__, NULL })
#define WRONG(...) wrong((char *[]){ "spawnfd", __VA_ARGS__, NULL })

static struct options parse(char **argv)
{
	struct options options;
	struct mistake mistake;
	int r = options_parse(argv, &options, &mistake);

	cr_assert_eq(r, 0, "%s: mistake %d", argv[1], (int)mistake.kind);
	return options;
}

static uint64_t exit_signal(struct options options)
{
	return options.values[OPT_EXIT_SIGNAL].number;
}

static struct mistake wrong(char **argv)
{
	struct options options;
	struct mistake mistake;

	cr_assert_eq(options_parse(argv, &options, &mistake), -EINVAL, "%s",
		     argv[1]);
	return mistake;
}

Test(options, end_at_the_command)
{
	struct options options = PARSE("--autokill", "cmd", "--nnp", "-v");

	cr_expect_eq(options.given, OPTION_BIT(OPT_AUTOKILL));
	cr_expect_str_eq(options.command[0], "cmd");
	cr_expect_str_eq(options.command[1], "--nnp");
	cr_expect_null(options.command[3]);
}

Test(options, end_at_two_dashes)
{
	struct options options = PARSE("-v", "--", "-v");

	cr_expect_eq(options.given, OPTION_BIT(OPT_VERBOSE));
	cr_expect_str_eq(options.command[0], "-v");
}

Test(options, one_dash_is_a_command)
{
	cr_expect_str_eq(PARSE("-").command[0], "-");
}

Test(options, letters_in_one_word)
{
	cr_expect_eq(PARSE("-dv", "cmd").given,
		     OPTION_BIT(OPT_DETACH) | OPTION_BIT(OPT_VERBOSE));
}

Test(options, argument_in_the_same_word_or_the_next)
{
	cr_expect_str_eq(PARSE("--cgroup=/a=b", "cmd").values[OPT_CGROUP].text, "/a=b");
	cr_expect_str_eq(PARSE("--cgroup", "/c", "cmd").values[OPT_CGROUP].text, "/c");
	cr_expect_str_eq(PARSE("--cgroup=--", "cmd").values[OPT_CGROUP].text, "--");
	cr_expect_eq(WRONG("--cgroup=", "cmd").kind, MISTAKE_VALUE);
	cr_expect_eq(WRONG("--pid-file", "", "cmd").kind, MISTAKE_VALUE);
}

Test(options, the_last_one_counts_but_flags_add_up)
{
	struct options options = PARSE("--cgroup=a", "--cgroup=b",
				       "--raw-flags=CLONE_NEWPID",
				       "--raw-flags=1<<40", "cmd");

	cr_expect_str_eq(options_text(&options, OPT_CGROUP), "b");
	cr_expect_eq(options_flags(&options), CLONE_NEWPID | UINT64_C(1) << 40);
}

Test(options, aliases_and_abbreviations)
{
	uint64_t nnp = OPTION_BIT(OPT_NNP);

	cr_expect_eq(PARSE("--no-new-privs", "cmd").given, nnp);
	cr_expect_eq(PARSE("--no", "cmd").given, nnp);
	cr_expect_eq(PARSE("--nn", "cmd").given, nnp, "two names, one option");
	cr_expect_eq(PARSE("--verb", "cmd").given, OPTION_BIT(OPT_VERBOSE));
}

Test(options, questions_end_the_reading)
{
	cr_expect_eq(PARSE("--help", "--bogus").given, OPTION_BIT(OPT_HELP));
	cr_expect_eq(PARSE("-V").given, OPTION_BIT(OPT_VERSION));
	cr_expect_eq(PARSE("-hZ").given, OPTION_BIT(OPT_HELP));
	cr_expect_eq(PARSE("--nnp", "--allow-new-privs", "-h").given,
		     OPTION_BIT(OPT_NNP) | OPTION_BIT(OPT_ALLOW_NEW_PRIVS) |
			     OPTION_BIT(OPT_HELP));
}

Test(options, exit_signals)
{
	cr_expect_eq(exit_signal(PARSE("--exit-signal=USR1", "c")), 10);
	cr_expect_eq(exit_signal(PARSE("--exit-signal=0", "c")), 0);
	cr_expect_eq(exit_signal(PARSE("--exit-signal=none", "c")), 0);
	cr_expect_eq(exit_signal(PARSE("--exit-signal=64", "c")), 64);
	cr_expect_eq(WRONG("--exit-signal=65", "c").kind, MISTAKE_VALUE);
	cr_expect_eq(WRONG("--exit-signal=", "c").kind, MISTAKE_VALUE);
}

Test(options, mistakes)
{
	cr_expect_eq(WRONG("--bogus", "c").kind, MISTAKE_UNKNOWN);
	cr_expect_eq(WRONG("--autokillx", "c").kind, MISTAKE_UNKNOWN);
	cr_expect_eq(WRONG("--=x", "c").kind, MISTAKE_AMBIGUOUS);
	cr_expect_eq(WRONG("-x", "c").kind, MISTAKE_LETTER);
	cr_expect_eq(*WRONG("-dx", "c").word, 'x');
	cr_expect_eq(WRONG("--auto", "c").kind, MISTAKE_AMBIGUOUS);
	cr_expect_eq(WRONG("--cgroup").kind, MISTAKE_NO_ARGUMENT);
	cr_expect_eq(WRONG("--nnp=1", "c").kind, MISTAKE_ARGUMENT);
	cr_expect_eq(WRONG("--nnp=", "c").kind, MISTAKE_ARGUMENT);
	cr_expect_eq(WRONG("--autokill").kind, MISTAKE_NO_COMMAND);
	cr_expect_eq(WRONG("--").kind, MISTAKE_NO_COMMAND);
	cr_expect_eq(wrong((char *[]){ "spawnfd", NULL }).kind,
		     MISTAKE_NO_COMMAND);
	cr_expect_eq(wrong((char *[]){ NULL }).kind, MISTAKE_NO_COMMAND);
}

Test(options, a_mistyped_name_has_those_that_may_be_meant)
{
	const struct {
		const char *word;
		uint64_t meant;
	} cases[] = {
		{ "--timout=5", OPTION_BIT(OPT_TIMEOUT) },
		{ "--recieve=/x", OPTION_BIT(OPT_RECEIVE) },
		{ "--killtree", OPTION_BIT(OPT_KILL_TREE) },
		{ "--no_new_privs", OPTION_BIT(OPT_NNP) },
		{ "--autokillx", OPTION_BIT(OPT_AUTOKILL) },
		{ "--die-with-pd", OPTION_BIT(OPT_DIE_WITH_PID) |
				   OPTION_BIT(OPT_DIE_WITH_FD) },
		{ "--wiat", OPTION_BIT(OPT_WAIT) },
		{ "--AUTOKILL", OPTION_BIT(OPT_AUTOKILL) },
		/* too far, too short, too long */
		{ "--bogus", 0 },
		{ "--cash", 0 },
		{ "--x", 0 },
		{ "--autokillautokillautokillautokill", 0 },
		/* abbreviations that are not unique */
		{ "--auto", OPTION_BIT(OPT_AUTOKILL) |
			    OPTION_BIT(OPT_AUTOREAP) },
		{ "--n", OPTION_BIT(OPT_NNP) | OPTION_BIT(OPT_NEW_SESSION) },
		/* not every option can be probed */
		{ "--probe=killtree", OPTION_BIT(OPT_KILL_TREE) },
		{ "--probe=--autokil", OPTION_BIT(OPT_AUTOKILL) },
		{ "--probe=timout", 0 },
		/* an option without flags may need one that has some */
		{ "--probe=wait-tree", OPTION_BIT(OPT_KILL_TREE) },
		{ "--probe=--wait-tree", OPTION_BIT(OPT_KILL_TREE) },
		{ "--probe=wait-tre", OPTION_BIT(OPT_KILL_TREE) },
		{ "--probe=allow-new-privs", OPTION_BIT(OPT_AUTOKILL) },
		{ "--probe=wait", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char word[64];

		strcpy(word, cases[i].word);
		cr_expect_eq(WRONG(word, "c").others, cases[i].meant, "%s",
			     word);
	}
}

Test(options, the_last_of_one_with_and_without_an_argument_counts)
{
	struct options options = PARSE("--probe", "--probe=nnp");

	cr_expect(options_probes_one(&options));
	options = PARSE("--probe=nnp", "--probe");
	cr_expect_not(options_probes_one(&options));
}

Test(options, two_dashes_are_no_argument)
{
	cr_expect_eq(WRONG("--pass", "--", "c").kind, MISTAKE_NO_ARGUMENT);
	cr_expect_eq(WRONG("-p", "--", "c").kind, MISTAKE_NO_ARGUMENT);
	cr_expect_eq(WRONG("--pid-file", "--").kind, MISTAKE_NO_ARGUMENT);
	cr_expect_eq(PARSE("-p--", "c").values[OPT_PASS].address.text[0], '-');
}

Test(options, what_goes_together)
{
	struct mistake mistake;

	mistake = WRONG("--detach", "--autokill", "c");
	cr_expect_eq(mistake.kind, MISTAKE_EXCLUDES);
	cr_expect_eq(mistake.row, &table[OPT_AUTOKILL]);
	cr_expect_eq(mistake.others, OPTION_BIT(OPT_DETACH));
	mistake = WRONG("--autokill", "--nnp", "--allow-new-privs", "c");
	cr_expect_eq(mistake.kind, MISTAKE_EXCLUDES);
	mistake = WRONG("--allow-new-privs", "c");
	cr_expect_eq(mistake.kind, MISTAKE_NEEDS);
	cr_expect_eq(mistake.others, OPTION_BIT(OPT_AUTOKILL));
	mistake = WRONG("--raw-flags=CLONE_INTO_CGROUP", "c");
	cr_expect_eq(mistake.kind, MISTAKE_RULE);
	cr_expect_eq(mistake.row, &table[OPT_RAW_FLAGS]);
	PARSE("--raw-flags=CLONE_INTO_CGROUP", "--cgroup=d", "c");
}

Test(options, exact_leaves_flags_to_the_kernel)
{
	struct mistake mistake;

	PARSE("--exact", "--detach", "--autokill", "c");
	PARSE("--exact", "--nnp", "--autokill", "--allow-new-privs", "c");
	PARSE("--exact", "--allow-new-privs", "c");
	mistake = WRONG("--exact", "--raw-flags=CLONE_INTO_CGROUP", "c");
	cr_expect_eq(mistake.kind, MISTAKE_RULE, "it has no descriptor");
	cr_expect_eq(WRONG("--exact").kind, MISTAKE_NO_COMMAND);
}

/* --raw-flags refuses these bits, and leaves all others to the kernel. */
Test(options, refused_flags)
{
	const uint64_t refused = 0x7f | CLONE_VM | CLONE_FS | CLONE_FILES |
				 CLONE_SIGHAND | CLONE_VFORK | CLONE_THREAD |
				 CLONE_SETTLS | CLONE_PARENT_SETTID |
				 CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;

	for (int bit = 0; bit < 64; bit++) {
		char word[32];
		struct mistake mistake;
		struct options options;
		char *argv[] = { "spawnfd", "--cgroup=x", word, "c", NULL };
		int r;

		sprintf(word, "--raw-flags=1<<%d", bit);
		r = options_parse(argv, &options, &mistake);
		if (!(refused >> bit & 1)) {
			cr_expect_eq(r, 0, "%s", word);
			continue;
		}
		cr_expect_eq(r, -EINVAL, "%s", word);
		cr_expect_eq(mistake.kind, MISTAKE_REFUSED, "%s", word);
		cr_expect_eq(mistake.flags, UINT64_C(1) << bit, "%s", word);
	}
}

Test(options, one_descriptor_in_two_roles)
{
	cr_expect_eq(WRONG("--pass=fd:5", "--status-fd=5", "c").kind,
		     MISTAKE_RULE);
	cr_expect_eq(WRONG("--receive=fd:5", "--status-fd=5").kind,
		     MISTAKE_RULE);
	cr_expect_eq(WRONG("--receive=fd:5", "--pass=fd:5").kind, MISTAKE_RULE);
	cr_expect_eq(WRONG("--pass=fd:0", "--status-fd=0", "c").kind,
		     MISTAKE_RULE);
	PARSE("--receive=fd:5", "--pass=fd:6", "--status-fd=7");
	PARSE("--receive=5", "--pass=@5", "--status-fd=5");
	PARSE("--pass=@0", "c");
	/* The FD of --exec-fd replaces what the other options used. */
	PARSE("--receive=fd:5", "--exec-fd=5", "--status-fd=6", "c");
	PARSE("--receive=fd:5", "--exec-fd=6", "--status-fd=6", "c");
}

Test(options, a_receiver_takes_a_command_with_exec_fd_only)
{
	struct options options = PARSE("--receive=@a", "--exec-fd=3", "c", "-d");

	cr_expect_eq(options.values[OPT_EXEC_FD].number, 3);
	cr_expect_str_eq(options.command[0], "c");
	cr_expect_eq(WRONG("--receive=@a", "c").kind, MISTAKE_RULE);
	cr_expect_eq(WRONG("--receive=@a", "--exec-fd=3").kind,
		     MISTAKE_NO_COMMAND);
	cr_expect_eq(WRONG("--exec-fd=3", "c").kind, MISTAKE_NEEDS);
	cr_expect_eq(WRONG("--receive=@a", "--exec-fd=-1", "c").kind,
		     MISTAKE_VALUE);
}
