/* SPDX-License-Identifier: MIT */
/* atomic_name: splits a path, and makes, commits and removes a name. */
#include "atomic_name.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

static char folder[] = "/tmp/spawnfd-unit-XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void leave(void)
{
	unlink("a");
	unlink("b");
	unlink("c");
	rmdir("d");
	rmdir(folder);
}

TestSuite(name, .init = enter, .fini = leave);

static void make(int directory, const char *name)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
	close(fd);
}

static struct atomic_name opened(const char *path)
{
	struct atomic_name name;

	cr_assert_eq(atomic_name_open(path, &name), 0, "%s", path);
	return name;
}

/* The name "a", whose file exists under its temporary name so far */
static struct atomic_name filled(void)
{
	struct atomic_name name = opened("a");

	atomic_name_pick_temporary(&name, 0);
	make(name.directory, name.temporary);
	cr_assert_eq(atomic_name_record(&name), 0);
	return name;
}

Test(name, names_at_the_end_of_a_path)
{
	static const char *const paths[] = { "a", "./a", "d/../a", "//tmp/a",
					     "./d//a", "/a" };

	mkdir("d", 0700);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct atomic_name name = opened(paths[i]);

		cr_expect_str_eq(name.final, "a", "%s", paths[i]);
		cr_expect_gt(name.directory, 2);
		cr_expect_eq(fcntl(name.directory, F_GETFD), FD_CLOEXEC);
		close(name.directory);
	}
}

Test(name, paths_that_cannot_be_those_of_a_file)
{
	static const char *const paths[] = { "", ".", "..", "/", "d/", "d/.",
					     "d/..", "//" };
	struct atomic_name name;

	mkdir("d", 0700);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		cr_expect_eq(atomic_name_open(paths[i], &name), -EISDIR, "%s",
			     paths[i]);
	cr_expect_eq(atomic_name_open("none/a", &name), -ENOENT);
	make(AT_FDCWD, "b");
	cr_expect_eq(atomic_name_open("b/a", &name), -ENOTDIR);
}

Test(name, lengths)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct atomic_name name;

	memset(path, 'n', sizeof(path));
	path[NAME_MAX] = 0;
	close(opened(path).directory);
	path[NAME_MAX] = 'n';
	path[NAME_MAX + 1] = 0;
	cr_expect_eq(atomic_name_open(path, &name), -ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	strcpy(path + PATH_MAX - 1, "a");
	close(opened(path).directory);
	memset(path, '/', sizeof(path));
	strcpy(path + PATH_MAX, "a");
	cr_expect_eq(atomic_name_open(path, &name), -ENAMETOOLONG);
}

Test(name, temporary_names_differ)
{
	struct atomic_name one = opened("a"), two = one;

	atomic_name_pick_temporary(&one, 0);
	atomic_name_pick_temporary(&two, 1);
	cr_expect_str_neq(one.temporary, two.temporary);
	cr_expect_eq(one.temporary[0], '.', "hidden");
	cr_expect_null(strchr(one.temporary, '/'));
}

Test(name, standard_descriptors_are_not_taken)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	cr_expect_gt(opened("a").directory, 2);
}

Test(name, put_replaces_only_when_it_is_to)
{
	struct atomic_name name = filled();
	struct stat st;

	make(AT_FDCWD, "a");
	cr_expect_eq(atomic_name_commit(&name, SYS_RENAME_NOREPLACE), -EEXIST);
	cr_expect_eq(atomic_name_commit(&name, 0), 0);
	cr_assert_eq(stat("a", &st), 0);
	cr_expect_eq(st.st_ino, name.inode);
	cr_expect_neq(access(name.temporary, F_OK), 0);
	atomic_name_remove(&name);
	cr_expect_neq(access("a", F_OK), 0);
	cr_expect_eq(name.directory, -1);
	atomic_name_remove(&name);
}

Test(name, put_can_exchange)
{
	struct atomic_name name = filled();
	struct stat old, st;

	make(AT_FDCWD, "a");
	cr_assert_eq(stat("a", &old), 0);
	cr_expect_eq(atomic_name_commit(&name, SYS_RENAME_EXCHANGE), 0);
	cr_assert_eq(stat(name.temporary, &st), 0);
	cr_expect_eq(st.st_ino, old.st_ino);
	atomic_name_discard(&name);
	cr_expect_neq(access(name.temporary, F_OK), 0);
	atomic_name_remove(&name);
}

Test(name, close_leaves_what_others_have_put_there)
{
	struct atomic_name name = filled();

	cr_assert_eq(atomic_name_commit(&name, 0), 0);
	make(AT_FDCWD, "b");
	cr_assert_eq(rename("b", "a"), 0);
	atomic_name_remove(&name);
	cr_expect_eq(access("a", F_OK), 0);
}

/* A symbolic link that leads to the file is not removed. */
Test(name, close_does_not_follow_links)
{
	struct atomic_name name = filled();

	cr_assert_eq(atomic_name_commit(&name, 0), 0);
	cr_assert_eq(rename("a", "b"), 0);
	cr_assert_eq(symlink("b", "a"), 0);
	atomic_name_remove(&name);
	cr_expect_eq(access("a", F_OK), 0);
}

Test(name, close_after_everything_is_gone)
{
	struct atomic_name name = filled();

	cr_assert_eq(atomic_name_commit(&name, 0), 0);
	unlink("a");
	atomic_name_remove(&name);
	cr_expect_eq(name.directory, -1);
}
