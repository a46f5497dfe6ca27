/* SPDX-License-Identifier: MIT */
/*
 * The main promise of --autokill: when spawnfd is killed, in any way and at any
 * moment, the kernel kills its command. And of --autoreap: a command that ends
 * leaves no zombie, whoever its parent is by then.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define TIMES 500
#define LONGEST_US 20000

/* Kills spawnfd, which must end the command; closes all descriptors. */
static void kill_takes_both(struct running *r, int command)
{
	kill(r->pid, SIGKILL);
	await_end(r);
	await_events(command, POLLHUP);
	close(command);
	close_running(r);
	nothing_left();
}

/* ---- killed at any moment ---- */

static bool is_running(const struct running *r)
{
	pid_t command = command_of(r->pid);
	char name[32] = "";

	if (command)
		name_of(command, name, sizeof(name));
	return strcmp(name, "sleep") == 0;
}

/*
 * Kills spawnfd at a random moment. A patient run first waits for the exec of
 * the command, so that a slow machine meets later moments too. The wait looks
 * again and again, because /proc cannot be polled.
 */
static bool kill_once(const struct way *way, bool patient)
{
	struct running r;
	bool seen;
	int status;

	start(&r, way, ARGV(spawnfd, "--autokill", "--", "sleep", "1000"));
	while (patient && !is_running(&r))
		cr_assert_not(has_ended(&r));
	wait_at_random(r.pidfd, LONGEST_US);
	seen = patient || is_running(&r);
	kill(r.pid, SIGKILL);
	status = await_end(&r);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close_running(&r);
	nothing_left();
	return seen;
}

static void kill_often(uid_t uid)
{
	const struct way way = { .uid = uid };
	int seen = 0, n = often(TIMES);

	for (int i = 0; i < n; i++)
		seen += kill_once(&way, i % 2);
	cr_assert_geq(seen, n / 2, "only %d of %d commands were seen running",
		      seen, n);
}

SystemTestWith(flags, killed_500_times_as_root, REPEATS_PATHS,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	kill_often(0);
}

SystemTestWith(flags, killed_500_times_as_an_ordinary_user, REPEATS_PATHS,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	kill_often(NOBODY);
}

/*
 * spawnfd forwards these signals, so the command dies of them, and spawnfd dies
 * after it. Only a signal that cannot be forwarded would need autokill.
 */
SystemTestWith(flags, autokill_when_spawnfd_dies_of_any_signal,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGALRM,
				       SIGUSR1, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct running r;
		int command;

		start(&r, NULL, ARGV(spawnfd, "--autokill", actor, "hang"));
		command = open_pidfd(read_pid(r.out));
		kill(r.pid, signals[i]);
		await_events(command, POLLHUP);
		cr_expect_eq(WTERMSIG(await_end(&r)), signals[i]);
		close(command);
		close_running(&r);
		nothing_left();
	}
}

/* Without the flag the command lives on, so the other tests prove something. */
SystemTestWith(flags, only_autokill_kills, ALSO_UNDER(FALLBACK | FILTERED))
{
	static const char *const without[] = { "--", "--autoreap", "--nnp" };

	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		struct running r;
		int command;

		start(&r, NULL, ARGV(spawnfd, without[i], actor, "echo"));
		command = open_pidfd(read_pid(r.out));
		kill(r.pid, SIGKILL);
		await_end(&r);
		ping(&r);
		close_running(&r);
		await_events(command, POLLIN);
		waitpid(-1, NULL, __WALL);
		close(command);
		nothing_left();
	}
}

SystemTest(flags, autokill_takes_a_command_whose_leader_has_left)
{
	struct running r;
	int command;

	start(&r, NULL, ARGV(spawnfd, "--autokill", actor, "leaderless",
			     "stay"));
	command = open_pidfd(read_pid(r.out));
	kill_takes_both(&r, command);
}

/* ---- who holds the pidfd ---- */

struct references {
	int all;
	int of_holder;
	int of_command;
	int marked;		/* O_TRUNC: the kernel's mark of autokill */
};

/* Counts one descriptor of `owner`, if it is a pidfd of the command. */
static void count_reference(struct references *refs, const char *fdinfo,
			    const struct running *r, pid_t owner,
			    pid_t command)
{
	char text[1024], wanted[32];
	char *flags;

	read_file(fdinfo, text, sizeof(text));
	snprintf(wanted, sizeof(wanted), "\nPid:\t%d\n", command);
	if (!strstr(text, wanted))
		return;
	refs->all++;
	refs->of_holder += owner == r->pid;
	refs->of_command += owner == command;
	flags = strstr(text, "flags:");
	if (flags && strtoul(flags + 6, NULL, 8) & O_TRUNC)
		refs->marked++;
}

static void count_references_of(struct references *refs,
				const struct running *r, pid_t owner,
				pid_t command)
{
	struct dirent *entry;
	char path[384];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", owner);
	dir = opendir(path);
	if (!dir)
		return;		/* it has just ended */
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", owner,
			 entry->d_name);
		count_reference(refs, path, r, owner, command);
	}
	closedir(dir);
}

