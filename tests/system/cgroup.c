/* SPDX-License-Identifier: MIT */
/*
 * --cgroup on a real cgroup v2 tree. The command is inside before it runs, and
 * spawnfd explains each kernel error that a command line can cause.
 */
#include "cgroups.h"
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* The cgroup of the test; it makes all others below this one. */
static char top[128];

/* Gives a path below top; "" is top itself. */
static const char *in_top(const char *name)
{
	static char paths[8][512];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s%s%s", top, *name ? "/" : "",
		 name);
	return path;
}

static void make_group(const char *name)
{
	cr_assert_eq(mkdir(in_top(name), 0755), 0, "%s: %s", in_top(name),
		     strerror(errno));
}

static void set(const char *file, const char *value)
{
	write_file(in_top(file), value, 0);
}

/* Returns whether this kernel has the controller, which a test needs. */
static bool has_controller(const char *name)
{
	char text[256];

	read_file(CGROUPS "/cgroup.controllers", text, sizeof(text));
	return strstr(text, name) != NULL;
}

/*
 * Makes top. `controllers` has the form "+pids +memory", and is for the groups
 * below top.
 */
static void begin(const char *controllers)
{
	struct statfs fs;

	cr_assert_eq(statfs(CGROUPS, &fs), 0);
	cr_assert_eq(fs.f_type, CGROUP2_SUPER_MAGIC,
		     "no cgroup v2 is mounted on " CGROUPS);
	write_file(CGROUPS "/cgroup.subtree_control", controllers, 0);
	snprintf(top, sizeof(top), CGROUPS "/spawnfd-test-%d", getpid());
	make_group("");
	set("cgroup.subtree_control", controllers);
}

/* Removes the groups. rmdir(2) fails if a process is left in one of them. */
static void remove_groups(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char below[512];

	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%.200s/%s", path,
			 entry->d_name);
		remove_groups(below);
	}
	closedir(dir);
	cr_expect_eq(rmdir(path), 0, "%s: %s", path, strerror(errno));
}

static void end(void)
{
	nothing_left();
	remove_groups(top);
}

/* ---- inside ---- */

static void expect_inside(const char *with, const char *group)
{
	char expected[600];
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, CGROUP(group), with, actor, "cat",
			   "/proc/self/cgroup"));
	expect_exit(&e, 0);
	snprintf(expected, sizeof(expected), "0::%s\n",
		 group + strlen(CGROUPS));
	cr_expect_not_null(strstr(e.out, expected), "wanted %s, saw %s",
			   expected, e.out);
}

SystemTest(cgroup, the_command_is_inside_as_soon_as_it_runs)
{
	static const char *const ways[] = { "--", "--autoreap", "--autokill" };

	begin("+pids");
	make_group("a");
	make_group("a/b");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		expect_inside(ways[i], in_top("a"));
		expect_inside(ways[i], in_top("a/b"));
	}
	end();
}

SystemTest(cgroup, everything_it_starts_is_inside)
{
	char group[256], procs[256];
	struct running r;
	pid_t command, child;

	begin("+pids");
	make_group("a");
	start(&r, NULL, ARGV(spawnfd, CGROUP(in_top("a")), "--autokill", actor,
			     "family", "stay"));
	command = read_pid(r.out);
	child = read_pid(r.out);
	snprintf(group, sizeof(group), "%d\n%d\n", command, child);
	read_file(in_top("a/cgroup.procs"), procs, sizeof(procs));
	cr_expect_str_eq(procs, group);
	kill(command, SIGTERM);
	end_input(&r);
	expect_dies(&r, SIGTERM);
	reap_orphans();
	end();
}

/* The command does not inherit the descriptor of the directory. */
SystemTest(cgroup, the_command_does_not_inherit_the_directory)
{
	char path[64];
	struct running r;
	struct dirent *entry;
	pid_t command;
	DIR *dir;
	int n = 0;

	begin("+pids");
	make_group("a");
	start(&r, NULL, ARGV(spawnfd, CGROUP(in_top("a")), actor, "hang"));
	command = read_pid(r.out);
	snprintf(path, sizeof(path), "/proc/%d/fd", command);
	dir = opendir(path);
	cr_assert_not_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	cr_expect_eq(n, 3, "%d descriptors", n);
	kill(command, SIGTERM);
	expect_dies(&r, SIGTERM);
	end();
}

