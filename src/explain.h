/* SPDX-License-Identifier: MIT */
/*
 * explain - mistakes, errors and their circumstances to words.
 *
 * Pure. A message is one line, "WHAT: WHY", and a second one where there is
 * something to do about it. The first "spawnfd: " and the last newline are
 * main's.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "table.h"
#include "text.h"

/* How the command line can be wrong */
enum mistake_kind {
	MISTAKE_UNKNOWN,	/* no such long option */
	MISTAKE_LETTER,		/* no such short option */
	MISTAKE_AMBIGUOUS,	/* an abbreviation of several */
	MISTAKE_NO_ARGUMENT,	/* it wants one */
	MISTAKE_ARGUMENT,	/* it takes none */
	MISTAKE_VALUE,		/* its argument cannot be read */
	MISTAKE_REFUSED,	/* --raw-flags with a flag not to be had */
	MISTAKE_NO_COMMAND,
	MISTAKE_EXCLUDES,	/* row and the other exclude each other */
	MISTAKE_NEEDS,		/* row is no use without one of the others */
	MISTAKE_RULE,		/* word says which rule */
	MISTAKE_FLAGS		/* word says which rule of clone3 */
};

struct mistake {
	enum mistake_kind kind;
	const struct option_row *row;	/* the option, where it is known */
	uint64_t others;		/* of EXCLUDES and NEEDS: a set */
	const char *word;		/* what was typed, or the rule */
	uint64_t flags;			/* of REFUSED */
};

/* Whether the system call is there at all */
enum clone3 {
	CLONE3_AVAILABLE,
	CLONE3_FILTERED,	/* a seccomp filter answers in its place */
	CLONE3_MISSING
};

/* What the kernel says to a flag, if it can be asked */
enum support {
	SUPPORT_YES,
	SUPPORT_NO,
	SUPPORT_DENIED		/* it has it, but not for this user */
};

/* Everything that is known when clone3 has failed */
struct refusal {
	int error;
	uint64_t flags;
	uint64_t unknown;	/* those of flags that this kernel lacks */
	uint64_t denied;	/* those that it denies to this user */
	enum clone3 clone3;
	bool fallback;		/* was asked for, and was no help */
	uint64_t not_emulable;	/* those that it has nothing in place of */
	const char *rule;	/* that the flags break, or NULL */
	const char *release;	/* of uname(2) */
	const char *cgroup;	/* of --cgroup, or NULL */
	bool mapped;		/* --kill-tree needs CLONE_NEWUSER */
	const char *userns;	/* a switch that denies it to users, or NULL */
};

/* What spawnfd was doing when it failed */
enum step {
	STEP_NONE,		/* none: where a step means nothing */
	STEP_BEGIN,		/* being started at all */
	STEP_PRINT,		/* writing to standard output */
	STEP_STATUS_FD,		/* looking at the FD of --status-fd */
	STEP_ADDRESS,		/* looking at the FD of fd:N */
	STEP_PARENT,		/* looking at what --die-with-parent, */
	STEP_PID,		/* --die-with-pid and */
	STEP_FD,		/* --die-with-fd are to watch */
	STEP_CONNECT,		/* to the ADDRESS of --pass */
	STEP_PEER,		/* finding out who is at the other end */
	STEP_CGROUP,		/* opening the directory of --cgroup */
	STEP_PREPARE,		/* descriptors and signals, before clone3 */
	STEP_CLONE3,
	STEP_MAP,		/* the ids of the user namespace */
	STEP_EMULATE,		/* in the child: what clone3 could not do */
	STEP_EXEC,
	STEP_INTERPRETER,	/* exec, for a file that is there */
	STEP_STATIC,		/* the same, where no others are to be found */
	STEP_PASS,		/* sending the message */
	STEP_LISTEN,		/* on the ADDRESS of --receive */
	STEP_RECEIVE,		/* waiting for the message, and reading it */
	STEP_PID_FILE,
	STEP_HOLD
};

void explain_mistake(const struct mistake *mistake, struct text *text);

/* subject is what the step was about: a directory, COMMAND, ADDRESS, FILE */
void explain_step(enum step step, int error, const char *subject,
		  struct text *text);

/* Whether it is about executing COMMAND */
bool explain_is_exec(enum step step);

/* The word that stands for the step in a status line */
const char *explain_class(enum step step);

void explain_refusal(const struct refusal *refusal, struct text *text);

/* "available", "yes"; and why not, or NULL */
const char *explain_clone3(enum clone3 clone3);
const char *explain_support(enum support support);
const char *explain_no_support(enum clone3 clone3, enum support support);

/* "EINVAL (Invalid argument)" */
void explain_error(int error, struct text *text);

/*
 * "CLONE_PIDFD|CLONE_NNP" in the order of the bits, those without a name as
 * one hexadecimal term at the end, "0" for none.
 */
void explain_flags(uint64_t flags, struct text *text);

#endif
