/* SPDX-License-Identifier: MIT */
/*
 * COMMAND sees the surroundings that spawnfd saw: the tests compare "actor
 * show" under spawnfd with "actor show" on its own. Other tests show that
 * spawnfd closes the descriptors it inherited, so that only COMMAND has them.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define REPORT 9	/* the descriptor that the actor reports to */

/* The surroundings that a child sets up before it executes spawnfd or actor. */
struct scene {
	int report;		/* becomes REPORT */
	unsigned int closed;	/* bit N: standard descriptor N */
	unsigned int ignored;	/* bit N: subjects[N] */
	unsigned int blocked;	/* bit N: subjects[N] */
	bool strange;		/* limits, umask, priorities */
};

static const int subjects[] = { SIGCHLD, SIGPIPE, SIGHUP };

static void make_strange(void)
{
	static char nameless[] = "=no name";
	const struct rlimit files = { 77, 99 }, stack = { 4 << 20, 5 << 20 };

	umask(0137);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_STACK, &stack);
	setpriority(PRIO_PROCESS, 0, 7);
	prctl(PR_SET_TIMERSLACK, 123456);
	setenv("STRANGE", "two\nlines", 1);
	putenv(nameless);
	if (open("/dev/zero", O_RDWR | O_APPEND | O_NONBLOCK) < 0)
		_exit(96);
	dup2(open("/proc/self/exe", O_RDONLY), 70);
	lseek(70, 17, SEEK_SET);
}

static void set_scene(const void *arg)
{
	const struct scene *scene = arg;
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (scene->ignored & (1U << i))
			signal(subjects[i], SIG_IGN);
		if (scene->blocked & (1U << i))
			sigaddset(&blocked, subjects[i]);
	}
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	inherit_as(scene->report, REPORT);
	if (scene->strange)
		make_strange();
	for (int fd = 0; fd < 3; fd++)
		if (scene->closed & (1U << fd))
			close(fd);
}

/* Reads a report from the file that actor wrote it to, and empties the file. */
static void take_report(int file, char *text, size_t size)
{
	ssize_t n = pread(file, text, size - 1, 0);

	cr_assert_gt(n, 0, "the command reported nothing");
	text[n] = '\0';
	cr_assert_eq(ftruncate(file, 0), 0);
	cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
}

/* Removes the numbers of pipes: each run has its own pipes as 0, 1 and 2. */
static void hide_differences(char *report)
{
	for (char *at = report; (at = strstr(at, "pipe:[")); at++) {
		char *number = at + strlen("pipe:[");
		char *end = strchr(number, ']');

		memmove(number, end, strlen(end) + 1);
	}
}

/*
 * Removes the numbers of the process group and session. They began outside the
 * PID namespace of --kill-tree, and so have no number in it.
 */