/* Counts the pidfds of the command in all processes of the machine. */
static struct references find_references(const struct running *r,
					 pid_t command)
{
	struct references refs = { 0 };
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	cr_assert_not_null(proc);
	while ((entry = readdir(proc)))
		if (atoi(entry->d_name) > 0)
			count_references_of(&refs, r, atoi(entry->d_name),
					    command);
	closedir(proc);
	return refs;
}

static void expect_one_reference(const char *with, uid_t uid, bool marked)
{
	const struct way way = { .uid = uid };
	struct references refs;
	struct running r;
	pid_t command;

	start(&r, &way, ARGV(spawnfd, with, actor, "hang"));
	command = read_pid(r.out);
	refs = find_references(&r, command);
	cr_expect_eq(refs.all, 1, "%s: %d pidfds", with, refs.all);
	cr_expect_eq(refs.of_holder, 1, "%s", with);
	cr_expect_eq(refs.of_command, 0, "%s", with);
	cr_expect_eq(refs.marked, marked, "%s", with);
	kill(command, SIGTERM);
	expect_dies(&r, SIGTERM);
}

SystemTest(flags, spawnfd_holds_the_only_reference)
{
	expect_one_reference("--autokill", 0, true);
	expect_one_reference("--autokill", NOBODY, true);
	expect_one_reference("--autoreap", 0, false);
	expect_one_reference("--", 0, false);
}

/*
 * The kernel counts references to the open file of clone3. pidfd_open(2) makes
 * another open file, which neither kills the command nor keeps it alive.
 */
SystemTest(flags, a_pidfd_of_someone_else_changes_nothing)
{
	struct running r;
	pid_t command;

	start(&r, NULL, ARGV(spawnfd, "--autokill", actor, "echo"));
	command = read_pid(r.out);
	close(open_pidfd(command));
	ping(&r);
	end_input(&r);
	expect_exits(&r, 0);

	/* Here that descriptor stays open. */
	start(&r, NULL, ARGV(spawnfd, "--autokill", actor, "echo"));
	command = open_pidfd(read_pid(r.out));
	kill_takes_both(&r, command);
}

/* ---- no zombie ---- */

/* Runs a detached command to its end; returns a pidfd of it. */
static int detach_and_end(const char *with, pid_t *ret_pid)
{
	struct running r;
	int command;

	start(&r, NULL, ARGV(spawnfd, "--detach", with, actor, "echo"));
	*ret_pid = read_pid(r.out);
	command = open_pidfd(*ret_pid);
	cr_expect_eq(await_end(&r), 0);
	ping(&r);
	close_running(&r);
	return command;
}

/* This test is the subreaper that inherits the command, and does not wait. */
SystemTest(flags, autoreap_leaves_no_zombie_to_a_subreaper)
{
	pid_t pid;
	int command = detach_and_end("--autoreap", &pid);

	await_events(command, POLLHUP);	/* the command has been reaped */
	cr_expect_eq(state_of(pid), '\0');
	cr_expect_eq(waitpid(pid, NULL, __WALL | WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
	close(command);
}

/* Without the flag a zombie is left, so the test above proves something. */
SystemTest(flags, without_autoreap_there_is_a_zombie)
{
	pid_t pid;
	int command = detach_and_end("--nnp", &pid);
	struct pollfd p = { command, POLLIN, 0 };

	await_events(command, POLLIN);
	cr_expect_eq(poll(&p, 1, 0), 1);
	cr_expect_eq(p.revents & POLLHUP, 0);
	cr_expect_eq(state_of(pid), 'Z');
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(command);
}

/* ---- grandchildren ---- */

/*
 * The command, or spawnfd too, has ended. The grandchild must be alive, and
 * must become a zombie when it exits.
 */
static void expect_ordinary(struct running *r, pid_t grandchild)
{
	int status = -1;

	ping(r);
	end_input(r);
	cr_expect_eq(waitpid(grandchild, &status, 0), grandchild, "%s",
		     strerror(errno));
	cr_expect_eq(status, 0);
}

SystemTest(flags, grandchildren_inherit_neither_flag)
{
	pid_t command, grandchild;
	struct running r;

	/* the command ends by itself */
	start(&r, NULL, ARGV(spawnfd, "--autokill", actor, "family", "exit"));
	command = read_pid(r.out);
	grandchild = read_pid(r.out);
	cr_expect_neq(command, grandchild);
	cr_expect_eq(await_end(&r), 0);
	expect_ordinary(&r, grandchild);
	close_running(&r);
	nothing_left();

	/* the command is killed with its holder */
	start(&r, NULL, ARGV(spawnfd, "--autokill", actor, "family", "stay"));
	command = open_pidfd(read_pid(r.out));
	grandchild = read_pid(r.out);
	kill(r.pid, SIGKILL);
	await_end(&r);
	await_events(command, POLLHUP);
	close(command);
	expect_ordinary(&r, grandchild);
	close_running(&r);
	nothing_left();
}
