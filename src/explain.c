/* SPDX-License-Identifier: MIT */
/* explain - see explain.h. It must never ask the kernel anything. */
#include "explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "search.h"
#include "sys.h"

/* Before the second line, which says what to do */
#define HINT "\nspawnfd: "

static const char *expected(const struct option_row *row)
{
	if (row->kind == KIND_SIGNAL)
		return "not a signal: give a name such as TERM or RTMIN+1, a "
		       "number from 1 to 64, or none";
	return "not clone flags: give 1<<N, 0x..., a decimal number, or names "
	       "such as CLONE_NEWPID, joined by |";
}

void explain_mistake(const struct mistake *mistake, struct text *text)
{
	const char *word = mistake->word;

	if (mistake->row)
		text_add(text, "--%s: ", mistake->row->name);
	switch (mistake->kind) {
	case MISTAKE_UNKNOWN:
		text_add_word(text, word);
		text_add(text, ": unknown option; see spawnfd --help");
		break;
	case MISTAKE_LETTER:
		text_add_word(text, (char[]){ '-', *word, 0 });
		text_add(text, ": unknown option; see spawnfd --help");
		break;
	case MISTAKE_AMBIGUOUS:
		text_add_word(text, word);
		text_add(text, ": stands for several options; see spawnfd --help");
		break;
	case MISTAKE_NO_ARGUMENT:
		text_add(text, "needs an argument, %s",
		       mistake->row->argument);
		break;
	case MISTAKE_ARGUMENT:
		text_add(text, "takes no argument");
		break;
	case MISTAKE_VALUE:
		text_add_word(text, word);
		text_add(text, ": %s", expected(mistake->row));
		break;
	case MISTAKE_REFUSED:
		explain_flags(mistake->flags, text);
		text_add(text, ": refused, no command could run with it");
		break;
	case MISTAKE_NO_COMMAND:
		text_add(text, "COMMAND is missing; see spawnfd --help");
		break;
	case MISTAKE_EXCLUDES:
		text_add(text, "cannot be combined with --%s",
		       mistake->other->name);
		break;
	case MISTAKE_NEEDS:
		text_add(text, "needs --%s", mistake->other->name);
		break;
	case MISTAKE_RULE:
		text_add(text, "%s%s", mistake->row ? "" : "clone flags: ",
			 word);
		break;
	}
}

void explain_error(int error, struct text *text)
{
	const char *name = name_error(error);

	if (name)
		text_add(text, "%s (%s)", name, strerror(error));
	else
		text_add(text, "error %d (%s)", error, strerror(error));
}

void explain_flags(uint64_t flags, struct text *text)
{
	const char *separator = "";

	if (!flags)
		text_add(text, "0");
	for (uint64_t left = flags; left; left &= left - 1) {
		struct flag flag = table_flag(left & -left);

		if (!flag.symbol)
			continue;
		text_add(text, "%s%s", separator, flag.symbol);
		separator = "|";
		flags &= ~flag.bit;
	}
	if (flags)
		text_add(text, "%s0x%llx", separator,
			 (unsigned long long)flags);
}

static void explain_exec(int error, const char *command, struct text *text)
{
	text_add_word(text, command);
	if (error == ENOENT && search_uses_path(command))
		text_add(text, ": not found in PATH");
	else
		text_add(text, ": %s", strerror(error));
	if (error == ENOEXEC)
		text_add(text, HINT "if it is a script, add a #! line such "
		       "as #!/bin/sh to it");
	if (error == E2BIG)
		text_add(text, HINT "the arguments and the environment "
		       "together are too long; see ulimit -s");
}

