/* SPDX-License-Identifier: MIT */
#include "attempts.h"

#include <errno.h>
#include <sys/stat.h>

#include "message.h"
#include "receivers.h"
#include "sockets.h"

enum sink { HOLDS, PASSES, DETACHES };

struct mode {
	const char *name;
	const char *options[7];
	enum sink sink;
	uid_t uid;
	bool with_pid_file;
	bool in_group;
	bool receives;
	bool emulates;		/* a filter refuses clone3 */
};

#define WATCHES "--timeout=1000", "--kill-after=1000", "--die-with-parent", \
		"--die-with-fd=0"

static const struct mode modes[] = {
	{ "hold", { "--" } },
	{ "--autokill with clock and watches", { "--autokill", WATCHES },
	  .with_pid_file = true },
	{ "--new-session", { "--autokill", "--new-session" } },
	{ "--pass", { "--autokill" }, PASSES, .with_pid_file = true },
	{ "--receive", { NULL }, .receives = true },
	{ "--receive with clock and watches", { WATCHES },
	  .with_pid_file = true, .receives = true },
	{ "--detach", { "--detach" }, DETACHES, .with_pid_file = true },
	{ "--kill-tree of root", { "--autokill", "--kill-tree" },
	  .with_pid_file = true },
	{ "--kill-tree of a user", { "--autokill", "--kill-tree", WATCHES },
	  .uid = NOBODY },
	{ "--pass --kill-tree", { "--autokill", "--kill-tree" }, PASSES },
	{ "--detach --kill-tree", { "--detach", "--kill-tree" }, DETACHES },
	{ "--cgroup", { "--autokill" }, .in_group = true },
	{ "--cgroup --kill-tree", { "--autokill", "--kill-tree" },
	  .in_group = true },
	{ "--fallback", { "--fallback", "--autokill" },
	  .emulates = true },
	{ "--fallback --kill-tree",
	  { "--fallback", "--autokill", "--kill-tree" },
	  .with_pid_file = true, .emulates = true },
	{ "--fallback --detach", { "--fallback", "--nnp", "--detach" },
	  DETACHES, .emulates = true },
};

/* ---- the run ---- */

/* One run of a mode, and what was seen of it. */
struct trial {
	const struct surroundings *surroundings;
	const struct mode *mode;
	int socket;		/* becomes SOCKET_FD; -1: none */
	struct ended e;
	const struct ended *bare;	/* COMMAND without spawnfd */
	int messages;
	int orphans;
	int orphan_status;
};

static void surround(const void *arg)
{
	static const unsigned int filtered = ENOSYS;
	const struct trial *trial = arg;

	if (trial->socket >= 0)
		inherit_as(trial->socket, SOCKET_FD);
	if (trial->mode && trial->mode->emulates)
		filter_clone3(&filtered);
	if (trial->surroundings->prepare)
		trial->surroundings->prepare(trial->surroundings->arg);
}

/* Runs argv in the surroundings; returns the errno of a failed exec, or 0. */
static int run_there(const struct trial *trial, struct ended *e,
		     const char *const argv[])
{
	uid_t uid = trial->surroundings->uid;
	const struct way way = {
		.uid = uid || !trial->mode ? uid : trial->mode->uid,
		.prepare = surround, .arg = trial,
	};
	struct running r;
	int error = try_start(&r, &way, argv);

	if (!error)
		finish(&r, e);
	return error;
}

bool can_begin(const struct surroundings *surroundings)
{
	const struct trial trial = { .surroundings = surroundings,
				     .socket = -1 };
	struct ended e;

	return run_there(&trial, &e, ARGV(spawnfd, "--version")) == 0 &&
	       e.status == 0;
}

static const char *address_of(const struct mode *mode)
{
	if (mode->receives)
		return RECEIVE(SOCKET);
	return mode->sink == PASSES ? PASS(abstract()) : NULL;
}

/* Returns as run_there(). */
static int run_mode(struct trial *trial)
{
	const struct mode *mode = trial->mode;
	const char *argv[16] = { spawnfd }, *address = address_of(mode);
	size_t n = 1;

	if (address)
		argv[n++] = address;
	if (mode->with_pid_file)
		argv[n++] = joined("--pid-file=", at_home("pid"));
	if (mode->in_group)
		argv[n++] = joined("--cgroup=", trial->surroundings->group);
	for (size_t i = 0; mode->options[i]; i++)
		argv[n++] = mode->options[i];
	if (!mode->receives) {
		argv[n++] = actor;
		argv[n++] = "say";
		argv[n++] = "ran";
	}
	argv[n] = NULL;
	return run_there(trial, &trial->e, argv);
}

/* ---- the judge ---- */

/*
 * Returns whether a failure is told: code 125 to 127, and a message. COMMAND
 * may have run only if the code is 125.
 */
static bool is_refused(const struct trial *trial)
{
	struct ended e = trial->e;

	if (!not_refused(&e, 126) || !not_refused(&e, 127))
		return true;
	if (strcmp(e.out, trial->bare->out) == 0)
		e.out[0] = '\0';
	return !not_refused(&e, 125);
}

