/* SPDX-License-Identifier: MIT */
/* table - see table.h. It must never hold anything but the tables. */
#include "table.h"

#include <string.h>

#include "sys.h"

#define FLAG(name, version) \
	.flag = CLONE_##name, .symbol = "CLONE_" #name, .since = version

#define EVERY_OPTION (OPTION_BIT(OPTIONS) - 1)

/* The clash with OPTIONS_WITHOUT_HOLD */
#define NOBODY_TO_END_IT "spawnfd would not be there to end COMMAND"

#define NEED_ADDRESS (OPTION_BIT(OPT_PASS) | OPTION_BIT(OPT_RECEIVE))

const struct option_row table[OPTIONS] = {
	[OPT_AUTOKILL] = {
		.name = "autokill", .group = GROUP_FLAG,
		FLAG(PIDFD_AUTOKILL, "7.1"),
		.for_command = true,
		.excludes = OPTION_BIT(OPT_DETACH),
		.clash = "spawnfd exits at once, and COMMAND would be killed",
		.help = "kill COMMAND when the holder of its pidfd ends",
	},
	[OPT_AUTOREAP] = {
		.name = "autoreap", .group = GROUP_FLAG,
		FLAG(AUTOREAP, "7.1"),
		.for_command = true,
		.help = "COMMAND never becomes a zombie",
	},
	[OPT_NNP] = {
		.name = "nnp", .alias = "no-new-privs", .group = GROUP_FLAG,
		FLAG(NNP, "7.1"),
		.for_command = true,
		.excludes = OPTION_BIT(OPT_ALLOW_NEW_PRIVS),
		.help = "no_new_privs: setuid programs gain nothing",
	},
	[OPT_ALLOW_NEW_PRIVS] = {
		.name = "allow-new-privs", .group = GROUP_FLAG,
		.for_command = true,
		.needs = OPTION_BIT(OPT_AUTOKILL),
		.help = "--autokill without --nnp; needs CAP_SYS_ADMIN",
	},
	[OPT_CGROUP] = {
		.name = "cgroup", .group = GROUP_FLAG,
		.kind = KIND_TEXT, .argument = "DIR",
		FLAG(INTO_CGROUP, "5.7"),
		.for_command = true,
		.help = "start COMMAND in this cgroup v2 directory",
	},
	[OPT_EMPTY_MNTNS] = {
		.name = "empty-mntns", .group = GROUP_FLAG,
		FLAG(EMPTY_MNTNS, "7.1"),
		.for_command = true,
		.help = "give COMMAND, a static program, an empty root",
	},
	[OPT_FALLBACK] = {
		.name = "fallback", .group = GROUP_FLAG,
		.for_command = true,
		.help = "emulate the flags that this kernel lacks",
	},
	[OPT_PASS] = {
		.name = "pass", .letter = 'p', .group = GROUP_SINK,
		.kind = KIND_ADDRESS, .argument = "ADDRESS",
		.excludes = OPTION_BIT(OPT_DETACH),
		.help = "send the pidfd to the listener at ADDRESS; exit 0",
	},
	[OPT_DETACH] = {
		.name = "detach", .letter = 'd', .group = GROUP_SINK,
		.for_command = true,
		.help = "exit 0 once COMMAND is executed; let it run on",
	},
	[OPT_RECEIVE] = {
		.name = "receive", .group = GROUP_SINK,
		.kind = KIND_ADDRESS, .argument = "ADDRESS",
		.no_command = true,
		.help = "take a pidfd at ADDRESS and hold that process",
	},
	[OPT_EXEC_FD] = {
		.name = "exec-fd", .group = GROUP_SINK,
		.kind = KIND_FD, .argument = "FD",
		.needs = OPTION_BIT(OPT_RECEIVE),
		.excludes = OPTION_BIT(OPT_PASS) | OPTION_BIT(OPT_DETACH),
		.help = "with --receive: COMMAND holds the pidfd as its FD",
	},
	[OPT_WAIT] = {
		.name = "wait", .group = GROUP_SINK,
		.kind = KIND_DURATION, .argument = "DURATION",
		.needs = NEED_ADDRESS,
		.help = "wait this long for a listener, or for a pidfd",
	},
	[OPT_PEER_UID] = {
		.name = "peer-uid", .group = GROUP_SINK,
		.kind = KIND_UID, .argument = "UID",
		.needs = NEED_ADDRESS,
		.help = "also accept a peer of this user",
	},
	[OPT_TIMEOUT] = {
		.name = "timeout", .letter = 't', .group = GROUP_HOLD,
		.kind = KIND_DURATION, .argument = "DURATION",
		.excludes = OPTIONS_WITHOUT_HOLD,
		.clash = NOBODY_TO_END_IT,
		.help = "end COMMAND after DURATION; exit 124 or 137",
	},
	[OPT_DIE_WITH_PARENT] = {
		.name = "die-with-parent", .group = GROUP_HOLD,
		.excludes = OPTIONS_WITHOUT_HOLD,
		.clash = NOBODY_TO_END_IT,
		.help = "end COMMAND when the parent of spawnfd ends",
	},
	[OPT_DIE_WITH_PID] = {
		.name = "die-with-pid", .group = GROUP_HOLD,
		.kind = KIND_PID, .argument = "PID",
		.excludes = OPTIONS_WITHOUT_HOLD,
		.clash = NOBODY_TO_END_IT,
		.help = "end COMMAND when process PID ends",
	},
	[OPT_DIE_WITH_FD] = {
		.name = "die-with-fd", .group = GROUP_HOLD,
		.kind = KIND_FD, .argument = "FD",
		.excludes = OPTIONS_WITHOUT_HOLD,
		.clash = NOBODY_TO_END_IT,
		.help = "end COMMAND when the other side of FD hangs up",
	},
	[OPT_SIGNAL] = {
		.name = "signal", .letter = 's', .group = GROUP_HOLD,
		.kind = KIND_SIGNAL, .argument = "SIGNAL",
		.needs = OPTION_BIT(OPT_TIMEOUT) |
			 OPTION_BIT(OPT_DIE_WITH_PARENT) |
			 OPTION_BIT(OPT_DIE_WITH_PID) |
			 OPTION_BIT(OPT_DIE_WITH_FD) |
			 OPTION_BIT(OPT_KILL_AFTER),
		.excludes = OPTIONS_WITHOUT_HOLD,
		.clash = NOBODY_TO_END_IT,
		.in_tree = true,
		.help = "send SIGNAL first to end COMMAND",
	},
	[OPT_KILL_AFTER] = {
		.name = "kill-after", .group = GROUP_HOLD,
		.kind = KIND_DURATION, .argument = "DURATION",
		.excludes = OPTIONS_WITHOUT_HOLD,
		.clash = NOBODY_TO_END_IT,
		.in_tree = true,
		.help = "send TERM to end COMMAND, KILL after DURATION",
	},
	[OPT_NEW_SESSION] = {
		.name = "new-session", .group = GROUP_HOLD,
		.for_command = true,
		.help = "setsid; signals go to the whole process group",
	},
	[OPT_KILL_TREE] = {
		.name = "kill-tree", .group = GROUP_HOLD,
		.probed = true,
		.for_command = true,
		.help = "kill all descendants when COMMAND ends",
	},
	[OPT_WAIT_TREE] = {
		.name = "wait-tree", .group = GROUP_HOLD,
		.for_command = true,
		.needs = OPTION_BIT(OPT_KILL_TREE),
		.help = "with --kill-tree: wait for the last descendant",
	},
	[OPT_PID_FILE] = {
		.name = "pid-file", .group = GROUP_REPORT,
		.kind = KIND_TEXT, .argument = "FILE",
		.help = "write the pid to FILE; remove it when COMMAND ends",
	},
	[OPT_STATUS_FD] = {
		.name = "status-fd", .group = GROUP_REPORT,
		.kind = KIND_FD, .argument = "FD",
		.help = "write a line of JSON to FD for each event",
	},
	[OPT_VERBOSE] = {
		.name = "verbose", .letter = 'v', .group = GROUP_REPORT,
		.help = "print the call and each event on standard error",
	},
	[OPT_EXACT] = {
		.name = "exact", .group = GROUP_TEST,
		.for_command = true,
		.excludes = OPTION_BIT(OPT_FALLBACK) |
			    OPTION_BIT(OPT_KILL_TREE),
		.help = "pass exactly these flags, and check no rules",
	},
	[OPT_PIDFD] = {
		.name = "pidfd", .group = GROUP_TEST,
		FLAG(PIDFD, "5.2"),
		.for_command = true,
		.help = "ask for a pidfd (always done without --exact)",
	},
	[OPT_CLEAR_SIGHAND] = {
		.name = "clear-sighand", .group = GROUP_TEST,
		FLAG(CLEAR_SIGHAND, "5.5"),
		.for_command = true,
		.help = "reset signal handlers, which exec does anyway",
	},
	[OPT_EXIT_SIGNAL] = {
		.name = "exit-signal", .group = GROUP_TEST,
		.kind = KIND_NO_SIGNAL, .argument = "SIGNAL",
		.for_command = true,
		.help = "exit signal for clone3; 0 or none for no signal",
	},
	[OPT_RAW_FLAGS] = {
		.name = "raw-flags", .group = GROUP_TEST,
		.kind = KIND_FLAGS, .argument = "BITS",
		.for_command = true,
		.help = "more flags: 1<<N, 0x..., N or names, joined by |",
	},
	[OPT_DRY_RUN] = {
		.name = "dry-run", .group = GROUP_INFO,
		.for_command = true,
		.help = "print the clone3 call and run nothing",
	},
	[OPT_PROBE] = {
		.name = "probe", .group = GROUP_INFO,
		.kind = KIND_PROBED, .argument = "FLAG", .optional = true,
		.excludes = EVERY_OPTION & ~OPTION_BIT(OPT_PROBE) &
			    ~OPTION_BIT(OPT_JSON),
		.clash = "it starts nothing; --probe=FLAG asks for one flag",
		.help = "list the kernel's flags; for FLAG, answer by $?",
	},
	[OPT_JSON] = {
		.name = "json", .group = GROUP_INFO,
		.needs = OPTION_BIT(OPT_PROBE),
		.help = "print the table of --probe as JSON",
	},
	[OPT_HELP] = {
		.name = "help", .letter = 'h', .group = GROUP_INFO,
		.help = "print this help",
	},
	[OPT_VERSION] = {
		.name = "version", .letter = 'V', .group = GROUP_INFO,
		.help = "print the version",
	},
	[OPT_LIST_OPTIONS] = {
		.name = "list-options", .group = GROUP_INFO,
		.help = "print every option as tab-separated text",
	},
};

