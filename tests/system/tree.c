/* SPDX-License-Identifier: MIT */
/*
 * --kill-tree: what the command has started ends with it, whatever that is.
 * That all else is as without the option is shown by the tests of all else,
 * which the wrapper adds it to.
 */
#include "message.h"
#include "harness.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const uid_t users[] = { 0, NOBODY };

#define EVERY(i, array) size_t i = 0; i < ARRAY_SIZE(array); i++

/* Every process of a tree has it open, so its end is the end of all. */
static bool is_at_end(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1 && p.revents == POLLHUP;
}

/* ---- a thousand ---- */

#define TIMES 50	/* in each of two manners */
#define LONGEST_US 300000

/* Every other time all of them are there; else at any moment before. */
static void grow(const struct running *r, int init, bool patient)
{
	char text[16];

	if (patient)
		read_line(r->out, text, sizeof(text));
	else
		wait_at_random(init, LONGEST_US);
	/* what it may have said is not what is waited for next */
	while (poll(&(struct pollfd){ r->out, POLLIN, 0 }, 1, 0) == 1 &&
	       read(r->out, text, sizeof(text)) > 0)
		;
}

/* POLLHUP says that all of the tree are gone, not the init alone. */
static void expect_felled(struct running *r, int init)
{
	await_events(init, POLLHUP);
	cr_expect(is_at_end(r->out), "%s: some are left", r->words);
	close(init);
	close_running(r);
	nothing_left();
}

/* Starts a tree and kills spawnfd; a pidfd of the init */
static int fell_by_sigkill(struct running *r, const struct way *way,
			   const char *option, const char *number, bool patient,
			   pid_t *ret_init)
{
	int pidfd;

	start(r, way, ARGV(spawnfd, "--kill-tree", "--autokill", option, actor,
			   "forest", number));
	while (!(*ret_init = child_of(r->pid)))
		cr_assert_not(has_ended(r));
	pidfd = open_pidfd(*ret_init);
	grow(r, pidfd, patient);
	kill(r->pid, SIGKILL);
	await_end(r);
	return pidfd;
}

SystemTest(flags, tree_of_1000_dies_with_spawnfd)
{
	const int n = often(TIMES);

	for (int i = 0; i < n; i++) {
		const struct way way = { .uid = users[i / 2 % 2] };
		struct running r;
		pid_t init;
		int pidfd = fell_by_sigkill(&r, &way, "--", "1000", i % 2,
					    &init);

		expect_felled(&r, pidfd);
	}
}

/* Starts spawnfd with an option more and passes the pidfd here. */
static int start_passed(struct running *r, uid_t uid, const char *option,
			const char *verb, const char *number, pid_t *ret_pid)
{
	int ends[2];
	struct message m;
	struct inheritance theirs = { .as = 10 };
	const struct way way = {
		.uid = uid, .prepare = inherit, .arg = &theirs,
	};

	open_pair(SOCK_STREAM, ends);
	theirs.fd = ends[1];
	start(r, &way, ARGV(spawnfd, "--kill-tree", option, "--pass=fd:10",
			    actor, verb, number));
	close(ends[1]);
	await_message(ends[0], &m);
	cr_assert_geq(m.pidfd, 0);
	cr_assert_eq(sscanf(m.text, "{\"pid\":%d", ret_pid), 1, "%s", m.text);
	close(ends[0]);
	cr_expect_eq(await_end(r), 0);
	return m.pidfd;
}

SystemTest(flags, tree_of_1000_dies_with_its_pidfd)
{
	const int n = often(TIMES);

	for (int i = 0; i < n; i++) {
		struct running r;
		int pidfd, seen;
		pid_t init;

		pidfd = start_passed(&r, users[i / 2 % 2], "--autokill",
				     "forest", "1000", &init);
		/* one that keeps nothing alive is to tell of the end */
		seen = open_pidfd(init);
		grow(&r, seen, i % 2);
		close(pidfd);
		expect_felled(&r, seen);
	}
}

