/* SPDX-License-Identifier: MIT */
/* search: COMMAND and PATH to paths, in the order of execvp(3) */
#include "search.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static char all[4 * PATH_MAX];

static int add(const char *path, const void *context)
{
	(void)context;
	strcat(strcat(all, *all ? " " : ""), path);
	return -ENOENT;
}

/* All paths that are tried, joined by spaces */
static const char *paths(const char *command, const char *path)
{
	*all = 0;
	cr_expect_eq(search_try(command, path, add, NULL), -ENOENT);
	return all;
}

Test(search, elements_in_order)
{
	cr_expect_str_eq(paths("x", "/a:/b/c:d"), "/a/x /b/c/x d/x");
}

Test(search, empty_elements_are_the_working_directory)
{
	cr_expect_str_eq(paths("x", ""), "x");
	cr_expect_str_eq(paths("x", ":/a"), "x /a/x");
	cr_expect_str_eq(paths("x", "/a:"), "/a/x x");
	cr_expect_str_eq(paths("x", "/a::/b"), "/a/x x /b/x");
}

Test(search, no_path_at_all)
{
	cr_expect_str_eq(paths("x", NULL), "/bin/x /usr/bin/x");
}

Test(search, a_slash_stands_for_itself)
{
	cr_expect_str_eq(paths("/x", "/a"), "/x");
	cr_expect_str_eq(paths("./x", "/a"), "./x");
	cr_expect_str_eq(paths("x/", "/a"), "x/");
}

Test(search, an_empty_command_is_never_a_directory)
{
	cr_expect_str_eq(paths("", "/a:/b"), "");
	cr_expect_not(search_uses_path(""));
}

Test(search, what_is_too_long_is_left_out)
{
	char path[PATH_MAX + 8];

	memset(path, 'p', sizeof(path));
	strcpy(path + PATH_MAX - 3, ":/a");
	cr_expect_str_eq(paths("xy", path), "/a/xy");
	/* A path that is one byte shorter just fits. */
	strcpy(path + PATH_MAX - 4, ":/a");
	cr_expect_eq(strlen(paths("xy", path)),
		     PATH_MAX - 1 + strlen(" /a/xy"));
}

/* An attempt that gives answers[0] for /a/x, and answers[1] for /b/x */
static int answer(const char *path, const void *context)
{
	const int *answers = context;

	return answers[path[1] == 'b'];
}

/* The search goes on after these errors only, as in execvp(3). */
Test(search, errors_that_say_nothing_of_the_rest)
{
	static const int on[] = { ENOENT, ENOTDIR, EACCES, ESTALE, ENODEV,
				  ETIMEDOUT };
	static const int end[] = { ENOEXEC, ELOOP, ENAMETOOLONG, EPERM,
				   ETXTBSY, E2BIG, EMFILE };

	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		cr_expect_eq(search_try("x", "/a:/b", answer,
					(int[]){ -on[i], 7 }),
			     7, "%s", strerror(on[i]));
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++)
		cr_expect_eq(search_try("x", "/a:/b", answer,
					(int[]){ -end[i], 7 }),
			     -end[i], "%s", strerror(end[i]));
}

Test(search, the_first_that_works_is_taken)
{
	cr_expect_eq(search_try("x", "/a:/b", answer, (int[]){ 0, 7 }), 0);
	cr_expect_eq(search_try("x", "/a:/b", answer, (int[]){ 8, 7 }), 8);
}

Test(search, a_file_without_permission_outweighs_all_that_are_missing)
{
	cr_expect_eq(search_try("x", "/a:/b", answer,
				(int[]){ -EACCES, -ENOENT }), -EACCES);
	cr_expect_eq(search_try("x", "/a:/b", answer,
				(int[]){ -ENOENT, -EACCES }), -EACCES);
	cr_expect_eq(search_try("x", "/a:/b", answer,
				(int[]){ -ENOTDIR, -ESTALE }), -ENOENT);
	/* A COMMAND with a slash is not searched for. */
	cr_expect_eq(search_try("/b/x", "/a", answer, (int[]){ 0, -ESTALE }),
		     -ESTALE);
}

Test(search, a_name_too_long_is_not_attempted)
{
	char name[NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[NAME_MAX + 1] = 0;
	cr_expect_eq(search_try(name, "/a", answer, (int[]){ 0, 0 }),
		     -ENAMETOOLONG);
	name[NAME_MAX] = 0;
	cr_expect_eq(search_try(name, "/a", answer, (int[]){ 0, 0 }), 0);
}
