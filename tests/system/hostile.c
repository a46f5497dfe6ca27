/* SPDX-License-Identifier: MIT */
/*
 * Surroundings that somebody has made to mislead spawnfd: a path that leads to
 * something else at every moment, and a strange environment.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

/* A test goes on until it has seen both outcomes, but not beyond MOST_RUNS. */
#define RUNS 60
#define MOST_RUNS 6000

/* ---- a path that is exchanged ---- */

/* Makes the name stand for each of the files in turn; NULL is no file. */
static _Noreturn void exchange(const char *name, const char *const files[],
			       size_t count)
{
	char other[600];

	snprintf(other, sizeof(other), "%s.new", name);
	for (size_t i = 0;; i = (i + 1) % count)
		if (!files[i])
			unlink(name);
		else if (!link(files[i], other))
			rename(other, name);
}

/* Starts that in a child. */
static pid_t start_exchange(const char *name, const char *const files[],
			    size_t count)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0)
		exchange(name, files, count);
	return pid;
}

static void end_exchange(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	unlink(at_home("at"));
	unlink(at_home("at.new"));
}

/* Makes a listener of another user: that of listen(2) counts (unix(7)). */
static int listen_as_nobody(const char *path)
{
	int fd;

	cr_assert_eq(seteuid(NOBODY), 0);
	fd = listen_at(path, SOCK_STREAM);
	cr_assert_eq(seteuid(0), 0);
	return fd;
}

/* Accepts a connection if there is one; -1 if there is none. */
static int accept_pending(int listener)
{
	struct pollfd row = { listener, POLLIN, 0 };

	return poll(&row, 1, 0) > 0 ? accept_one(listener) : -1;
}

/* Counts the messages that have come to a listener. */
static int count_messages(int listener)
{
	struct message m;
	int peer, count = 0;

	while ((peer = accept_pending(listener)) >= 0) {
		take_message(peer, &m, CONTROL_SIZE);
		count += m.length > 0;
		if (m.pidfd >= 0)
			close(m.pidfd);
		close(peer);
	}
	return count;
}

/* Writes a path of that file to text which does not fit into sun_path. */
static void lengthen(char *text, size_t size, const char *name)
{
	size_t n = (size_t)snprintf(text, size, "%s", home());

	while (n < sizeof((struct sockaddr_un){ 0 }.sun_path))
		n += (size_t)snprintf(text + n, size - n, "/.");
	snprintf(text + n, size - n, "/%s", name);
}

/*
 * Passes to the path again and again. Only our listener may get a message, and
 * one for each pass that succeeds. Each run empties both backlogs.
 */
static void pass_often(const char *path, int ours, int theirs)
{
	struct ended e;
	int passed = 0, i;

	for (i = 0; i < often(RUNS) || passed == 0 || passed == i; i++) {
		cr_assert_lt(i, MOST_RUNS, "%d passed", passed);
		run(&e, NULL, ARGV(spawnfd, PASS(path), "--autokill", actor,
				   "say", "ran"));
		if (e.status == 0)
			passed++;
		else
			expect_fine(not_refused(&e, 125));
		cr_expect_eq(count_messages(ours), e.status == 0);
		cr_expect_eq(count_messages(theirs), 0);
	}
}

/* Nobody gets a pidfd but the listener that may. */
SystemTest(flags, pass_to_a_path_that_is_exchanged)
{
	char mine[512], foreign[512], file[512], link_to[512], path[600];
	const char *const files[] = { mine, foreign, file, NULL, link_to };
	int ours, theirs;
	pid_t exchanger;

	snprintf(mine, sizeof(mine), "%s", at_home("mine"));
	snprintf(foreign, sizeof(foreign), "%s", at_home("foreign"));
	snprintf(file, sizeof(file), "%s", at_home("file"));
	snprintf(link_to, sizeof(link_to), "%s", at_home("link"));
	cr_assert_eq(chmod(home(), 0777), 0);
	ours = listen_at(mine, SOCK_STREAM);
	theirs = listen_as_nobody(foreign);
	write_file(file, "content", 0644);
	cr_assert_eq(symlink("foreign", link_to), 0);
	exchanger = start_exchange(at_home("at"), files, ARRAY_SIZE(files));
	pass_often(at_home("at"), ours, theirs);
	lengthen(path, sizeof(path), "at");
	pass_often(path, ours, theirs);
	end_exchange(exchanger);
	close(ours);
	close(theirs);
}

/* Expects that the file is still there, under this one name. */
static void expect_untouched(const char *path)
{
	struct stat st;

	cr_expect_eq(lstat(path, &st), 0, "%s is gone", path);
	cr_expect_eq(st.st_nlink, 1, "%s has %d names", path,
		     (int)st.st_nlink);
}

/* spawnfd takes the place of nothing but a dead socket, and leaves nothing. */
SystemTest(plain, receive_at_a_path_that_is_exchanged)
{
	char live[512], dead[512], file[512], link_to[512];
	const char *const files[] = { dead, live, dead, file, NULL, link_to };
	int listener, listened = 0;
	pid_t exchanger;
	struct ended e;

	snprintf(live, sizeof(live), "%s", at_home("live"));
	snprintf(dead, sizeof(dead), "%s", at_home("dead"));
	snprintf(file, sizeof(file), "%s", at_home("file"));
	snprintf(link_to, sizeof(link_to), "%s", at_home("link"));
	listener = listen_at(live, SOCK_STREAM);
	close(bind_to(dead, SOCK_STREAM));
	write_file(file, "content", 0644);
	cr_assert_eq(symlink("live", link_to), 0);
	exchanger = start_exchange(at_home("at"), files, ARRAY_SIZE(files));
	for (int i = 0; i < often(RUNS) || !listened; i++) {
		cr_assert_lt(i, MOST_RUNS);
		run(&e, NULL, ARGV(spawnfd, RECEIVE(at_home("at")),
				   "--wait=0.001"));
		expect_one_line(&e, "receive: ");
		listened += strstr(e.err, "--wait") != NULL;
	}
	end_exchange(exchanger);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i])
			expect_untouched(files[i]);
	expect_home(4);
	close(listener);
}

