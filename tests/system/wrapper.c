/* SPDX-License-Identifier: MIT */
/*
 * wrapper: takes the place of spawnfd in variants of the system tests. It adds
 * an option to the command line, and then executes the real spawnfd, which is
 * two folders up. So the tests show of the option what they show without it.
 * The folder of the wrapper chooses the option:
 *
 *	fallback	--fallback, where the command line asks for a flag
 *	filtered	--fallback always, and a seccomp filter answers clone3
 *			with ENOSYS, as container runtimes do
 *	tree		--kill-tree
 *	tree-of-user	--kill-tree, without CAP_SYS_ADMIN
 */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hide_clone3.h"

static int begins(const char *word, const char *with)
{
	return strncmp(word, with, strlen(with)) == 0;
}

/* Tells whether the word is an option beside which the wrapper adds none. */
static int is_alone(const char *word)
{
	return begins(word, "--exact") || begins(word, "--fallback") ||
	       begins(word, "--receive") || begins(word, "--probe") ||
	       begins(word, "--kill-tree");
}

/*
 * Tells whether the command line gets the option of the wrapper. If `wants` is
 * set, it need not ask for a flag.
 */
static int needs_option(char **argv, int wants)
{
	/* A word without a dash can be the argument of an option. */
	for (; *argv && **argv != '/' && strcmp(*argv, "--"); argv++) {
		if (is_alone(*argv))
			return 0;
		wants |= begins(*argv, "--auto") || begins(*argv, "--nnp") ||
			 begins(*argv, "--no-new") ||
			 begins(*argv, "--cgroup");
	}
	return wants;
}

static void filter_clone3(void)
{
	if (hide_clone3() &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || hide_clone3()))
		_exit(95);
}

int main(int argc, char **argv)
{
	static char path[4096];
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 16);
	int n = 0, filtered, tree;

	if (!words || length < 0)
		_exit(95);
	filtered = strstr(path, "/filtered/") != NULL;
	tree = strstr(path, "/tree") != NULL;
	if (strstr(path, "/tree-of-user/"))
		prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);
	if (filtered)
		filter_clone3();
	/* The wrapper is TREE/.build/FOLDER/spawnfd. */
	for (int up = 0; up < 3; up++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/spawnfd");
	words[n++] = argv[0];
	if (needs_option(argv + 1, filtered || tree))
		words[n++] = (char *)(tree ? "--kill-tree" : "--fallback");
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	execv(path, words);
	_exit(95);
}