/* Moves this process: "0" means the process that writes it, cgroups(7). */
static void move_into(const void *procs)
{
	int fd = open(procs, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(96);
	close(fd);
}

static void delegate(const char *group)
{
	char procs[600];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
	cr_assert_eq(chown(group, NOBODY, NOBODY), 0);
	cr_assert_eq(chown(procs, NOBODY, NOBODY), 0);
}

/* spawnfd is in a, the command in b; the user may write to b and to top. */
SystemTest(cgroup, as_an_ordinary_user_in_a_delegated_subtree)
{
	struct way way = { .uid = NOBODY, .prepare = move_into };
	struct ended e;

	begin("+pids");
	way.arg = in_top("a/cgroup.procs");
	make_group("a");
	make_group("b");
	delegate(in_top(""));
	delegate(in_top("b"));
	run(&e, &way, ARGV(spawnfd, CGROUP(in_top("b")), "--autokill", actor,
			   "exit", "42"));
	expect_exit(&e, 42);
	end();
}

/*
 * The command is cloned into the frozen group, and never reaches its exec. When
 * spawnfd is killed, it dies as well.
 */
SystemTest(cgroup, a_frozen_group_does_not_save_the_command)
{
	char procs[64] = "";
	struct running r;
	int status;

	begin("+pids");
	make_group("a");
	set("a/cgroup.freeze", "1");
	start(&r, NULL, ARGV(spawnfd, CGROUP(in_top("a")), "--autokill", actor,
			     "hang"));
	while (!procs[0])
		read_file(in_top("a/cgroup.procs"), procs, sizeof(procs));
	kill(r.pid, SIGKILL);
	status = await_end(&r);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(r.in);
	close(r.out);
	close(r.err);
	close(r.pidfd);
	end();
}

/* --verbose says why nothing happens. */
SystemTest(cgroup, verbose_names_a_frozen_group)
{
	struct running r;

	begin("+pids");
	make_group("a");
	set("a/cgroup.freeze", "1");
	start(&r, NULL, ARGV(spawnfd, "--verbose", CGROUP(in_top("a")),
			     "--autokill", actor, "hang"));
	await_said(&r, "COMMAND waits for the thaw of");
	set("a/cgroup.freeze", "0");
	await_said(&r, "executed");
	read_pid(r.out);
	kill(r.pid, SIGTERM);
	expect_dies(&r, SIGTERM);
	end();
}

static void kill_before_exec(const char *group, const char *exit_signal)
{
	char procs[64] = "", file[64];
	struct running r;

	make_group(group);
	snprintf(file, sizeof(file), "%s/cgroup.freeze", group);
	set(file, "1");
	start(&r, NULL, ARGV(spawnfd, CGROUP(in_top(group)), exit_signal,
			     actor, "hang"));
	snprintf(file, sizeof(file), "%s/cgroup.procs", group);
	while (!procs[0])
		read_file(in_top(file), procs, sizeof(procs));
	snprintf(file, sizeof(file), "%s/cgroup.kill", group);
	set(file, "1");
	expect_dies(&r, SIGKILL);
}

/*
 * The command is killed before its exec. spawnfd gets the exit signal, but must
 * report that SIGKILL ended the command.
 */
SystemTest(cgroup, killed_before_the_exec_whatever_the_exit_signal)
{
	begin("+pids");
	/*
	 * Each has a group of its own: Linux 7.0 to 7.2 kill a process that is
	 * cloned into a group whose cgroup.kill was written to before.
	 */
	kill_before_exec("a", "--exit-signal=CHLD");
	kill_before_exec("b", "--exit-signal=0");
	kill_before_exec("c", "--exit-signal=USR1");
	kill_before_exec("d", "--exit-signal=64");
	end();
}

/* ---- errors ---- */

static void try_group(struct ended *e, const struct way *way, const char *dir)
{
	run(e, way, ARGV(spawnfd, CGROUP(dir), actor, "mark",
			 scratch_path("started")));
	expect_refusal(e, 125);
	expect_said(e, dir);
	cr_expect(!exists(scratch_path("started")), "%s: it ran", e->words);
}

/* open(2) fails here, so the message names the option. */
SystemTest(cgroup, directories_that_cannot_be_opened)
{
	const struct way user = { .uid = NOBODY };
	struct ended e;

	begin("+pids");
	try_group(&e, NULL, in_top("none"));
	expect_begun(&e, "spawnfd: --cgroup: ");
	expect_said(&e, "No such file or directory");
	try_group(&e, NULL, in_top("cgroup.procs"));
	expect_begun(&e, "spawnfd: --cgroup: ");
	expect_said(&e, "Not a directory");
	mkdir(scratch_path("closed"), 0700);
	mkdir(scratch_path("closed/in"), 0755);
	try_group(&e, &user, scratch_path("closed/in"));
	expect_begun(&e, "spawnfd: --cgroup: ");
	expect_said(&e, "Permission denied");
	try_group(&e, NULL, "");
	expect_begun(&e, "spawnfd: --cgroup: ");
	end();
}

/* clone3 fails here: the message has the name of the errno, and its meaning. */
static void expect_error(const struct way *way, const char *dir,
			 const char *error, const char *meaning)
{
	char begin[64];
	struct ended e;

	try_group(&e, way, dir);
	snprintf(begin, sizeof(begin), "spawnfd: clone3: %s: ", error);
	expect_begun(&e, begin);
	expect_said(&e, meaning);
}

SystemTest(cgroup, ebadf_for_a_directory_of_another_file_system)
{
	begin("+pids");
	expect_error(NULL, scratch(), "EBADF", "cgroup v2");
	expect_error(NULL, "/", "EBADF", "cgroup v2");
	end();
}

SystemTest(cgroup, eacces_for_an_ordinary_user)
{
	const struct way user = { .uid = NOBODY };

	begin("+pids");
	make_group("a");
	expect_error(&user, in_top("a"), "EACCES", "cgroup.procs");
	/* Delegating the target alone is not enough. */
	delegate(in_top("a"));
	expect_error(&user, in_top("a"), "EACCES", "common ancestor");
	end();
}

SystemTest(cgroup, ebusy_for_a_group_that_gives_to_its_children)
{
	cr_assert(has_controller("memory"));
	begin("+memory");
	make_group("a");
	set("a/cgroup.subtree_control", "+memory");
	expect_error(NULL, in_top("a"), "EBUSY", "cgroup.subtree_control");
	end();
}

SystemTest(cgroup, eopnotsupp_for_a_domain_invalid_group)
{
	char type[64];

	begin("+pids");
	make_group("a");
	make_group("a/threaded");
	make_group("a/b");
	set("a/threaded/cgroup.type", "threaded");
	read_file(in_top("a/b/cgroup.type"), type, sizeof(type));
	cr_assert_str_eq(type, "domain invalid\n");
	expect_error(NULL, in_top("a/b"), "EOPNOTSUPP", "domain invalid");
	end();
}

SystemTest(cgroup, eagain_for_pids_max)
{
	begin("+pids");
	make_group("a");
	make_group("a/b");
	set("a/pids.max", "0");
	expect_error(NULL, in_top("a"), "EAGAIN", "pids.max");
	expect_error(NULL, in_top("a/b"), "EAGAIN", "pids.max");
	end();
}

/* The group is a partition that has given all its CPUs to the one below. */
SystemTest(cgroup, enospc_for_a_cpuset_without_cpus)
{
	char state[128];

	if (!has_controller("cpuset")) {
		not_tested("ENOSPC", "this kernel has no cpuset");
		return;
	}
	begin("+cpuset");
	set("cpuset.cpus", "1");
	set("cpuset.cpus.partition", "root");
	make_group("b");
	set("b/cpuset.cpus", "1");
	set("b/cpuset.cpus.partition", "root");
	read_file(in_top("b/cpuset.cpus.partition"), state, sizeof(state));
	cr_assert_str_eq(state, "root\n");
	read_file(in_top("cpuset.cpus.effective"), state, sizeof(state));
	cr_assert_str_eq(state, "\n");
	expect_error(NULL, in_top(""), "ENOSPC", "CPU");
	end();
}

static void inherit_9(const void *arg)
{
	inherit_as(*(const int *)arg, 9);
}

/* The group is removed while a descriptor of it stays open. */
SystemTest(cgroup, enoent_for_a_group_that_is_gone)
{
	int fd;
	const struct way way = { .prepare = inherit_9, .arg = &fd };

	begin("+pids");
	make_group("a");
	fd = open(in_top("a"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(rmdir(in_top("a")), 0);
	expect_error(&way, "/proc/self/fd/9", "ENOENT", "removed");
	close(fd);
	end();
}

/* Moves into a group, and makes it the root of a new cgroup namespace. */
static void enclose(const void *procs)
{
	move_into(procs);
	if (unshare(CLONE_NEWCGROUP))
		_exit(96);
}

SystemTest(cgroup, enoent_outside_of_a_delegated_namespace)
{
	struct way way = { .prepare = enclose };
	char mounts[8192];

	read_file("/proc/mounts", mounts, sizeof(mounts));
	if (!strstr(mounts, "nsdelegate")) {
		not_tested("ENOENT", "cgroup2 is mounted without nsdelegate");
		return;
	}
	begin("+pids");
	make_group("inside");
	make_group("outside");
	way.arg = in_top("inside/cgroup.procs");
	expect_error(&way, in_top("outside"), "ENOENT", "namespace");
	end();
}

/* --exact passes CLONE_INTO_CGROUP too. */
SystemTest(cgroup, exact_takes_a_group_too)
{
	char expected[600];
	struct ended e;

	begin("+pids");
	make_group("a");
	run(&e, NULL, ARGV(spawnfd, "--exact", "--pidfd", CGROUP(in_top("a")),
			   actor, "cat", "/proc/self/cgroup"));
	expect_exit(&e, 0);
	snprintf(expected, sizeof(expected), "0::%s\n",
		 in_top("a") + strlen(CGROUPS));
	cr_expect_not_null(strstr(e.out, expected), "%s", e.out);
	end();
}
