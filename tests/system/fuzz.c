/* SPDX-License-Identifier: MIT */
/*
 * Bad input never crashes spawnfd: the tests make random command lines of
 * options, values, pieces of both and noise. The seed is fixed, so a failure
 * can be repeated.
 */
#include "harness.h"

#include <stdint.h>
#include <stdlib.h>

#define LINES 300
#define WORDS_MAX 9

static uint64_t state = 0x9e3779b97f4a7c15;

/* The generator is xorshift64. */
static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static size_t below(size_t n)
{
	return (size_t)(next_random() >> 16) % n;
}

/*
 * Two things are missing here. With CLONE_PARENT, COMMAND would be a child of
 * this test, and spawnfd could not end before the test had reaped it. At an
 * address where --receive can listen, spawnfd would wait for ever.
 */
static const char *const options[] = {
	"--autokill", "--autoreap", "--nnp", "--no-new-privs", "--auto",
	"--allow-new-privs", "--detach", "-d", "--exact", "--pidfd",
	"--clear-sighand", "--dry-run", "--dry-run", "-v", "--verbose", "-dv",
	"--help", "--version", "--list-options", "--", "-", "---", "--=", "",
	"--exit-signal", "--exit-signal=", "--exit-signal=TERM",
	"--exit-signal=0", "--exit-signal=RTMAX", "--exit-signal=999",
	"--raw-flags", "--raw-flags=", "--raw-flags=1<<63", "--raw-flags=|",
	"--raw-flags=CLONE_NEWUTS", "--raw-flags=CLONE_VM",
	"--raw-flags=1<<34|1<<36", "--raw-flags=0x2000000", "--cgroup",
	"--cgroup=", "--cgroup=/none", "--cgroup=/tmp", "--kill-tree",
	"--kill-tree", "--empty-mntns", "-p", "-pnone/socket",
	"--pass=none/socket", "--pass=@nobody is there",
	"--pass=fd:0", "--pass=fd:99", "--pass=fd:", "--pass=.",
	"--receive=none/socket", "--receive=fd:0", "--receive=fd:99",
	"--receive=", "--receive=.", "--exec-fd", "--exec-fd=0",
	"--exec-fd=x", "--wait", "--wait=0", "--wait=0.001",
	"--wait=x", "--peer-uid", "--peer-uid=0", "--peer-uid=-1",
	"--pid-file", "--pid-file=pid", "--pid-file=none/pid", "--pid-file=.",
	"--status-fd", "--status-fd=1", "--status-fd=2", "--status-fd=99",
	"--status-fd=x", "--p", "TERM", "1<<36", "0x", "none", "/none",
	"--timeout", "-t", "-t5", "--timeout=.001", "--timeout=x",
	"--kill-after=0", "--kill-after=.001", "--kill-after=1e3", "-s",
	"-sKILL", "-sUSR1", "--signal=0", "--die-with-parent",
	"--die-with-parent", "--die-with-pid", "--die-with-pid=1",
	"--die-with-pid=2147483647", "--die-with-pid=1:1", "--die-with-fd",
	"--die-with-fd=0", "--die-with-fd=1", "--die-with-fd=2",
	"--die-with-fd=99", "--new-session",
	"--fallback", "--fallback", "--probe", "--probe=nnp", "--probe=x",
	"--probe=kill-tree", "--json",
};

/* Makes a word of random bytes, none of which is NUL. */
static const char *noise(void)
{
	static char words[WORDS_MAX][512];
	static size_t turn;
	char *word = words[turn++ % WORDS_MAX];
	size_t length = below(4) ? below(12) : below(sizeof(words[0]));

	for (size_t i = 0; i < length; i++)
		word[i] = (char)(below(255) + 1);
	word[length] = '\0';
	if (length > 2 && below(2))
		word[0] = word[1] = '-';
	return word;
}

/* Makes an option that is cut off, perhaps with noise after it. */
static const char *broken_option(void)
{
	static char words[WORDS_MAX][1024];
	static size_t turn;
	char *word = words[turn++ % WORDS_MAX];
	const char *option = options[below(ARRAY_SIZE(options))];
	size_t length = strlen(option);

	if (strncmp(option, "--receive", 9) == 0)
		return option;
	snprintf(word, sizeof(words[0]), "%.*s%s", (int)below(length + 1),
		 option, below(2) ? noise() : "");
	return word;
}

static const char *random_word(void)
{
	switch (below(8)) {
	case 0:
		return noise();
	case 1:
		return broken_option();
	default:
		return options[below(ARRAY_SIZE(options))];
	}
}

static void random_line(const char *argv[])
{
	size_t n = 0, words = below(WORDS_MAX - 3);

	argv[n++] = spawnfd;
	for (size_t i = 0; i < words; i++)
		argv[n++] = random_word();
	if (below(4)) {
		argv[n++] = actor;
		argv[n++] = "exit";
	}
	argv[n] = NULL;
}

/* spawnfd can die of a signal with which it ended COMMAND, but of no other. */
static bool is_known(int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ||
		       WTERMSIG(status) == SIGTERM ||
		       WTERMSIG(status) == SIGUSR1;
	return code == 0 || (code >= 124 && code <= 127) ||
	       code == 128 + SIGKILL;
}

static bool has_to_say_why(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) >= 125 &&
	       WEXITSTATUS(status) <= 127;
}

static void try_lines(const struct way *way)
{
	const char *argv[WORDS_MAX + 2];
	int by_code[2] = { 0 };
	struct ended e;

	for (int i = 0; i < often(LINES); i++) {
		random_line(argv);
		run(&e, way, argv);
		cr_expect(is_known(e.status), "line %d: %s: status 0x%x, %s",
			  i, e.words, (unsigned int)e.status, e.err);
		cr_expect(!has_to_say_why(e.status) ||
				  strstr(e.err, "spawnfd: "),
			  "line %d: %s: fails without a word", i, e.words);
		by_code[e.status != 0]++;
		/* --detach, and --exact without --pidfd, leave a command. */
		reap_orphans();
	}
	/* Otherwise the words are badly chosen. */
	cr_assert_gt(by_code[0], often(LINES) / 20);
	cr_assert_gt(by_code[1], often(LINES) / 20);
}

SystemTest(plain, random_command_lines)
{
	const struct way way = { .dir = scratch() };

	try_lines(&way);
}

SystemTest(plain, random_command_lines_as_an_ordinary_user)
{
	const struct way way = { .dir = scratch(), .uid = NOBODY };

	state ^= NOBODY;
	try_lines(&way);
}
