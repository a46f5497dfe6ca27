/* SPDX-License-Identifier: MIT */
/* names: signals as people type them, and as the kernel calls them */
#include "names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

static const struct {
	const char *text;
	int signal;
} cases[] = {
	{ "TERM", 15 }, { "SIGTERM", 15 }, { "term", 15 }, { "sigTerm", 15 },
	{ "15", 15 }, { "1", 1 }, { "64", 64 }, { "09", 9 }, { "IOT", SIGABRT },
	{ "SIGPOLL", SIGIO }, { "CLD", SIGCHLD }, { "RTMIN", 34 },
	{ "SIGRTMIN", 34 }, { "rtmin+3", 37 }, { "RTMIN+30", 64 },
	{ "RTMAX", 64 }, { "RTMAX-1", 63 }, { "RTMAX-30", 34 },
	{ "", -EINVAL }, { "0", -EINVAL }, { "65", -EINVAL },
	{ "-1", -EINVAL }, { "+1", -EINVAL }, { " 1", -EINVAL },
	{ "1 ", -EINVAL }, { "015", -EINVAL }, { "SIG", -EINVAL },
	{ "SIG15", -EINVAL }, { "TERMS", -EINVAL }, { "SIGSIGTERM", -EINVAL },
	{ "RTMIN+31", -EINVAL }, { "RTMIN-1", -EINVAL },
	{ "RTMAX+1", -EINVAL }, { "RTMIN+", -EINVAL }, { "RTMIN++1", -EINVAL },
	{ "RTMINX", -EINVAL }, { "RTMAX-31", -EINVAL },
};

Test(names, signals_as_typed)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(name_to_signal(cases[i].text), cases[i].signal,
			     "'%s' gives %d", cases[i].text,
			     name_to_signal(cases[i].text));
}

Test(names, every_name_is_read_back)
{
	int named = 0;

	for (int signal = 1; signal <= 64; signal++) {
		const char *name = name_signal(signal);

		if (!name)
			continue;
		named++;
		cr_expect_eq(name_to_signal(name), signal, "%s", name);
	}
	cr_expect_eq(named, 31);
}

Test(names, no_name_outside)
{
	cr_expect_null(name_signal(0));
	cr_expect_null(name_signal(-1));
	cr_expect_null(name_signal(32));
	cr_expect_null(name_signal(64));
	cr_expect_null(name_error(0));
	cr_expect_null(name_error(-1));
	cr_expect_null(name_error(100000));
}

Test(names, errors)
{
	cr_expect_str_eq(name_error(EINVAL), "EINVAL");
	cr_expect_str_eq(name_error(EPERM), "EPERM");
	cr_expect_str_eq(name_error(EAGAIN), "EAGAIN");
	cr_expect_str_eq(name_error(EOPNOTSUPP), "EOPNOTSUPP");
}
