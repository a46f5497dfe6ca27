/* SPDX-License-Identifier: MIT */
/*
 * Limits of the system: pids.max and memory.max of a control group, the pids of
 * a PID namespace, a full file system, and descriptors with high numbers.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "attempts.h"
#include "cgroups.h"
#include "receivers.h"
#include "sockets.h"

/* ---- control groups ---- */

static const char *make_group(const char *controller)
{
	static char group[128];

	write_file(CGROUPS "/cgroup.subtree_control", controller, 0);
	snprintf(group, sizeof(group), CGROUPS "/spawnfd-limits-%d", getpid());
	cr_assert_eq(mkdir(group, 0755), 0, "%s: %s", group, strerror(errno));
	return group;
}

/* For way->prepare: arg is the path of a group. */
static void enter_group(const void *arg)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", (const char *)arg);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) < 0)
		_exit(96);
	close(fd);
}

SystemTest(cgroup, limits_of_processes_in_a_group)
{
	const char *group = make_group("+pids");
	struct tally tally = { 0 };

	for (int most = 1; most <= 5; most++) {
		const struct surroundings there = {
			.what = "pids.max", .value = most,
			.prepare = enter_group, .arg = group, .group = group,
		};
		char text[16];

		snprintf(text, sizeof(text), "%d", most);
		write_group(group, "pids.max", text);
		attempt(&there, &tally);
	}
	cr_expect_gt(tally.done, 0);
	cr_expect_gt(tally.refused, 0);
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

/* COMMAND needs more and more memory, until the OOM killer comes. */
#define EATER "/usr/bin/tail", "/dev/zero"

static const char *const memory_modes[][2] = {
	{ "--pidfd", "--" }, { "--autokill", "--new-session" },
	{ "--autokill", "--kill-tree" },
};

SystemTest(cgroup, oom_killer_takes_the_command)
{
	const char *group = make_group("+memory");
	struct ended e;

	write_group(group, "memory.max", "8M");
	for (size_t i = 0; i < ARRAY_SIZE(memory_modes); i++) {
		const char *const *mode = memory_modes[i];

		run(&e, NULL, ARGV(spawnfd, CGROUP(group), mode[0], mode[1],
				   EATER));
		expect_signal(&e, SIGKILL);
		cr_expect_str_empty(e.err, "%s: %s", e.words, e.err);
		nothing_left();
	}
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

/* memory.oom.group: spawnfd is in the group, and is killed with COMMAND. */
SystemTest(cgroup, oom_killer_takes_spawnfd_and_the_command)
{
	const char *group = make_group("+memory");
	const struct way way = { .prepare = enter_group, .arg = group };
	struct ended e;

	write_group(group, "memory.max", "8M");
	write_group(group, "memory.oom.group", "1");
	for (size_t i = 1; i < ARRAY_SIZE(memory_modes); i++) {
		const char *const *mode = memory_modes[i];

		run(&e, &way, ARGV(spawnfd, mode[0], mode[1], EATER));
		expect_signal(&e, SIGKILL);
		nothing_left();
	}
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

/* ---- the pids of a PID namespace ---- */

#define FIRST_AFTER_WRAP 300	/* Linux 7.2, kernel/pid.c: RESERVED_PIDS */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(96);
	close(fd);
}

/* Uses up all pids below FIRST_AFTER_WRAP. */
static void burn_pids(void)
{
	pid_t pid;

	do {
		pid = vfork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	} while (pid > 0 && pid < FIRST_AFTER_WRAP - 1);
}

/* Waits for the child and all others; exits as the child, or with 128 + N. */
static _Noreturn void mirror(pid_t child)
{
	int status, code = 96;
	pid_t pid;

	while ((pid = wait(&status)) > 0)
		if (pid == child)
			code = WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
	_exit(code);
}

/*
 * Moves the program into a PID namespace in which *arg pids are free: one for
 * the program itself, the others for its children.
 */
static void leave_pids(const void *arg)
{
	char most[16];
	pid_t pid;

	snprintf(most, sizeof(most), "%d", FIRST_AFTER_WRAP +
		 *(const int *)arg);
	if (unshare(CLONE_NEWPID))
		_exit(96);
	pid = fork();
	if (pid)
		mirror(pid);
	put("/proc/sys/kernel/pid_max", most);
	burn_pids();
	pid = fork();
	if (pid)
		mirror(pid);
}

SystemTest(flags, limits_of_pids_in_a_namespace)
{
	/* How many pids a mode needs; one is for spawnfd. */
	static const struct {
		const char *options[2];
		int needs;
	} modes[] = {
		{ { "--pidfd", "--" }, 2 }, { { "--autokill", "--" }, 2 },
		{ { "--fallback", "--autokill" }, 2 },
		{ { "--autokill", "--kill-tree" }, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		for (int pids = modes[i].needs - 1;
		     pids <= modes[i].needs; pids++) {
			const struct way way = { .prepare = leave_pids,
						 .arg = &pids };
			struct ended e;

			run(&e, &way, ARGV(spawnfd, modes[i].options[0],
					   modes[i].options[1], actor, "say",
					   "ran"));
			if (pids == modes[i].needs) {
				expect_exit(&e, 0);
				cr_expect_str_eq(e.out, "ran\n");
			} else {
				expect_refusal(&e, 125);
				expect_said(&e, "EAGAIN");
				expect_said(&e, "kernel.pid_max");
			}
		}
}

/* ---- a full file system ---- */

/* Mounts a file system with so many free files on home(), for this test. */
static void mount_small(int files)
{
	char options[64];

	snprintf(options, sizeof(options), "mode=777,size=64k,nr_inodes=%d",
		 files + 1);
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	cr_assert_eq(mount("small", home(), "tmpfs", 0, options), 0, "%s",
		     strerror(errno));
}

/* With one free file, there is room for the pid file. */
SystemTest(flags, a_file_system_without_a_file_for_the_pid)
{
	for (int files = 0; files <= 1; files++) {
		const struct surroundings there = {
			.what = "free files", .value = files,
		};
		struct tally tally = { 0 };

		mount_small(files);
		attempt(&there, &tally);
		cr_expect_gt(tally.done, 0);
		cr_expect_eq(tally.refused > 0, files == 0, "%d refused",
			     tally.refused);
		cr_assert_eq(umount(home()), 0, "%s", strerror(errno));
	}
}

/* There is a file for the pid, and no page for its content. */
SystemTest(flags, a_file_system_without_a_page_for_the_pid)
{
	const struct surroundings there = { .what = "free pages" };
	struct tally tally = { 0 };
	char page[4096] = { 0 };
	int fd;

	mount_small(3);
	fd = open(at_home("filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	unlink(at_home("filler"));
	while (write(fd, page, sizeof(page)) > 0)
		;
	cr_assert_eq(errno, ENOSPC);
	attempt(&there, &tally);
	cr_expect_gt(tally.refused, 0);
	close(fd);
	cr_assert_eq(umount(home()), 0, "%s", strerror(errno));
}

/* A dead socket has the name, and the new one needs a file before that goes. */
SystemTest(plain, a_file_system_without_a_file_for_the_socket)
{
	struct ended e;

	mount_small(1);
	close(bind_to(sock(), SOCK_STREAM));
	run(&e, NULL, ARGV(spawnfd, RECEIVE(sock())));
	expect_one_line(&e, "receive: ");
	expect_said(&e, strerror(ENOSPC));
	expect_home(1);
	cr_expect(is_socket(sock()));
	cr_assert_eq(umount(home()), 0, "%s", strerror(errno));
}

/* ---- descriptors with high numbers ---- */

#define TABLE (1 << 20)		/* fs.nr_open */
#define HIGHEST "1048575"

static void allow_table(void)
{
	const struct resource_limit limit = { RLIMIT_NOFILE, TABLE };

	limit_resource(&limit);
}

/* For way->prepare: the program inherits the highest descriptor. */
static void inherit_highest(const void *arg)
{
	(void)arg;
	allow_table();
	inherit_as(1, TABLE - 1);
}

SystemTest(flags, a_descriptor_table_of_a_million)
{
	const struct surroundings there = {
		.what = "descriptor", .value = TABLE - 1,
		.prepare = inherit_highest,
	};
	struct tally tally = { 0 };

	attempt(&there, &tally);
	cr_expect_gt(tally.done, 0);
	cr_expect_eq(tally.refused, 0);
}

SystemTest(flags, the_highest_descriptor_for_options)
{
	static const char *const options[] = {
		"--status-fd=" HIGHEST, "--die-with-fd=" HIGHEST,
	};
	const struct way way = { .prepare = inherit_highest };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		run(&e, &way, ARGV(spawnfd, options[i], "--autokill",
				   "--kill-tree", actor, "exit", "42"));
		expect_exit(&e, 42);
	}
}

#define MANY_OPEN (1 << 15)

/* For way->prepare: the program inherits many descriptors. */
static void inherit_many(const void *arg)
{
	(void)arg;
	allow_table();
	for (int fd = 3; fd < MANY_OPEN; fd++)
		inherit_as(0, fd);
}

/* COMMAND inherits all of them. */
SystemTest(flags, many_descriptors_are_inherited)
{
	const struct way way = { .prepare = inherit_many };
	struct running r;
	struct ended e;

	start(&r, &way, ARGV(spawnfd, "--autokill", "/bin/sh", "-c",
			     "ls /proc/self/fd | wc -l; exec cat"));
	read_line(r.out, e.out, sizeof(e.out));
	cr_expect_geq(atoi(e.out), MANY_OPEN);
	end_input(&r);
	expect_exits(&r, 0);
}