/* Without it, the option alone lets a tree live on as a command would. */
SystemTest(flags, tree_without_autokill_lives_on)
{
	struct running r;
	int init;

	start(&r, NULL, ARGV(spawnfd, "--kill-tree", actor, "echo"));
	read_pid(r.out);
	init = open_pidfd(child_of(r.pid));
	kill(r.pid, SIGKILL);
	await_end(&r);
	ping(&r);
	close(r.in);
	await_events(init, POLLIN);
	waitpid(-1, NULL, __WALL);
	r.in = -1;
	close(init);
	close_running(&r);
}

/* ---- it ends by itself ---- */

static const char *const flags[] = { "--pidfd", "--autoreap", "--autokill" };

static void expect_brood_gone(struct ended *e, uid_t uid, const char *flag,
			      const char *code)
{
	const struct way way = { .uid = uid };
	struct running r;

	start(&r, &way, ARGV(spawnfd, "--kill-tree", flag, "--status-fd=2",
			     actor, "brood", code));
	end_input(&r);
	/* none of them, who have it open, outlives spawnfd */
	await_events(r.pidfd, POLLIN);
	cr_expect(is_at_end(r.out), "%s: some are left", r.words);
	finish(&r, e);
}

SystemTest(flags, tree_ends_with_the_command)
{
	struct ended e;

	for (EVERY(u, users))
		for (EVERY(i, flags)) {
			expect_brood_gone(&e, users[u], flags[i], "7");
			expect_exit(&e, 7);
			expect_said(&e, "\n{\"exit-code\":7}\n");
			expect_brood_gone(&e, users[u], flags[i], "-15");
			expect_signal(&e, SIGTERM);
			expect_said(&e, "\n{\"exit-code\":143,\"signal\":15,"
				    "\"core-dumped\":false}\n");
		}
}

SystemTest(flags, tree_tells_of_a_core)
{
	const struct way way = { .dir = scratch(), .prepare = allow_cores };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--kill-tree", "--status-fd=2", "--",
			   actor, "brood", "-6"));
	expect_signal(&e, SIGABRT);
	expect_said(&e, "\"signal\":6,\"core-dumped\":true}\n");
}

/* What ends the command ends the rest of it too. */
SystemTest(flags, tree_ends_with_a_clock)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--kill-tree", "--timeout=0.5", actor,
			   "forest", "6"));
	expect_exit(&e, 124);
	run(&e, NULL, ARGV(spawnfd, "--kill-tree", "--timeout=0.5", "-sKILL",
			   actor, "forest", "6"));
	expect_exit(&e, 137);
}

/* Who gets the pidfd has nobody to tell it more than an exit status. */
SystemTest(flags, tree_of_a_receiver_exits_with_128_plus_the_signal)
{
	for (EVERY(u, users)) {
		const char *socket = scratch_path("socket");
		const struct way way = { .uid = users[u] };
		struct running r;
		struct ended e;

		cr_assert_eq(chmod(scratch(), 0777), 0);
		start(&r, &way, ARGV(spawnfd, "--receive", socket));
		run(&e, &way, ARGV(spawnfd, "--kill-tree", "--autoreap",
				   "--wait=10", "--pass", socket, actor,
				   "brood", "-15"));
		expect_exit(&e, 0);
		expect_exits(&r, 143);
	}
}

/* ---- who is who ---- */

/* The last of the pids that it has, one in each PID namespace */
static pid_t innermost_pid(pid_t pid)
{
	char path[64], text[4096], *line, *end;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	line = strstr(text, "NSpid:");
	cr_assert_not_null(line);
	end = strchr(line, '\n');
	*end = '\0';
	return atoi(strrchr(line, '\t'));
}

