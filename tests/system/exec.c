/* SPDX-License-Identifier: MIT */
/*
 * How COMMAND is found and executed, with statuses 126 and 127 in all cases.
 * The tests compare with env(1), which looks a command up by execvp(3) and uses
 * the same statuses.
 */
#include "harness.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SCRIPT "#!/bin/sh\necho ran\n"

/*
 * EVERY_WAY, and a fourth test under --empty-mntns, where spawnfd itself opens
 * the file before clone3.
 */
#define EVERY_SEARCH(name) \
	static void name(const char *with); \
	SystemTest(flags, name##_before_clone3) { name("--empty-mntns"); } \
	EVERY_WAY(name)

static bool opens(const char *with)
{
	return strcmp(with, "--empty-mntns") == 0;
}

/*
 * Makes a command that says "ran" for the arguments "say ran". Under
 * --empty-mntns a script cannot run, so there it is the actor.
 */
static void write_command(const char *with, const char *path)
{
	if (opens(with))
		cr_assert_eq(symlink(actor, path), 0);
	else
		write_file(path, SCRIPT, 0755);
}

/*
 * A scratch directory with one of everything:
 *	good/cmd	runs and says "ran"
 *	plain/cmd	not executable
 *	dir/cmd/	a directory
 *	closed/cmd	in a directory that NOBODY cannot enter
 *	lost/cmd	a script whose interpreter is missing
 *	text/cmd	executable, but neither ELF nor script
 *	empty/cmd	executable and empty
 *	loop/cmd	a symbolic link to itself
 */
static void write_programs(const char *with)
{
	static const char *const dirs[] = { "good", "plain", "dir", "dir/cmd",
		"closed", "lost", "text", "empty", "loop" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		mkdir(scratch_path(dirs[i]), 0755);
		chmod(scratch_path(dirs[i]), 0755);
	}
	write_command(with, scratch_path("good/cmd"));
	write_file(scratch_path("plain/cmd"), SCRIPT, 0644);
	write_file(scratch_path("closed/cmd"), SCRIPT, 0755);
	write_file(scratch_path("lost/cmd"), "#!/no/interpreter\n", 0755);
	write_file(scratch_path("text/cmd"), "echo ran\n", 0755);
	write_file(scratch_path("empty/cmd"), "", 0755);
	cr_assert_eq(symlink("cmd", scratch_path("loop/cmd")), 0);
	chmod(scratch_path("closed"), 0700);
}

struct lookup {
	const char *path;	/* PATH, from the scratch directory */
	const char *command;
	int code;		/* 0: it runs */
	bool not_like_env;
	int opened;		/* another code under --empty-mntns, or 0 */
};

static void set_path(const void *path)
{
	if (path)
		setenv("PATH", path, 1);
	else
		unsetenv("PATH");
}

static const char *command_env(void)
{
	return exists("/usr/bin/env") ? "/usr/bin/env" : "/bin/env";
}

static void look_up(const char *with, const struct lookup *lookup, uid_t uid)
{
	const struct way way = { .uid = uid, .dir = scratch(),
				 .prepare = set_path, .arg = lookup->path };
	int code = opens(with) && lookup->opened ? lookup->opened
						 : lookup->code;
	struct ended e, env;

	/* A user gets an empty mount namespace only in a user namespace. */
	run(&e, &way, ARGV(spawnfd, opens(with) && uid ? "--kill-tree"
						       : "--pidfd",
			   with, lookup->command, "say", "ran"));
	if (code)
		expect_refusal(&e, code);
	else
		expect_exit(&e, 0);
	cr_expect_str_eq(e.out, code ? "" : "ran\n");
	if (lookup->not_like_env || code != lookup->code)
		return;
	run(&env, &way, ARGV(command_env(), lookup->command, "say", "ran"));
	cr_expect_eq(e.status, env.status, "PATH=%s %s: spawnfd %d, env %d",
		     lookup->path, lookup->command, WEXITSTATUS(e.status),
		     WEXITSTATUS(env.status));
	cr_expect_str_eq(e.out, env.out);
}

static void look_up_all(const char *with, const struct lookup *lookups,
			size_t n, uid_t uid)
{
	write_programs(with);
	for (size_t i = 0; i < n; i++)
		look_up(with, &lookups[i], uid);
}

EVERY_SEARCH(commands_with_a_slash)
{
	static const struct lookup lookups[] = {
		{ "", "good/cmd", 0, false },
		{ "", "./good/cmd", 0, false },
		{ "", "good/none", 127, false },
		{ "", "none/cmd", 127, false },
		{ "", "/none", 127, false },
		{ "", "dir/cmd", 126, false },
		{ "", "/", 126, false },
		{ "", "./", 126, false },
		{ "", "plain/cmd", 126, false },
		{ "", "good/cmd/", 126, false },
		{ "", "good/cmd/x", 126, false },
		{ "", "loop/cmd", 126, false },
		{ "", "lost/cmd", 126, true },	/* env says 127 */
		{ "", "text/cmd", 126, true },	/* env asks a shell */
		{ "", "empty/cmd", 126, true },
	};

	look_up_all(with, lookups, ARRAY_SIZE(lookups), 0);
}

EVERY_SEARCH(commands_found_in_path)
{
	static const struct lookup lookups[] = {
		{ "good", "cmd", 0, false },
		{ "none:good", "cmd", 0, false },
		{ "plain:good", "cmd", 0, false },
		{ "dir:good", "cmd", 0, false },
		{ "good/cmd:good", "cmd", 0, false },	/* ENOTDIR */
		{ "lost:good", "cmd", 0, false, 126 },
		{ "good", "none", 127, false },
		{ "none", "cmd", 127, false },
		{ "good", "", 127, false },
		{ "plain", "cmd", 126, false },
		{ "plain:none", "cmd", 126, false },
		{ "dir:none", "cmd", 126, false },
		{ "good/cmd", "cmd", 127, true },	/* env says 126 */
		{ "loop:good", "cmd", 126, false },
		{ "lost", "cmd", 126, true },
		{ "lost:none", "cmd", 126, true },
		{ "text:good", "cmd", 126, true },
		{ "empty", "cmd", 126, true },
	};

	look_up_all(with, lookups, ARRAY_SIZE(lookups), 0);
}

/* An empty element of PATH stands for the working directory. */
EVERY_SEARCH(empty_path_elements)
{
	static const struct lookup lookups[] = {
		{ "", "here", 0, false },
		{ ":", "here", 0, false },
		{ ":none", "here", 0, false },
		{ "none:", "here", 0, false },
		{ "none::none", "here", 0, false },
		{ "none", "here", 127, false },
		{ ":", "nowhere", 127, false },
	};

	write_command(with, scratch_path("here"));
	look_up_all(with, lookups, ARRAY_SIZE(lookups), 0);
}

EVERY_SEARCH(path_with_unreadable_directories)
{
	static const struct lookup lookups[] = {
		{ "closed", "cmd", 126, false },
		{ "closed:none", "cmd", 126, false },
		{ "none:closed", "cmd", 126, false },
		{ "closed:good", "cmd", 0, false },
		{ "closed", "none", 126, false },
		{ "", "closed/cmd", 126, false },
	};

	look_up_all(with, lookups, ARRAY_SIZE(lookups), NOBODY);
}

/* Without PATH, spawnfd searches /bin and /usr/bin, but no other place. */
EVERY_WAY(no_path_at_all)
{
	const struct way way = { .dir = scratch(), .prepare = set_path };
	struct ended e;

	write_programs(with);
	run(&e, &way, ARGV(spawnfd, with, "sh", "-c", "echo ran"));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "ran\n");
	write_file(scratch_path("here"), SCRIPT, 0755);
	run(&e, &way, ARGV(spawnfd, with, "here"));
	expect_refusal(&e, 127);
}

