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

static const char *expected(enum kind kind)
{
	switch (kind) {
	case KIND_SIGNAL:
		return "not a signal: give a name such as TERM or RTMIN+1, or "
		       "a number from 1 to 64";
	case KIND_NO_SIGNAL:
		return "not a signal: give a name such as TERM or RTMIN+1, a "
		       "number from 1 to 64, or none";
	case KIND_PID:
		return "not a process: give PID or PID:INODE";
	case KIND_FLAGS:
		return "not clone flags: give 1<<N, 0x..., a decimal number, "
		       "or names such as CLONE_NEWPID, joined by |";
	case KIND_FLAG:
		return "not a clone flag: give the name of its option, such as "
		       "autokill, or the kernel's, such as CLONE_NNP";
	case KIND_ADDRESS:
		return "not an address: give a path, @NAME (up to 107 bytes) "
		       "or fd:N";
	case KIND_DURATION:
		return "not a duration: give a decimal number and perhaps ms, "
		       "s, m, h or d";
	case KIND_FD:
		return "not a number of a descriptor";
	case KIND_UID:
		return "not a numeric user id";
	case KIND_SWITCH:
	case KIND_TEXT:
		break;
	}
	return "cannot be empty";
}

/* "--pass or --receive" */
static void explain_options(uint64_t set, struct text *text)
{
	const char *separator = "";

	for (; set; set &= set - 1) {
		text_add(text, "%s--%s", separator,
			 table[__builtin_ctzll(set)].name);
		separator = " or ";
	}
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
		text_add(text, ": stands for several options; see "
			 "spawnfd --help");
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
		text_add(text, ": %s", expected(mistake->row->kind));
		break;
	case MISTAKE_REFUSED:
		explain_flags(mistake->flags, text);
		text_add(text, ": refused, no command could run with it");
		break;
	case MISTAKE_NO_COMMAND:
		text_add(text, "COMMAND is missing; see spawnfd --help");
		break;
	case MISTAKE_EXCLUDES:
		text_add(text, "cannot be combined with ");
		explain_options(mistake->others, text);
		break;
	case MISTAKE_NEEDS:
		text_add(text, "needs ");
		explain_options(mistake->others, text);
		break;
	case MISTAKE_FLAGS:
		text_add(text, "clone flags: %s", word);
		break;
	case MISTAKE_RULE:
		text_add(text, "%s", word);
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
	struct flag flag;

	if (!flags)
		text_add(text, "0");
	while ((flag = table_take_flag(&flags)).bit) {
		text_add(text, "%s%s", separator, flag.symbol);
		separator = "|";
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

/* Where an error says more than strerror(3) does */
static const struct {
	enum step step;
	int error;
	const char *why;
} reasons[] = {
	{ STEP_STATUS_FD, EBADF, "not open for writing" },
	{ STEP_ADDRESS, EBADF, "not open" },
	{ STEP_ADDRESS, ENOTSOCK, "not a socket" },
	{ STEP_ADDRESS, EAFNOSUPPORT, "not a Unix socket" },
	{ STEP_ADDRESS, ENOTCONN, "not a connected socket" },
	{ STEP_PARENT, ESRCH, "the parent is gone" },
	{ STEP_PARENT, EREMOTE, "the parent is outside of this PID namespace"
	  HINT "unshare(1) has --kill-child for that" },
	{ STEP_PID, ESRCH, "there is no such process, or it has ended" },
	{ STEP_PID, EINVAL, "not a process, but a thread of one" },
	{ STEP_PID, ENOENT, "not a process, but a thread of one" },
	{ STEP_FD, EBADF, "not open" },
	{ STEP_FD, EINVAL, "not a pipe, a stream or seqpacket socket, or a "
			   "terminal" },
	{ STEP_FD, EPIPE, "its other end has hung up already" },
	{ STEP_FD, EDEADLK, "spawnfd has both ends of that pipe, and so would "
			    "the command" HINT "close the other one for it, as "
			    "N>&- does in a shell" },
	{ STEP_MAP, ENOENT, "there is no /proc to write them to" },
	{ STEP_CGROUP, EBADF, "not a directory of a cgroup v2 file system" },
	{ STEP_CONNECT, ENOENT, "there is no such socket" HINT
	  "if its listener is still to come, use --wait" },
	{ STEP_CONNECT, ECONNREFUSED, "nobody listens there" HINT
	  "if its listener is still to come, use --wait" },
	{ STEP_CONNECT, EPROTOTYPE, "neither a stream nor a seqpacket socket" },
	{ STEP_CONNECT, EAGAIN, "its backlog is full, the listener does not "
				"accept" },
	{ STEP_PEER, EPERM, "its user is neither root nor the one that runs "
			    "spawnfd" HINT "to allow another, use --peer-uid" },
	{ STEP_PASS, EPIPE, "the receiver has closed the connection; does it "
			    "allow this user?" },
	{ STEP_PASS, ECONNRESET, "the receiver has closed the connection" },
	{ STEP_PASS, ECONNREFUSED, "the receiver has closed the connection" },
	{ STEP_PASS, EAGAIN, "the receiver's queue is full" },
	{ STEP_PASS, EPERM, "the receiver refuses descriptors "
			    "(SO_PASSRIGHTS)" },
	{ STEP_PASS, ETOOMANYREFS, "too many descriptors of this user are on "
				   "their way; see ulimit -n" },
	{ STEP_LISTEN, EMFILE, "no descriptor is free; see ulimit -n" },
	{ STEP_LISTEN, EADDRINUSE, "somebody listens there already" },
	{ STEP_LISTEN, EEXIST, "in the way, and not a dead socket of this "
			       "user" },
	{ STEP_RECEIVE, ENOMSG, "the sender has hung up without a message: "
				"its command does not run" },
	{ STEP_RECEIVE, ETIMEDOUT, "nothing came as long as --wait allows" },
	{ STEP_RECEIVE, EBADMSG, "a message without a descriptor" },
	{ STEP_RECEIVE, E2BIG, "a message with more than one descriptor" },
	{ STEP_RECEIVE, EMFILE, "the descriptor of the message is lost, for "
				"none was free; see ulimit -n" },
	{ STEP_RECEIVE, EMSGSIZE, "a message of more than 4096 bytes" },
	{ STEP_RECEIVE, ENOTTY, "a descriptor that is not a pidfd" },
	{ STEP_RECEIVE, EREMOTE, "a process that cannot be seen in this PID "
				 "namespace: its status could never be read" },
	{ STEP_RECEIVE, ECHILD, "a process that is over, but that its parent "
				"does not reap: its status cannot be read" },
	{ STEP_PID_FILE, EEXIST, "in the way, and not a regular file" },
};

static const char *reason(enum step step, int error)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].step == step && reasons[i].error == error)
			return reasons[i].why;
	return strerror(error);
}

