/* SPDX-License-Identifier: MIT */
/* explain_mistake: a wrong command line in words, on one line */
#include "explain_mistake.h"

#include "said.h"
#include "sys.h"

struct example {
	struct mistake mistake;
	const char *text;
};

static void expect_words(const struct example *examples)
{
	for (; examples->text; examples++) {
		explain_mistake(&examples->mistake, &said);
		expect(1, examples->text);
	}
}

Test(explain_mistake, names_that_may_be_meant)
{
	static const struct example examples[] = {
		{ { MISTAKE_UNKNOWN, .word = "--x\ny" }, "--x?y: unknown" },
		{ { MISTAKE_LETTER, .word = "xz" },
		  "-x: unknown option; see spawnfd --help" },
		{ { MISTAKE_LETTER, .others = OPTION_BIT(OPT_KILL_AFTER) |
				      OPTION_BIT(OPT_KILL_TREE), .word = "k5" },
		  "-k: unknown option; did you mean --kill-after or "
		  "--kill-tree?" },
		{ { MISTAKE_UNKNOWN, .others = OPTION_BIT(OPT_TIMEOUT),
		    .word = "--timout" },
		  "--timout: unknown option; did you mean --timeout?" },
		{ { MISTAKE_AMBIGUOUS, .others = ~UINT64_C(0) >> 30,
		    .word = "--" },
		  "--: ambiguous; see spawnfd --help" },
		{ { MISTAKE_AMBIGUOUS, .word = "--auto",
		    .others = OPTION_BIT(OPT_AUTOKILL) |
			      OPTION_BIT(OPT_AUTOREAP) },
		  "--auto: ambiguous; did you mean --autokill or "
		  "--autoreap?" },
		{ { MISTAKE_VALUE, &table[OPT_PROBE], .word = "killtree",
		    .others = OPTION_BIT(OPT_KILL_TREE) },
		  "--probe: killtree: not a clone flag; did you mean "
		  "kill-tree?" },
		{ { MISTAKE_VALUE, &table[OPT_PROBE], .word = "x" },
		  "--probe: x: not a clone flag: give the name" },
		{ .text = NULL },
	};

	expect_words(examples);
}

Test(explain_mistake, arguments_and_rules)
{
	const struct option_row *nnp = &table[OPT_NNP];
	const struct option_row *cgroup = &table[OPT_CGROUP];
	const struct example examples[] = {
		{ { MISTAKE_NO_ARGUMENT, cgroup }, "--cgroup: needs an argu" },
		{ { MISTAKE_ARGUMENT, nnp }, "--nnp: takes no argument" },
		{ { MISTAKE_VALUE, &table[OPT_EXIT_SIGNAL], .word = "X" },
		  "--exit-signal: X: not a signal" },
		{ { MISTAKE_VALUE, &table[OPT_RAW_FLAGS], .word = "X" },
		  "--raw-flags: X: not clone flags" },
		{ { MISTAKE_REFUSED, &table[OPT_RAW_FLAGS],
		    .flags = CLONE_VM | CLONE_FS },
		  "CLONE_VM|CLONE_FS: refused: COMMAND could not run" },
		{ { MISTAKE_NO_COMMAND }, "COMMAND is missing" },
		{ { MISTAKE_VALUE, &table[OPT_PASS], .word = "" },
		  "--pass: '': not an address" },
		{ { MISTAKE_VALUE, &table[OPT_WAIT], .word = "-1" },
		  "--wait: -1: not a duration: give one decimal number and "
		  "perhaps one unit: ms, s, m, h or d" },
		{ { MISTAKE_VALUE, &table[OPT_PID_FILE], .word = "" },
		  "--pid-file: '': cannot be empty" },
		{ { MISTAKE_VALUE, &table[OPT_STATUS_FD], .word = "x" },
		  "--status-fd: x: not a descriptor number" },
		{ { MISTAKE_VALUE, &table[OPT_PEER_UID], .word = "me" },
		  "--peer-uid: me: not a user id: give a number" },
		{ { MISTAKE_EXCLUDES, nnp, OPTION_BIT(OPT_CGROUP) },
		  "--nnp: cannot be combined with --cgroup" },
		{ { MISTAKE_EXCLUDES, &table[OPT_AUTOKILL],
		    OPTION_BIT(OPT_DETACH) },
		  "--autokill: cannot be combined with --detach: spawnfd "
		  "exits at once, and COMMAND would be killed" },
		{ { MISTAKE_EXCLUDES, &table[OPT_PROBE],
		    OPTION_BIT(OPT_NNP) },
		  "--probe: cannot be combined with --nnp: it starts nothing; "
		  "--probe=FLAG asks for one flag" },
		{ { MISTAKE_NEEDS, nnp,
		    OPTION_BIT(OPT_CGROUP) | OPTION_BIT(OPT_EXACT) },
		  "--nnp: needs --cgroup or --exact" },
		{ { MISTAKE_FLAGS, .word = "because" }, "clone flags: because" },
		{ { MISTAKE_RULE, .word = "because" }, "because" },
		{ { MISTAKE_RULE, nnp, .word = "because" }, "--nnp: because" },
		{ .text = NULL },
	};

	expect_words(examples);
}
