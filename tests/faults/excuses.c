/* SPDX-License-Identifier: MIT */
/*
 * The faults and moments whose consequence is accepted. Each has its reason. A
 * run is excused only if all that is wrong with it is.
 */
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "faults.h"

struct excuse {
	int number;		/* of the call, or 0: any */
	int error;		/* or 0: any */
	int signal;		/* of the moment, or 0: a fault */
	enum role target;	/* ... of that signal */
	const char *modes;	/* a glob */
	const char *wrong;	/* what the judge says begins like this */
	const char *reason;
};

#define CALL(number, error) number, error, 0, ROLE_SPAWNFD
#define SIGNAL(signal, target) 0, 0, signal, target

#define LET_GO "@(pass|detach)-*"
#define NOT_EXECUTED "exit status 0, COMMAND was not executed"
#define ENDED "a message for a process that has ended"
#define NO_WAIT "an init that cannot wait for its tree ends, and its tree too"
#define NO_TERMINAL "where the terminal does not tell its group, COMMAND " \
	"needs no group of its own, and the init no pipe from its leader"
#define NO_PIPE "the hold has \"init: anon_inode:[pidfd] " \
	"anon_inode:[signalfd] socket\""
#define UNTOLD "a COMMAND that the kernel has reaped is taken for executed, " \
	"unless SIGKILL has ended it: see What exit status 0 of a pass means"

static const struct excuse excuses[] = {
	{ CALL(SYS_unlinkat, 0), "*", "the file ",
	  "a name that the kernel refuses to remove stays; the next run "
	  "replaces a dead socket and a pid file" },
	{ CALL(SYS_newfstatat, 0), "*", "the file ",
	  "without knowing whose file has the name, it must not be removed" },
	{ CALL(SYS_rt_sigprocmask, EINVAL), "verbose",
	  "COMMAND has \"SigBlk:\t0000000001201000",
	  "rt_sigprocmask(2) fails only for wrong arguments, and those of "
	  "signals_unmask_writes are constants" },
	{ CALL(SYS_getsockopt, 0), "@(receive|exec|relay)*", "hangs",
	  "a connection whose peer is not known is closed, and --receive waits "
	  "for the next" },
	{ CALL(SYS_write, 0), "no-file*", "exit status 127 without a word",
	  "the words themselves cannot be written" },
	{ CALL(SYS_write, 0), "no-file-@(clock|tree)",
	  "exit status 137, but there is no COMMAND",
	  "a child that cannot write to its pipe kills itself, so that its "
	  "exit status is not taken for that of COMMAND" },
	{ CALL(SYS_read, SHORT), "no-file-@(clock|tree)",
	  "exit status 127 without a word",
	  "a pipe gives less than PIPE_BUF bytes as they were written" },
	{ CALL(SYS_rt_sigprocmask, EINVAL), "terminal*", "hangs",
	  "rt_sigprocmask(2) fails only for wrong arguments, and those of "
	  "signals_deliver are constants" },
	{ CALL(SYS_waitid, 0), "@(no-file-pass|no-file-detach|terminal*)",
	  "a zombie is left",
	  "waitid(2) has no error for a child that nobody has reaped" },
	{ CALL(SYS_ppoll, 0), LET_GO, NOT_EXECUTED, NO_WAIT },
	{ CALL(SYS_ppoll, 0), LET_GO, "COMMAND has not lived on", NO_WAIT },
	{ CALL(SYS_ppoll, 0), LET_GO, ENDED, NO_WAIT },
	{ CALL(SYS_ioctl, 0), "terminal-tree", "COMMAND has \"group:",
	  NO_TERMINAL },
	{ CALL(SYS_getpgid, 0), "terminal-tree", "COMMAND has \"group:",
	  NO_TERMINAL },
	{ CALL(SYS_ioctl, 0), "terminal-tree", NO_PIPE, NO_TERMINAL },
	{ CALL(SYS_getpgid, 0), "terminal-tree", NO_PIPE, NO_TERMINAL },
	{ CALL(SYS_capget, 0), "*tree*", "COMMAND has \"",
	  "capget(2) fails only for wrong arguments; without an answer the "
	  "tree has a user namespace, as that of an ordinary user has" },
	{ CALL(SYS_kill, 0), "terminal*", "hangs",
	  "SIGKILL to a child that nobody has reaped, the waker, cannot fail" },
	{ SYS_rt_sigpending, 0, SIGCONT, ROLE_COMMAND, "terminal-tree",
	  "stopped after COMMAND was continued",
	  "a SIGCONT between this look and the stop signal, which discards "
	  "it, cannot be seen; the manual says so under BUGS" },
	{ CALL(0, 0), "terminal*", "has not stopped with COMMAND",
	  "without knowing that somebody can continue it, spawnfd must not "
	  "stop" },
	{ CALL(SYS_sendto, EPIPE), "*tree*", "",
	  "the kernel says EPIPE only when the other end has ended, and here "
	  "it lives" },
	{ CALL(SYS_pidfd_send_signal, ESRCH), "*", "hangs",
	  "the kernel says ESRCH only of a process that has ended, and here it "
	  "lives" },
	{ SIGNAL(SIGTERM, ROLE_CHILD), LET_GO, NOT_EXECUTED, UNTOLD },
	{ SIGNAL(SIGTERM, ROLE_CHILD), LET_GO, ENDED, UNTOLD },
	{ SIGNAL(SIGINT, ROLE_CHILD), LET_GO, NOT_EXECUTED, UNTOLD },
	{ SIGNAL(SIGINT, ROLE_CHILD), LET_GO, ENDED, UNTOLD },
	{ SIGNAL(SIGKILL, ROLE_SPAWNFD), "*", "the file ",
	  "SIGKILL leaves no time to remove a file: see FILES, --receive and "
	  "--pid-file in spawnfd(1)" },
};

static const char *find_excuse(const struct run *run, const char *wrong)
{
	const struct fault *fault = &run->fault;

	for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++) {
		const struct excuse *each = &excuses[i];

		if (each->signal == fault->signal &&
		    (!each->signal || each->target == fault->target) &&
		    (!each->number || each->number == fault->number) &&
		    (!each->error || each->error == fault->error) &&
		    !fnmatch(each->modes, run->mode->name, FNM_EXTMATCH) &&
		    !strncmp(wrong, each->wrong, strlen(each->wrong)))
			return each->reason;
	}
	return NULL;
}

const char *excuse(const struct run *run, const char *wrong)
{
	const char *reason;

	for (;;) {
		reason = find_excuse(run, wrong);
		wrong = strstr(wrong, "; ");
		if (!reason || !wrong)
			return reason;
		wrong += 2;
	}
}