/* ---- the environment ---- */

static const char *const environments[][12] = {
	{ NULL },
	{ "", "=", "=x", "NAME", "PATH", "PATHS=1", "A=1", "A=2", "B=\n" },
	{ "PATH=", "LISTEN_PID=junk", "LISTEN_FDS=99999999", "LISTEN_PID=",
	  "LISTEN_PID=0", "LISTEN_PIDFDID=junk", "MAINPID=-1" },
	{ "PATH=/none", "PATH=/bin", "LD_BIND_NOW=1", "GCONV_PATH=/none",
	  "POSIXLY_CORRECT=1", "LC_ALL=none", "TZ=/none", "IFS=x",
	  "SPAWNFD_PIDFD=9", "SPAWNFD_PROCESS=1:1" },
};

static void set_environment(const void *arg)
{
	union { const char *const *given; char **wanted; } words = { arg };

	environ = words.wanted;
}

/* Keeps only the lines about variables. */
static void keep_variables(char *text)
{
	char *variables = strstr(text, "\nvariable ");

	cr_assert_not_null(strstr(text, "argument 0"), "%s", text);
	memmove(text, variables ? variables : "",
		variables ? strlen(variables) + 1 : 1);
}

SystemTest(flags, a_strange_environment_arrives_unchanged)
{
	static const char *const withs[] = { "--autokill", "--kill-tree",
					     "--new-session", "--fallback" };

	for (size_t i = 0; i < ARRAY_SIZE(environments); i++) {
		const struct way way = { .prepare = set_environment,
					 .arg = environments[i] };
		struct ended bare, e;

		run(&bare, &way, ARGV(actor, "show", "1"));
		keep_variables(bare.out);
		for (size_t j = 0; j < ARRAY_SIZE(withs); j++) {
			run(&e, &way, ARGV(spawnfd, withs[j], actor, "show",
					   "1"));
			expect_exit(&e, 0);
			keep_variables(e.out);
			cr_expect_str_eq(e.out, bare.out, "%s: %s", e.words,
					 e.out);
			cr_expect_str_empty(e.err, "%s: %s", e.words, e.err);
		}
	}
}

/* ---- the longest words ---- */

#define LONGEST_WORD 131072	/* execve(2): MAX_ARG_STRLEN, with the NUL */
#define WORDS 15		/* 2 MB: a quarter of ulimit -s is allowed */

static const char *const length_ways[][2] = {
	{ "--autokill", "--new-session" }, { "--autokill", "--kill-tree" },
	{ "--autokill", "--fallback" }, { "--timeout=1000", "--autoreap" },
};

/* Runs sh with the script and words; expects that it says the length. */
static void expect_length(const struct way *way, const char *script,
			  const char *word, size_t length)
{
	char expected[16];
	struct ended e;

	snprintf(expected, sizeof(expected), "%zu\n", length);
	for (size_t i = 0; i < ARRAY_SIZE(length_ways); i++) {
		run(&e, way, ARGV(spawnfd, length_ways[i][0],
				  length_ways[i][1], "/bin/sh", "-c", script,
				  word));
		expect_exit(&e, 0);
		cr_expect_str_eq(e.out, expected, "%s: %s", e.words, e.out);
	}
}

SystemTest(flags, the_longest_argument_arrives)
{
	static char word[LONGEST_WORD];

	memset(word, 'x', sizeof(word) - 1);
	expect_length(NULL, "echo ${#0}", word, sizeof(word) - 1);
}

SystemTest(flags, the_longest_environment_arrives)
{
	static char variables[WORDS][LONGEST_WORD];
	static const char *all[WORDS + 1];
	const struct way way = { .prepare = set_environment, .arg = all };

	for (size_t i = 0; i < WORDS; i++) {
		memset(variables[i], 'x', LONGEST_WORD - 1);
		memcpy(variables[i], (char[]){ (char)('A' + (char)i), '=' }, 2);
		all[i] = variables[i];
	}
	expect_length(&way, "echo ${#O}", "sh", LONGEST_WORD - 3);
}

/* COMMAND is in the last directory, behind one that is no possible path. */
SystemTest(flags, the_longest_path_is_searched_to_its_end)
{
	static char path[LONGEST_WORD] = "PATH=/none:";
	static const char *const all[] = { path, NULL };
	const struct way way = { .prepare = set_environment, .arg = all };
	const size_t start = strlen(path), end = LONGEST_WORD - 6;
	struct ended e;

	memset(path + start, 'x', end - start);
	strcpy(path + end, ":/bin");
	for (size_t i = 0; i < ARRAY_SIZE(length_ways); i++) {
		run(&e, &way, ARGV(spawnfd, length_ways[i][0],
				   length_ways[i][1], "sh", "-c", "exit 42"));
		expect_exit(&e, 42);
		run(&e, &way, ARGV(spawnfd, length_ways[i][0],
				   length_ways[i][1], "no-such-command"));
		expect_refusal(&e, 127);
	}
}