SystemTest(flags, tree_pids_are_those_of_the_init)
{
	char number[32], line[128];
	struct running r;
	pid_t init, told = 0;

	start(&r, NULL, ARGV(spawnfd, "--kill-tree", "--status-fd=2",
			     "--pid-file", scratch_path("pid"), actor, "hang"));
	read_line(r.err, line, sizeof(line));
	init = child_of(r.pid);
	cr_expect_eq(innermost_pid(init), 1);
	cr_expect_eq(innermost_pid(child_of(init)), 2);
	sscanf(line, "{\"child-pid\":%d", &told);
	cr_expect_eq(told, init, "%s", line);
	read_file(scratch_path("pid"), number, sizeof(number));
	cr_expect_eq(atoi(number), init);
	/* which passes on what it is sent */
	kill(init, SIGTERM);
	expect_dies(&r, SIGTERM);
}

/* What it sends to its whole group comes to it once, which it counts. */
#define KILL_0 "n=0; trap 'n=$((n+1))' USR1; trap 'exit $n' USR2; " \
	       "kill -USR1 0; echo ready; while :; do sleep 99 & wait $!; done"

SystemTest(flags, tree_signals_of_the_command_do_not_come_back)
{
	for (EVERY(u, users)) {
		const struct way way = {
			.uid = users[u], .prepare = lead_group,
		};
		struct running r;
		char line[16];

		start(&r, &way, ARGV(spawnfd, "--kill-tree", "sh", "-c",
				     KILL_0));
		read_line(r.out, line, sizeof(line));
		kill(r.pid, SIGUSR2);
		expect_exits(&r, 1);
	}
}

/* SIGSTOP cannot wait until it is known whether the stop is still one. */
SystemTest(flags, tree_goes_on_when_all_of_it_are_continued)
{
	const struct way way = { .prepare = lead_group };

	for (int i = 0; i < 20; i++) {
		struct running r;
		pid_t command;

		start(&r, &way, ARGV(spawnfd, "--kill-tree", actor, "echo"));
		read_pid(r.out);
		command = child_of(child_of(r.pid));
		kill(r.pid, SIGSTOP);
		await_state(r.pid, 'T');
		kill(command, SIGSTOP);
		await_state(command, 'T');
		kill(-r.pid, SIGCONT);
		ping(&r);
		await_state(r.pid, 'S');
		end_input(&r);
		expect_exits(&r, 0);
	}
}

static void ignore_term(const void *arg)
{
	(void)arg;
	signal(SIGTERM, SIG_IGN);
}

/* As without: an end is not what was sent to spawnfd. */
SystemTest(flags, tree_gets_an_end_that_spawnfd_ignores)
{
	const struct way way = { .prepare = ignore_term };
	struct running r;
	char line[64];

	start(&r, &way, ARGV(spawnfd, "--kill-tree", "--timeout=0.1", actor,
			     "hear"));
	read_pid(r.out);
	read_line(r.out, line, sizeof(line));
	cr_expect_eq(atoi(line), SIGTERM, "%s", line);
	end_input(&r);
	expect_exits(&r, 124);
}

/* ---- what goes wrong between the two ---- */

/* The clock that runs out while the tree is taken down has ended nothing. */
SystemTest(flags, tree_that_is_over_is_not_ended)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/strace", "-f", "-o", "/dev/null", "-e",
			   "trace=exit_group", "-e",
			   "inject=exit_group:delay_enter=1500000", spawnfd,
			   "--kill-tree", "--timeout=1", "--status-fd=2",
			   "sh", "-c", "kill -INT $$"));
	expect_signal(&e, SIGINT);
	expect_said(&e, "\n{\"exit-code\":130,\"signal\":2,"
		    "\"core-dumped\":false}\n");
}

SystemTest(flags, tree_that_cannot_begin_is_not_waited_for)
{
	const struct way way = { .uid = NOBODY };
	struct ended e;

	run(&e, &way, ARGV("/usr/bin/strace", "-f", "-o", "/dev/null", "-e",
			   "trace=sendto", "-e",
			   "inject=sendto:error=ENOMEM:when=1", spawnfd,
			   "--kill-tree", actor, "exit", "0"));
	expect_refusal(&e, 125);
	expect_said(&e, "ENOMEM");
}

