/* SPDX-License-Identifier: MIT */
/*
 * The kernel's rules on the new flags, seen through spawnfd: the cases of the
 * kernel's pidfd_autoreap_test, and no_new_privs. With --exact the kernel
 * refuses a call. Without it spawnfd refuses the command line itself, with a
 * message that does not begin with "clone3:".
 */
#include "harness.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#define OPTIONS_MAX 6

struct call {
	const char *options[OPTIONS_MAX];
	uid_t uid;
};

/* Runs the call; its command leaves a mark. */
static void try_call(struct ended *e, const struct call *call)
{
	const struct way way = { .uid = call->uid, .dir = scratch() };
	const char *argv[OPTIONS_MAX + 5] = { spawnfd };
	size_t n = 1;

	/* NOBODY must be able to leave the mark too. */
	chmod(way.dir, 01777);
	for (size_t i = 0; i < OPTIONS_MAX && call->options[i]; i++)
		argv[n++] = call->options[i];
	argv[n++] = actor;
	argv[n++] = "mark";
	argv[n] = scratch_path("started");
	run(e, &way, argv);
}

static bool take_mark(void)
{
	return unlink(scratch_path("started")) == 0;
}

static void expect_runs(const struct call *call)
{
	struct ended e;

	try_call(&e, call);
	expect_exit(&e, 0);
	cr_expect_str_eq(e.err, "");
	/* Without a pidfd the command may end after spawnfd. */
	nothing_left();
	cr_expect(take_mark(), "%s: did not run", e.words);
}

static void expect_kernel_refuses(const struct call *call, const char *error)
{
	struct utsname system;
	struct ended e;
	char begin[64];

	uname(&system);
	try_call(&e, call);
	expect_refusal(&e, 125);
	snprintf(begin, sizeof(begin), "spawnfd: clone3: %s: ", error);
	expect_begun(&e, begin);
	cr_expect_null(strstr(e.err, system.release), "%s: blames the "
		       "version: %s", e.words, e.err);
	cr_expect(!take_mark(), "%s: it runs", e.words);
}

static void expect_spawnfd_refuses(const struct call *call)
{
	struct ended e;

	try_call(&e, call);
	expect_refusal(&e, 125);
	cr_expect_null(strstr(e.err, "clone3:"), "%s: %s", e.words, e.err);
	cr_expect(!take_mark(), "%s: it runs", e.words);
}

/* ---- autoreap ---- */

