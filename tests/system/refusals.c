/* SPDX-License-Identifier: MIT */
/*
 * spawnfd explains why it cannot start a command: limits, filters, privileges,
 * and in suite old a kernel without the flags. On such a kernel the message
 * names each flag, the running version and the first version that has the flag.
 * In every case nothing is started.
 */
#include "harness.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

static void expect_not_started(const struct way *way, struct ended *e)
{
	run(e, way, ARGV(spawnfd, actor, "mark", scratch_path("started")));
	expect_refusal(e, 125);
	cr_expect(!exists(scratch_path("started")));
}

/* ---- limits ---- */

/* Only 0, 1 and 2 are allowed; spawnfd needs a fourth, for its signalfd. */
SystemTest(plain, no_descriptors_left)
{
	const struct resource_limit files = { RLIMIT_NOFILE, 3 };
	const struct way way = { .prepare = limit_resource, .arg = &files };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--version"));
	if (e.status) {
		not_tested("EMFILE", "3 descriptors do not load a dynamic "
			   "program");
		return;
	}
	expect_not_started(&way, &e);
}

/* This user has no process but spawnfd, so a limit of one is reached. */
SystemTest(plain, no_processes_left)
{
	const struct resource_limit processes = { RLIMIT_NPROC, 1 };
	const struct way way = { .uid = 61234, .prepare = limit_resource,
				 .arg = &processes };
	struct ended e;

	expect_not_started(&way, &e);
	expect_begun(&e, "spawnfd: clone3: EAGAIN: ");
	expect_said(&e, "ulimit -u");
}

/* ---- filters ---- */

SystemTest(plain, a_seccomp_filter_is_told_from_an_old_kernel)
{
	static const unsigned int errors[] = { ENOSYS, EPERM };
	static const char *const names[] = { "ENOSYS", "EPERM" };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const struct way way = { .prepare = filter_clone3,
					 .arg = &errors[i] };
		char begin[64];
		struct ended e;

		expect_not_started(&way, &e);
		snprintf(begin, sizeof(begin), "spawnfd: clone3: %s: ",
			 names[i]);
		expect_begun(&e, begin);
		expect_said(&e, "seccomp");
	}
}

/*
 * Linux 5.3 to 5.5 have clone3, but not this flag. strace(1) answers in place
 * of such a kernel.
 */
SystemTestWith(plain, the_flag_that_came_after_clone3_is_named,
	       NOT_UNDER(SANITIZED, "are traced, as LeakSanitizer cannot be"))
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "strace", "-o", "/dev/null", "-e",
			   "trace=clone3", "-e", "inject=clone3:error=EINVAL",
			   spawnfd, "--raw-flags=CLONE_NEWTIME", actor));
	expect_refusal(&e, 125);
	expect_said(&e, " has no CLONE_NEWTIME\n");
}

/* ---- privileges ---- */

/* A setuid spawnfd would lend its rights to any command that it starts. */
SystemTest(plain, started_setuid_it_refuses)
{
	static const mode_t modes[] = { 04755, 02755 };
	const char *copy = scratch_path("setuid");
	const char *mark = scratch_path("started");
	const struct way way = { .uid = NOBODY };
	struct statvfs fs;
	struct ended e;

	cr_assert_eq(statvfs(scratch(), &fs), 0);
	cr_assert(!(fs.f_flag & ST_NOSUID), "/tmp is mounted nosuid");
	run(&e, NULL, ARGV("/bin/cp", spawnfd, copy));
	expect_exit(&e, 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		cr_assert_eq(chmod(copy, modes[i]), 0);
		run(&e, &way, ARGV(copy, actor, "mark", mark));
		expect_begun(&e, "spawnfd: ");
		cr_expect(!exists(mark));
		if (strstr(e.err, "LeakSanitizer"))
			not_tested("the status", "LeakSanitizer replaces it");
		else
			expect_refusal(&e, 125);
	}
}

/* ---- old kernels ---- */

struct refused {
	const char *options[4];
	const char *flags[3];	/* all that the kernel lacks, and no others */
};