static const char own_proc[] =
	"test $$ = 2 && test \"$(cat /proc/$$/comm)\" = sh && "
	"test \"$(cat /proc/1/comm)\" = spawnfd && test -d /proc/self && "
	"! ls /proc | grep -qx '[0-9][0-9][0-9][0-9]*'";

SystemTest(flags, tree_sees_itself_in_proc)
{
	struct ended e;

	for (EVERY(u, users)) {
		const struct way way = { .uid = users[u] };

		run(&e, &way, ARGV(spawnfd, "--kill-tree", "--autokill", "sh",
				   "-c", own_proc));
		expect_exit(&e, 0);
		cr_expect_str_eq(e.err, "");
	}
}

/* ---- nothing changes outside ---- */

/* As systemd leaves it: what is mounted anywhere is mounted everywhere */
static void share_mounts(void)
{
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL), 0);
}

static void read_mounts(char *text, size_t size)
{
	read_file("/proc/self/mountinfo", text, size);
	cr_assert_not_null(strstr(text, "shared:"));
}

SystemTest(flags, tree_mounts_nothing_outside)
{
	static char before[65536], during[65536];
	struct running r;

	share_mounts();
	read_mounts(before, sizeof(before));
	for (EVERY(u, users)) {
		const struct way way = { .uid = users[u] };

		start(&r, &way, ARGV(spawnfd, "--kill-tree", actor, "echo"));
		read_pid(r.out);
		read_mounts(during, sizeof(during));
		cr_expect_str_eq(during, before);
		end_input(&r);
		expect_exits(&r, 0);
		read_mounts(during, sizeof(during));
		cr_expect_str_eq(during, before);
	}
}

/* Where root is no mount point its mounts cannot be made a slave's. */
static void enter_jail(const void *arg)
{
	if (chroot(arg) || chdir("/"))
		_exit(96);
}

static void make_jail(char *jail, size_t size)
{
	char path[4096];

	snprintf(jail, size, "%s/jail", scratch());
	cr_assert_eq(mkdir(jail, 0755), 0);
	snprintf(path, sizeof(path), "%s/proc", jail);
	cr_assert_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "cp %s %s %s", spawnfd, actor, jail);
	cr_assert_eq(system(path), 0);
}

SystemTestWith(flags, tree_goes_without_a_proc_where_that_cannot_be,
	       NEEDS_STATIC_PROGRAM)
{
	static char before[65536], after[65536];
	char jail[2048];
	const struct way way = { .prepare = enter_jail, .arg = jail };
	struct ended e;

	make_jail(jail, sizeof(jail));
	share_mounts();
	read_mounts(before, sizeof(before));
	run(&e, &way, ARGV("/spawnfd", "-v", "--kill-tree", "/actor", "exit",
			   "3"));
	expect_exit(&e, 3);
	expect_said(&e, "executed, with no /proc of its own: EINVAL");
	read_mounts(after, sizeof(after));
	cr_expect_str_eq(after, before);
}

/* As container runtimes mask it: a new one would show what is hidden. */
SystemTest(flags, tree_goes_without_a_proc_that_would_show_more)
{
	const struct way way = { .uid = NOBODY };
	struct ended e;

	share_mounts();
	cr_assert_eq(mount("tmpfs", "/proc/sys", "tmpfs", 0, NULL), 0);
	/* no other may show it either */
	umount2("/run/outside", MNT_DETACH);
	run(&e, &way, ARGV(spawnfd, "-v", "--kill-tree", actor, "exit", "3"));
	expect_exit(&e, 3);
	expect_said(&e, "executed, with no /proc of its own: EPERM");
}

/* ---- the user stays who it is ---- */

