/* SPDX-License-Identifier: MIT */
/* search: COMMAND and PATH to paths, in the order of execvp(3) */
#include "search.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* All paths, joined by spaces */
static const char *paths(const char *command, const char *path)
{
	static char all[4 * PATH_MAX];
	struct search search;
	const char *next;

	*all = 0;
	search_begin(&search, command, path);
	while ((next = search_next(&search)))
		strcat(strcat(all, *all ? " " : ""), next);
	cr_expect_null(search_next(&search), "the end is the end");
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
	/* one less fits, and leaves no byte over */
	strcpy(path + PATH_MAX - 4, ":/a");
	cr_expect_eq(strlen(paths("xy", path)),
		     PATH_MAX - 1 + strlen(" /a/xy"));
}

/* Whatever makes execvp(3) try the next element, and nothing else */
Test(search, errors_that_say_nothing_of_the_rest)
{
	static const int on[] = { ENOENT, ENOTDIR, EACCES, ESTALE, ENODEV,
				  ETIMEDOUT };
	static const int end[] = { 0, ENOEXEC, ELOOP, ENAMETOOLONG, EPERM,
				   ETXTBSY, E2BIG, EMFILE };

	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		cr_expect(search_goes_on(on[i]), "%s", strerror(on[i]));
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++)
		cr_expect_not(search_goes_on(end[i]), "%s", strerror(end[i]));
}
