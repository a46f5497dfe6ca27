/* SPDX-License-Identifier: MIT */
/*
 * step - what spawnfd was doing when it failed. A failure is one value, which
 * travels up to main unchanged.
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>

enum step {
	STEP_NONE,		/* nothing: a notice that has no step */
	STEP_BEGIN,		/* being started, and reading its options */
	STEP_PRINT,		/* writing to standard output */
	STEP_STATUS_FD,		/* checking the FD of --status-fd */
	STEP_ADDRESS,		/* checking the FD of fd:N */
	STEP_PARENT,		/* finding what --die-with-parent watches */
	STEP_PID,		/* the same for --die-with-pid */
	STEP_FD,		/* the same for --die-with-fd */
	STEP_CONNECT,		/* connecting to the ADDRESS of --pass */
	STEP_PEER,		/* finding out who is at the other end */
	STEP_CGROUP,		/* opening the directory of --cgroup */
	STEP_PREPARE,		/* descriptors and signals, before clone3 */
	STEP_SIGNAL,		/* checking that COMMAND can be signalled */
	STEP_GUARD,		/* keeping others from copying the pidfd */
	STEP_CLONE3,
	STEP_MAP,		/* writing the ids of the user namespace */
	STEP_EMULATE,		/* --fallback, in the child */
	STEP_EXEC,		/* executing COMMAND */
	STEP_BEFORE_EXEC,	/* the child ended, and told nothing */
	STEP_INTERPRETER,	/* executing COMMAND, whose file exists */
	STEP_EXEC_NOT_STATIC,	/* the same in an empty mount namespace */
	STEP_EXEC_FD,		/* putting a pidfd at the FD of --exec-fd */
	STEP_PASS,		/* sending the message */
	STEP_LISTEN,		/* listening on the ADDRESS of --receive */
	STEP_RECEIVE,		/* waiting for the message, and reading it */
	STEP_PID_FILE,
	STEP_HOLD
};

struct failure {
	enum step step;
	int error;		/* an errno; 0 if no system call failed */
	/* a path, an ADDRESS or COMMAND, which outlives this; or NULL */
	const char *subject;
	/*
	 * STEP_PID, STEP_FD, STEP_EXEC_FD, STEP_STATUS_FD: PID or FD;
	 * STEP_PEER: its uid; STEP_ADDRESS: the id of the option
	 */
	int number;
	bool ends_received;	/* a received process has ended with it */
};

/* Fills *ret_failure and returns r, which is -errno */
static inline int step_fail(struct failure *ret_failure, enum step step, int r,
			    const char *subject)
{
	*ret_failure = (struct failure){ step, -r, subject, 0, false };
	return r;
}

/* Whether the step executes COMMAND */
bool step_is_exec(enum step step);

/* The word for the step that `error` has in a status line; NULL for none */
const char *step_class(enum step step);

#endif