SystemTest(flags, tree_of_a_user_is_of_that_user)
{
	const struct way way = { .uid = NOBODY, .dir = scratch() };
	struct stat st;
	struct ended e;

	cr_assert_eq(chmod(scratch(), 0777), 0);
	run(&e, &way, ARGV(spawnfd, "--kill-tree", "sh", "-c",
			   "id -u; id -g; echo x >made; echo y >>/proc/self/"
			   "setgroups; cat /proc/self/setgroups"));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "65534\n65534\ndeny\n");
	cr_expect_eq(stat(scratch_path("made"), &st), 0);
	cr_expect_eq(st.st_uid, NOBODY);
	cr_expect_eq(st.st_gid, NOBODY);
}

/* Not even without --autokill, and its no_new_privs. */
SystemTest(flags, tree_of_a_user_gains_nothing_from_setuid)
{
	const struct way way = { .uid = NOBODY };
	const char *path = scratch_path("setuid");
	char command[8192];
	struct ended e;

	snprintf(command, sizeof(command), "cp %s %s", actor, path);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(chmod(scratch(), 0755), 0);
	cr_assert_eq(chmod(path, 04755), 0);
	run(&e, &way, ARGV(spawnfd, "--kill-tree", path, "look"));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, "euid 65534\n"), "%s", e.out);
	run(&e, &way, ARGV(path, "look"));
	cr_expect_not_null(strstr(e.out, "euid 0\n"), "%s", e.out);
}

/* ---- reaping ---- */

/* Those that end later than the command says so are reaped later. */
static void await_one_child(pid_t init)
{
	struct patience patience = { 0 };

	while (count_children(init) != 1) {
		cr_assert(is_patient(&patience), "%d are left",
			     count_children(init));
		sched_yield();
	}
}

SystemTest(flags, tree_reaps_10000_orphans_and_does_not_grow)
{
	struct running r;
	char hundreds[16], line[16];
	long first;
	pid_t init;

	snprintf(hundreds, sizeof(hundreds), "%d", often(100));
	start(&r, NULL, ARGV(spawnfd, "--kill-tree", actor, "litter", "1",
			     hundreds));
	read_line(r.out, line, sizeof(line));
	init = child_of(r.pid);
	await_one_child(init);
	first = resident_kb(init);
	cr_assert_eq(write(r.in, "x", 1), 1);
	read_line(r.out, line, sizeof(line));
	await_one_child(init);
	cr_expect_leq(resident_kb(init), first);
	end_input(&r);
	expect_exits(&r, 0);
}

/* ---- refusals ---- */

#define SWITCH "/proc/sys/kernel/unprivileged_userns_clone"

