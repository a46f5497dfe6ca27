/* SPDX-License-Identifier: MIT */
/*
 * table - the one table: what spawnfd's options are, and what they mean to the
 * kernel. A new option, and a new clone flag with it, is one row in table.c.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rows, in the order in which --help shows them */
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
	OPT_PID_FILE,
	OPT_STATUS_FD,
	OPT_EXACT,
	OPT_PIDFD,
	OPT_CLEAR_SIGHAND,
	OPT_EXIT_SIGNAL,
	OPT_RAW_FLAGS,
	OPT_DRY_RUN,
	OPT_VERBOSE,
	OPT_PROBE,
	OPT_JSON,
	OPT_HELP,
	OPT_VERSION,
	OPT_LIST_OPTIONS,
	OPTIONS
};

/* A set of options */
#define OPTION_BIT(id) (UINT64_C(1) << (id))

/* Those that answer a question, and run nothing */
#define OPTIONS_INFO                                    \
	(OPTION_BIT(OPT_HELP) | OPTION_BIT(OPT_VERSION) | \
	 OPTION_BIT(OPT_LIST_OPTIONS))

/* The sinks that do not stay */
#define OPTIONS_WITHOUT_HOLD (OPTION_BIT(OPT_PASS) | OPTION_BIT(OPT_DETACH))

/*
 * With these spawnfd may not wait for the exec: the call is what was asked for,
 * or something else is to be done or looked at meanwhile
 */
#define OPTIONS_WITHOUT_VFORK                                        \
	(OPTION_BIT(OPT_EXACT) | OPTION_BIT(OPT_RAW_FLAGS) |         \
	 OPTION_BIT(OPT_EXIT_SIGNAL) | OPTION_BIT(OPT_CGROUP) |      \
	 OPTION_BIT(OPT_KILL_TREE) | OPTION_BIT(OPT_DETACH) |        \
	 OPTION_BIT(OPT_TIMEOUT) | OPTION_BIT(OPT_DIE_WITH_PARENT) | \
	 OPTION_BIT(OPT_DIE_WITH_PID) | OPTION_BIT(OPT_DIE_WITH_FD))

/* Those that do something with the pidfd */
#define OPTIONS_NEEDING_PIDFD                                             \
	(OPTION_BIT(OPT_PASS) | OPTION_BIT(OPT_TIMEOUT) |                 \
	 OPTION_BIT(OPT_DIE_WITH_PARENT) | OPTION_BIT(OPT_DIE_WITH_PID) | \
	 OPTION_BIT(OPT_DIE_WITH_FD) | OPTION_BIT(OPT_SIGNAL) |           \
	 OPTION_BIT(OPT_KILL_AFTER))

enum group {
	GROUP_FLAG,	/* --exact switches the rules of these rows off */
	GROUP_SINK,
	GROUP_HOLD,
	GROUP_REPORT,
	GROUP_TEST,
	GROUP_INFO,
	GROUPS
};

/* How the argument is read */
enum kind {
	KIND_SWITCH,	/* there is none */
	KIND_TEXT,
	KIND_SIGNAL,
	KIND_NO_SIGNAL,	/* or 0 or none */
	KIND_FLAGS,	/* clone flags */
	KIND_FLAG,	/* or an option that sets one */
	KIND_ADDRESS,	/* of a socket */
	KIND_DURATION,
	KIND_FD,
	KIND_PID,	/* or PID:INODE */
	KIND_UID
};

struct option_row {
	const char *name;	/* without the dashes */
	const char *alias;	/* another long name, or NULL */
	char letter;		/* of the short option, or 0 */
	enum group group;
	enum kind kind;
	const char *argument;	/* its word in the help, or NULL */
	bool optional;		/* it can be left out */
	uint64_t flag;		/* the clone flag that it sets, or 0 */
	const char *symbol;	/* the kernel's name of flag */
	const char *since;	/* the first Linux that has flag */
	bool for_command;	/* no use with a process that runs already */
	uint64_t needs;		/* options of which one must be given too */
	uint64_t excludes;	/* options that must not be given too */
	bool no_command;	/* excludes the options that are for_command */
	const char *help;	/* one line */
};

extern const struct option_row table[OPTIONS];

/* A clone flag, with or without an option of its own */
struct flag {
	uint64_t bit;
	const char *symbol;
	const char *since;	/* NULL: as old as clone3 itself */
	const char *option;	/* its name, without the dashes; or NULL */
};

/*
 * What is known of the flag with this one bit; a symbol of NULL says that
 * nothing is.
 */
struct flag table_flag(uint64_t bit);

/* Takes the lowest flag with a name out of *flags; bit 0 if there is none */
struct flag table_take_flag(uint64_t *flags);

/* The flag of that name, or 0; the name ends after length bytes */
uint64_t table_flag_named(const char *symbol, size_t length);

#endif
