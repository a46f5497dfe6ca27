/* SPDX-License-Identifier: MIT */
/*
 * Activation by a service manager: the manager starts spawnfd, and means its
 * variables for COMMAND. spawnfd changes LISTEN_PID, WATCHDOG_PID and
 * LISTEN_PIDFDID if they name spawnfd, and changes no other variable. See
 * sd_listen_fds(3) and sd_watchdog_enabled(3).
 */
#include "harness.h"
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PEER 7		/* the descriptor for --pass */

/* Formats of variables, for the pid of spawnfd. */
struct variables {
	const char *formats[8];
	int peer;		/* becomes PEER; 0: none */
};

static char *print_pid(const char *format, pid_t pid)
{
	char *text = NULL;

	/* All formats stand in this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (asprintf(&text, format, pid) < 0)
		_exit(96);
#pragma GCC diagnostic pop
	return text;
}

static void set_variables(const void *arg)
{
	const struct variables *variables = arg;

	clearenv();
	for (int i = 0; variables->formats[i]; i++)
		putenv(print_pid(variables->formats[i], getpid()));
	if (variables->peer)
		inherit_as(variables->peer, PEER);
}

/* Expects what "actor environment" prints; %d is the pid in its first line. */
static void expect_variables(const struct ended *e, const char *const *wanted)
{
	char text[1024];
	size_t n;
	pid_t pid = atoi(e->out);

	cr_assert_gt(pid, 0, "%s: %s", e->words, e->err);
	n = strcspn(e->out, "\n") + 1;
	for (text[0] = '\0'; *wanted; wanted++) {
		char *line = print_pid(*wanted, pid);

		strcat(strcat(text, line), "\n");
		free(line);
	}
	cr_expect_str_eq(e->out + n, text, "%s: wanted \"%s\"; saw \"%s\"",
			 e->words, text, e->out + n);
}

/* A variable before and after; if `after` is NULL, the variable stays. */
static const struct {
	const char *before, *after;
} cases[] = {
	{ "LISTEN_PID=%d", "LISTEN_PID=%d" },
	{ "WATCHDOG_PID=%d", "WATCHDOG_PID=%d" },
	{ "LISTEN_PID=1", NULL },
	{ "WATCHDOG_PID=1", NULL },
	{ "LISTEN_PID=", NULL },
	{ "LISTEN_PID=none", NULL },
	{ "LISTEN_PID=-1", NULL },
	{ "LISTEN_PID=99999999999999999999", NULL },
	{ "LISTEN_PID=4294967297", NULL },
	{ "LISTEN_FDS=1", NULL },
	{ "WATCHDOG_USEC=1000000", NULL },
	{ "NOTIFY_SOCKET=/run/notify", NULL },
};

/* The value is not just the pid of spawnfd, or the variable is another one. */
static const char *const others[] = {
	"LISTEN_PID=1%d", "LISTEN_PID=%d1", "WATCHDOG_PID=%d0",
	"LISTEN_PID=%dx", "LISTEN_PID=+%d", "OTHER_PID=%d", "XLISTEN_PID=%d",
	"LISTEN_PID2=%d", "listen_pid=%d", "MAINPID=%d",
};

static void run_with(struct ended *e, const char *with, const char *format)
{
	struct variables variables = { { "A=1", format, "B=2" } };
	const struct way way = { .prepare = set_variables, .arg = &variables };

	run(e, &way, ARGV(spawnfd, with, actor, "environment"));
	expect_exit(e, 0);
}

EVERY_WAY(what_names_spawnfd_names_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *after = cases[i].after;
		struct ended e;

		run_with(&e, with, cases[i].before);
		expect_variables(&e, ARGV("A=1", after ? after :
					  cases[i].before, "B=2"));
	}
}

/* SELF gives the test the pid of spawnfd, which the expected line contains. */
EVERY_WAY(what_only_looks_like_it_stays)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct variables variables = { { "SELF=%d", others[i] } };
		const struct way way = { .prepare = set_variables,
					 .arg = &variables };
		char *line, *self, *rest;
		struct ended e;

		run(&e, &way, ARGV(spawnfd, with, actor, "environment"));
		expect_exit(&e, 0);
		self = strstr(e.out, "SELF=");
		cr_assert_not_null(self);
		rest = strchr(self, '\n') + 1;
		rest[strcspn(rest, "\n")] = '\0';
		line = print_pid(others[i], atoi(self + strlen("SELF=")));
		cr_expect_str_eq(rest, line, "wanted %s; saw %s", line, rest);
		free(line);
	}
}

#define ALL_BEFORE { "Z=1", "LISTEN_PID=%d", "LISTEN_FDS=2", "=nameless", \
		     "WATCHDOG_PID=%d", "A=two\nlines", "LISTEN_FDNAMES=a:b" }
#define ALL_AFTER ARGV("Z=1", "LISTEN_PID=%d", "LISTEN_FDS=2", "=nameless", \
		       "WATCHDOG_PID=%d", "A=two\nlines", "LISTEN_FDNAMES=a:b")

/* Expects that both pids change and that all variables keep their order. */
static void with_option(const char *with, const char *option)
{
	struct variables variables = { ALL_BEFORE };
	const struct way way = { .prepare = set_variables, .arg = &variables };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, option, with, actor, "environment"));
	expect_exit(&e, 0);
	expect_variables(&e, ALL_AFTER);
	reap_orphans();
}

EVERY_WAY(the_rest_of_the_environment_stays)
{
	with_option(with, "-v");
	with_option(with, "--new-session");
}

SystemTest(flags, the_environment_of_a_detached_command)
{
	with_option("--", "--detach");
	with_option("--autoreap", "--detach");
	with_option("--new-session", "--detach");
}