EVERY_SEARCH(names_that_are_too_long)
{
	const struct way way = { .dir = scratch() };
	static const size_t lengths[] = { NAME_MAX + 2, PATH_MAX + 1 };
	char name[PATH_MAX + 2];
	struct ended e, env;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(name, 'x', lengths[i]);
		name[lengths[i]] = '\0';
		run(&e, &way, ARGV(spawnfd, with, name));
		expect_refusal(&e, 126);
		run(&env, &way, ARGV(command_env(), name));
		cr_expect_eq(e.status, env.status);
		name[0] = '/';
		run(&e, &way, ARGV(spawnfd, with, name));
		expect_refusal(&e, 126);
	}
	/* NAME_MAX bytes are allowed, so the file is only missing. */
	name[0] = 'x';
	name[NAME_MAX] = '\0';
	run(&e, &way, ARGV(spawnfd, with, name));
	expect_refusal(&e, 127);
}

EVERY_SEARCH(a_file_open_for_writing)
{
	const char *busy = scratch_path("busy");
	struct ended e;
	int fd;

	run(&e, NULL, ARGV("/bin/cp", actor, busy));
	expect_exit(&e, 0);
	run(&e, NULL, ARGV(spawnfd, with, busy, "exit", "42"));
	expect_exit(&e, 42);
	fd = open(busy, O_WRONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	run(&e, NULL, ARGV(spawnfd, with, busy, "exit", "42"));
	close(fd);
	expect_refusal(&e, 126);
}

/* Both messages speak of the #! line, and name the file. */
EVERY_WAY(says_what_is_wrong_with_a_script)
{
	const struct way way = { .dir = scratch() };
	static const char *const scripts[] = { "lost/cmd", "text/cmd" };

	write_programs(with);
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct ended e;

		run(&e, &way, ARGV(spawnfd, with, scripts[i]));
		expect_refusal(&e, 126);
		expect_said(&e, "#!");
		expect_said(&e, scripts[i]);
	}
}