/* An init exits with 128+N if signal N killed COMMAND. */
static bool is_of_command(int status, int of_command)
{
	return status == of_command ||
	       (WIFSIGNALED(of_command) && WIFEXITED(status) &&
		WEXITSTATUS(status) == 128 + WTERMSIG(of_command));
}

/* Returns whether COMMAND did all that it does without spawnfd. */
static bool is_done(const struct trial *trial)
{
	const struct ended *e = &trial->e, *bare = trial->bare;

	if (trial->mode->receives)
		return WIFEXITED(e->status) && WEXITSTATUS(e->status) == 42;
	if (strcmp(e->out, bare->out) != 0)
		return false;
	if (trial->mode->sink == PASSES)
		return e->status == 0 && trial->messages == 1;
	if (trial->mode->sink == DETACHES)
		return e->status == 0 && trial->orphans == 1 &&
		       is_of_command(trial->orphan_status, bare->status);
	return e->status == bare->status;
}

static const char *judge(const struct trial *trial)
{
	const bool leaves = trial->mode->sink != HOLDS &&
			    trial->e.status == 0 && trial->mode->with_pid_file;

	if (is_refused(trial) && (trial->messages || trial->orphans))
		return "a refused command was passed or detached";
	if (!is_refused(trial) && !is_done(trial))
		return "the exit status does not tell the truth";
	if (count_files(home(), "") != leaves)
		return leaves ? "there is no pid file" : "a file is left";
	return NULL;
}

/* Reaps what a detached run leaves to this test; all others leave nothing. */
static void reap_left(struct trial *trial)
{
	siginfo_t info = { 0 };

	while (waitid_patiently(P_ALL, 0, &info, WEXITED | __WALL) == 0) {
		trial->orphans++;
		trial->orphan_status = info.si_code == CLD_EXITED
					       ? info.si_status << 8
					       : info.si_status;
	}
	cr_expect_eq(errno, ECHILD, "%s, %s %lld: still running: %d",
		     trial->mode->name, trial->surroundings->what,
		     trial->surroundings->value, child_of(getpid()));
}

static void expect_right(const struct trial *trial, struct tally *tally)
{
	const char *wrong = judge(trial);
	/* A process in one of the namespaces of a tree is never left. */
	const bool may_leave = trial->mode->sink == DETACHES &&
			       trial->e.status == 0;

	if (!wrong && trial->orphans && !may_leave)
		wrong = "a zombie is left";
	cr_expect_null(wrong, "%s, %s %lld: %s, status %#x (bare: %#x, \"%s\")"
		       ", \"%s\", \"%s\"", trial->mode->name,
		       trial->surroundings->what, trial->surroundings->value,
		       wrong, trial->e.status, trial->bare->status,
		       trial->bare->out, trial->e.out, trial->e.err);
	if (is_refused(trial))
		tally->refused++;
	else
		tally->done++;
	unlink(at_home("pid"));
}

/* ---- modes ---- */

/* A child of this test ends with status 42 while spawnfd receives it. */
static int run_receiver(struct trial *trial)
{
	struct running child;
	int pair[2], error;

	open_pair(SOCK_STREAM, pair);
	start_child(&child, "42");
	send_one(pair[0], "x", 1, child.pidfd);
	end_child(&child, 42);
	close_running(&child);
	trial->socket = pair[1];
	error = run_mode(trial);
	close(pair[0]);
	close(pair[1]);
	return error;
}

static int run_passer(struct trial *trial)
{
	int listener = listen_at(abstract(), SOCK_STREAM), error, peer;
	struct pollfd row = { listener, POLLIN, 0 };
	struct message m;

	error = run_mode(trial);
	if (poll(&row, 1, 0) > 0) {
		peer = accept_one(listener);
		take_message(peer, &m, CONTROL_SIZE);
		trial->messages = m.length > 0 && m.pidfd >= 0;
		if (m.pidfd >= 0)
			close(m.pidfd);
		close(peer);
	}
	close(listener);
	return error;
}

static void try_mode(const struct mode *mode,
		     const struct surroundings *surroundings,
		     const struct ended *bare, struct tally *tally)
{
	struct trial trial = { .surroundings = surroundings, .mode = mode,
			       .socket = -1, .bare = bare };
	int error;

	if (mode->receives)
		error = run_receiver(&trial);
	else if (mode->sink == PASSES)
		error = run_passer(&trial);
	else
		error = run_mode(&trial);
	if (error)
		return;
	reap_left(&trial);
	expect_right(&trial, tally);
}

void attempt(const struct surroundings *surroundings, struct tally *tally)
{
	static unsigned int pairs;	/* of this test, in all its calls */
	const struct trial alone = { .surroundings = surroundings,
				     .socket = -1 };
	struct ended bare;

	if (run_there(&alone, &bare, ARGV(actor, "say", "ran")))
		return;
	cr_assert_eq(chmod(home(), 0777), 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct mode *mode = &modes[i];

		if (mode->in_group &&
		    (!surroundings->group || surroundings->uid))
			continue;
		/* Each third pair of mode and value, where all takes long */
		if (variant_is(SANITIZED | KERNEL) && pairs++ % 3)
			continue;
		try_mode(mode, surroundings, &bare, tally);
	}
}