SystemTest(plain, the_environment_without_a_pidfd)
{
	with_option("--", "--exact");
	with_option("--", "--pidfd");
}

EVERY_WAY_WITH(the_environment_of_a_passed_command, PASSES_AUTOKILL)
{
	struct variables variables = { ALL_BEFORE };
	const struct way way = { .prepare = set_variables, .arg = &variables };
	struct ended e;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
		     0);
	variables.peer = pair[1];
	run(&e, &way, ARGV(spawnfd, "--pass=fd:7", with, actor,
			   "environment"));
	expect_exit(&e, 0);
	expect_variables(&e, ALL_AFTER);
	close(pair[0]);
	close(pair[1]);
	reap_orphans();
}

/* ---- numbers of other lengths ---- */

/* COMMAND has pid 1 in its own PID namespace; the pid of spawnfd is longer. */
EVERY_WAY_WITH(a_shorter_number, KNOWS_PIDS)
{
	struct variables variables = { ALL_BEFORE };
	const struct way way = { .prepare = set_variables, .arg = &variables };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--raw-flags=CLONE_NEWPID", with, actor,
			   "environment"));
	expect_exit(&e, 0);
	cr_expect_eq(atoi(e.out), 1);
	expect_variables(&e, ALL_AFTER);
}

/* The shells use up the pids 2 to 8. spawnfd gets 9, and its command 10. */
#define COUNT_TO_8 "for i in 2 3 4 5 6 7 8; do (exit); done; "
#define AS_9 "LISTEN_PID=$$ WATCHDOG_PID=$$ SELF=$$ exec \"$@\""

EVERY_WAY_WITH(a_longer_number, KNOWS_PIDS)
{
	struct variables none = { { NULL } };
	const struct way way = { .prepare = set_variables, .arg = &none };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--raw-flags=CLONE_NEWPID", "--",
			   "/bin/sh", "-c", COUNT_TO_8 "/bin/sh -c '" AS_9
			   "' sh \"$@\"; exit", "sh", spawnfd, with, actor,
			   "environment"));
	expect_exit(&e, 0);
	cr_expect_eq(atoi(e.out), 10, "%s", e.out);
	cr_expect_not_null(strstr(e.out, "\nSELF=9\n"), "%s", e.out);
	cr_expect_not_null(strstr(e.out, "\nLISTEN_PID=10\n"), "%s", e.out);
	cr_expect_not_null(strstr(e.out, "\nWATCHDOG_PID=10\n"), "%s", e.out);
}

/* ---- LISTEN_PIDFDID, since systemd 258 ---- */

static void set_inode(const void *arg)
{
	struct stat st = { 0 };
	char text[32];

	fstat((int)syscall(SYS_pidfd_open, getpid(), 0), &st);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)st.st_ino +
		 (arg ? 1000 : 0));
	setenv("LISTEN_PIDFDID", text, 1);
	setenv("SELF", text, 1);
}

/* The inode of a pidfd of spawnfd must become that of a pidfd of COMMAND. */
static void with_inode(const char *with, bool of_another)
{
	const struct way way = { .prepare = set_inode,
				 .arg = of_another ? &way : NULL };
	unsigned long long own, self, listen;
	struct ended e;
	char *at;

	run(&e, &way, ARGV(spawnfd, with, actor, "environment"));
	expect_exit(&e, 0);
	cr_assert_eq(sscanf(e.out, "%*d %llu", &own), 1);
	at = strstr(e.out, "\nSELF=");
	cr_assert(at && sscanf(at, "\nSELF=%llu", &self) == 1);
	at = strstr(e.out, "\nLISTEN_PIDFDID=");
	cr_assert(at && sscanf(at, "\nLISTEN_PIDFDID=%llu", &listen) == 1);
	cr_expect_neq(own, self);
	cr_expect_eq(listen, of_another ? self : own, "%s", e.out);
}

EVERY_WAY(the_inode_that_names_spawnfd_names_the_command)
{
	with_inode(with, false);
	with_inode(with, true);
}

/* ---- systemd's own activator ---- */

/* Waits until systemd-socket-activate says that it listens, and connects. */
static void ask(struct running *r, const char *path)
{
	char line[256];
	int fd;

	do
		read_line(r->err, line, sizeof(line));
	while (!strstr(line, "istening on"));
	fd = try_connect(path, SOCK_STREAM);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	read_line(fd, line, sizeof(line));
	cr_expect(strncmp(line, "served by ", 10) == 0, "%s", line);
	close(fd);
}

#define ACTIVATE "/usr/bin/systemd-socket-activate"

static bool have_activate(void)
{
	if (exists(ACTIVATE))
		return true;
	not_tested("socket activation by systemd", ACTIVATE " is missing");
	return false;
}

EVERY_WAY(systemd_socket_activate)
{
	const char *path = scratch_path("socket");
	struct running r;

	if (!have_activate())
		return;
	start(&r, NULL, ARGV(ACTIVATE, "-l", path, spawnfd, with, actor,
			     "served", "accept"));
	ask(&r, path);
	expect_exits(&r, 0);
}

/* With --accept the activator starts a process for each connection. */
EVERY_WAY(systemd_socket_activate_for_each_connection)
{
	const char *path = scratch_path("socket");
	struct running r;

	if (!have_activate())
		return;
	start(&r, NULL, ARGV(ACTIVATE, "--accept", "-l", path, spawnfd, with,
			     actor, "served", "connection"));
	ask(&r, path);
	kill(r.pid, SIGTERM);
	expect_dies(&r, SIGTERM);
	reap_orphans();
}
