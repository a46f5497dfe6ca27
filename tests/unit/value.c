/* SPDX-License-Identifier: MIT */
/* value: the arguments of options, right and wrong */
#include "value.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "sys.h"

static const struct {
	const char *text;
	int r;
	uint64_t flags;
} flags[] = {
	{ "0", 0, 0 }, { "4096", 0, 4096 }, { "0x1000", 0, 4096 },
	{ "0XfF00", 0, 0xff00 }, { "1<<36", 0, UINT64_C(1) << 36 },
	{ "1<<63", 0, UINT64_C(1) << 63 }, { "1<<0", 0, 1 },
	{ "CLONE_PIDFD", 0, 4096 },
	{ "CLONE_PIDFD|CLONE_NNP|0x4000000000000000", 0,
	  4096 | UINT64_C(1) << 35 | UINT64_C(1) << 62 },
	{ "1|2|1<<2", 0, 7 }, { "18446744073709551615", 0, UINT64_MAX },
	{ "0xffffffffffffffff", 0, UINT64_MAX },
	{ "18446744073709551616", -EINVAL, 0 },
	{ "0x10000000000000000", -EINVAL, 0 },
	{ "", -EINVAL, 0 }, { "|", -EINVAL, 0 }, { "1|", -EINVAL, 0 },
	{ "|1", -EINVAL, 0 }, { "1||2", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 }, { " 1", -EINVAL, 0 }, { "1 ", -EINVAL, 0 },
	{ "0x", -EINVAL, 0 }, { "ff", -EINVAL, 0 }, { "1<<64", -EINVAL, 0 },
	{ "1<<0x1", -EINVAL, 0 },
	{ "1<<", -EINVAL, 0 }, { "1<<-1", -EINVAL, 0 }, { "2<<1", -EINVAL, 0 },
	{ "1 << 2", -EINVAL, 0 }, { "PIDFD", -EINVAL, 0 },
	{ "clone_pidfd", -EINVAL, 0 }, { "CLONE_PIDFDX", -EINVAL, 0 },
	{ "1:", -EINVAL, 0 }, { "0xg", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
};

Test(value, flags)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint64_t value = 0;

		cr_expect_eq(value_flags(flags[i].text, &value),
			     flags[i].r, "'%s'", flags[i].text);
		cr_expect_eq(value, flags[i].flags, "'%s'", flags[i].text);
	}
}

#define SECOND UINT64_C(1000000000)

Test(value, durations)
{
	const struct {
		const char *text;
		uint64_t ns;
	} cases[] = {
		{ "0", 0 }, { "0.0s", 0 }, { "1", SECOND }, { "2s", 2 * SECOND },
		{ "1.", SECOND }, { ".5", SECOND / 2 }, { "1.5", 3 * SECOND / 2 },
		{ "20ms", SECOND / 50 }, { "0.5ms", 500000 },
		{ "1m", 60 * SECOND }, { "1.5h", 5400 * SECOND },
		{ "1d", 86400 * SECOND }, { "0.25d", 21600 * SECOND },
		{ "007", 7 * SECOND }, { "1.000000001", SECOND + 1 },
		/* A tiny duration is not rounded down to 0. */
		{ "0.0000000000000000000001", 1 }, { "0.0000001ms", 1 },
		/* A duration too long for a clock becomes UINT64_MAX. */
		{ "18446744074", UINT64_MAX }, { "999999999999d", UINT64_MAX },
		{ "99999999999999999999999999999999", UINT64_MAX },
		{ "18446744073", 18446744073 * SECOND },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ns = 7;

		cr_expect_eq(value_duration(cases[i].text, &ns), 0, "'%s'",
			     cases[i].text);
		cr_expect_eq(ns, cases[i].ns, "'%s': %llu", cases[i].text,
			     (unsigned long long)ns);
	}
}

Test(value, no_durations)
{
	const char *const texts[] = {
		"", ".", "s", "-1", "+1", " 1", "1 ", "1 s", "1S", "1sec",
		"1us", "1e3", "inf", "nan", "0x10", "1,5", "1..2", "1.2.3",
		".s", "1ms1", "1dd",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t ns = 7;

		cr_expect_eq(value_duration(texts[i], &ns), -EINVAL, "'%s'",
			     texts[i]);
		cr_expect_eq(ns, 7, "'%s'", texts[i]);
	}
}