void explain_step(enum step step, int error, const char *subject,
		  struct text *text)
{
	switch (step) {
	case STEP_BEGIN:
		text_add(text, "refuses to run setuid or setgid");
		break;
	case STEP_PRINT:
		text_add(text, "standard output: %s", strerror(error));
		break;
	case STEP_CGROUP:
		text_add(text, "--cgroup: ");
		text_add_word(text, subject);
		text_add(text, ": %s", strerror(error));
		break;
	case STEP_EXEC:
		explain_exec(error, subject, text);
		break;
	case STEP_INTERPRETER:
		text_add_word(text, subject);
		text_add(text, ": its interpreter is missing" HINT
			 "check its #! line (does it end in a carriage "
			 "return?); of a binary, what file(1) says");
		break;
	case STEP_HOLD:
		text_add(text, "hold: the status cannot be known: ");
		explain_error(error, text);
		break;
	case STEP_PREPARE:
	case STEP_CLONE3:
		text_add(text, "cannot start: ");
		explain_error(error, text);
		break;
	}
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The flags that this kernel lacks, and behind them the first that has them */
static void explain_unknown(const struct refusal *refusal, struct text *text)
{
	const char *separator = "", *newest = NULL;
	uint64_t left = refusal->unknown;

	text_add(text, "Linux %s has no ", refusal->release);
	while (left) {
		struct flag flag = table_flag(left & -left), next;

		left &= left - 1;
		next = table_flag(left & -left);
		text_add(text, "%s", separator);
		if (flag.symbol)
			text_add(text, "%s", flag.symbol);
		else
			text_add(text, "flag 0x%llx",
				 (unsigned long long)flag.bit);
		if (flag.since && !(left && same(flag.since, next.since)))
			text_add(text, " (since %s)", flag.since);
		separator = ", ";
		newest = flag.since;
	}
	if (newest)
		text_add(text, HINT "run it on Linux %s or newer", newest);
}

static void explain_einval(const struct refusal *refusal, struct text *text)
{
	if (refusal->unknown)
		explain_unknown(refusal, text);
	else if (refusal->rule)
		text_add(text, "%s", refusal->rule);
	else if (refusal->flags & CLONE_PARENT)
		text_add(text, "CLONE_PARENT is not for a process that is "
			 "itself autoreaped, or the init of a PID namespace");
	else
		text_add(text, "the kernel knows these flags, but does not "
			 "take them together");
}

static void explain_eperm(const struct refusal *refusal, struct text *text)
{
	if (refusal->denied & CLONE_PIDFD_AUTOKILL) {
		text_add(text, "CLONE_PIDFD_AUTOKILL without CLONE_NNP takes "
			 "CAP_SYS_ADMIN" HINT "use --nnp in place of "
			 "--allow-new-privs, or run it as root");
		return;
	}
	text_add(text, "not permitted here");
	if (refusal->denied) {
		text_add(text, ": ");
		explain_flags(refusal->denied, text);
	}
}

/* Linux 5.3 brought clone3 */
static bool too_old(const char *release)
{
	const char *minor = strchr(release, '.');

	return atoi(release) < 5 ||
	       (atoi(release) == 5 && minor && atoi(minor + 1) < 3);
}

/* clone3 never looked at its arguments */
static void explain_absence(const struct refusal *refusal, struct text *text)
{
	if (too_old(refusal->release))
		text_add(text, "Linux %s has no clone3 (since 5.3)",
			 refusal->release);
	else
		text_add(text, "a seccomp filter refuses clone3" HINT
			 "container runtimes do unless CAP_SYS_ADMIN is given; "
			 "another seccomp profile helps");
}

/* Errors of clone3 with one meaning each; clone3(2), cgroups(7), fork.c */
static const struct {
	int error;
	bool cgroup;	/* only with CLONE_INTO_CGROUP */
	const char *why;
} meanings[] = {
	{ EBADF, true, "not a directory of a cgroup v2 file system" },
	{ ENOENT, true, "the cgroup is gone, or outside of this cgroup "
			"namespace" },
	{ ENODEV, true, "the cgroup is gone" },
	{ EACCES, true, "no write permission on cgroup.procs, there or in the "
			"common ancestor" HINT
			"delegate the subtree that holds "
			"both, or run it as root" },
	{ EBUSY, true, "it gives domain controllers to its children "
		       "(cgroup.subtree_control), so no process may be in it"
		       HINT "use a cgroup below it" },
	{ EOPNOTSUPP, true, "its type is 'domain invalid', for its parent is "
			    "threaded" HINT
			    "write 'threaded' to its cgroup.type" },
	{ EAGAIN, true, "pids.max there or above, or another limit on "
			"processes (ulimit -u, kernel.threads-max, "
			"kernel.pid_max)" },
	{ ENOSPC, true, "its cpuset has no CPUs, or a limit on namespaces "
			"(/proc/sys/user/max_*)" },
	{ EAGAIN, false, "a limit on processes: ulimit -u, pids.max of the "
			 "cgroup, kernel.threads-max or kernel.pid_max" },
	{ ENOSPC, false, "a limit on namespaces (/proc/sys/user/max_*)" },
	{ ENOMEM, false, "no memory, or a PID namespace whose init is gone" },
	{ EMFILE, false, "no descriptor is free for the pidfd; see ulimit -n" },
	{ ENFILE, false, "the system's table of open files is full" },
};

static void explain_meaning(const struct refusal *refusal, struct text *text)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].error != refusal->error ||
		    (meanings[i].cgroup && !refusal->cgroup))
			continue;
		if (meanings[i].cgroup)
			text_add_word(text, refusal->cgroup);
		text_add(text, "%s%s", meanings[i].cgroup ? ": " : "",
			 meanings[i].why);
		return;
	}
	text_add(text, "%s", strerror(refusal->error));
}

void explain_refusal(const struct refusal *refusal, struct text *text)
{
	const char *name = name_error(refusal->error);

	text_add(text, "clone3: %s: ", name ? name : "unknown error");
	if (refusal->presence != EINVAL)
		explain_absence(refusal, text);
	else if (refusal->error == EINVAL)
		explain_einval(refusal, text);
	else if (refusal->error == EPERM)
		explain_eperm(refusal, text);
	else
		explain_meaning(refusal, text);
}
