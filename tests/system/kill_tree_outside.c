/* SPDX-License-Identifier: MIT */
/*
 * --kill-tree and the world around it: spawnfd mounts nothing outside, the user
 * stays the same, and a message says why a tree cannot be made.
 */
#include "harness.h"
#include "surroundings.h"
#include "trees.h"

#include <errno.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* ---- nothing changes outside ---- */

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

/*
 * The root of the jail is no mount point. There the mounts of the tree cannot
 * be made slaves: mount(2) fails with EINVAL.
 */
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

/*
 * A part of /proc is hidden by another mount, as container runtimes do. The
 * kernel then refuses to mount a new /proc, which would show that part.
 */
SystemTest(flags, tree_goes_without_a_proc_that_would_show_more)
{
	const struct way way = { .uid = NOBODY };
	struct ended e;

	share_mounts();
	cr_assert_eq(mount("tmpfs", "/proc/sys", "tmpfs", 0, NULL), 0);
	/* Another complete /proc would allow a new one, so it must go. */
	umount2("/run/outside", MNT_DETACH);
	run(&e, &way, ARGV(spawnfd, "-v", "--kill-tree", actor, "exit", "3"));
	expect_exit(&e, 3);
	expect_said(&e, "executed, with no /proc of its own: EPERM");
}

/* ---- the user stays the same ---- */

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

/*
 * The tree has no --autokill, and so no no_new_privs. Its user namespace alone
 * makes the setuid bit useless.
 */
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

/* ---- refusals ---- */

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

	if (!may_use_userns_switch())
		return;
	write_file(USERNS_SWITCH, "0", 0);
	expect_denied(&user, "EPERM: this user may make no user namespace: "
		      "kernel.unprivileged_userns_clone is 0\nspawnfd: root");
	run(&e, NULL, ARGV(spawnfd, "--kill-tree", actor, "exit", "7"));
	expect_exit(&e, 7);
	write_file(USERNS_SWITCH, "1", 0);
}

/*
 * The kernel denies a user namespace to a process whose root directory is not
 * the root of its mount namespace. Root needs no user namespace.
 */
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

SystemTest(flags, tree_over_the_limits_is_refused)
{
	static const struct limited limits[] = {
		{ "/proc/sys/user/max_pid_namespaces", false },
		{ "/proc/sys/user/max_pid_namespaces", true },
		{ "/proc/sys/user/max_user_namespaces", true },
	};

	for (EVERY(i, limits)) {
		const struct way way = { .prepare = limit_namespaces,
					 .arg = &limits[i] };
		char why[128];

		snprintf(why, sizeof(why), "ENOSPC: a limit on namespaces: "
			 "%s is 0\n", limits[i].file);
		expect_denied(&way, why);
	}
}

SystemTestWith(flags, tree_in_too_many_trees_is_refused, PLAIN_IS_ENOUGH)
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
	/* Two fewer, 31, are allowed. */
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
	expect_said(&e, "--kill-tree: ids of the user namespace: no "
		    "/proc of this PID namespace is mounted\n");
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
		/* Without CLONE_AUTOREAP this subreaper inherits the init. */
		cr_expect_eq(waitpid(init, NULL, __WALL), init);
		close(pidfd);
		close_running(&r);
		nothing_left();
	}
}
