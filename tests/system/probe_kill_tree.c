/* SPDX-License-Identifier: MIT */
/*
 * --probe=kill-tree: the answer agrees with what --kill-tree then does, for
 * root and for a user, in many surroundings. The table gives the reason in the
 * words of the message.
 */
#include "harness.h"
#include "surroundings.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The paths of spawnfd and the actor, which differ in a chroot. */
static const char *program, *command;

#define COLUMNS "%-22s %2s  %-5s  %-19s "

static void expect_line(const struct way *way, const char *support,
			const char *why)
{
	char line[1024];
	struct ended e;

	snprintf(line, sizeof(line), "\n" COLUMNS "%s%s%s\n", "-", "-", "-",
		 "--kill-tree", support, why ? ": " : "", why ? why : "");
	run(&e, way, ARGV(program, "--probe"));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, line), "wanted %s, saw %s", line,
			   e.out);
}

static void expect_object(const struct way *way, const char *support,
			  const char *why)
{
	char object[1024], flags[128] = "\"CLONE_NEWPID\"";
	struct ended e;

	run(&e, way, ARGV(program, "--dry-run", "--kill-tree", "x"));
	expect_exit(&e, 0);
	if (strstr(e.out, "CLONE_NEWUSER"))
		strcpy(flags, "\"CLONE_NEWUSER\",\"CLONE_NEWPID\"");
	snprintf(object, sizeof(object), ",\"options\":[{\"option\":"
		 "\"--kill-tree\",\"flags\":[%s],\"support\":\"%s\","
		 "\"why\":%s%s%s}],", flags, support, why ? "\"" : "",
		 why ? why : "null", why ? "\"" : "");
	run(&e, way, ARGV(program, "--probe", "--json"));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, object), "wanted %s, saw %s", object,
			   e.out);
}

static void expect_status(const struct way *way, const char *name, int status)
{
	char option[64];
	struct ended e;

	snprintf(option, sizeof(option), "--probe=%s", name);
	run(&e, way, ARGV(program, option));
	expect_exit(&e, status);
	cr_expect_str_eq(e.out, "");
	cr_expect_str_eq(e.err, "");
}

/*
 * Runs the probe and then --kill-tree, and compares. `support` is the right
 * answer: a probe and a --kill-tree that are both wrong agree too.
 */
static void expect_agreement(const struct way *way, const char *support)
{
	bool can = !strcmp(support, "yes");
	struct ended e, other;
	char *why = NULL;

	expect_status(way, "kill-tree", can ? 0 : 1);
	expect_status(way, "--kill-tree", can ? 0 : 1);
	run(&e, way, ARGV(program, "--kill-tree", command, "exit", "7"));
	expect_exit(&e, can ? 7 : 125);
	if (!can) {
		expect_begun(&e, "spawnfd: ");
		why = e.err + strlen("spawnfd: ");
		why[strcspn(why, "\n")] = '\0';
	}
	expect_line(way, support, why);
	expect_object(way, support, why);
	/* --fallback calls clone(2), which these filters permit. */
	if (way && way->prepare == filter_clone3)
		can = true;
	run(&other, way, ARGV(program, "--fallback", "--kill-tree", command,
			      "exit", "7"));
	expect_exit(&other, can ? 7 : 125);
}

static void use_programs(void)
{
	program = spawnfd;
	command = actor;
}

SystemTestWith(plain, probe_of_kill_tree_by_root_and_by_a_user,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	use_programs();
	expect_agreement(NULL, "yes");
	expect_agreement(&(struct way){ .uid = NOBODY }, "yes");
}

SystemTestWith(plain, probe_of_kill_tree_in_a_chroot,
	       ALSO_UNDER(KERNEL | REFUSALS), NEEDS_STATIC_PROGRAM)
{
	char jail[2048];
	const struct way root = { .prepare = enter_jail, .arg = jail };
	const struct way user = { NOBODY, NULL, enter_jail, jail };

	program = "/spawnfd";
	command = "/actor";
	make_jail(jail, sizeof(jail));
	cr_assert_eq(chmod(scratch(), 0755), 0);
	expect_agreement(&root, "yes");
	expect_agreement(&user, "denied");
}