static void expect_denied(const struct way *way, const char *why)
{
	struct ended e;

	run(&e, way, ARGV(spawnfd, "--kill-tree", actor, "exit", "0"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: ");
	expect_said(&e, why);
}

SystemTest(flags, tree_of_a_user_names_the_switch_that_denies_it)
{
	const struct way user = { .uid = NOBODY };
	struct ended e;

	if (!exists(SWITCH) || sysconf(_SC_NPROCESSORS_ONLN) > 1) {
		not_tested(SWITCH, exists(SWITCH)
			   ? "other tests run at the same time, and need it"
			   : "this kernel does not have it");
		return;
	}
	write_file(SWITCH, "0", 0);
	expect_denied(&user, "EPERM: this user may make no user namespace: "
		      "kernel.unprivileged_userns_clone is 0\nspawnfd: root");
	run(&e, NULL, ARGV(spawnfd, "--kill-tree", actor, "exit", "7"));
	expect_exit(&e, 7);
	write_file(SWITCH, "1", 0);
}

/* A directory is no root of a mount namespace; and root needs none. */
SystemTestWith(flags, tree_of_a_user_in_a_chroot_is_denied,
	       NEEDS_STATIC_PROGRAM)
{
	char jail[2048];
	const struct way way = {
		.uid = NOBODY, .prepare = enter_jail, .arg = jail,
	};
	struct ended e;

	make_jail(jail, sizeof(jail));
	cr_assert_eq(chmod(scratch(), 0755), 0);
	run(&e, &way, ARGV("/spawnfd", "--kill-tree", "/actor", "exit", "0"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EPERM: this user may make no user "
		     "namespace: in a chroot no user may, ");
}

/* In a user namespace of its own, whose limits are nobody else's */
struct limited {
	const char *file;
	bool user;
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(96);
	close(fd);
}

static void limit(const void *arg)
{
	const struct limited *limited = arg;

	if (unshare(CLONE_NEWUSER))
		_exit(96);
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 0 1");
	put("/proc/self/gid_map", "0 0 1");
	put(limited->file, "0");
	if (limited->user)
		prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);
}

SystemTest(flags, tree_over_the_limits_is_refused)
{
	static const struct limited limits[] = {
		{ "/proc/sys/user/max_pid_namespaces", false },
		{ "/proc/sys/user/max_pid_namespaces", true },
		{ "/proc/sys/user/max_user_namespaces", true },
	};

	for (EVERY(i, limits)) {
		const struct way way = { .prepare = limit, .arg = &limits[i] };

		expect_denied(&way, "ENOSPC: a limit on namespaces: "
			      "/proc/sys/user/max_*");
	}
}

SystemTest(flags, tree_in_too_many_trees_is_refused)
{
	const char *words[80];
	struct ended e;
	size_t n = 0;

	while (n < 2 * 33) {
		words[n++] = spawnfd;
		words[n++] = "--kill-tree";
	}
	words[n++] = "true";
	words[n] = NULL;
	run(&e, NULL, words);
	expect_exit(&e, 125);
	expect_said(&e, "more than 32 of them inside of one another");
	/* two fewer are no more than that */
	run(&e, NULL, words + 4);
	expect_exit(&e, 0);
}

SystemTestWith(flags, tree_without_a_proc_cannot_be_a_users,
	       NOT_UNDER(SANITIZED, "hide /proc, which the sanitizers read"))
{
	const struct way way = { .uid = NOBODY };
	struct ended e;

	share_mounts();
	cr_assert_eq(mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	run(&e, &way, ARGV(spawnfd, "--kill-tree", actor, "exit", "0"));
	cr_assert_eq(umount("/proc"), 0);
	expect_refusal(&e, 125);
	expect_said(&e, "--kill-tree: ids of the user namespace: there is no "
		    "/proc to write them to");
}

/* ---- where the kernel lacks the flags ---- */

SystemTestWith(plain, fallback_fells_a_tree, ALSO_UNDER(KERNEL | REFUSALS))
{
	static const int error = ENOSYS;
	const int n = often(20);

	for (int i = 0; i < n; i++) {
		const struct way way = {
			.uid = users[i / 2 % 2],
			.prepare = filter_clone3,
			.arg = &error,
		};
		struct running r;
		pid_t init;
		int pidfd = fell_by_sigkill(&r, &way, "--fallback", "60", i % 2,
					    &init);

		await_events(pidfd, POLLIN);
		cr_expect(is_at_end(r.out), "%s: some are left", r.words);
		/* without CLONE_AUTOREAP it came to this subreaper */
		cr_expect_eq(waitpid(init, NULL, __WALL), init);
		close(pidfd);
		close_running(&r);
		nothing_left();
	}
}

/* ---- what it costs ---- */

/* Several, so that what they have in common is nobody's own. */
SystemTestWith(flags, tree_holder_and_init_have_12_kib_each_at_most,
	       MEASURES_COST)
{
	struct running r[10];

	for (EVERY(i, r)) {
		start(&r[i], NULL, ARGV(spawnfd, "--kill-tree", "--autokill",
					actor, "hang"));
		read_pid(r[i].out);
	}
	for (EVERY(i, r)) {
		int holder = private_kb(r[i].pid);
		int init = private_kb(child_of(r[i].pid));

		cr_expect_leq(holder, 12, "spawnfd: %d KiB", holder);
		cr_expect_leq(init, 12, "init: %d KiB", init);
	}
	for (EVERY(i, r)) {
		kill(r[i].pid, SIGTERM);
		expect_dies(&r[i], SIGTERM);
	}
}