/* What a step is about begins its line, and its class the status line's */
static const struct {
	const char *what;
	const char *class;
} steps[] = {
	[STEP_BEGIN] = { NULL, "usage" },
	[STEP_PRINT] = { "standard output", "usage" },
	[STEP_STATUS_FD] = { "--status-fd", "usage" },
	[STEP_ADDRESS] = { NULL, "usage" },
	[STEP_PARENT] = { "--die-with-parent", "usage" },
	[STEP_PID] = { "--die-with-pid", "usage" },
	[STEP_FD] = { "--die-with-fd", "usage" },
	[STEP_CONNECT] = { "connect", "connect" },
	[STEP_PEER] = { "peer", "peer" },
	[STEP_CGROUP] = { "--cgroup", "clone3" },
	[STEP_PREPARE] = { NULL, "clone3" },
	[STEP_CLONE3] = { NULL, "clone3" },
	[STEP_MAP] = { "--kill-tree: ids of the user namespace", "clone3" },
	[STEP_EMULATE] = { "--fallback", "clone3" },
	[STEP_EXEC] = { NULL, "exec" },
	[STEP_INTERPRETER] = { NULL, "exec" },
	[STEP_STATIC] = { NULL, "exec" },
	[STEP_PASS] = { "pass", "pass" },
	[STEP_LISTEN] = { "receive", "receive" },
	[STEP_RECEIVE] = { "receive", "receive" },
	[STEP_PID_FILE] = { "--pid-file", "hold" },
	[STEP_HOLD] = { NULL, "hold" },
};

const char *explain_class(enum step step)
{
	return steps[step].class;
}

bool explain_is_exec(enum step step)
{
	return !strcmp(steps[step].class, "exec");
}

