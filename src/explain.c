/* SPDX-License-Identifier: MIT */
/* explain - see explain.h. It must never ask the kernel anything. */
#include "explain.h"

#include <errno.h>
#include <string.h>

#include "names.h"
#include "search.h"
#include "sys.h"

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

/* The advice where no such file was found in PATH, or NULL */
static const char *search_hint(const char *command)
{
	if (*command == '-')
		return "options go before the word --";
	/* A web page may have U+2010 to U+2017 in place of it. */
	if (!strncmp(command, "\xe2\x80", 2) && (command[2] & 0xf8) == 0x90)
		return "an option begins with -, and this is a longer dash";
	if (strchr(command, ' '))
		return "give each argument as a word of its own, or the whole "
		       "line to a shell: sh -c 'LINE'";
	if (strchr(command, '='))
		return "to set a variable, put env before it: env NAME=VALUE "
		       "COMMAND";
	return NULL;
}

/*
 * The advice where the exec of command failed with this error, or NULL.
 * searched: PATH was searched for it.
 */
static const char *exec_hint(int error, const char *command, bool searched)
{
	switch (error) {
	case ENOENT:
		return searched ? search_hint(command) : NULL;
	case ENOEXEC:
		return "if it is a script, add a #! line such as #!/bin/sh to "
		       "it; if not, it may be for another machine: see file(1)";
	case EACCES:
		return searched ? "see the permissions of the file and of the "
				  "directories in PATH, and whether its file "
				  "system is mounted noexec"
				: "it must be a file that you may execute, on "
				  "a file system without noexec";
	case EPERM:
		return "under --nnp and --autokill a security module may "
		       "refuse a program; see --allow-new-privs";
	case E2BIG:
		return "the arguments and the environment together are too "
		       "long; see ulimit -s";
	default:
		return NULL;
	}
}

/* Appends what became of the process that COMMAND was to hold, if any */
static void explain_received(const struct failure *failure, struct text *text)
{
	if (failure->ends_received)
		text_add(text, "; the received process has ended too");
}

static void explain_exec(const struct failure *failure, struct text *text)
{
	const int error = failure->error;
	const char *command = failure->subject;
	const bool searched = search_uses_path(command);
	const char *hint = exec_hint(error, command, searched);

	text_add_word(text, command);
	if (error == ENOENT && searched)
		text_add(text, ": not found in PATH");
	else
		text_add(text, ": %s", strerror(error));
	explain_received(failure, text);
	if (hint)
		text_add(text, EXPLAIN_HINT "%s", hint);
}

#define RECEIVER_LOST "the receiver has closed the connection: it has ended, " \
		      "has taken another process, or does not allow this user"
#define NOT_REAPED "the process has exited, but its parent has not reaped it"
#define REAP_IT EXPLAIN_HINT "its parent must reap it, which is process 1 " \
		"after a pass; with --autoreap or --autokill the kernel " \
		"does, from Linux 7.1 on"