Test(value, addresses)
{
	char longest[] = "@" "0123456789012345678901234567890123456789012345678"
			 "901234567890123456789012345678901234567890123456789"
			 "0123456";
	const struct {
		const char *text;
		int r;
		enum address_kind kind;
		int fd;
	} cases[] = {
		{ "/run/x", 0, ADDRESS_PATH, 0 }, { "x", 0, ADDRESS_PATH, 0 },
		{ "fd", 0, ADDRESS_PATH, 0 }, { "./fd:1", 0, ADDRESS_PATH, 0 },
		{ "@x", 0, ADDRESS_ABSTRACT, 0 },
		{ longest, 0, ADDRESS_ABSTRACT, 0 },
		{ "fd:0", 0, ADDRESS_FD, 0 }, { "fd:12", 0, ADDRESS_FD, 12 },
		{ "fd:2147483647", 0, ADDRESS_FD, 2147483647 },
		{ "", -EINVAL, 0, 0 }, { "@", -EINVAL, 0, 0 },
		{ "fd:", -EINVAL, 0, 0 }, { "fd:-1", -EINVAL, 0, 0 },
		{ "fd:x", -EINVAL, 0, 0 }, { "fd:1x", -EINVAL, 0, 0 },
		{ "fd:2147483648", -EINVAL, 0, 0 }, { "fd: 1", -EINVAL, 0, 0 },
	};

	cr_assert_eq(strlen(longest), 108);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union value value = { .address.text = NULL };

		cr_expect_eq(value_parse(KIND_ADDRESS, cases[i].text, &value),
			     cases[i].r, "'%s'", cases[i].text);
		if (cases[i].r) {
			cr_expect_null(value.address.text, "'%s'",
				       cases[i].text);
			continue;
		}
		cr_expect_eq(value.address.kind, cases[i].kind, "'%s'",
			     cases[i].text);
		cr_expect_eq(value.address.fd, cases[i].fd, "'%s'",
			     cases[i].text);
		cr_expect_str_eq(value.address.text, cases[i].text);
	}
}

Test(value, an_abstract_name_has_an_end)
{
	char name[110] = "@";
	union value value;

	memset(name + 1, 'x', 108);
	cr_expect_eq(value_parse(KIND_ADDRESS, name, &value), -EINVAL);
	name[108] = 0;
	cr_expect_eq(value_parse(KIND_ADDRESS, name, &value), 0);
}

Test(value, numbers)
{
	const struct {
		enum kind kind;
		const char *text;
		int r;
		uint64_t number;
	} cases[] = {
		{ KIND_FD, "0", 0, 0 }, { KIND_FD, "2147483647", 0, 2147483647 },
		{ KIND_FD, "2147483648", -EINVAL, 0 },
		{ KIND_FD, "0x3", -EINVAL, 0 }, { KIND_FD, "-1", -EINVAL, 0 },
		{ KIND_FD, "", -EINVAL, 0 },
		{ KIND_UID, "0", 0, 0 },
		{ KIND_UID, "4294967294", 0, 4294967294 },
		{ KIND_UID, "4294967295", -EINVAL, 0 },
		{ KIND_UID, "root", -EINVAL, 0 },
		{ KIND_SIGNAL, "usr1", 0, 10 }, { KIND_NO_SIGNAL, "none", 0, 0 },
		{ KIND_SIGNAL, "65", -EINVAL, 0 },
		{ KIND_SIGNAL, "none", -EINVAL, 0 },
		{ KIND_SIGNAL, "0", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union value value = { .number = 0 };

		cr_expect_eq(value_parse(cases[i].kind, cases[i].text, &value),
			     cases[i].r, "'%s'", cases[i].text);
		if (!cases[i].r)
			cr_expect_eq(value.number, cases[i].number, "'%s'",
				     cases[i].text);
	}
}

Test(value, what_can_be_probed)
{
	const struct {
		const char *text;
		uint64_t flag;
		const struct option_row *option;
	} cases[] = {
		{ "autokill", CLONE_PIDFD_AUTOKILL, NULL },
		{ "--autokill", CLONE_PIDFD_AUTOKILL, NULL },
		{ "no-new-privs", CLONE_NNP, NULL },
		{ "--no-new-privs", CLONE_NNP, NULL },
		{ "CLONE_NNP", CLONE_NNP, NULL },
		{ "CLONE_NEWPID", CLONE_NEWPID, NULL },
		{ "kill-tree", 0, &table[OPT_KILL_TREE] },
		{ "--kill-tree", 0, &table[OPT_KILL_TREE] },
	};
	const char *const texts[] = {
		"", "--", "-autokill", "---autokill", "--CLONE_NNP", "timeout",
		"--timeout", "kill-tree ", "kill", "-kill-tree", "KILL-TREE",
		"36", "1<<36", "clone_nnp",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union value value = { .number = 7 };

		cr_expect_eq(value_parse(KIND_PROBED, cases[i].text, &value), 0,
			     "'%s'", cases[i].text);
		cr_expect_eq(value.probed.flag, cases[i].flag, "'%s'",
			     cases[i].text);
		cr_expect_eq(value.probed.option, cases[i].option, "'%s'",
			     cases[i].text);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		union value value;

		cr_expect_eq(value_parse(KIND_PROBED, texts[i], &value),
			     -EINVAL, "'%s'", texts[i]);
	}
}
