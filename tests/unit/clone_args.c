/* SPDX-License-Identifier: MIT */
/* clone_args: the call that options make, and the line that shows a call */
#include "clone_args.h"

#include <criterion/criterion.h>
#include <errno.h>

/* The line of --dry-run; mapped: for a user without CAP_SYS_ADMIN */
static const char *line(bool mapped, char **argv)
{
	static struct text text;
	struct sys_clone_args args;
	struct options options;
	struct mistake mistake;

	cr_assert_eq(options_parse(argv, &options, &mistake), 0, "%s", argv[1]);
	clone_args_fill(&options, mapped, &args);
	text = (struct text){ 0 };
	clone_args_print(&args, options_text(&options, OPT_CGROUP), false,
			 &text);
	return text.bytes;
}

#define LINE(mapped, ...) \
	line(mapped, (char *[]){ "spawnfd", __VA_ARGS__, "cmd", NULL })

#define EXPECT(inside, ...) \
	cr_expect_str_eq(LINE(false, __VA_ARGS__), \
			 "clone3({flags=" inside "}, 88)")
#define EXPECT_MAPPED(inside, ...) \
	cr_expect_str_eq(LINE(true, __VA_ARGS__), \
			 "clone3({flags=" inside "}, 88)")

Test(clone_args, each_option_and_what_it_adds)
{
	EXPECT("CLONE_PIDFD, exit_signal=SIGCHLD", "-v");
	EXPECT("CLONE_PIDFD, exit_signal=SIGCHLD", "--pidfd");
	EXPECT("CLONE_PIDFD|CLONE_AUTOREAP, exit_signal=0", "--autoreap");
	EXPECT("CLONE_PIDFD|CLONE_NNP, exit_signal=SIGCHLD", "--nnp");
	EXPECT("CLONE_PIDFD|CLONE_AUTOREAP|CLONE_NNP|CLONE_PIDFD_AUTOKILL, "
	       "exit_signal=0", "--autokill");
	EXPECT("CLONE_PIDFD|CLONE_AUTOREAP|CLONE_PIDFD_AUTOKILL, "
	       "exit_signal=0", "--autokill", "--allow-new-privs");
	EXPECT("CLONE_PIDFD|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup=/c",
	       "--cgroup=/c");
	EXPECT("CLONE_PIDFD|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD",
	       "--clear-sighand");
	EXPECT("CLONE_PIDFD|CLONE_EMPTY_MNTNS, exit_signal=SIGCHLD",
	       "--empty-mntns");
	EXPECT("CLONE_PIDFD|CLONE_NEWPID, exit_signal=SIGCHLD", "--kill-tree");
}

Test(clone_args, a_user_namespace_only_for_the_tree)
{
	EXPECT_MAPPED("CLONE_PIDFD|CLONE_NEWUSER|CLONE_NEWPID|"
		      "CLONE_EMPTY_MNTNS, exit_signal=SIGCHLD", "--kill-tree",
		      "--empty-mntns");
	EXPECT_MAPPED("CLONE_PIDFD|CLONE_EMPTY_MNTNS, exit_signal=SIGCHLD",
		      "--empty-mntns");
}

Test(clone_args, exit_signals)
{
	EXPECT("CLONE_PIDFD, exit_signal=0", "--exit-signal=none");
	EXPECT("CLONE_PIDFD, exit_signal=SIGUSR1", "--exit-signal=usr1");
	EXPECT("CLONE_PIDFD, exit_signal=34", "--exit-signal=RTMIN");
	EXPECT("CLONE_PIDFD|CLONE_AUTOREAP, exit_signal=SIGCHLD", "--autoreap",
	       "--exit-signal=CHLD");
}

Test(clone_args, exact_adds_nothing)
{
	EXPECT("0, exit_signal=SIGCHLD", "--exact");
	EXPECT("CLONE_PIDFD_AUTOKILL, exit_signal=SIGCHLD", "--exact",
	       "--autokill");
	EXPECT("CLONE_PIDFD|CLONE_AUTOREAP, exit_signal=0", "--exact",
	       "--autoreap", "--pidfd", "--exit-signal=0");
	EXPECT("CLONE_EMPTY_MNTNS, exit_signal=SIGCHLD", "--exact",
	       "--empty-mntns");
}

Test(clone_args, raw_flags_adapt_nothing)
{
	EXPECT("CLONE_PIDFD|CLONE_AUTOREAP, exit_signal=SIGCHLD",
	       "--raw-flags=CLONE_AUTOREAP");
	EXPECT("CLONE_PIDFD|CLONE_NEWPID|0xc000000000000000, "
	       "exit_signal=SIGCHLD",
	       "--raw-flags=1<<63|CLONE_NEWPID|1<<62");
	EXPECT("0x4000000000000000, exit_signal=SIGCHLD", "--exact",
	       "--raw-flags=1<<62");
}

/* Each rule of clone3, broken once and kept once: kernel/fork.c */
Test(clone_args, rules)
{
	const uint64_t autokill = CLONE_PIDFD | CLONE_AUTOREAP | CLONE_NNP |
				  CLONE_PIDFD_AUTOKILL;
	const struct {
		uint64_t flags, exit_signal;
		bool kept;
	} cases[] = {
		{ autokill, 0, true },
		{ autokill, 17, false },
		{ autokill & ~(uint64_t)CLONE_PIDFD, 0, false },
		{ autokill & ~CLONE_AUTOREAP, 0, false },
		{ autokill & ~CLONE_NNP, 0, true },
		{ CLONE_AUTOREAP, 0, true },
		{ CLONE_AUTOREAP, 1, false },
		{ CLONE_AUTOREAP | CLONE_PARENT, 0, false },
		{ CLONE_PARENT, 0, true },
		{ CLONE_PARENT, 17, false },
		{ CLONE_DETACHED, 17, false },
		{ CLONE_NEWIPC, 17, true },
		{ CLONE_NEWIPC | CLONE_SYSVSEM, 17, false },
		{ UINT64_C(1) << 40, 17, true },
		{ 0, 64, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sys_clone_args args = {
			.flags = cases[i].flags,
			.exit_signal = cases[i].exit_signal,
		};

		cr_expect_eq(!clone_args_rule(&args), cases[i].kept,
			     "case %zu", i);
	}
}

Test(clone_args, exact_switches_the_rules_off)
{
	const struct sys_clone_args args = { .flags = CLONE_DETACHED };
	struct options options = { 0 };
	struct mistake mistake;

	cr_expect_eq(clone_args_check(&options, &args, &mistake), -EINVAL);
	cr_expect_eq(mistake.kind, MISTAKE_FLAGS);
	options.given = OPTION_BIT(OPT_EXACT);
	cr_expect_eq(clone_args_check(&options, &args, &mistake), 0);
}

Test(clone_args, named_is_without_what_is_added)
{
	struct options options = {
		.given = OPTION_BIT(OPT_AUTOKILL),
		.values[OPT_RAW_FLAGS].number = 1 << 20,
	};

	cr_expect_eq(clone_args_requested(&options),
		     CLONE_PIDFD_AUTOKILL | 1 << 20);
}