/*
 * The flags of clone(2) that no option sets. --raw-flags reads these names, and
 * messages print them.
 */
#define BARE(name) { .bit = CLONE_##name, .symbol = "CLONE_" #name }
static const struct flag flags_without_option[] = {
	BARE(NEWTIME),
	BARE(VM),
	BARE(FS),
	BARE(FILES),
	BARE(SIGHAND),
	BARE(PTRACE),
	BARE(VFORK),
	BARE(PARENT),
	BARE(THREAD),
	BARE(NEWNS),
	BARE(SYSVSEM),
	BARE(SETTLS),
	BARE(PARENT_SETTID),
	BARE(CHILD_CLEARTID),
	BARE(DETACHED),
	BARE(UNTRACED),
	BARE(CHILD_SETTID),
	BARE(NEWCGROUP),
	BARE(NEWUTS),
	BARE(NEWIPC),
	BARE(NEWUSER),
	BARE(NEWPID),
	BARE(NEWNET),
	BARE(IO),
};

#define FLAGS_WITHOUT_OPTION \
	(sizeof(flags_without_option) / sizeof(flags_without_option[0]))

/*
 * The flag of row n, where the rows of flags_without_option follow those of the
 * table. An option that sets no flag gives bit 0 and symbol NULL.
 */
static struct flag nth_flag(size_t n)
{
	if (n >= OPTIONS)
		return flags_without_option[n - OPTIONS];
	return (struct flag){
		table[n].flag, table[n].symbol, table[n].since, table[n].name
	};
}

struct flag table_flag(uint64_t bit)
{
	for (size_t n = 0; n < OPTIONS + FLAGS_WITHOUT_OPTION; n++)
		if (nth_flag(n).bit == bit)
			return nth_flag(n);
	return (struct flag){ .bit = bit };
}

struct flag table_take_flag(uint64_t *flags)
{
	for (uint64_t left = *flags; left; left &= left - 1) {
		struct flag flag = table_flag(left & -left);

		if (!flag.symbol)
			continue;
		*flags &= ~flag.bit;
		return flag;
	}
	return (struct flag){ .bit = 0 };
}

uint64_t table_flag_named(const char *symbol, size_t length)
{
	for (size_t n = 0; n < OPTIONS + FLAGS_WITHOUT_OPTION; n++) {
		struct flag flag = nth_flag(n);

		if (flag.symbol && strlen(flag.symbol) == length &&
		    !memcmp(flag.symbol, symbol, length))
			return flag.bit;
	}
	return 0;
}