static void forget_numbers(char *report)
{
	static const char *const lines[][2] = {
		{ "NSpgid:", "Threads:" },
		{ "session ", ", terminal's" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char *numbers = strstr(report, lines[i][0]);
		char *rest = strstr(report, lines[i][1]);

		cr_assert(numbers && rest > numbers);
		memmove(numbers, rest, strlen(rest) + 1);
	}
}

/* Removes no_new_privs, which --autokill sets on purpose. */
static void forget_nnp(char *report)
{
	char *line = strstr(report, "NoNewPrivs:\t");

	cr_assert_not_null(line);
	line[strlen("NoNewPrivs:\t")] = '?';
}

/* Returns the offset of the first line that differs. */
static size_t first_difference(const char *a, const char *b)
{
	size_t line = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	return line;
}

static void expect_same(const char *with, struct scene *scene, uid_t uid)
{
	static char bare[65536], wrapped[65536];
	const struct way way = { .uid = uid, .prepare = set_scene,
				 .arg = scene };
	struct ended e;
	size_t differ;

	scene->report = open(scratch(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	cr_assert_geq(scene->report, 0, "%s", strerror(errno));
	run(&e, &way, ARGV(actor, "show", "9", "", "two words"));
	expect_exit(&e, 0);
	take_report(scene->report, bare, sizeof(bare));
	run(&e, &way, ARGV(spawnfd, with, actor, "show", "9", "",
			   "two words"));
	expect_exit(&e, 0);
	take_report(scene->report, wrapped, sizeof(wrapped));
	close(scene->report);

	hide_differences(bare);
	hide_differences(wrapped);
	if (strcmp(with, "--autokill") == 0) {
		forget_nnp(bare);
		forget_nnp(wrapped);
	}
	if (kills_tree()) {
		forget_numbers(bare);
		forget_numbers(wrapped);
	}
	differ = first_difference(bare, wrapped);
	cr_expect_str_eq(wrapped, bare, "ignored %o, blocked %o, closed %o: "
			 "without spawnfd \"%.200s\", with it \"%.200s\"",
			 scene->ignored, scene->blocked, scene->closed,
			 bare + differ, wrapped + differ);
}

EVERY_WAY_WITH(same_surroundings, COMPARES_PROC_STATUS)
{
	struct scene scene = { 0 };

	expect_same(with, &scene, 0);
	expect_same(with, &scene, NOBODY);
}

SystemTest(plain, same_surroundings_when_detached)
{
	struct scene scene = { .strange = true };

	expect_same("--detach", &scene, 0);
	cr_expect_gt(wait(NULL), 0);
	expect_same("--detach", &scene, NOBODY);
	cr_expect_gt(wait(NULL), 0);
}

/* COMMAND cannot see that spawnfd writes a pid file or status lines. */
SystemTest(plain, same_surroundings_when_reported)
{
	const char *directory = scratch_path("open");
	struct scene scene = { .strange = true };
	char pid_file[512];

	cr_assert_eq(mkdir(directory, 0700), 0);
	cr_assert_eq(chmod(directory, 0777), 0);
	snprintf(pid_file, sizeof(pid_file), "--pid-file=%s/pid", directory);
	expect_same(pid_file, &scene, 0);
	expect_same(pid_file, &scene, NOBODY);
	expect_same("--status-fd=1", &scene, 0);
	expect_same("--status-fd=2", &scene, NOBODY);
}

EVERY_WAY_WITH(same_strange_surroundings, COMPARES_PROC_STATUS)
{
	struct scene scene = { .strange = true };

	expect_same(with, &scene, 0);
	expect_same(with, &scene, NOBODY);
}

EVERY_WAY_WITH(same_signals_ignored_and_blocked, PLAIN_IS_ENOUGH,
	       COMPARES_PROC_STATUS)
{
	struct scene scene = { 0 };

	for (unsigned int bits = 0; bits < 64; bits++) {
		scene.ignored = bits & 7;
		scene.blocked = bits >> 3;
		expect_same(with, &scene, 0);
	}
}

EVERY_WAY_WITH(same_closed_standard_descriptors, COMPARES_PROC_STATUS)
{
	struct scene scene = { 0 };

	for (scene.closed = 0; scene.closed < 8; scene.closed++)
		expect_same(with, &scene, 0);
}

/* If SIGCHLD is ignored, the kernel reaps children, and no status is left. */
EVERY_WAY_WITH(statuses_whatever_is_ignored_or_blocked, PLAIN_IS_ENOUGH)
{
	for (unsigned int bits = 0; bits < 64; bits++) {
		struct scene scene = { .report = 2, .ignored = bits & 7,
				       .blocked = bits >> 3 };
		const struct way way = { .prepare = set_scene, .arg = &scene };
		struct ended e;

		run(&e, &way, ARGV(spawnfd, with, actor, "exit", "42"));
		expect_exit(&e, 42);
		run(&e, &way, ARGV(spawnfd, with, actor, "die", "1"));
		expect_signal(&e, SIGHUP);
	}
}

EVERY_WAY(statuses_with_standard_descriptors_closed)
{
	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .report = 2, .closed = closed };
		const struct way way = { .prepare = set_scene, .arg = &scene };
		struct ended e;

		run(&e, &way, ARGV(spawnfd, with, actor, "exit", "42"));
		expect_exit(&e, 42);
		run(&e, &way, ARGV(spawnfd, with, "/none"));
		expect_exit(&e, 127);
		cr_expect(closed & 4 || strstr(e.err, "spawnfd: "));
		cr_expect_str_eq(e.out, "");
	}
}

/* ---- flags of shared open files ---- */

static const int shared_flags[] = { O_NONBLOCK, O_APPEND, O_NONBLOCK | O_APPEND,
				    0 };

struct shared {
	int fds[ARRAY_SIZE(shared_flags)];
};

/* Gives spawnfd the first three descriptors as 0, 1 and 2, the last as 7. */
static void share(const void *arg)
{
	const struct shared *shared = arg;

	for (int i = 0; i < 3; i++)
		inherit_as(shared->fds[i], i);
	inherit_as(shared->fds[3], 7);
}

EVERY_WAY(flags_of_shared_files_stay)
{
	struct shared shared;
	const struct way way = { .prepare = share, .arg = &shared };
	const size_t n = ARRAY_SIZE(shared_flags);
	int pairs[2][2];
	struct ended e;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				pairs[0]), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				pairs[1]), 0);
	for (size_t i = 0; i < n; i++) {
		shared.fds[i] = pairs[i / 2][i % 2];
		fcntl(shared.fds[i], F_SETFL, shared_flags[i]);
	}
	run(&e, &way, ARGV(spawnfd, with, actor, "exit", "3"));
	expect_exit(&e, 3);
	run(&e, &way, ARGV(spawnfd, with, "/none"));
	expect_exit(&e, 127);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(fcntl(shared.fds[i], F_GETFL),
			     O_RDWR | shared_flags[i], "descriptor %zu", i);
		close(shared.fds[i]);
	}
}