static const struct refused refusals[] = {
	{ { "--autoreap" }, { "CLONE_AUTOREAP" } },
	{ { "--nnp" }, { "CLONE_NNP" } },
	{ { "--no-new-privs" }, { "CLONE_NNP" } },
	{ { "--autokill" },
	  { "CLONE_AUTOREAP", "CLONE_NNP", "CLONE_PIDFD_AUTOKILL" } },
	{ { "--autokill", "--allow-new-privs" },
	  { "CLONE_AUTOREAP", "CLONE_PIDFD_AUTOKILL" } },
	{ { "--autoreap", "--detach" }, { "CLONE_AUTOREAP" } },
	{ { "--exact", "--nnp" }, { "CLONE_NNP" } },
	{ { "--exact", "--autoreap", "--exit-signal=0" },
	  { "CLONE_AUTOREAP" } },
	{ { "--raw-flags=1<<35" }, { "CLONE_NNP" } },
	{ { "--empty-mntns" }, { "CLONE_EMPTY_MNTNS" } },
	{ { "--empty-mntns", "--kill-tree" }, { "CLONE_EMPTY_MNTNS" } },
};

static void try_refused(struct ended *e, const struct refused *refused,
			uid_t uid)
{
	const struct way way = { .uid = uid };
	const char *argv[10] = { spawnfd };
	size_t n = 1;

	for (size_t i = 0; i < ARRAY_SIZE(refused->options); i++)
		if (refused->options[i])
			argv[n++] = refused->options[i];
	argv[n++] = actor;
	argv[n++] = "mark";
	argv[n] = scratch_path("started");
	run(e, &way, argv);
}

static void expect_explained(const struct refused *refused, uid_t uid)
{
	static const char *const all[] = { "CLONE_AUTOREAP", "CLONE_NNP",
					   "CLONE_PIDFD_AUTOKILL",
					   "CLONE_EMPTY_MNTNS" };
	struct utsname system;
	struct ended e;
	int named = 0, wanted = 0;

	uname(&system);
	try_refused(&e, refused, uid);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EINVAL: ");
	expect_said(&e, system.release);
	expect_said(&e, "7.1");
	for (size_t i = 0; i < ARRAY_SIZE(refused->flags); i++)
		if (refused->flags[i]) {
			expect_said(&e, refused->flags[i]);
			wanted++;
		}
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		named += strstr(e.err, all[i]) != NULL;
	cr_expect_eq(named, wanted, "%s: names other flags too: %s", e.words,
		     e.err);
	cr_expect(!exists(scratch_path("started")));
}

SystemTest(old, every_flag_is_refused_by_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		expect_explained(&refusals[i], 0);
		expect_explained(&refusals[i], NOBODY);
	}
}

/* The first line contains all of that, for a log that keeps one line. */
SystemTest(old, the_first_line_says_which_kernel_and_which_version)
{
	struct utsname system;
	struct ended e;

	uname(&system);
	run(&e, NULL, ARGV(spawnfd, "--autoreap", actor, "exit", "0"));
	e.err[strcspn(e.err, "\n")] = '\0';
	expect_said(&e, "CLONE_AUTOREAP");
	expect_said(&e, system.release);
	expect_said(&e, "7.1");
}

/* The message shows bits without a name as a number. */
SystemTest(old, unknown_bits_are_refused_by_number)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--raw-flags=1<<62", actor, "exit", "0"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EINVAL: ");
	expect_said(&e, "0x4000000000000000");
}

SystemTest(old, commands_without_a_flag_still_run)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, actor, "exit", "42"));
	expect_exit(&e, 42);
	run(&e, NULL, ARGV(spawnfd, "--clear-sighand", actor, "exit", "42"));
	expect_exit(&e, 42);
}

SystemTest(old, verbose_shows_the_call_that_was_refused)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "-v", "--nnp", actor, "exit", "0"));
	expect_exit(&e, 125);
	expect_said(&e, "clone3({flags=CLONE_PIDFD|CLONE_NNP, "
		    "exit_signal=SIGCHLD}, 88) = -1 EINVAL "
		    "(Invalid argument)\n");
	expect_said(&e, "spawnfd: clone3: EINVAL: ");
}
