/* SPDX-License-Identifier: MIT */
/* pid_file: writes all of the pid or nothing, and replaces only a file */
#include "pid_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/spawnfd-unit-XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static int count(void)
{
	DIR *dir = opendir(".");
	int n = -2;	/* . and .. */

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void leave(void)
{
	unlink("pid");
	rmdir("pid");
	unlink("other");
	rmdir(folder);
}

TestSuite(pid_file, .init = enter, .fini = leave);

static void expect_content(const char *path, const char *wanted)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_geq(read(fd, text, sizeof(text) - 1), 0);
	cr_expect_str_eq(text, wanted);
	close(fd);
}

Test(pid_file, the_number_and_a_newline)
{
	struct atomic_name name;
	struct stat st;

	umask(027);
	cr_assert_eq(pid_file_put("pid", 1234567890, &name), 0);
	expect_content("pid", "1234567890\n");
	cr_assert_eq(stat("pid", &st), 0);
	cr_expect_eq(st.st_mode, S_IFREG | 0640);
	cr_expect_eq(count(), 1);
	atomic_name_remove(&name);
	cr_expect_eq(count(), 0);
}

Test(pid_file, replaces_an_older_one)
{
	struct atomic_name first, second;

	cr_assert_eq(pid_file_put("pid", 1, &first), 0);
	cr_assert_eq(link("pid", "other"), 0);
	cr_assert_eq(pid_file_put("pid", 2, &second), 0);
	expect_content("pid", "2\n");
	expect_content("other", "1\n");
	/* The second file has replaced the first one, and stays. */
	atomic_name_remove(&first);
	expect_content("pid", "2\n");
	atomic_name_remove(&second);
	cr_expect_eq(count(), 1);
}

Test(pid_file, a_temporary_name_that_is_taken)
{
	struct atomic_name name, taken;
	int fd;

	cr_assert_eq(atomic_name_open("pid", &taken), 0);
	atomic_name_pick_temporary(&taken, 0);
	fd = open(taken.temporary, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(fd, "x", 1), 1);
	cr_assert_eq(pid_file_put("pid", 3, &name), 0);
	expect_content("pid", "3\n");
	expect_content(taken.temporary, "x");
	atomic_name_remove(&name);
	cr_expect_eq(count(), 1);
	atomic_name_discard(&taken);
}

static void expect_in_the_way(const char *what)
{
	struct atomic_name name = { .directory = -1 };

	cr_expect_eq(pid_file_check("pid"), -EEXIST, "%s", what);
	cr_expect_eq(pid_file_put("pid", 1, &name), -EEXIST, "%s", what);
	cr_expect_eq(name.directory, -1);
	cr_expect_eq(count(), 1, "%s", what);
	remove("pid");
}

Test(pid_file, replaces_no_other_thing)
{
	cr_assert_eq(mkdir("pid", 0700), 0);
	expect_in_the_way("directory");
	cr_assert_eq(mkfifo("pid", 0600), 0);
	expect_in_the_way("FIFO");
	cr_assert_eq(symlink("other", "pid"), 0);
	expect_in_the_way("dangling link");
	cr_assert_eq(symlink("/dev/null", "pid"), 0);
	expect_in_the_way("link to a device");
}

Test(pid_file, a_check_makes_nothing)
{
	cr_expect_eq(pid_file_check("pid"), 0);
	cr_expect_eq(pid_file_check("none/pid"), -ENOENT);
	cr_expect_eq(pid_file_check("."), -EISDIR);
	cr_expect_eq(count(), 0);
}

Test(pid_file, nothing_is_left_of_a_failure)
{
	const struct rlimit one = { 1, RLIM_INFINITY };
	struct atomic_name name = { .directory = -1 };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &one), 0);
	cr_expect_eq(pid_file_put("pid", 12, &name), -EFBIG);
	cr_expect_eq(count(), 0);
	cr_expect_eq(pid_file_put("none/pid", 12, &name), -ENOENT);
	cr_expect_eq(pid_file_put(".", 12, &name), -EISDIR);
	cr_expect_eq(name.directory, -1);
}