SystemTest(flags, autoreap_with_an_exit_signal)
{
	static const struct call exact[] = {
		{ { "--exact", "--pidfd", "--autoreap" }, 0 },
		{ { "--exact", "--autoreap" }, 0 },
		{ { "--exact", "--autoreap", "--exit-signal=USR1" }, 0 },
		{ { "--exact", "--pidfd", "--raw-flags=1<<34" }, NOBODY },
	};
	static const struct call own[] = {
		{ { "--autoreap", "--exit-signal=USR1" }, 0 },
		{ { "--autokill", "--exit-signal=CHLD" }, 0 },
		{ { "--raw-flags=CLONE_AUTOREAP" }, 0 },
	};
	static const struct call fine[] = {
		{ { "--autoreap" }, 0 },
		{ { "--autoreap", "--exit-signal=0" }, NOBODY },
		{ { "--exact", "--pidfd", "--autoreap", "--exit-signal=0" },
		  0 },
		{ { "--exit-signal=none", "--raw-flags=CLONE_AUTOREAP" }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		expect_kernel_refuses(&exact[i], "EINVAL");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		expect_spawnfd_refuses(&own[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		expect_runs(&fine[i]);
}

SystemTest(flags, autoreap_with_clone_parent)
{
	static const struct call exact = {
		{ "--exact", "--pidfd", "--autoreap", "--exit-signal=0",
		  "--raw-flags=CLONE_PARENT" }, 0
	};
	static const struct call own[] = {
		{ { "--autoreap", "--raw-flags=CLONE_PARENT" }, 0 },
		{ { "--autokill", "--raw-flags=CLONE_PARENT" }, 0 },
	};

	expect_kernel_refuses(&exact, "EINVAL");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		expect_spawnfd_refuses(&own[i]);
}

/*
 * The kernel lets no autoreaped process use CLONE_PARENT, because the sibling
 * would be autoreaped too.
 */
SystemTest(flags, clone_parent_by_an_autoreaped_process)
{
	static const char *const outer[] = { "--autoreap", "--autokill" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(outer); i++) {
		run(&e, NULL, ARGV(spawnfd, outer[i], spawnfd, "--detach",
				   "--exit-signal=0",
				   "--raw-flags=CLONE_PARENT", actor, "exit",
				   "0"));
		expect_refusal(&e, 125);
		expect_begun(&e, "spawnfd: clone3: EINVAL: ");
	}
	/* An ordinary spawnfd may: its command is a child of this test then. */
	run(&e, NULL, ARGV(spawnfd, "--detach", "--exit-signal=0",
			   "--raw-flags=CLONE_PARENT", actor, "exit", "0"));
	expect_exit(&e, 0);
	cr_expect_gt(waitpid(-1, NULL, __WALL), 0);
}

/*
 * With CLONE_PARENT only spawnfd's parent can reap the command, so spawnfd
 * cannot learn its status. The parent may be waiting for spawnfd alone.
 */
SystemTest(flags, clone_parent_by_one_who_waits_for_spawnfd_alone)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--exit-signal=0",
			   "--raw-flags=CLONE_PARENT", actor, "exit", "0"));
	expect_refusal(&e, 125);
	expect_said(&e, "the status cannot be known: the process has exited, "
		    "but its parent has not reaped it\n");
	cr_expect_gt(waitpid(-1, NULL, __WALL), 0);
}

/* ---- autokill ---- */

SystemTest(flags, autokill_without_pidfd)
{
	static const struct call exact[] = {
		{ { "--exact", "--autokill", "--autoreap", "--nnp",
		    "--exit-signal=0" }, 0 },
		{ { "--exact", "--autokill", "--autoreap", "--nnp",
		    "--exit-signal=0" }, NOBODY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		expect_kernel_refuses(&exact[i], "EINVAL");
}

SystemTest(flags, autokill_without_autoreap)
{
	static const struct call exact[] = {
		{ { "--exact", "--autokill", "--pidfd", "--nnp",
		    "--exit-signal=0" }, 0 },
		{ { "--exact", "--autokill", "--pidfd", "--nnp" }, NOBODY },
	};
	static const struct call own = {
		{ "--raw-flags=CLONE_PIDFD_AUTOKILL", "--nnp",
		  "--exit-signal=0" }, 0
	};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		expect_kernel_refuses(&exact[i], "EINVAL");
	expect_spawnfd_refuses(&own);
}

SystemTest(flags, autokill_without_nnp)
{
	static const char *const ways[][OPTIONS_MAX] = {
		{ "--autokill", "--allow-new-privs" },
		{ "--exact", "--autokill", "--autoreap", "--pidfd",
		  "--exit-signal=0" },
		{ "--autoreap", "--raw-flags=CLONE_PIDFD_AUTOKILL" },
	};
	struct call call = { .uid = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		memcpy(call.options, ways[i], sizeof(call.options));
		call.uid = 0;
		expect_runs(&call);
		call.uid = NOBODY;
		expect_kernel_refuses(&call, "EPERM");
	}
}

SystemTest(flags, the_lack_of_privileges_is_explained)
{
	static const struct call call = {
		{ "--autokill", "--allow-new-privs" }, NOBODY
	};
	struct ended e;

	try_call(&e, &call);
	expect_refusal(&e, 125);
	expect_said(&e, "--nnp");
	expect_said(&e, "CAP_SYS_ADMIN");
}

/* If the kernel denies another flag, the message names that one alone. */
SystemTest(flags, the_flag_that_is_denied_is_named)
{
	static const struct call calls[] = {
		{ { "--autokill", "--raw-flags=CLONE_NEWPID" }, NOBODY },
		{ { "--nnp", "--raw-flags=CLONE_NEWPID" }, NOBODY },
	};
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		try_call(&e, &calls[i]);
		expect_refusal(&e, 125);
		expect_said(&e, ": CLONE_NEWPID\n");
	}
}

static void change_root(const void *dir)
{
	if (chroot(dir) || chdir("/"))
		_exit(96);
}

/*
 * In a chroot the kernel denies CLONE_NEWUSER: user_namespaces(7). The message
 * names that flag alone.
 */
SystemTest(flags, a_user_namespace_in_a_chroot)
{
	const struct way way = { .prepare = change_root, .arg = scratch() };
	struct running r;
	struct ended e;

	run(&e, NULL, ARGV("/bin/cp", spawnfd, scratch_path("spawnfd")));
	if (try_start(&r, &way, ARGV("/spawnfd", "--autokill",
				     "--raw-flags=CLONE_NEWUSER", "/x"))) {
		not_tested("chroot", "a dynamic spawnfd needs its libc there");
		return;
	}
	finish(&r, &e);
	expect_refusal(&e, 125);
	expect_said(&e, ": CLONE_NEWUSER\n");
}

SystemTest(flags, all_that_autokill_needs_under_exact)
{
	static const struct call calls[] = {
		{ { "--exact", "--autokill", "--autoreap", "--pidfd", "--nnp",
		    "--exit-signal=0" }, 0 },
		{ { "--exact", "--autokill", "--autoreap", "--pidfd", "--nnp",
		    "--exit-signal=0" }, NOBODY },
		{ { "--autokill" }, NOBODY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		expect_runs(&calls[i]);
}

/*
 * Without a pidfd spawnfd has nothing to hold or to wait for. Its status says
 * only whether the command was executed.
 */
SystemTest(flags, exact_without_pidfd_ends_after_the_exec)
{
	static const struct call call = {
		{ "--exact", "--autoreap", "--exit-signal=0" }, 0
	};
	struct ended e;

	expect_runs(&call);
	run(&e, NULL, ARGV(spawnfd, "--exact", "--nnp", actor, "exit", "42"));
	expect_exit(&e, 0);
	cr_expect_gt(waitpid(-1, NULL, 0), 0);
	run(&e, NULL, ARGV(spawnfd, "--exact", "--nnp", "/none"));
	expect_refusal(&e, 127);
}

/*
 * --exact checks no rules. The command is killed as soon as spawnfd exits,
 * because that closes the pidfd.
 */
SystemTest(flags, exact_allows_autokill_and_detach)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--exact", "--autokill", "--autoreap",
			   "--pidfd", "--nnp", "--exit-signal=0", "--detach",
			   actor, "hang"));
	expect_exit(&e, 0);
	nothing_left();
}

SystemTest(flags, bits_that_no_kernel_has)
{
	static const struct call call = { { "--raw-flags=1<<62" }, 0 };
	struct ended e;

	try_call(&e, &call);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EINVAL: ");
	expect_said(&e, "0x4000000000000000");
	cr_expect(!take_mark());
}

/* ---- no_new_privs ---- */

static void expect_nnp(const char *first, const char *second, uid_t uid,
		       const char *expected)
{
	const struct way way = { .uid = uid };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, first, second, actor, "cat",
			   "/proc/self/status"));
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, expected), "%s: wanted %s, saw %s",
			   e.words, expected, e.out);
}

SystemTestWith(flags, who_sets_no_new_privs, ALSO_UNDER(FALLBACK))
{
	static const uid_t users[] = { 0, NOBODY };

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		const char *set = "\nNoNewPrivs:\t1\n";
		const char *clear = "\nNoNewPrivs:\t0\n";

		expect_nnp("--nnp", "--", users[i], set);
		expect_nnp("--no-new-privs", "--", users[i], set);
		expect_nnp("--autokill", "--", users[i], set);
		expect_nnp("--autoreap", "--nnp", users[i], set);
		expect_nnp("--autoreap", "--", users[i], clear);
		expect_nnp("--clear-sighand", "--", users[i], clear);
	}
	expect_nnp("--autokill", "--allow-new-privs", 0, "\nNoNewPrivs:\t0\n");
}

SystemTestWith(flags, nnp_has_an_exit_status_as_any_other,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--nnp", actor, "exit", "42"));
	expect_exit(&e, 42);
	run(&e, NULL, ARGV(spawnfd, "--nnp", actor, "die", "6"));
	expect_signal(&e, SIGABRT);
	run(&e, NULL, ARGV(spawnfd, "--nnp", "/none"));
	expect_refusal(&e, 127);
}
