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

TestSuite(place, .init = enter, .fini = leave);

static void make(int directory, const char *name)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
	close(fd);
}

static struct place opened(const char *path)
{
	struct place place;

	cr_assert_eq(atomic_name_open(path, &place), 0, "%s", path);
	return place;
}

/* The place of "a", with what is to go there under a temporary name */
static struct place filled(void)
{
	struct place place = opened("a");

	atomic_name_pick_temporary(&place, 0);
	make(place.directory, place.temporary);
	cr_assert_eq(atomic_name_record(&place), 0);
	return place;
}

Test(place, names_at_the_end_of_a_path)
{
	static const char *const paths[] = { "a", "./a", "d/../a", "//tmp/a",
					     "./d//a", "/a" };

	mkdir("d", 0700);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct place place = opened(paths[i]);

		cr_expect_str_eq(place.name, "a", "%s", paths[i]);
		cr_expect_gt(place.directory, 2);
		cr_expect_eq(fcntl(place.directory, F_GETFD), FD_CLOEXEC);
		close(place.directory);
	}
}

Test(place, paths_that_cannot_be_those_of_a_file)
{
	static const char *const paths[] = { "", ".", "..", "/", "d/", "d/.",
					     "d/..", "//" };
	struct place place;

	mkdir("d", 0700);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		cr_expect_eq(atomic_name_open(paths[i], &place), -EISDIR, "%s",
			     paths[i]);
	cr_expect_eq(atomic_name_open("none/a", &place), -ENOENT);
	make(AT_FDCWD, "b");
	cr_expect_eq(atomic_name_open("b/a", &place), -ENOTDIR);
}

Test(place, lengths)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct place place;

	memset(path, 'n', sizeof(path));
	path[NAME_MAX] = 0;
	close(opened(path).directory);
	path[NAME_MAX] = 'n';
	path[NAME_MAX + 1] = 0;
	cr_expect_eq(atomic_name_open(path, &place), -ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	strcpy(path + PATH_MAX - 1, "a");
	close(opened(path).directory);
	memset(path, '/', sizeof(path));
	strcpy(path + PATH_MAX, "a");
	cr_expect_eq(atomic_name_open(path, &place), -ENAMETOOLONG);
}

Test(place, temporary_names_differ)
{
	struct place one = opened("a"), two = one;

	atomic_name_pick_temporary(&one, 0);
	atomic_name_pick_temporary(&two, 1);
	cr_expect_str_neq(one.temporary, two.temporary);
	cr_expect_eq(one.temporary[0], '.', "hidden");
	cr_expect_null(strchr(one.temporary, '/'));
}

Test(place, standard_descriptors_are_not_taken)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	cr_expect_gt(opened("a").directory, 2);
}

Test(place, put_replaces_only_when_it_is_to)
{
	struct place place = filled();
	struct stat st;

	make(AT_FDCWD, "a");
	cr_expect_eq(atomic_name_commit(&place, SYS_RENAME_NOREPLACE), -EEXIST);
	cr_expect_eq(atomic_name_commit(&place, 0), 0);
	cr_assert_eq(stat("a", &st), 0);
	cr_expect_eq(st.st_ino, place.inode);
	cr_expect_neq(access(place.temporary, F_OK), 0);
	atomic_name_remove(&place);
	cr_expect_neq(access("a", F_OK), 0);
	cr_expect_eq(place.directory, -1);
	atomic_name_remove(&place);
}

Test(place, put_can_exchange)
{
	struct place place = filled();
	struct stat old, st;

	make(AT_FDCWD, "a");
	cr_assert_eq(stat("a", &old), 0);
	cr_expect_eq(atomic_name_commit(&place, SYS_RENAME_EXCHANGE), 0);
	cr_assert_eq(stat(place.temporary, &st), 0);
	cr_expect_eq(st.st_ino, old.st_ino);
	atomic_name_discard(&place);
	cr_expect_neq(access(place.temporary, F_OK), 0);
	atomic_name_remove(&place);
}

Test(place, close_leaves_what_others_have_put_there)
{
	struct place place = filled();

	cr_assert_eq(atomic_name_commit(&place, 0), 0);
	make(AT_FDCWD, "b");
	cr_assert_eq(rename("b", "a"), 0);
	atomic_name_remove(&place);
	cr_expect_eq(access("a", F_OK), 0);
}

/* A link to it is not it */
Test(place, close_does_not_follow_links)
{
	struct place place = filled();

	cr_assert_eq(atomic_name_commit(&place, 0), 0);
	cr_assert_eq(rename("a", "b"), 0);
	cr_assert_eq(symlink("b", "a"), 0);
	atomic_name_remove(&place);
	cr_expect_eq(access("a", F_OK), 0);
}

Test(place, close_after_everything_is_gone)
{
	struct place place = filled();

	cr_assert_eq(atomic_name_commit(&place, 0), 0);
	unlink("a");
	atomic_name_remove(&place);
	cr_expect_eq(place.directory, -1);
}
