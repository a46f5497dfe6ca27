/* SPDX-License-Identifier: MIT */
/*
 * Variants: the same tests on another spawnfd, or on another kernel.
 *
 * $SPAWNFD_VARIANT names one; without it the variant is "plain". Each variant
 * leaves out the tests that it cannot run and those that show nothing new. The
 * suite of a test and EVERY_WAY decide which tests these are. A mark at the
 * test makes an exception, and says why. Each run prints how many tests it has
 * left out, and the reasons. Criterion's --filter chooses among the others:
 *
 *	SPAWNFD_VARIANT=tree tests/kernel/run .build/system --filter '*stop*'
 */
#ifndef VARIANTS_H
#define VARIANTS_H

#include <stdbool.h>

enum variant {
	/* ./spawnfd, on a kernel with the flags: all tests but suite old */
	PLAIN = 1 << 0,
	/* "san": as PLAIN, built with the sanitizers */
	SANITIZED = 1 << 1,
	/* "fallback": the wrapper adds --fallback to what asks for a flag */
	FALLBACK = 1 << 2,
	/* "filtered": as FALLBACK, and a seccomp filter answers clone3 */
	FILTERED = 1 << 3,
	/* "tree": the wrapper adds --kill-tree */
	TREE = 1 << 4,
	/* "tree-of-user": as TREE, without CAP_SYS_ADMIN */
	TREE_OF_USER = 1 << 5,
	/* "kernel": one of several kernels that have the flags */
	KERNEL = 1 << 6,
	/* "old": a kernel without the flags */
	OLD = 1 << 7,
	/* "refusals": as OLD, without the tests that a plain run shows */
	REFUSALS = 1 << 8,
};

/* The ways of EVERY_WAY. */
enum one_way { NO_WAY, WITHOUT_FLAG, UNDER_AUTOREAP, UNDER_AUTOKILL };

/* A mark says something about a test; a list of marks ends with `last`. */
struct mark {
	enum one_way way;
	unsigned int also;	/* further variants that run the test */
	unsigned int not;	/* variants that cannot run it */
	const char *why;	/* of `not`: follows "because they" */
	bool last;
};

/*
 * Marks of SystemTestWith and EVERY_WAY_WITH, which take several, with commas
 * between them:
 *
 *	EVERY_WAY_WITH(name, NOT_UNDER(TREE, "count processes"))
 */
#define NO_MARK { .last = true }
#define ALSO_UNDER(variants) { .also = (variants) }
#define NOT_UNDER(variants, because_they) \
	{ .not = (variants), .why = because_they }

/* Marks of more than one test. */
#define COMPARES_STATUS_LINES NOT_UNDER(FALLBACK | FILTERED, \
	"compare status lines to the last letter, and --fallback adds " \
	"\"emulated\"")
#define PASSES_AUTOKILL NOT_UNDER(FALLBACK | FILTERED, \
	"pass the pidfd of an autokill command on, which no fallback can")
#define LOOKS_FOR_ZOMBIES NOT_UNDER(FALLBACK | FILTERED, \
	"look for zombies, which only the kernel's autoreap never leaves")
#define COMPARES_PROC_STATUS NOT_UNDER(FILTERED, \
	"compare all of /proc/self/status, which shows a seccomp filter")
#define KNOWS_PIDS NOT_UNDER(TREE, \
	"compare pids, which are others in the PID namespace of the tree")
#define MAKES_PID_NAMESPACE NOT_UNDER(TREE, \
	"put spawnfd into a PID namespace, of which the init of the tree is " \
	"no first process")
#define MEASURES_COST NOT_UNDER(SANITIZED, \
	"measure memory, instructions and system calls, of which the " \
	"sanitizers take more")
#define REPEATS_PATHS NOT_UNDER(SANITIZED, \
	"repeat what other tests do once, which shows the sanitizers nothing " \
	"new")
#define PLAIN_IS_ENOUGH NOT_UNDER(SANITIZED | KERNEL, \
	"repeat what other tests do once, which neither the sanitizers nor " \
	"another kernel change")
#define NEEDS_STATIC_PROGRAM NOT_UNDER(SANITIZED, \
	"need a static program")

/* Returns whether the variant of this run is one of these. */
bool variant_is(unsigned int variants);

/* The program that this variant tests, unless $SPAWNFD names another. */
const char *variant_program(void);

/*
 * With the variants of --kill-tree, a status line says that COMMAND has left no
 * process, and killed none. Takes these two members out of the text, so that a
 * test can want the same line under every variant.
 */
void hide_left(char *text);

#endif
