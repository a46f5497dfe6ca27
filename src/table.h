/* SPDX-License-Identifier: MIT */
/*
 * table - the one table of spawnfd's options: how each is written, which clone
 * flag it sets, and which options it can be given with.
 *
 * A new option needs an id in enum option_id and a row in table.c. A clone flag
 * for the option stands in that row; sys.h defines the flag for old headers.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One id for each row of the table, in the order in which --help shows them */
enum option_id {
	OPT_AUTOKILL,
	OPT_AUTOREAP,
	OPT_NNP,
	OPT_ALLOW_NEW_PRIVS,
	OPT_CGROUP,
	OPT_EMPTY_MNTNS,
	OPT_FALLBACK,
	OPT_PASS,
	OPT_DETACH,
	OPT_RECEIVE,
	OPT_EXEC_FD,
	OPT_WAIT,
	OPT_PEER_UID,
	OPT_TIMEOUT,
	OPT_DIE_WITH_PARENT,
	OPT_DIE_WITH_PID,
	OPT_DIE_WITH_FD,
	OPT_SIGNAL,
	OPT_KILL_AFTER,
	OPT_NEW_SESSION,
	OPT_KILL_TREE,
	OPT_WAIT_TREE,
	OPT_PID_FILE,
	OPT_STATUS_FD,
	OPT_VERBOSE,
	OPT_EXACT,
	OPT_PIDFD,
	OPT_CLEAR_SIGHAND,
	OPT_EXIT_SIGNAL,
	OPT_RAW_FLAGS,
	OPT_DRY_RUN,
	OPT_PROBE,
	OPT_JSON,
	OPT_HELP,
	OPT_VERSION,
	OPT_LIST_OPTIONS,
	OPTIONS
};

/* An element of a set of options, which is a uint64_t */
#define OPTION_BIT(id) (UINT64_C(1) << (id))

/*
 * With one of these options, spawnfd prints something and exits. It reads no
 * further options, and checks no rules: see options_parse.
 */
#define OPTIONS_INFO                                    \
	(OPTION_BIT(OPT_HELP) | OPTION_BIT(OPT_VERSION) | \
	 OPTION_BIT(OPT_LIST_OPTIONS))

/* The options with which spawnfd does not wait for the end of the process */
#define OPTIONS_WITHOUT_HOLD                           \
	(OPTION_BIT(OPT_PASS) | OPTION_BIT(OPT_DETACH) | \
	 OPTION_BIT(OPT_EXEC_FD))

/*
 * The options with which spawnfd must not use CLONE_VFORK, which suspends it
 * until the exec. Either the option asks for a certain clone3 call, or spawnfd
 * must do or watch something before the exec.
 */
#define OPTIONS_WITHOUT_VFORK                                        \
	(OPTION_BIT(OPT_EXACT) | OPTION_BIT(OPT_RAW_FLAGS) |         \
	 OPTION_BIT(OPT_EXIT_SIGNAL) | OPTION_BIT(OPT_CGROUP) |      \
	 OPTION_BIT(OPT_KILL_TREE) | OPTION_BIT(OPT_DETACH) |        \
	 OPTION_BIT(OPT_TIMEOUT) | OPTION_BIT(OPT_DIE_WITH_PARENT) | \
	 OPTION_BIT(OPT_DIE_WITH_PID) | OPTION_BIT(OPT_DIE_WITH_FD))

/* The options that cannot work without a pidfd */
#define OPTIONS_NEEDING_PIDFD                                             \
	(OPTION_BIT(OPT_PASS) | OPTION_BIT(OPT_TIMEOUT) |                 \
	 OPTION_BIT(OPT_DIE_WITH_PARENT) | OPTION_BIT(OPT_DIE_WITH_PID) | \
	 OPTION_BIT(OPT_DIE_WITH_FD) | OPTION_BIT(OPT_SIGNAL) |           \
	 OPTION_BIT(OPT_KILL_AFTER))

/* A section of --help, whose headings are in answers.c */
enum group {
	GROUP_FLAG,	/* clone flags; --exact switches their rules off */
	GROUP_SINK,	/* what happens to the process after the start */
	GROUP_HOLD,	/* while spawnfd holds the process */
	GROUP_REPORT,	/* what spawnfd writes about the process */
	GROUP_TEST,	/* for testing a kernel by hand */
	GROUP_INFO,	/* spawnfd prints something, and runs nothing */
	GROUPS
};

/* How value_parse reads the argument */
enum kind {
	KIND_SWITCH,	/* the option has no argument */
	KIND_TEXT,	/* any text, such as a file name */
	KIND_SIGNAL,	/* a signal: see name_to_signal */
	KIND_NO_SIGNAL,	/* a signal, or 0 or "none" for no signal */
	KIND_FLAGS,	/* clone flags: see value_flags */
	KIND_PROBED,	/* what --probe asks for: a clone flag, or an option */
	KIND_ADDRESS,	/* of a socket: see struct address */
	KIND_DURATION,	/* see value_duration */
	KIND_FD,	/* the number of a file descriptor */
	KIND_PID,	/* PID or PID:INODE */
	KIND_UID	/* a numeric user id */
};

struct option_row {
	const char *name;	/* the long name, without the dashes */
	const char *alias;	/* a second long name, or NULL */
	char letter;		/* the short option, or 0 */
	enum group group;	/* the section of --help */
	enum kind kind;		/* how the argument is read */
	const char *argument;	/* the argument's name in --help, or NULL */
	bool optional;		/* the argument can be left out */
	uint64_t flag;		/* the clone flag that the option sets, or 0 */
	const char *symbol;	/* the kernel's name of flag, or NULL */
	const char *since;	/* the first Linux with flag, or NULL */
	bool probed;		/* --probe asks for its flags: probe_option */
	bool for_command;	/* the option makes sense with COMMAND only */
	uint64_t needs;		/* one of these options must be given too */
	uint64_t excludes;	/* none of these options may be given too */
	const char *clash;	/* the reason for excludes, or NULL */
	bool in_tree;		/* --kill-tree: its init does it in any case */
	bool no_command;	/* excludes every option with for_command */
	const char *help;	/* the line in --help */
};

/* The table, indexed by enum option_id */
extern const struct option_row table[OPTIONS];

/* A clone flag, with or without an option that sets it */
struct flag {
	uint64_t bit;		/* the flag itself */
	const char *symbol;	/* the kernel's name of the flag, or NULL */
	const char *since;	/* the first Linux with it; or NULL */
	const char *option;	/* the option's name, without dashes; or NULL */
};

/*
 * The flag with this one bit. since and option are NULL if no option sets the
 * flag, and symbol is NULL too if the table does not know the bit.
 */
struct flag table_flag(uint64_t bit);

/*
 * Removes the lowest flag that has a name from *flags, and gives it. If no flag
 * in *flags has a name, the result has bit 0, and *flags stays as it is.
 */
struct flag table_take_flag(uint64_t *flags);

/*
 * The flag that the kernel calls by this name, which is length bytes long. 0 if
 * there is no such flag.
 */
uint64_t table_flag_named(const char *symbol, size_t length);

#endif