/* ---- spawnfd closes what it inherited ---- */

static void end(struct running *r, struct ended *e)
{
	pid_t command = command_of(r->pid);

	cr_expect_neq(command, 0, "the command has gone");
	kill(command, SIGTERM);
	finish(r, e);
	expect_signal(e, SIGTERM);
}

EVERY_WAY(end_of_file_when_the_command_closes_its_output)
{
	struct running r;
	struct ended e;
	char byte;

	start(&r, NULL, ARGV(spawnfd, with, actor, "let-go", "1"));
	await_events(r.out, POLLIN);
	cr_expect_eq(read(r.out, &byte, 1), 0);
	end(&r, &e);
}

EVERY_WAY(hangup_when_the_command_closes_its_input)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, with, actor, "let-go", "0"));
	await_events(r.in, 0);	/* poll(2) reports POLLERR unasked */
	end(&r, &e);
}

static void end_of_file_on(const char *with, int fd)
{
	struct inheritance theirs = { .as = fd };
	char number[16];
	const struct way way = { .prepare = inherit, .arg = &theirs };
	struct running r;
	struct ended e;
	int fds[2];
	char byte;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	theirs.fd = fds[1];
	snprintf(number, sizeof(number), "%d", fd);
	start(&r, &way, ARGV(spawnfd, with, actor, "let-go", number));
	close(fds[1]);
	await_events(fds[0], POLLIN);
	cr_expect_eq(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	end(&r, &e);
}

EVERY_WAY(end_of_file_on_any_descriptor)
{
	end_of_file_on(with, 7);
	end_of_file_on(with, 900);
}

/*
 * A lock of flock(2) belongs to the open file. It is free when all copies of
 * the descriptor are closed.
 */
EVERY_WAY(a_lock_is_free_when_the_command_lets_go)
{
	const char *path = scratch_path("lock");
	struct inheritance theirs = { .as = 7 };
	const struct way way = { .prepare = inherit, .arg = &theirs };
	struct running r;
	struct ended e;
	int mine;

	write_file(path, "", 0600);
	theirs.fd = open(path, O_RDWR | O_CLOEXEC);
	mine = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_eq(flock(theirs.fd, LOCK_EX), 0);
	start(&r, &way, ARGV(spawnfd, with, actor, "let-go", "7"));
	cr_expect_neq(flock(mine, LOCK_EX | LOCK_NB), 0);
	close(theirs.fd);
	cr_expect_eq(flock(mine, LOCK_EX), 0);
	close(mine);
	end(&r, &e);
}

/*
 * After "sh -c 'job & exec spawnfd ...'" the job is a child of spawnfd. spawnfd
 * did not start the job, but must reap it.
 */
EVERY_WAY(a_child_from_before_becomes_no_zombie)
{
	struct patience patience = { 0 };
	struct running r;
	int go;

	cr_assert_eq(mkfifo(scratch_path("go"), 0600), 0);
	start(&r, NULL, ARGV("/bin/sh", "-c", "cat \"$3\" & exec \"$0\" \"$1\" "
			     "\"$2\" echo", spawnfd, with, actor,
			     scratch_path("go")));
	read_pid(r.out);
	cr_expect_eq(count_children(r.pid), 2);
	go = open(scratch_path("go"), O_WRONLY | O_CLOEXEC);
	close(go);
	while (count_children(r.pid) > 1)
		cr_assert(is_patient(&patience), "a zombie stays");
	end_input(&r);
	expect_exits(&r, 0);
}