/*
 * Errors whose cause is known in this step, so that the message can say more
 * than strerror(3) does
 */
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
	{ STEP_ADDRESS, EINVAL, "neither a connected nor a listening socket" },
	{ STEP_PARENT, ESRCH, "the parent has ended already" },
	{ STEP_PARENT, EREMOTE, "the parent is outside of this PID namespace"
	  EXPLAIN_HINT "use unshare(1) with --kill-child" },
	{ STEP_PID, ESRCH, "there is no such process, or it has ended" },
	{ STEP_PID, ESTALE, "another process: that with this INODE has ended" },
	{ STEP_PID, EINVAL, "not a process, but a thread of one" },
	{ STEP_PID, ENOENT, "not a process, but a thread of one" },
	{ STEP_FD, EBADF, "not open" },
	{ STEP_FD, EINVAL, "not a pipe, a stream or seqpacket socket, or a "
			   "terminal" EXPLAIN_HINT
			   "use --die-with-parent or --die-with-pid" },
	{ STEP_FD, EPIPE, "its other end has hung up already" },
	{ STEP_FD, EDEADLK, "spawnfd has both ends of that pipe, and COMMAND "
			    "would inherit both" EXPLAIN_HINT
			    "close the other end for spawnfd, as N>&- does in "
			    "a shell" },
	{ STEP_EXEC_FD, EBADF, "not below the limit of open files; see "
			       "ulimit -n" },
	{ STEP_MAP, ENOENT, "no /proc of this PID namespace is mounted"
	  EXPLAIN_HINT "mount one, as unshare(1) does with --mount-proc" },
	{ STEP_MAP, EPERM, "not permitted; root needs CAP_SETFCAP for it" },
	{ STEP_BEFORE_EXEC, ECHILD, "it was killed before it was executed" },
	{ STEP_CGROUP, EBADF, "not a directory of a cgroup v2 file system" },
	{ STEP_CONNECT, ENOENT, "there is no such socket" EXPLAIN_HINT
	  "start its listener, or give it more time by --wait" },
	{ STEP_CONNECT, ECONNREFUSED, "nobody listens there" EXPLAIN_HINT
	  "start its listener, or give it more time by --wait" },
	{ STEP_CONNECT, ENOTSOCK, "not a socket" },
	{ STEP_CONNECT, EACCES, "Permission denied" EXPLAIN_HINT "its listener "
				"must let you write to the socket, and search "
				"its directory" },
	{ STEP_CONNECT, EPROTOTYPE, "neither a stream nor a seqpacket socket" },
	{ STEP_CONNECT, ENOSYS, "so long a path needs /proc, which is not "
				"mounted" EXPLAIN_HINT "mount /proc, or use a "
				"path of at most 107 bytes" },
	{ STEP_CONNECT, EAGAIN, "its backlog is full: the listener does not "
				"accept connections" },
	{ STEP_PASS, EPIPE, RECEIVER_LOST },
	{ STEP_PASS, ECONNRESET, RECEIVER_LOST },
	{ STEP_PASS, ECONNREFUSED, RECEIVER_LOST },
	{ STEP_PASS, EAGAIN, "the receiver's queue is full" },
	{ STEP_PASS, EPERM, "the receiver refuses descriptors "
			    "(SO_PASSRIGHTS)" },
	{ STEP_PASS, ETOOMANYREFS, "too many descriptors of this user are on "
				   "their way; see ulimit -n" },
	{ STEP_LISTEN, ENOSYS, "--receive needs /proc, which is not mounted"
	  EXPLAIN_HINT "mount /proc, or use an address that begins with @" },
	{ STEP_LISTEN, EADDRINUSE, "somebody listens there already" },
	{ STEP_LISTEN, EEXIST, "in the way: only a socket of this user, on "
			       "which nobody listens, is replaced" },
	{ STEP_RECEIVE, ENOMSG, "the sender has hung up without a message: "
				"its command does not run" },
	{ STEP_RECEIVE, ETIMEDOUT, "no message came within the time of "
				     "--wait" },
	{ STEP_RECEIVE, EBADMSG, "the message has no descriptor" },
	{ STEP_RECEIVE, E2BIG, "the message has more than one descriptor" },
	{ STEP_RECEIVE, EMFILE, "the descriptor of the message is lost, "
				"because none was free; see ulimit -n" },
	{ STEP_RECEIVE, EMSGSIZE, "the message has more than 4096 bytes" },
	{ STEP_RECEIVE, ENOTTY, "the descriptor is not a pidfd" },
	{ STEP_RECEIVE, EREMOTE, "the process cannot be seen in this PID "
				 "namespace: its status could never be read" },
	{ STEP_RECEIVE, ECHILD, NOT_REAPED ": its status cannot be read"
	  REAP_IT },
	{ STEP_PID_FILE, EEXIST, "in the way: it is not a regular file" },
};

static const char *reason_for(enum step step, int error)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].step == step && reasons[i].error == error)
			return reasons[i].why;
	return error == EMFILE ? "no descriptor is free; see ulimit -n"
			       : strerror(error);
}