SystemTestWith(plain, probe_of_kill_tree_where_a_switch_denies_it,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	use_programs();
	if (!may_use_userns_switch())
		return;
	write_file(USERNS_SWITCH, "0", 0);
	expect_agreement(NULL, "yes");
	expect_agreement(&(struct way){ .uid = NOBODY }, "denied");
	write_file(USERNS_SWITCH, "1", 0);
	expect_agreement(&(struct way){ .uid = NOBODY }, "yes");
}

/* ---- AppArmor ---- */

static void expect_denied(const struct way *way, const char *flags,
			  const char *why, const char *what_to_do)
{
	struct ended e;

	run(&e, way, ARGV(spawnfd, flags, "x"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EPERM: ");
	expect_said(&e, why);
	expect_said(&e, what_to_do);
}

static void expect_messages(const struct way *root, const struct way *user)
{
	static const char why[] = "this user gets no capabilities in a user "
		"namespace: a security module denies them, as AppArmor does "
		"where kernel.apparmor_restrict_unprivileged_userns is 1\n";
	static const char to_do[] = "spawnfd: give spawnfd an AppArmor profile "
				    "with \"userns,\", or run it as root\n";

	expect_denied(user, "--kill-tree", why, to_do);
	expect_denied(user, "--raw-flags=CLONE_NEWUSER|CLONE_NEWUTS", why,
		      to_do);
	expect_denied(root, "--kill-tree", "not permitted here: CLONE_NEWPID",
		      "AppArmor");
}

/*
 * The kernel makes the user namespace, so that CLONE_NEWUSER alone is
 * permitted. Root has no other profile here, so root is denied too.
 */
SystemTestWith(plain, probe_of_kill_tree_under_apparmor,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	const struct way root = { .prepare = enter_profile };
	const struct way user = { .uid = NOBODY, .prepare = enter_profile };

	use_programs();
	if (!load_profile()) {
		not_tested("AppArmor", "this kernel does not run it");
		return;
	}
	expect_status(&user, "CLONE_NEWUSER", 0);
	expect_agreement(&user, "denied");
	expect_agreement(&root, "denied");
	expect_agreement(&(struct way){ .uid = NOBODY }, "yes");
	expect_messages(&root, &user);
	unload_profile();
}

/* ---- filters and limits ---- */

SystemTestWith(plain, probe_of_kill_tree_under_a_seccomp_filter,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const unsigned int errors[] = { ENOSYS, EPERM };

	use_programs();
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct way way = { .prepare = filter_clone3,
				   .arg = &errors[i] };

		expect_agreement(&way, "denied");
		way.uid = NOBODY;
		expect_agreement(&way, "denied");
	}
}

SystemTestWith(plain, probe_of_kill_tree_over_the_limits,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const struct limited limits[] = {
		{ "/proc/sys/user/max_pid_namespaces", false },
		{ "/proc/sys/user/max_pid_namespaces", true },
		{ "/proc/sys/user/max_user_namespaces", true },
	};
	static const struct limited none = {
		"/proc/sys/user/max_user_namespaces", false
	};
	const struct way untouched = { .prepare = limit_namespaces,
				       .arg = &none };

	use_programs();
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct way way = { .prepare = limit_namespaces,
					 .arg = &limits[i] };

		expect_agreement(&way, "denied");
	}
	/* With CAP_SYS_ADMIN the tree has no user namespace. */
	expect_agreement(&untouched, "yes");
}

/* The user 61235 has no process but spawnfd, and may not have a second. */
SystemTestWith(plain, probe_of_kill_tree_without_a_process_left,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const struct resource_limit processes = { RLIMIT_NPROC, 1 };
	const struct way way = { .uid = 61235, .prepare = limit_resource,
				 .arg = &processes };

	use_programs();
	expect_agreement(&way, "denied");
}

/* ---- the ids cannot be written ---- */

