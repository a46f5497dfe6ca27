/* SPDX-License-Identifier: MIT */
/* table: that the one table contradicts neither itself nor the kernel */
#include "table.h"

#include <criterion/criterion.h>
#include <string.h>

#include "sys.h"

static bool one_bit(uint64_t set)
{
	return set && !(set & (set - 1));
}

Test(table, every_row_is_whole)
{
	for (size_t id = 0; id < OPTIONS; id++) {
		const struct option_row *row = &table[id];

		cr_assert_not_null(row->name, "row %zu", id);
		cr_expect_not_null(row->help, "%s", row->name);
		cr_expect_eq(!row->argument, row->kind == KIND_SWITCH, "%s",
			     row->name);
		cr_expect_eq(!row->flag, !row->symbol, "%s", row->name);
		cr_expect_eq(!row->flag, !row->since, "%s", row->name);
		cr_expect(!row->flag || one_bit(row->flag), "%s", row->name);
		cr_expect_eq(row->needs & row->excludes, 0, "%s", row->name);
	}
}

/* A clone flag is of no use for a process that runs already. */
Test(table, a_flag_needs_a_command)
{
	for (size_t id = 0; id < OPTIONS; id++)
		cr_expect(!table[id].flag || table[id].for_command,
			  "the row of --%s sets %s: it wants "
			  ".for_command = true", table[id].name,
			  table[id].symbol);
}

Test(table, help_fits_a_line)
{
	for (size_t id = 0; id < OPTIONS; id++)
		cr_expect_leq(strlen(table[id].help), 52, "%s", table[id].name);
}

Test(table, names_and_letters_are_unique)
{
	for (size_t a = 0; a < OPTIONS; a++) {
		for (size_t b = 0; b < a; b++) {
			cr_expect_str_neq(table[a].name, table[b].name);
			cr_expect(!table[a].letter ||
				  table[a].letter != table[b].letter, "-%c",
				  table[a].letter);
			cr_expect(!table[a].flag ||
				  table[a].flag != table[b].flag, "%s",
				  table[a].symbol);
		}
	}
}

/* The numbers in include/uapi/linux/sched.h of Linux 7.1 */
Test(table, numbers_of_the_kernel)
{
	static const struct {
		const char *symbol;
		int bit;
	} flags[] = {
		{ "CLONE_NEWTIME", 7 }, { "CLONE_VM", 8 },
		{ "CLONE_FS", 9 }, { "CLONE_FILES", 10 },
		{ "CLONE_SIGHAND", 11 }, { "CLONE_PIDFD", 12 },
		{ "CLONE_PTRACE", 13 }, { "CLONE_VFORK", 14 },
		{ "CLONE_PARENT", 15 }, { "CLONE_THREAD", 16 },
		{ "CLONE_NEWNS", 17 }, { "CLONE_SYSVSEM", 18 },
		{ "CLONE_SETTLS", 19 }, { "CLONE_PARENT_SETTID", 20 },
		{ "CLONE_CHILD_CLEARTID", 21 }, { "CLONE_DETACHED", 22 },
		{ "CLONE_UNTRACED", 23 }, { "CLONE_CHILD_SETTID", 24 },
		{ "CLONE_NEWCGROUP", 25 }, { "CLONE_NEWUTS", 26 },
		{ "CLONE_NEWIPC", 27 }, { "CLONE_NEWUSER", 28 },
		{ "CLONE_NEWPID", 29 }, { "CLONE_NEWNET", 30 },
		{ "CLONE_IO", 31 }, { "CLONE_CLEAR_SIGHAND", 32 },
		{ "CLONE_INTO_CGROUP", 33 }, { "CLONE_AUTOREAP", 34 },
		{ "CLONE_NNP", 35 }, { "CLONE_PIDFD_AUTOKILL", 36 },
		{ "CLONE_EMPTY_MNTNS", 37 },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint64_t bit = UINT64_C(1) << flags[i].bit;
		const char *symbol = flags[i].symbol;

		cr_expect_eq(table_flag_named(symbol, strlen(symbol)), bit,
			     "%s", symbol);
		cr_assert_not_null(table_flag(bit).symbol, "%s", symbol);
		cr_expect_str_eq(table_flag(bit).symbol, symbol);
	}
}

Test(table, unknown_flags)
{
	cr_expect_eq(table_flag_named("CLONE_", 6), 0);
	cr_expect_eq(table_flag_named("clone_pidfd", 11), 0);
	cr_expect_eq(table_flag_named("CLONE_PIDFD", 10), 0);
	cr_expect_eq(table_flag_named("", 0), 0);
	cr_expect_null(table_flag(UINT64_C(1) << 62).symbol);
	cr_expect_null(table_flag(0).symbol);
}
