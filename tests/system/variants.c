/* SPDX-License-Identifier: MIT */
#include "variants.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name;
	enum variant variant;
	const char *program;
} variants[] = {
	{ "plain", PLAIN, "./spawnfd" },
	{ "san", SANITIZED, ".build/san/spawnfd" },
	{ "fallback", FALLBACK, ".build/fallback/spawnfd" },
	{ "filtered", FILTERED, ".build/filtered/spawnfd" },
	{ "tree", TREE, ".build/tree/spawnfd" },
	{ "tree-of-user", TREE_OF_USER, ".build/tree-of-user/spawnfd" },
	{ "kernel", KERNEL, "./spawnfd" },
	{ "old", OLD, "./spawnfd" },
	{ "refusals", REFUSALS, "./spawnfd" },
};

static size_t find_variant(void)
{
	const char *name = getenv("SPAWNFD_VARIANT");

	if (!name || !*name)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		if (strcmp(name, variants[i].name) == 0)
			return i;
	fprintf(stderr, "SPAWNFD_VARIANT: there is no \"%s\"\n", name);
	exit(2);
}

bool variant_is(unsigned int wanted)
{
	return variants[find_variant()].variant & wanted;
}

const char *variant_program(void)
{
	return variants[find_variant()].program;
}

static void hide(char *text, const char *member)
{
	char *at;

	while ((at = strstr(text, member)))
		memmove(at, at + strlen(member),
			strlen(at + strlen(member)) + 1);
}

void hide_left(char *text)
{
	if (!variant_is(TREE | TREE_OF_USER))
		return;
	hide(text, ",\"left\":0");
	hide(text, ",\"killed\":0");
}

/* ---- which tests a variant leaves out ---- */

/* Merges all marks of a test into one. */
static struct mark sum_up(const struct mark *marks, enum variant variant)
{
	struct mark sum = { 0 };

	for (; !marks->last; marks++) {
		if (marks->way)
			sum.way = marks->way;
		sum.also |= marks->also;
		sum.not |= marks->not;
		if (marks->not & variant)
			sum.why = marks->why;
	}
	return sum;
}

static const char need_old[] = "need a kernel without the flags "
	"(SPAWNFD_VARIANT=old)";
static const char need_new[] = "need a kernel that has the flags";
static const char as_autokill[] = "are run under --autokill too, which takes "
	"every path that their way takes";
static const char no_flag[] = "ask for no flag, so that the wrapper changes "
	"nothing";
static const char names_options[] = "name the options that they are about, "
	"and the wrapper would add one";

static const char *out_of_wrapped(const char *suite, const struct mark *mark,
				  enum variant variant)
{
	const bool tree = variant & (TREE | TREE_OF_USER);

	if (!strcmp(suite, "old"))
		return need_old;
	if (tree && mark->way && mark->way != UNDER_AUTOKILL)
		return as_autokill;
	if (!tree && (!strcmp(suite, "usage") || !strcmp(suite, "plain")))
		return no_flag;
	if (mark->also & variant)
		return NULL;
	if (mark->way == NO_WAY)
		return names_options;
	return variant == TREE_OF_USER ? "are shown by the tree of root "
		"(SPAWNFD_VARIANT=tree)" : NULL;
}

static const char *out_of_kernel(const char *suite, const struct mark *mark,
				 enum variant variant)
{
	const bool needs_flags = !strcmp(suite, "flags") ||
				 !strcmp(suite, "cgroup");

	if (mark->also & variant)
		return NULL;
	if (variant != KERNEL && needs_flags)
		return need_new;
	if (variant == KERNEL && !strcmp(suite, "old"))
		return need_old;
	if (mark->way == UNDER_AUTOREAP)
		return as_autokill;
	if (variant == OLD || needs_flags || !strcmp(suite, "old"))
		return NULL;
	return "do not depend on the version of the kernel";
}

/* Returns NULL, or why the variant leaves the test out: "because they ...". */
static const char *left_out(const char *suite, const struct mark *marks,
			    enum variant variant)
{
	const struct mark mark = sum_up(marks, variant);

	const char *why = NULL;

	if (variant & (FALLBACK | FILTERED | TREE | TREE_OF_USER))
		why = out_of_wrapped(suite, &mark, variant);
	else if (variant & (KERNEL | OLD | REFUSALS))
		why = out_of_kernel(suite, &mark, variant);
	else if (!strcmp(suite, "old"))
		why = need_old;
	else if (variant == SANITIZED && mark.way &&
		 mark.way != UNDER_AUTOKILL)
		why = as_autokill;
	return why ? why : mark.why;
}

/* ---- leaving them out ---- */

static struct {
	const char *why;
	int count;
} reasons[32];

static void count_reason(const char *why)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(reasons) - 1 && reasons[i].why &&
	       strcmp(reasons[i].why, why))
		i++;
	reasons[i].why = why;
	reasons[i].count++;
}

/* Tells whether the test is in the file of $SPAWNFD_FILE; unset: any file. */
static bool is_in_file(const struct criterion_test *test)
{
	const char *wanted = getenv("SPAWNFD_FILE");
	const char *name = strrchr(test->data->file_, '/');
	size_t length = wanted ? strlen(wanted) : 0;

	name = name ? name + 1 : test->data->file_;
	return !length || (strncmp(name, wanted, length) == 0 &&
			   strcmp(name + length, ".c") == 0);
}

/* Tells whether this run has the test. Counts the reason of the variant. */
static bool is_wanted(const struct criterion_test *test, enum variant variant)
{
	const char *why;

	/* Criterion has already disabled the tests that --filter leaves out. */
	if (test->data->disabled || !is_in_file(test))
		return false;
	why = left_out(test->category, test->data->data, variant);
	if (why)
		count_reason(why);
	return !why;
}

/* Fails the run if it has no test: that must not look like a success. */
static void expect_some(int tests)
{
	if (tests)
		return;
	fprintf(stderr, "no test has that name, or is in that file, or is for "
		"this variant\n");
	exit(1);
}

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
	const size_t variant = find_variant();
	struct utsname system;
	int tests = 0;

	uname(&system);
	FOREACH_SET(struct criterion_suite_set *suite, set->suites) {
		FOREACH_SET(struct criterion_test *test, suite->tests) {
			test->data->disabled =
				!is_wanted(test, variants[variant].variant);
			tests += !test->data->disabled;
		}
	}
	printf("Linux %s, variant %s: %d tests\n", system.release,
	       variants[variant].name, tests);
	for (size_t i = 0; reasons[i].why; i++)
		printf("left out: %d: because they %s\n",
		       reasons[i].count, reasons[i].why);
	fflush(stdout);
	expect_some(tests);
}