/* The words that begin the message of a step, before its subject */
static const char *const beginnings[] = {
	[STEP_PRINT] = "standard output",
	[STEP_STATUS_FD] = "--status-fd",
	[STEP_PARENT] = "--die-with-parent",
	[STEP_PID] = "--die-with-pid",
	[STEP_FD] = "--die-with-fd",
	[STEP_CONNECT] = "connect",
	[STEP_PEER] = "peer",
	[STEP_CGROUP] = "--cgroup",
	[STEP_MAP] = "--kill-tree: ids of the user namespace",
	[STEP_EMULATE] = "--fallback",
	[STEP_EXEC_FD] = "--exec-fd",
	[STEP_PASS] = "pass",
	[STEP_LISTEN] = "receive",
	[STEP_RECEIVE] = "receive",
	[STEP_PID_FILE] = "--pid-file",
	[STEP_HOLD] = NULL,
};

static void explain_beginning(const struct failure *failure, struct text *text)
{
	if (beginnings[failure->step])
		text_add(text, "%s: ", beginnings[failure->step]);
	switch (failure->step) {
	case STEP_PID:
	case STEP_FD:
	case STEP_EXEC_FD:
	case STEP_STATUS_FD:
		text_add(text, "%d: ", failure->number);
		return;
	case STEP_ADDRESS:
		text_add(text, "--%s: ", table[failure->number].name);
		break;
	default:
		break;
	}
	if (failure->subject) {
		text_add_word(text, failure->subject);
		text_add(text, ": ");
	}
}

static void explain_peer(const struct failure *failure, struct text *text)
{
	explain_beginning(failure, text);
	if (failure->error != EPERM) {
		text_add(text, "%s", strerror(failure->error));
		return;
	}
	text_add(text, "its user has uid %u, and is neither root nor the user "
		 "that runs spawnfd" EXPLAIN_HINT
		 "to allow another user, use --peer-uid",
		 (unsigned int)failure->number);
}

void explain_failure(const struct failure *failure, struct text *text)
{
	switch (failure->step) {
	case STEP_BEGIN:
		text_add(text, "refuses to run setuid or setgid");
		break;
	case STEP_EXEC:
		explain_exec(failure, text);
		break;
	case STEP_INTERPRETER:
		text_add_word(text, failure->subject);
		text_add(text, ": its interpreter is missing");
		explain_received(failure, text);
		text_add(text, EXPLAIN_HINT
			 "check its #! line (does it end in a carriage "
			 "return?); for a binary, see the interpreter that "
			 "file(1) names");
		break;
	case STEP_EXEC_NOT_STATIC:
		text_add_word(text, failure->subject);
		text_add(text, ": --empty-mntns leaves it no interpreter and "
			 "no libraries" EXPLAIN_HINT
			 "only a static program runs there, and no script");
		break;
	case STEP_HOLD:
		text_add(text, "hold: the status cannot be known: ");
		/* Nothing else in a hold has a deadline that can fail. */
		if (failure->error == ETIMEDOUT)
			text_add(text, NOT_REAPED REAP_IT);
		else if (failure->error == EMFILE)
			text_add(text, "the limit of open files was lowered; "
				 "see ulimit -n");
		else
			explain_error(failure->error, text);
		break;
	case STEP_SIGNAL:
	case STEP_GUARD:
		text_add(text, failure->step == STEP_SIGNAL
				       ? "cannot send signals here: "
					 "pidfd_send_signal: "
				       : "cannot keep others from copying the "
					 "pidfd: prctl: ");
		explain_error(failure->error, text);
		text_add(text, EXPLAIN_HINT "a seccomp filter or an emulator "
			 "refuses it; use another seccomp profile");
		break;
	case STEP_PEER:
		explain_peer(failure, text);
		break;
	case STEP_PREPARE:
	case STEP_CLONE3:
		text_add(text, "cannot start: ");
		explain_error(failure->error, text);
		if (failure->error == EMFILE)
			text_add(text, "; see ulimit -n");
		break;
	default:
		explain_beginning(failure, text);
		text_add(text, "%s", reason_for(failure->step, failure->error));
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