SystemTestWith(plain, probe_of_kill_tree_without_a_proc,
	       ALSO_UNDER(KERNEL | REFUSALS),
	       NOT_UNDER(SANITIZED, "hide /proc, which the sanitizers read"))
{
	const struct way user = { .uid = NOBODY };

	use_programs();
	share_mounts();
	cr_assert_eq(mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	expect_agreement(&user, "denied");
	expect_agreement(NULL, "yes");
	cr_assert_eq(umount("/proc"), 0);
}

static void drop_capabilities(const void *arg)
{
	for (const int *capability = arg; *capability; capability++)
		if (prctl(PR_CAPBSET_DROP, *capability))
			_exit(96);
}

/*
 * In a container root often lacks both capabilities. The kernel then refuses
 * the map of user id 0.
 */
SystemTestWith(plain, probe_of_kill_tree_by_root_without_capabilities,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const int admin[] = { CAP_SYS_ADMIN, 0 };
	static const int both[] = { CAP_SYS_ADMIN, CAP_SETFCAP, 0 };
	struct way way = { .prepare = drop_capabilities, .arg = admin };

	use_programs();
	expect_agreement(&way, "yes");
	way.arg = both;
	expect_agreement(&way, "denied");
}

/* ---- unshare(1) without its --fork, and without its --mount-proc ---- */

SystemTestWith(plain, probe_of_kill_tree_under_unshare,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "unshare", "--pid", spawnfd,
			   "--kill-tree", actor, "exit", "7"));
	expect_exit(&e, 125);
	run(&e, NULL, ARGV("/usr/bin/env", "unshare", "--pid", spawnfd,
			   "--probe=kill-tree"));
	expect_exit(&e, 1);
	run(&e, NULL, ARGV("/usr/bin/env", "unshare", "--pid", spawnfd,
			   "--probe"));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, " denied: clone3: EINVAL: the "
				  "children of this process already have a PID "
				  "namespace of their own"), "%s", e.out);
}

/* Runs a program as a user in a PID namespace with the /proc of outside. */
#define WITH_FOREIGN_PROC(...) \
	ARGV("/usr/bin/env", "unshare", "--pid", "--fork", "setpriv", \
	     "--reuid=65534", "--regid=65534", "--clear-groups", __VA_ARGS__)

/* Such a /proc shows other pids, so spawnfd cannot write the map there. */
SystemTestWith(plain, probe_of_kill_tree_with_a_foreign_proc,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	struct ended e;

	run(&e, NULL, WITH_FOREIGN_PROC(spawnfd, "--kill-tree", actor, "exit",
					"7"));
	expect_refusal(&e, 125);
	expect_said(&e, "no /proc of this PID namespace is mounted\n");
	run(&e, NULL, WITH_FOREIGN_PROC(spawnfd, "--probe=kill-tree"));
	expect_exit(&e, 1);
}

/* ---- a user or a group that has no id in its user namespace ---- */

/*
 * clone(2): the kernel denies CLONE_NEWUSER then. unshare(1) maps none, one or
 * both of them.
 */
SystemTestWith(plain, probe_of_kill_tree_without_an_id,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const struct way user = { .uid = NOBODY };
	static const struct way *const ways[] = { NULL, &user };
	static const char *const maps[] = { "--user", "--map-user=5",
					    "--map-group=5" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(ways) * ARRAY_SIZE(maps); i++) {
		const struct way *way = ways[i / ARRAY_SIZE(maps)];
		const char *map = maps[i % ARRAY_SIZE(maps)];

		run(&e, way, ARGV("/usr/bin/env", "unshare", map, spawnfd,
				  "--kill-tree", actor, "exit", "7"));
		expect_exit(&e, 125);
		expect_begun(&e, "spawnfd: clone3: EPERM: this user or its "
				 "group has no id in this user namespace\n");
		run(&e, way, ARGV("/usr/bin/env", "unshare", map, spawnfd,
				  "--probe=kill-tree"));
		expect_exit(&e, 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		run(&e, ways[i], ARGV("/usr/bin/env", "unshare",
				      "--map-current-user", spawnfd,
				      "--kill-tree", actor, "exit", "7"));
		expect_exit(&e, 7);
	}
}