static void explain_subject(enum step step, const char *subject,
			    struct text *text)
{
	if (steps[step].what)
		text_add(text, "%s: ", steps[step].what);
	if (subject) {
		text_add_word(text, subject);
		text_add(text, ": ");
	}
}

void explain_step(enum step step, int error, const char *subject,
		  struct text *text)
{
	switch (step) {
	case STEP_BEGIN:
		text_add(text, "refuses to run setuid or setgid");
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
	case STEP_STATIC:
		text_add_word(text, subject);
		text_add(text, ": --empty-mntns leaves it no interpreter and "
			 "no libraries" HINT "only a static program runs "
			 "there, and no script");
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
	default:
		explain_subject(step, subject, text);
		text_add(text, "%s", reason(step, error));
	}
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The flags that this kernel lacks, and behind them the first that has them */
static void explain_not_emulable(uint64_t not_emulable, struct text *text)
{
	text_add(text, "; --fallback has nothing in place of ");
	explain_flags(not_emulable, text);
	if (not_emulable & CLONE_PIDFD_AUTOKILL)
		text_add(text, " with --pass");
}

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
	if (newest && !refusal->not_emulable && !refusal->fallback)
		text_add(text, ", or with --fallback");
	if (newest && refusal->not_emulable && refusal->fallback)
		explain_not_emulable(refusal->not_emulable, text);
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
	if (refusal->denied & CLONE_EMPTY_MNTNS) {
		text_add(text, "CLONE_EMPTY_MNTNS takes CAP_SYS_ADMIN" HINT
			 "run it as root, or in a user namespace: --kill-tree "
			 "makes one");
		return;
	}
	if (refusal->denied & CLONE_NEWUSER && refusal->mapped) {
		text_add(text, "this user may make no user namespace: %s" HINT
			 "root (CAP_SYS_ADMIN) needs none for --kill-tree",
			 refusal->userns ? refusal->userns
					 : "in a chroot no user may, and a "
					   "security module or a seccomp "
					   "filter can deny it");
		return;
	}
	text_add(text, "not permitted here");
	if (refusal->denied) {
		text_add(text, ": ");
		explain_flags(refusal->denied, text);
	}
}

static const struct {
	const char *word;
	const char *why;
} clone3_words[] = {
	[CLONE3_AVAILABLE] = { "available", NULL },
	[CLONE3_FILTERED] = { "filtered", "a seccomp filter refuses clone3" },
	[CLONE3_MISSING] = { "missing", "clone3 came with Linux 5.3" },
};

static const struct {
	const char *word;
	const char *why;
} support_words[] = {
	[SUPPORT_YES] = { "yes", NULL },
	[SUPPORT_NO] = { "no", "this kernel does not have it" },
	[SUPPORT_DENIED] = { "denied", "not permitted to this user" },
};

const char *explain_clone3(enum clone3 clone3)
{
	return clone3_words[clone3].word;
}

const char *explain_support(enum support support)
{
	return support_words[support].word;
}

const char *explain_no_support(enum clone3 clone3, enum support support)
{
	return clone3 == CLONE3_AVAILABLE ? support_words[support].why
					  : clone3_words[clone3].why;
}

/* clone3 never looked at its arguments */
static void explain_absence(const struct refusal *refusal, struct text *text)
{
	if (refusal->clone3 == CLONE3_MISSING)
		text_add(text, "Linux %s has no clone3 (since 5.3)" HINT
			 "a newer Linux helps", refusal->release);
	else
		text_add(text, "%s" HINT "container runtimes do unless "
			 "CAP_SYS_ADMIN is given; another seccomp profile "
			 "helps", clone3_words[refusal->clone3].why);
	if (refusal->fallback && refusal->not_emulable)
		explain_not_emulable(refusal->not_emulable, text);
	else if (!refusal->not_emulable)
		text_add(text, ", or --fallback");
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
	{ ENOSPC, false, "a limit on namespaces: /proc/sys/user/max_*, or more "
			 "than 32 of them inside of one another" },
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
	if (refusal->clone3 != CLONE3_AVAILABLE)
		explain_absence(refusal, text);
	else if (refusal->error == EINVAL)
		explain_einval(refusal, text);
	else if (refusal->error == EPERM || refusal->denied)
		explain_eperm(refusal, text);
	else
		explain_meaning(refusal, text);
}