/* A copy of this program, patched so that its loader does not exist. */
EVERY_WAY(a_program_without_its_loader)
{
	static char image[16 << 20];
	const char *path = scratch_path("program");
	FILE *from = fopen("/proc/self/exe", "re"), *to;
	struct ended e;
	size_t n;
	char *loader;

	cr_assert_not_null(from);
	n = fread(image, 1, sizeof(image), from);
	fclose(from);
	loader = memmem(image, n, "/ld-", 4);
	cr_assert_not_null(loader, "the tests are not linked dynamically");
	memcpy(loader, "/no-", 4);
	to = fopen(path, "we");
	cr_assert_not_null(to);
	cr_assert_eq(fwrite(image, 1, n, to), n);
	fclose(to);
	chmod(path, 0755);

	run(&e, NULL, ARGV(spawnfd, with, path));
	expect_refusal(&e, 126);
}

SystemTest(plain, not_found_whatever_the_exit_signal)
{
	static const char *const signals[] = { "--exit-signal=0",
		"--exit-signal=USR1", "--exit-signal=RTMAX" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		run(&e, NULL, ARGV(spawnfd, signals[i], "/none"));
		expect_refusal(&e, 127);
	}
}

/* ---- E2BIG ---- */

#define FILLER_MAX 100000

/* Starts spawnfd with `with`, the script, and `total` bytes of arguments. */
static int start_with(struct running *r, const char *with, const char *script,
		      size_t total)
{
	static char filler[FILLER_MAX + 1];
	static char last[FILLER_MAX + 1];
	static const char *argv[4096];
	int n = 0;

	memset(filler, 'x', FILLER_MAX);
	argv[n++] = spawnfd;
	argv[n++] = with;
	argv[n++] = script;
	for (; total > FILLER_MAX; total -= FILLER_MAX)
		argv[n++] = filler;
	memset(last, 'x', total);
	last[total] = '\0';
	argv[n++] = last;
	argv[n] = NULL;
	return try_start(r, NULL, argv);
}

/*
 * The kernel puts the words of the #! line in front of the arguments. So the
 * longest command line with which spawnfd starts is too long for the script.
 */
EVERY_WAY_WITH(too_many_arguments, NOT_UNDER(FALLBACK | FILTERED | TREE,
	"fill the arguments to the last byte, and the wrapper adds a word"))
{
	const char *script = scratch_path("cmd");
	char text[256];
	size_t fits = 0, too_much = 300u << 20;
	struct running r;
	struct ended e;

	memset(text, 'e', sizeof(text));
	memcpy(text, "#!/bin/sh -", 11);
	strcpy(text + 250, "\n");
	write_file(script, text, 0755);
	for (size_t middle; too_much - fits > 1;) {
		middle = fits + (too_much - fits) / 2;
		if (start_with(&r, with, script, middle)) {
			too_much = middle;
			continue;
		}
		fits = middle;
		end_input(&r);
		finish(&r, &e);
	}
	cr_assert_gt(fits, 0);
	cr_assert_eq(start_with(&r, with, script, fits), 0);
	end_input(&r);
	finish(&r, &e);
	expect_refusal(&e, 126);
	expect_said(&e, "too long");
}
