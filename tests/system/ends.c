/* SPDX-License-Identifier: MIT */
/*
 * What ends a command that is held: a time limit, the parent, another process,
 * a hang-up. Each with every signal it may begin with, for a command that runs
 * and one that is stopped, started here or received.
 */
#include "cgroups.h"
#include "harness.h"
#include "pty.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#define TIMES 500
#define LONGEST_US 10000
#define AT_ONCE_MS 1000
#define WATCHED 7		/* the descriptor for --die-with-fd */
#define SOCKET 8		/* the one a command is passed over */
#define NOTHING "--status-fd=2"	/* where an option more is to say nothing */

/* Starts its arguments as a shell's child: "sh" is $0. */
#define FROM_SH "/bin/sh", "-c", "\"$@\"; :", "sh"
#define FROM_SH_WORDS 4
#define AS_PID_1 spawnfd, "--raw-flags=CLONE_NEWPID"

static void kill_and_close(struct running *r)
{
	kill(r->pid, SIGKILL);
	await_end(r);
	close_running(r);
}

/* Gone within a second, as promised; closes the pidfd. */
static void expect_gone(int command)
{
	struct pollfd p = { command, POLLIN, 0 };

	cr_assert_eq(poll(&p, 1, AT_ONCE_MS), 1, "the command lives on");
	close(command);
}

/* The pid in the first status line, which comes out of fd. */
static pid_t read_running(int fd)
{
	char line[128];
	int pid = 0;

	read_line(fd, line, sizeof(line));
	cr_assert_eq(sscanf(line, "{\"child-pid\":%d,", &pid), 1, "%s", line);
	return pid;
}

static long long now_ms(clockid_t clock)
{
	struct timespec time;

	cr_assert_eq(clock_gettime(clock, &time), 0);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* As in QEMU: how long the start of a program takes, from three of them */
static bool is_slow(void)
{
	static long long took_ms = -1;
	struct ended e;

	if (took_ms < 0) {
		took_ms = -now_ms(CLOCK_MONOTONIC);
		for (int i = 0; i < 3; i++)
			run(&e, NULL, ARGV(actor, "exit", "0"));
		took_ms += now_ms(CLOCK_MONOTONIC);
	}
	return took_ms > 100 || often(10) < 10;
}

/*
 * Seconds in which a command has come to be stopped, and sees signals; and that
 * SIGKILL waits so that they are seen. On a busy machine too.
 */
#define ENOUGH "4"
#define A_WHILE "--kill-after=2"

/*
 * A signal to spawnfd comes back out of its witness, twice: all that was there
 * before the first one has been looked at by then.
 */
static void prod(struct running *r, pid_t holder)
{
	char line[64];

	for (int i = 0; i < 2; i++) {
		kill(holder, SIGUSR1);
		read_line(r->out, line, sizeof(line));
		cr_assert_str_eq(line, "10", "%s: %s", r->words, line);
	}
}

/* What was started by a shell is this subreaper's when that is killed. */
static void kill_parent(struct running *r)
{
	pid_t pid = child_of(r->pid);
	int pidfd;

	cr_assert_neq(pid, 0, "%s: there is no spawnfd", r->words);
	pidfd = open_pidfd(pid);
	kill(r->pid, SIGKILL);
	await_end(r);
	close(r->pidfd);
	r->pid = pid;
	r->pidfd = pidfd;
}

/* ---- every end, in every manner ---- */

enum cause { TIMEOUT, PARENT, PID, FD, CAUSES };

static const char *const causes[] = { "timeout", "parent", "pid", "fd" };

static const struct manner {
	const char *first, *second;
	const char *signals;	/* seen by the command */
	bool killed;		/* and then it was SIGKILL */
} manners[] = {
	{ "-sUSR1", NOTHING, "10\n18\n", false },
	{ "-sSIGQUIT", NOTHING, "3\n18\n", false },
	{ "-sKILL", NOTHING, "", true },
	{ A_WHILE, NOTHING, "15\n18\n", true },
	{ "--kill-after=0", NOTHING, "15\n18\n", false },
	{ "-sint", "--kill-after=2000ms", "2\n18\n", true },
	{ "-s1", "--kill-after=0", "1\n18\n", false },
	{ "-s9", "--kill-after=1d", "", true },
	/* the last one: without any option */
	{ NOTHING, NOTHING, "", true },
};

#define MANNERS ARRAY_SIZE(manners)

static struct manner manner_of(enum cause cause, size_t i)
{
	struct manner manner = manners[i];

	if (cause == TIMEOUT && i == MANNERS - 1)
		manner = (struct manner){ NOTHING, NOTHING, "15\n18\n", false };
	return manner;
}

/* What there has to be for an end, and what spawnfd inherits of it. */
struct stage {
	enum cause cause;
	const char *with;
	bool stopped;
	bool received;
	struct running bystander;
	int given, ours;	/* the ends of a pipe */
	int socket;		/* for a received command */
	char option[64];
};

static void set_stage(const void *arg)
{
	const struct stage *stage = arg;

	inherit_as(stage->given, WATCHED);
	if (stage->socket >= 0)
		inherit_as(stage->socket, SOCKET);
}

static void open_stage(struct stage *stage)
{
	int fds[2];
	char *option = stage->option;
	const size_t size = sizeof(stage->option);

	start(&stage->bystander, NULL, ARGV(actor, "hang"));
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	stage->given = fds[0];
	stage->ours = fds[1];
	stage->socket = -1;
	switch (stage->cause) {
	case TIMEOUT:
		snprintf(option, size, "--timeout=" ENOUGH);
		break;
	case PARENT:
		snprintf(option, size, "--die-with-parent");
		break;
	case PID:
		snprintf(option, size, "--die-with-pid=%d",
			 stage->bystander.pid);
		break;
	default:
		snprintf(option, size, "--die-with-fd=%d", WATCHED);
	}
}

static void strike(struct stage *stage, struct running runs[], size_t n)
{
	close(stage->given);
	if (stage->cause == PID)
		kill(stage->bystander.pid, SIGKILL);
	if (stage->cause == FD)
		close(stage->ours);
	for (size_t i = 0; stage->cause == PARENT && i < n; i++)
		kill_parent(&runs[i]);
}

static void close_stage(struct stage *stage)
{
	if (stage->cause != FD)
		close(stage->ours);
	kill_and_close(&stage->bystander);
}

/* From a shell where there is to be a parent that can be killed */
static void start_as(struct stage *stage, struct running *r,
		     const char *const argv[])
{
	const struct way way = { .prepare = set_stage, .arg = stage };

	start(r, &way, argv + (stage->cause == PARENT ? 0 : FROM_SH_WORDS));
}

static void start_here(struct stage *stage, struct running *r,
		       const struct manner *m)
{
	start_as(stage, r, ARGV(FROM_SH, spawnfd, stage->option,
				m->first, m->second, NOTHING,
				stage->stopped ? "--new-session" : NOTHING,
				stage->with, actor, "witness",
				m->killed ? "0" : "18", "3",
				stage->stopped ? "stop" : "go"));
}

/* The output of the command takes the place of the receiver's. */
static void start_there(struct stage *stage, struct running *r,
			const struct manner *m)
{
	const struct way way = { .prepare = set_stage, .arg = stage };
	struct running sender;
	char line[64];
	int sockets[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				sockets), 0);
	stage->socket = sockets[0];
	start_as(stage, r, ARGV(FROM_SH, spawnfd, stage->option,
				m->first, m->second, NOTHING,
				"--receive=fd:8"));
	stage->socket = sockets[1];
	start(&sender, &way, ARGV(spawnfd, "--pass=fd:8", stage->with, actor,
				  "witness", m->killed ? "0" : "18", "3",
				  stage->stopped ? "stop" : "go"));
	close(sockets[0]);
	close(sockets[1]);
	cr_expect_eq(await_end(&sender), 0);
	close(r->out);
	r->out = sender.out;
	close(sender.in);
	close(sender.err);
	close(sender.pidfd);
	read_line(r->err, line, sizeof(line));
	cr_expect_str_eq(line, "{\"listening\":\"fd:8\"}");
	read_running(r->err);
}

static void expect_last_line(const struct ended *e, const char *line)
{
	size_t length = strlen(e->err), wanted = strlen(line);

	cr_expect(length >= wanted &&
		  strcmp(e->err + length - wanted, line) == 0,
		  "%s: wanted %s, saw %s", e->words, line, e->err);
}

/* code: of the command, if it was not killed */
static void expect_status_line(const struct ended *e, enum cause cause,
			       bool killed, int code)
{
	char line[256];

	snprintf(line, sizeof(line), "{\"exit-code\":%d%s,\"ended-by\":\"%s\"}"
		 "\n", killed ? 137 : code,
		 killed ? ",\"signal\":9,\"core-dumped\":false" : "",
		 causes[cause]);
	expect_last_line(e, line);
}

static void judge(struct running *r, enum cause cause, const struct manner *m)
{
	int code = cause == TIMEOUT ? 124 : 3;
	struct ended e;

	finish(r, &e);
	cr_expect_str_eq(e.out, m->signals, "%s: wanted \"%s\", saw \"%s\"",
			 e.words, m->signals, e.out);
	if (!m->killed)
		expect_exit(&e, code);
	else if (cause == TIMEOUT)
		expect_exit(&e, 137);
	else
		expect_signal(&e, SIGKILL);
	expect_status_line(&e, cause, m->killed, code);
}

static void start_all(struct stage *stage, struct running runs[])
{
	open_stage(stage);
	for (size_t i = 0; i < MANNERS; i++) {
		struct manner m = manner_of(stage->cause, i);
		pid_t command;

		if (stage->received)
			start_there(stage, &runs[i], &m);
		else
			start_here(stage, &runs[i], &m);
		command = read_pid(runs[i].out);
		if (stage->stopped)
			await_state(command, 'T');
	}
}

/* All causes and manners side by side, for their clocks take time */
static void end_in_every_manner(const char *with, bool stopped, bool received)
{
	struct running runs[CAUSES][MANNERS];
	struct stage stages[CAUSES];

	for (enum cause cause = 0; cause < CAUSES; cause++) {
		stages[cause] = (struct stage){ .cause = cause, .with = with,
						.stopped = stopped,
						.received = received };
		start_all(&stages[cause], runs[cause]);
	}
	for (enum cause cause = 0; cause < CAUSES; cause++)
		strike(&stages[cause], runs[cause], MANNERS);
	for (enum cause cause = 0; cause < CAUSES; cause++) {
		for (size_t i = 0; i < MANNERS; i++) {
			struct manner m = manner_of(cause, i);

			judge(&runs[cause][i], cause, &m);
		}
		close_stage(&stages[cause]);
	}
}

EVERY_WAY(every_end_in_every_manner)
{
	end_in_every_manner(with, false, false);
}

EVERY_WAY(every_end_of_a_stopped_command)
{
	end_in_every_manner(with, true, false);
}

SystemTest(flags, every_end_of_a_received_command)
{
	end_in_every_manner("--autokill", false, true);
}

SystemTest(flags, every_end_of_a_received_command_that_is_stopped)
{
	end_in_every_manner("--autokill", true, true);
}

SystemTest(flags, a_received_command_gets_signals_and_is_killed_with_spawnfd)
{
	struct stage stage = { .cause = PID, .with = "--autokill" };
	struct running r;
	pid_t command;

	open_stage(&stage);
	start_there(&stage, &r, &manners[MANNERS - 1]);
	command = open_pidfd(read_pid(r.out));
	prod(&r, r.pid);
	kill(r.pid, SIGKILL);
	await_end(&r);
	expect_gone(command);
	close_running(&r);
	close(stage.given);
	close_stage(&stage);
}

/* Stopped by the same group, spawnfd ends it when it is continued. */
EVERY_WAY(late_while_spawnfd_is_stopped_too)
{
	struct stage stage = { .cause = PID, .with = with, .stopped = true };
	struct running r;
	struct ended e;

	open_stage(&stage);
	start(&r, NULL, ARGV(spawnfd, stage.option, NOTHING, with, actor,
			     "witness", "0", "3", "stop"));
	await_state(read_pid(r.out), 'T');
	await_state(r.pid, 'T');
	strike(&stage, &r, 1);
	cr_expect_eq(poll(&(struct pollfd){ r.pidfd, POLLIN, 0 }, 1, 0), 0);
	kill(r.pid, SIGCONT);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, PID, true, 0);
	close_stage(&stage);
}

/* ---- more than one end ---- */

/* The parent is gone when TERM has been ignored: that is SIGKILL. */
EVERY_WAY(a_second_end_is_one_of_its_own)
{
	struct running r;
	struct ended e;
	char line[16];

	start(&r, NULL, ARGV(FROM_SH, spawnfd, "-t", ENOUGH,
			     "--die-with-parent", NOTHING, with, actor,
			     "witness", "0", "0"));
	read_pid(r.out);
	read_line(r.out, line, sizeof(line));
	cr_expect_str_eq(line, "15");
	read_line(r.out, line, sizeof(line));
	cr_expect_str_eq(line, "18");
	kill_parent(&r);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, "");
	expect_status_line(&e, PARENT, true, 0);
}

/* The clock of the first one runs on, and nothing is sent again. */
EVERY_WAY(a_second_end_does_not_set_the_clock_back)
{
	struct stage stage = { .cause = PID, .with = with };
	const struct way way = { .prepare = set_stage, .arg = &stage };
	struct running r;
	struct ended e;
	char line[16];

	open_stage(&stage);
	start(&r, &way, ARGV(spawnfd, stage.option, "--die-with-fd=7",
			     A_WHILE, NOTHING, with,
			     actor, "witness", "0", "0"));
	read_pid(r.out);
	strike(&stage, &r, 1);
	for (int i = 0; i < 2; i++)
		read_line(r.out, line, sizeof(line));
	close(stage.ours);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, "");
	expect_status_line(&e, PID, true, 0);
	kill_and_close(&stage.bystander);
}

/* A signal that is passed on: TERM begins the end, and another does not. */
EVERY_WAY(a_signal_that_is_passed_on_starts_the_clock)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, A_WHILE, NOTHING,
			     with, actor, "witness", "0", "0"));
	read_pid(r.out);
	read_running(r.err);
	prod(&r, r.pid);
	kill(r.pid, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, "15\n");
	expect_last_line(&e, "{\"exit-code\":137,\"signal\":9,\"core-dumped\":"
			 "false,\"ended-by\":\"signal\"}\n");

	/* In time, it was the command's own end. */
	start(&r, NULL, ARGV(spawnfd, "--kill-after=1h", "-sINT", NOTHING,
			     with, actor, "witness", "2", "9"));
	read_pid(r.out);
	read_running(r.err);
	kill(r.pid, SIGINT);
	finish(&r, &e);
	expect_exit(&e, 9);
	expect_last_line(&e, "{\"exit-code\":9}\n");
}

EVERY_WAY(the_status_line_tells_of_the_signal_and_the_core)
{
	const struct way way = { .dir = scratch(), .prepare = allow_cores };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--timeout=50ms", "-sABRT", NOTHING, with,
			   actor, "hang"));
	expect_exit(&e, 124);
	expect_last_line(&e, "{\"exit-code\":124,\"signal\":6,\"core-dumped\":"
			 "true,\"ended-by\":\"timeout\"}\n");
	run(&e, &way, ARGV(spawnfd, "--timeout=50ms", NOTHING, with, actor,
			   "hang"));
	expect_exit(&e, 124);
	expect_last_line(&e, "{\"exit-code\":124,\"signal\":15,\"core-dumped\":"
			 "false,\"ended-by\":\"timeout\"}\n");
}

/* ---- the parent ---- */

static const char *const ways[] = { "--", "--autoreap", "--autokill" };

/* Every way in turn */
SystemTest(flags, dies_with_the_shell_500_times)
{
	for (int i = 0; i < often(TIMES); i++) {
		struct running r;
		int command;

		start(&r, NULL, ARGV(FROM_SH, spawnfd, "--die-with-parent",
				     NOTHING, ways[i % 3], actor, "hang"));
		command = open_pidfd(read_running(r.err));
		/* a zombie until it is waited for, which is gone enough */
		kill(r.pid, SIGKILL);
		expect_gone(command);
		await_end(&r);
		close_running(&r);
		reap_orphans();
		nothing_left();
	}
}

EVERY_WAY(a_thread_of_the_parent_may_end)
{
	struct running r;
	pid_t pid;
	int command;
	char line[64];

	start(&r, NULL, ARGV(actor, "by-thread", spawnfd, "--die-with-parent",
			     with, actor, "witness", "0", "0"));
	pid = read_pid(r.out);
	command = open_pidfd(pid);
	cr_assert_eq(write(r.in, "x", 1), 1);
	read_line(r.out, line, sizeof(line));
	cr_assert_str_eq(line, "joined");
	prod(&r, parent_of(pid));
	kill(r.pid, SIGKILL);
	expect_gone(command);
	await_end(&r);
	close_running(&r);
	reap_orphans();
}

EVERY_WAY(pid_1_of_a_namespace_is_a_parent)
{
	struct ended e;

	run(&e, NULL, ARGV(AS_PID_1, "/bin/sh", "-c", "\"$@\"; exit $?", "sh",
			   spawnfd, "--die-with-parent", with, actor, "exit",
			   "42"));
	expect_exit(&e, 42);
	cr_expect_str_eq(e.err, "");
}

/* As pid 1, and as who was put into a namespace from outside */
EVERY_WAY(a_parent_that_cannot_be_seen_is_refused)
{
	const char *mark = scratch_path("mark");
	struct running r;
	struct ended e;
	char pid_ns[64];

	run(&e, NULL, ARGV(AS_PID_1, spawnfd, "--die-with-parent", with, actor,
			   "mark", mark));
	expect_refusal(&e, 125);
	expect_said(&e, "--die-with-parent: ");

	start(&r, NULL, ARGV(AS_PID_1, actor, "echo"));
	read_pid(r.out);
	snprintf(pid_ns, sizeof(pid_ns), "--pid=/proc/%d/ns/pid",
		 child_of(r.pid));
	run(&e, NULL, ARGV("/usr/bin/nsenter", pid_ns, spawnfd,
			   "--die-with-parent", with, actor, "mark", mark));
	expect_refusal(&e, 125);
	expect_said(&e, "--die-with-parent: ");
	cr_expect(!exists(mark));
	ping(&r);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
}

/* ---- another process ---- */

/* $$ is the script in all of these, whoever starts spawnfd. */
#define RUN "run() { \"$1\" --die-with-pid=$$ --status-fd=2 \"$2\" \"$3\" " \
	    "hang; }; "
static const char *const scripts[] = {
	RUN "run \"$@\"; :",
	RUN "(run \"$@\"; :); :",
	RUN ": | run \"$@\" | cat; :",
	RUN "all=$(run \"$@\"); :",
	RUN "run \"$@\" & wait",
	RUN "(run \"$@\" &); read -r all",
};

/*
 * All of them, shells too, have standard error: its end is that of the last.
 * Whether the command had been started is in there.
 */
static bool kill_script(const char *script, const char *with, bool patient)
{
	struct running r;
	struct ended e;
	bool ran;

	start(&r, NULL, ARGV("/bin/sh", "-c", script, "sh", spawnfd, with,
			     actor));
	if (patient)
		read_running(r.err);
	wait_at_random(r.pidfd, LONGEST_US);
	kill(r.pid, SIGKILL);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	ran = patient || strstr(e.err, "child-pid");
	cr_assert(!ran || !strstr(e.err, "\"error\""), "%s", e.err);
	reap_orphans();
	nothing_left();
	return ran;
}

SystemTest(flags, dies_with_the_script_500_times)
{
	int n = often(TIMES), ran = 0;

	for (int i = 0; i < n; i++)
		ran += kill_script(scripts[i % (int)ARRAY_SIZE(scripts)],
				   ways[i / 2 % 3], i / 6 % 2);
	cr_assert_geq(ran, n / 3, "only %d of %d commands ran", ran, n);
}

/* It kills the script, and waits until that is a zombie. */
#define GONE "(kill -9 $$; while read -r pid name state rest </proc/$$/stat " \
	     "&& [ $state != Z ]; do :; done; exec \"$1\" " \
	     "--die-with-pid=$$ \"$2\" \"$3\" mark \"$4\"); :"

EVERY_WAY(a_script_that_is_gone_before_is_noticed)
{
	const char *mark = scratch_path("mark");
	struct running r;
	struct ended e;
	int status = 0;

	start(&r, NULL, ARGV("/bin/sh", "-c", GONE, "sh", spawnfd, with, actor,
			     mark));
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_begun(&e, "spawnfd: --die-with-pid: ");
	cr_expect_gt(waitpid(-1, &status, 0), 0);
	cr_expect_eq(WEXITSTATUS(status), 125);
	cr_expect(!exists(mark));
}

static const char *die_with(pid_t pid, unsigned long long inode)
{
	static char option[64];

	if (inode)
		snprintf(option, sizeof(option), "--die-with-pid=%d:%llu", pid,
			 inode);
	else
		snprintf(option, sizeof(option), "--die-with-pid=%d", pid);
	return option;
}

static void expect_watched(pid_t pid, unsigned long long inode,
			   const struct way *way)
{
	struct ended e;

	run(&e, way, ARGV(spawnfd, die_with(pid, inode), actor, "exit", "3"));
	expect_exit(&e, 3);
	cr_expect_str_eq(e.err, "");
}

/* Also in the status line, which --status-fd=1 takes apart */
static void expect_unwatched(pid_t pid, unsigned long long inode,
			     const char *why)
{
	const char *mark = scratch_path("mark");
	const char *line = "{\"exit-code\":125,\"error\":\"usage\",";
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, die_with(pid, inode), actor, "mark", mark));
	expect_refusal(&e, 125);
	expect_said(&e, why);
	run(&e, NULL, ARGV(spawnfd, die_with(pid, inode), "--status-fd=1",
			   actor, "mark", mark));
	expect_exit(&e, 125);
	cr_expect_eq(strncmp(e.out, line, strlen(line)), 0, "%s", e.out);
	cr_expect(!exists(mark));
}

SystemTest(plain, any_process_that_lives_can_be_watched)
{
	const struct way nobody = { .uid = NOBODY };
	struct running r;

	start(&r, NULL, ARGV(actor, "hang"));
	expect_watched(getpid(), 0, NULL);
	expect_watched(1, 0, NULL);
	expect_watched(1, 0, &nobody);
	expect_watched(r.pid, 0, NULL);
	expect_watched(r.pid, inode_of(r.pid), NULL);
	expect_watched(r.pid, inode_of(r.pid), &nobody);
	expect_unwatched(r.pid, inode_of(r.pid) + 1, "has ended");
	expect_unwatched(r.pid, inode_of(getpid()), "has ended");
	kill_and_close(&r);
}

SystemTest(plain, a_process_that_has_ended_is_refused)
{
	struct running r;

	start(&r, NULL, ARGV(actor, "exit", "0"));
	await_events(r.pidfd, POLLIN);
	expect_unwatched(r.pid, 0, "has ended");
	await_end(&r);
	expect_unwatched(r.pid, 0, "no such process");
	expect_unwatched(r.pid, 5, "no such process");
	close_running(&r);
}

struct thread {
	int told[2];
	pid_t tid;
};

static void *be_thread(void *arg)
{
	struct thread *thread = arg;
	char byte;

	thread->tid = (pid_t)syscall(SYS_gettid);
	cr_assert_eq(write(thread->told[1], "x", 1), 1);
	/* until the other end is closed */
	while (read(thread->told[1], &byte, 1) > 0)
		;
	return NULL;
}

SystemTest(plain, a_thread_is_no_process)
{
	struct thread thread;
	pthread_t handle;
	char byte;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				thread.told), 0);
	cr_assert_eq(pthread_create(&handle, NULL, be_thread, &thread), 0);
	cr_assert_eq(read(thread.told[0], &byte, 1), 1);
	cr_assert_neq(thread.tid, getpid());
	expect_unwatched(thread.tid, 0, "thread");
	close(thread.told[0]);
	pthread_join(handle, NULL);
	close(thread.told[1]);
}

/* ---- a hang-up ---- */

struct ends {
	int given, ours;
};

static struct ends open_pipe(bool read_end)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	return (struct ends){ fds[!read_end], fds[read_end] };
}

static struct ends open_read_end(void)
{
	return open_pipe(true);
}

static struct ends open_write_end(void)
{
	return open_pipe(false);
}

static struct ends open_fifo(bool read_end)
{
	const char *path = scratch_path("fifo");
	int in, out;

	cr_assert_eq(mkfifo(path, 0600), 0);
	in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	out = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert(in >= 0 && out >= 0);
	unlink(path);
	return read_end ? (struct ends){ in, out } : (struct ends){ out, in };
}

static struct ends open_fifo_read_end(void)
{
	return open_fifo(true);
}

static struct ends open_fifo_write_end(void)
{
	return open_fifo(false);
}

static struct ends open_terminal(bool master)
{
	int fds[2];
	char name[64];

	fds[0] = open_pty(name, sizeof(name));
	fds[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(fds[1], 0);
	return (struct ends){ fds[!master], fds[master] };
}

static struct ends open_master(void)
{
	return open_terminal(true);
}

static struct ends open_slave(void)
{
	return open_terminal(false);
}

static struct ends open_pair(int type)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	return (struct ends){ fds[0], fds[1] };
}

static struct ends open_stream_pair(void)
{
	return open_pair(SOCK_STREAM);
}

static struct ends open_seqpacket_pair(void)
{
	return open_pair(SOCK_SEQPACKET);
}

static struct ends open_connection(const void *address, socklen_t size,
				   int domain, int type)
{
	struct sockaddr_storage bound;
	int listener = socket(domain, type | SOCK_CLOEXEC, 0);
	struct ends ends = { socket(domain, type | SOCK_CLOEXEC, 0), -1 };

	cr_assert_eq(bind(listener, address, size), 0, "%s", strerror(errno));
	cr_assert_eq(listen(listener, 1), 0);
	size = sizeof(bound);
	cr_assert_eq(getsockname(listener, (void *)&bound, &size), 0);
	cr_assert_eq(connect(ends.given, (void *)&bound, size), 0, "%s",
		     strerror(errno));
	ends.ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(ends.ours, 0);
	close(listener);
	return ends;
}

static struct ends open_path(int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ends ends;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 scratch_path("socket"));
	ends = open_connection(&address, sizeof(address), AF_UNIX, type);
	unlink(address.sun_path);
	return ends;
}

static struct ends open_stream_path(void)
{
	return open_path(SOCK_STREAM);
}

static struct ends open_seqpacket_path(void)
{
	return open_path(SOCK_SEQPACKET);
}

static struct ends open_tcp(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};

	return open_connection(&address, sizeof(address), AF_INET,
			       SOCK_STREAM);
}

enum { CLOSED = 1, HALF = 2, RESET = 4 };

static const struct kind {
	const char *name;
	struct ends (*open)(void);
	unsigned int hangups;
	bool readable;		/* by spawnfd */
	bool keeps;		/* data that come before the hang-up */
} kinds[] = {
	{ "read end", open_read_end, CLOSED, true, true },
	{ "write end", open_write_end, CLOSED, false, false },
	{ "read end of a FIFO", open_fifo_read_end, CLOSED, true, true },
	{ "write end of a FIFO", open_fifo_write_end, CLOSED, false, false },
	{ "master", open_master, CLOSED, true, false },
	{ "slave", open_slave, CLOSED, true, false },
	{ "stream pair", open_stream_pair, CLOSED | HALF, true, true },
	{ "seqpacket pair", open_seqpacket_pair, CLOSED | HALF, true, true },
	{ "stream path", open_stream_path, CLOSED | HALF, true, true },
	{ "seqpacket path", open_seqpacket_path, CLOSED | HALF, true, true },
	{ "TCP", open_tcp, CLOSED | HALF, true, true },
	{ "TCP, reset", open_tcp, RESET, true, false },
};

static void hang_up(struct ends *ends, unsigned int how)
{
	const struct linger at_once = { 1, 0 };

	if (how == HALF) {
		cr_assert_eq(shutdown(ends->ours, SHUT_WR), 0);
		return;
	}
	if (how == RESET)
		cr_assert_eq(setsockopt(ends->ours, SOL_SOCKET, SO_LINGER,
					&at_once, sizeof(at_once)), 0);
	close(ends->ours);
	ends->ours = -1;
}

static void close_ends(const struct ends *ends)
{
	close(ends->given);
	if (ends->ours >= 0)
		close(ends->ours);
}

static void give(const void *arg)
{
	const struct ends *ends = arg;

	inherit_as(ends->given, WATCHED);
}

static void expect_unread(const struct kind *kind, int fd)
{
	char data[16] = "";

	cr_expect_eq(read(fd, data, sizeof(data) - 1), 5, "%s: data are gone",
		     kind->name);
	cr_expect_str_eq(data, "data\n", "%s", kind->name);
}

static void end_by_hangup(const char *with, const struct kind *kind,
			  unsigned int how)
{
	struct ends ends = kind->open();
	const struct way way = { .prepare = give, .arg = &ends };
	struct running r;
	struct ended e;

	if (kind->readable)
		cr_assert_eq(write(ends.ours, "data\n", 5), 5);
	start(&r, &way, ARGV(spawnfd, "--die-with-fd=7", NOTHING, with, actor,
			     "witness", "0", "0"));
	read_pid(r.out);
	prod(&r, r.pid);
	hang_up(&ends, how);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, FD, true, 0);
	if (kind->keeps)
		expect_unread(kind, ends.given);
	close_ends(&ends);
}

static void refuse_hung_up(const char *with, const struct kind *kind,
			   unsigned int how)
{
	const char *mark = scratch_path("mark");
	struct ends ends = kind->open();
	const struct way way = { .prepare = give, .arg = &ends };
	struct ended e;

	if (kind->readable)
		cr_assert_eq(write(ends.ours, "data\n", 5), 5);
	hang_up(&ends, how);
	run(&e, &way, ARGV(spawnfd, "--die-with-fd=7", with, actor, "mark",
			   mark));
	expect_refusal(&e, 125);
	cr_expect_not_null(strstr(e.err, "hung up"), "%s: %s", kind->name,
			   e.err);
	cr_expect(!exists(mark), "%s", kind->name);
	if (kind->keeps)
		expect_unread(kind, ends.given);
	close_ends(&ends);
}

EVERY_WAY(dies_with_a_hangup_of_every_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned int how = CLOSED; how <= RESET; how *= 2)
			if (kinds[i].hangups & how)
				end_by_hangup(with, &kinds[i], how);
}

EVERY_WAY(a_hangup_of_every_kind_that_was_before_is_refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned int how = CLOSED; how <= RESET; how *= 2)
			if (kinds[i].hangups & how)
				refuse_hung_up(with, &kinds[i], how);
}

/* What is written while it runs is the command's, whole and in order. */
EVERY_WAY(the_command_reads_what_is_watched)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=0", NOTHING, with, actor,
			     "echo"));
	read_pid(r.out);
	for (int i = 0; i < 100; i++)
		ping(&r);
	cr_assert_eq(write(r.in, "0123456789", 10), 10);
	await_events(r.out, POLLIN);
	for (const char *c = "0123456789"; *c; c++) {
		char byte;

		cr_assert_eq(read(r.out, &byte, 1), 1);
		cr_expect_eq(byte, *c);
	}
	kill(child_of(r.pid), SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	cr_expect_null(strstr(e.err, "ended-by"), "%s", e.err);
}

/* Standard input that hangs up, of a command that does not read it */
EVERY_WAY(dies_with_its_standard_input_or_output)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=0", NOTHING, with, actor,
			     "hang"));
	read_pid(r.out);
	end_input(&r);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, FD, true, 0);

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=1", with, actor, "hang"));
	read_pid(r.out);
	close(r.out);
	r.out = r.err;
	r.err = open("/dev/null", O_RDONLY | O_CLOEXEC);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
}

EVERY_WAY(what_is_watched_is_inherited_up_to_2)
{
	struct ends ends = open_read_end();
	const struct way way = { .prepare = give, .arg = &ends };
	struct running r;
	struct ended e;

	start(&r, &way, ARGV(spawnfd, "--die-with-fd=7", with, actor, "show",
			     "1"));
	finish(&r, &e);
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, "fd 0 is "));
	cr_expect_null(strstr(e.out, "fd 7 is "), "%s", e.out);
	for (int fd = 0; fd < 3; fd++) {
		char option[] = "--die-with-fd=0", line[] = "fd 0 is pipe:";

		option[strlen(option) - 1] = (char)('0' + fd);
		line[3] = (char)('0' + fd);
		start(&r, &way, ARGV(spawnfd, option, with, actor, "show",
				     "1"));
		finish(&r, &e);
		expect_exit(&e, 0);
		cr_expect_not_null(strstr(e.out, line), "%s", e.out);
		cr_expect_not_null(strstr(e.out, "fd 7 is "));
	}
	close_ends(&ends);
}

/* ---- what cannot hang up ---- */

static struct ends open_file(const char *path, int flags)
{
	struct ends ends = { open(path, flags | O_CLOEXEC, 0600), -1 };

	cr_assert_geq(ends.given, 0, "%s: %s", path, strerror(errno));
	return ends;
}

static struct ends open_regular(void)
{
	return open_file(scratch_path("file"), O_RDWR | O_CREAT);
}

static struct ends open_null(void)
{
	return open_file("/dev/null", O_RDWR);
}

static struct ends open_directory(void)
{
	return open_file("/", O_RDONLY | O_DIRECTORY);
}

static struct ends open_fifo_as(int flags)
{
	const char *path = scratch_path("fifo");
	struct ends ends;

	cr_assert_eq(mkfifo(path, 0600), 0);
	ends = open_file(path, flags);
	unlink(path);
	return ends;
}

static struct ends open_only_path(void)
{
	return open_fifo_as(O_PATH);
}

static struct ends open_both_in_one(void)
{
	return open_fifo_as(O_RDWR);
}

static struct ends open_dgram(void)
{
	return open_pair(SOCK_DGRAM);
}

static struct ends open_listening(void)
{
	struct ends ends = { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			     -1 };
	const struct sockaddr_un unnamed = { .sun_family = AF_UNIX };

	cr_assert_eq(bind(ends.given, (const struct sockaddr *)&unnamed,
			  sizeof(unnamed.sun_family)), 0);
	cr_assert_eq(listen(ends.given, 1), 0);
	return ends;
}

static struct ends open_none(void)
{
	return (struct ends){ -1, -1 };
}

/* Descriptor 7, and its other end, if it has one, as 8 */
static void give_both(const void *arg)
{
	const struct ends *ends = arg;

	if (ends->given >= 0)
		inherit_as(ends->given, WATCHED);
	if (ends->ours >= 0)
		inherit_as(ends->ours, WATCHED + 1);
}

static const struct wrong {
	const char *name;
	struct ends (*open)(void);
	const char *why;
} wrongs[] = {
	{ "none", open_none, "not open" },
	{ "O_PATH", open_only_path, "not open" },
	{ "regular file", open_regular, "not a pipe" },
	{ "/dev/null", open_null, "not a pipe" },
	{ "directory", open_directory, "not a pipe" },
	{ "datagram socket", open_dgram, "not a pipe" },
	{ "listening socket", open_listening, "not a pipe" },
	{ "read end of its own", open_read_end, ">&-" },
	{ "write end of its own", open_write_end, ">&-" },
	{ "FIFO of its own, read end", open_fifo_read_end, ">&-" },
	{ "FIFO of its own, write end", open_fifo_write_end, ">&-" },
	{ "FIFO, open for both", open_both_in_one, "both ends" },
};

SystemTest(plain, what_cannot_hang_up_is_refused)
{
	const char *mark = scratch_path("mark");

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct ends ends = wrongs[i].open();
		const struct way way = { .prepare = give_both, .arg = &ends };
		struct ended e;

		run(&e, &way, ARGV(spawnfd, "--die-with-fd=7", actor, "mark",
				   mark));
		expect_refusal(&e, 125);
		cr_expect_not_null(strstr(e.err, wrongs[i].why), "%s: %s",
				   wrongs[i].name, e.err);
		run(&e, &way, ARGV(spawnfd, "--die-with-fd=7",
				   "--status-fd=1", actor, "mark", mark));
		cr_expect_not_null(strstr(e.out, "\"error\":\"usage\""), "%s",
				   e.out);
		cr_expect(!exists(mark), "%s", wrongs[i].name);
		close_ends(&ends);
	}
}

/* ---- the end of a connection ---- */

#define SSHD "/usr/sbin/sshd"
#define SSHD_RUN "/run/sshd"	/* it must be there */

static void make_key(const char *path)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "ssh-keygen", "-q", "-t", "ed25519",
			   "-N", "", "-f", path));
	expect_exit(&e, 0);
}

static void set_up_sshd(void)
{
	char config[4096];

	cr_assert(!mkdir(SSHD_RUN, 0755) || errno == EEXIST);
	make_key(scratch_path("host"));
	make_key(scratch_path("user"));
	snprintf(config, sizeof(config), "HostKey %s\nAuthorizedKeysFile %s\n"
		 "PidFile none\nStrictModes no\nUsePAM no\nLogLevel ERROR\n"
		 "PermitRootLogin yes\n", scratch_path("host"),
		 scratch_path("user.pub"));
	write_file(scratch_path("config"), config, 0600);
}

/* Loopback, which nobody may have switched on yet */
static int listen_on_loopback(char *port, size_t size)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, length), 0);
	cr_assert_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&name, &length);
	snprintf(port, size, "%d", ntohs(name.sin_port));
	return fd;
}

static void have_connection(const void *arg)
{
	const int *connection = arg;

	inherit_as(*connection, 0);
	inherit_as(*connection, 1);
}

static void start_ssh(struct running *ssh, const char *port, const char *with)
{
	/* its input hangs up with the connection, and so does its output */
	int fd = strcmp(with, "--autoreap") == 0;
	char command[2048];

	snprintf(command, sizeof(command), "exec '%s' --die-with-fd=%d %s sh "
		 "-c 'read -r line; echo \"$line\"; exec \"%s\" hang'",
		 spawnfd, fd, with, actor);
	start(ssh, NULL, ARGV("/usr/bin/env", "ssh", "-F", "none",
			      "-p", port, "-i", scratch_path("user"),
			      "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
			      "-o", "StrictHostKeyChecking=no",
			      "-o", "UserKnownHostsFile=/dev/null",
			      "-o", "IdentitiesOnly=yes",
			      "-o", "KexAlgorithms=curve25519-sha256",
			      "root@127.0.0.1", command));
}

static void cut_connection(const char *with)
{
	struct running ssh, sshd;
	char line[256] = "", port[8];
	int listener = listen_on_loopback(port, sizeof(port));
	int connection, command;
	const struct way way = { .prepare = have_connection,
				 .arg = &connection };

	start_ssh(&ssh, port, with);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	start(&sshd, &way, ARGV(SSHD, "-i", "-e", "-f",
				scratch_path("config")));
	close(connection);
	close(listener);
	cr_assert_eq(write(ssh.in, "hello\n", 6), 6);
	/* A handshake is slow in QEMU. */
	poll(&(struct pollfd){ ssh.out, POLLIN, 0 }, 1, 4 * PATIENCE_MS);
	/* The user's shell may have read some file and be talkative. */
	while (strcmp(line, "hello") != 0)
		read_line(ssh.out, line, sizeof(line));
	command = open_pidfd(read_pid(ssh.out));
	kill(ssh.pid, SIGKILL);
	await_end(&ssh);
	expect_gone(command);
	await_end(&sshd);
	close_running(&ssh);
	close_running(&sshd);
	reap_orphans();
	nothing_left();
}

SystemTest(flags, dies_with_the_ssh_connection)
{
	size_t first = is_slow() ? ARRAY_SIZE(ways) - 1 : 0;

	if (!exists(SSHD)) {
		not_tested("the end of an ssh connection", SSHD " is missing");
		return;
	}
	set_up_sshd();
	for (size_t i = first; i < ARRAY_SIZE(ways); i++)
		cut_connection(ways[i]);
}

/* ---- the same as timeout(1) ---- */

static const struct limit {
	const char *duration, *signal, *after;
	const char *command[4];
	int code;
} limits[] = {
	{ "0.05", NULL, NULL, { "hang" }, 124 },
	{ ".05", NULL, NULL, { "hang" }, 124 },
	{ "0.05s", NULL, NULL, { "hang" }, 124 },
	{ "00.050", NULL, NULL, { "hang" }, 124 },
	{ "0.001m", NULL, NULL, { "hang" }, 124 },
	{ "0.00002h", NULL, NULL, { "hang" }, 124 },
	{ "0.000001d", NULL, NULL, { "hang" }, 124 },
	{ "99.", NULL, NULL, { "exit", "7" }, 7 },
	{ "0.0000000001", NULL, NULL, { "hang" }, 124 },
	/* never */
	{ "0", NULL, NULL, { "exit", "3" }, 3 },
	{ "0s", NULL, NULL, { "exit", "0" }, 0 },
	{ "0.0d", NULL, NULL, { "exit", "7" }, 7 },
	{ "99999999999999999999", NULL, NULL, { "exit", "7" }, 7 },
	{ "99999999999999999999d", NULL, NULL, { "exit", "7" }, 7 },
	/* the command is first */
	{ "1m", NULL, NULL, { "exit", "0" }, 0 },
	{ "1h", "KILL", "1d", { "exit", "42" }, 42 },
	{ "1d", NULL, NULL, { "die", "15" }, 143 },
	{ "1d", NULL, NULL, { "die", "9" }, 137 },
	/* it has its own way with the signal */
	{ ENOUGH, NULL, NULL, { "witness", "15", "0" }, 124 },
	{ ENOUGH, NULL, NULL, { "witness", "15", "7" }, 124 },
	{ ENOUGH, NULL, NULL, { "witness", "18", "7" }, 124 },
	{ ENOUGH, NULL, "0", { "witness", "18", "7" }, 124 },
	{ ENOUGH, NULL, "60", { "witness", "15", "7" }, 124 },
	{ ENOUGH, "INT", NULL, { "witness", "2", "7" }, 124 },
	{ ENOUGH, "sigint", NULL, { "hang" }, 124 },
	{ ENOUGH, "1", NULL, { "hang" }, 124 },
	{ ENOUGH, NULL, ".1", { "witness", "0", "7" }, 137 },
	{ ENOUGH, "HUP", "0.1s", { "witness", "0", "7" }, 137 },
	{ ENOUGH, "KILL", NULL, { "hang" }, 137 },
	{ ENOUGH, "KILL", "9", { "witness", "0", "7" }, 137 },
	/* by itself */
	{ ENOUGH, NULL, NULL, { "witness", "15", "-9" }, 137 },
	{ ENOUGH, NULL, NULL, { "witness", "15", "-10" }, 124 },
	/* stopped */
	{ ENOUGH, NULL, NULL, { "witness", "15", "7", "stop" }, 124 },
	{ ENOUGH, NULL, ".1", { "witness", "0", "7", "stop" }, 137 },
	{ ENOUGH, "KILL", NULL, { "witness", "0", "7", "stop" }, 137 },
	/* wrong */
	{ "", NULL, NULL, { "exit", "7" }, 125 },
	{ "-1", NULL, NULL, { "exit", "7" }, 125 },
	{ "1x", NULL, NULL, { "exit", "7" }, 125 },
	{ "1 s", NULL, NULL, { "exit", "7" }, 125 },
	{ "1ss", NULL, NULL, { "exit", "7" }, 125 },
	{ "1s1", NULL, NULL, { "exit", "7" }, 125 },
	{ "1,5", NULL, NULL, { "exit", "7" }, 125 },
	{ "x", NULL, NULL, { "exit", "7" }, 125 },
	{ ".", NULL, NULL, { "exit", "7" }, 125 },
	{ "1", NULL, "x", { "exit", "7" }, 125 },
	{ "1", "NONE", NULL, { "exit", "7" }, 125 },
	{ "1", "65", NULL, { "exit", "7" }, 125 },
};

static size_t add_command(const char *argv[], size_t n, const struct limit *l)
{
	argv[n++] = actor;
	for (size_t i = 0; i < ARRAY_SIZE(l->command) && l->command[i]; i++)
		argv[n++] = l->command[i];
	argv[n] = NULL;
	return n;
}

static void start_timeout(struct running *r, const struct limit *l)
{
	const char *argv[16] = { "/usr/bin/env", "timeout" };
	size_t n = 2;

	if (l->signal) {
		argv[n++] = "-s";
		argv[n++] = l->signal;
	}
	if (l->after) {
		argv[n++] = "-k";
		argv[n++] = l->after;
	}
	argv[n++] = "--";
	argv[n++] = l->duration;
	add_command(argv, n, l);
	start(r, NULL, argv);
}

/* timeout has a process group of its own too. */
static void start_limited(struct running *r, const char *with,
			  const struct limit *l)
{
	const char *argv[16] = { spawnfd, "--new-session", "-t",
				 l->duration };
	size_t n = 4;

	if (l->signal) {
		argv[n++] = "--signal";
		argv[n++] = l->signal;
	}
	if (l->after) {
		argv[n++] = "--kill-after";
		argv[n++] = l->after;
	}
	argv[n++] = with;
	add_command(argv, n, l);
	start(r, NULL, argv);
}

/* What a shell calls $? */
static int finish_code(struct running *r, struct ended *e)
{
	end_input(r);
	finish(r, e);
	return WIFEXITED(e->status) ? WEXITSTATUS(e->status) :
				      128 + WTERMSIG(e->status);
}

static void compare(const struct limit *l, struct running *theirs,
		    struct running *ours)
{
	struct ended e;
	int code = finish_code(theirs, &e), own;

	cr_expect_eq(code, l->code, "%s: %d", e.words, code);
	own = finish_code(ours, &e);
	cr_expect_eq(own, l->code, "%s: %d, and timeout %d", e.words, own,
		     code);
}

/* As many side by side as the machine can start in time */
static void agree_with_timeout(const char *with)
{
	enum { ROWS = ARRAY_SIZE(limits) };
	const size_t most = is_slow() ? 4 : ROWS;
	struct running theirs[ROWS], ours[ROWS];

	for (size_t from = 0, to; from < ROWS; from = to) {
		to = from + most < ROWS ? from + most : ROWS;
		for (size_t i = from; i < to; i++) {
			start_timeout(&theirs[i], &limits[i]);
			start_limited(&ours[i], with, &limits[i]);
		}
		for (size_t i = from; i < to; i++)
			compare(&limits[i], &theirs[i], &ours[i]);
	}
	/* timeout leaves one to be reaped that it killed with itself */
	reap_orphans();
}

SystemTest(plain, agrees_with_timeout)
{
	agree_with_timeout("--");
}

SystemTest(flags, agrees_with_timeout_under_autokill)
{
	agree_with_timeout("--autokill");
}

/* "never" takes longer than anything that 0 could else mean. */
EVERY_WAY(zero_is_never)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "-t0", "--die-with-pid=1",
			     "--kill-after=0", with, actor, "witness", "12",
			     "5"));
	read_pid(r.out);
	prod(&r, r.pid);
	kill(r.pid, SIGTERM);
	cr_expect_eq(read_pid(r.out), SIGTERM);
	prod(&r, r.pid);
	kill(r.pid, SIGUSR2);
	finish(&r, &e);
	expect_exit(&e, 5);
}

/* The clock on the wall; back to where it would be by now in the end */
static void shift_clock(long seconds)
{
	struct timespec time;

	cr_assert_eq(clock_gettime(CLOCK_REALTIME, &time), 0);
	time.tv_sec += seconds;
	cr_assert_eq(clock_settime(CLOCK_REALTIME, &time), 0, "%s",
		     strerror(errno));
}

static void limit_while_clock_moves(long seconds)
{
	long long began = now_ms(CLOCK_MONOTONIC), took;
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--timeout=1.5", "--kill-after=0.5",
			     "--autokill", actor, "witness", "0", "0"));
	read_pid(r.out);
	shift_clock(seconds);
	finish(&r, &e);
	shift_clock(-seconds);
	took = now_ms(CLOCK_MONOTONIC) - began;
	expect_exit(&e, 137);
	cr_expect(took >= 2000 && took < 10000, "%+ld s: %lld ms", seconds,
		  took);
}

/* Nobody sets the clock of a machine that is not a test kernel of ours. */
SystemTest(flags, setting_the_clock_does_not_matter)
{
	char command_line[4096];

	read_file("/proc/cmdline", command_line, sizeof(command_line));
	if (!strstr(command_line, "output=/dev/tty")) {
		not_tested("--timeout while the clock is set",
			   "this machine's clock is not a test's to set");
		return;
	}
	/* no further: Criterion goes by this clock, for the other tests too */
	limit_while_clock_moves(40);
	limit_while_clock_moves(-40);
}

/* ---- a frozen cgroup ---- */

static void start_frozen(struct running *r, const char *group,
			 const char *option, const char *with)
{
	start(r, NULL, ARGV(spawnfd, CGROUP(group), option, "--kill-after=0.1",
			    NOTHING, with, actor, "hang"));
	await_member(group);
}

static void end_frozen(const char *group, enum cause cause, const char *with)
{
	struct stage stage = { .cause = cause, .with = with };
	struct running r;
	struct ended e;

	open_stage(&stage);
	start_frozen(&r, group, stage.option, with);
	strike(&stage, &r, 1);
	finish(&r, &e);
	if (cause == TIMEOUT)
		expect_exit(&e, 137);
	else
		expect_signal(&e, SIGKILL);
	expect_status_line(&e, cause, true, 0);
	cr_expect_str_eq(e.out, "");
	close_stage(&stage);
}

/* It is never executed, so clocks and watches begin when it is made. */
SystemTest(cgroup, ends_of_a_frozen_command)
{
	const char *group = make_frozen_group();

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		end_frozen(group, TIMEOUT, ways[i]);
		end_frozen(group, PID, ways[i]);
	}
	nothing_left();
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

/* ---- a command that may not be signalled ---- */

#define AS_NOBODY "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", \
		  "--clear-groups"

/* exec gives root all capabilities but those */
static void lose_cap_kill(const void *arg)
{
	(void)arg;
	if (prctl(PR_CAPBSET_DROP, CAP_KILL))
		_exit(96);
}

static void inherit_stage(const void *arg)
{
	set_stage(arg);
	lose_cap_kill(NULL);
}

static void end_untouchable(const char *privs, const char *after,
			    const char *signals)
{
	struct stage stage = { .cause = PID };
	const struct way way = { .prepare = lose_cap_kill };
	struct running r;
	struct ended e;

	open_stage(&stage);
	start(&r, &way, ARGV(spawnfd, "--autokill", privs, after, stage.option,
			     NOTHING, AS_NOBODY, actor, "witness", "0", "0"));
	read_pid(r.out);
	strike(&stage, &r, 1);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, signals);
	expect_status_line(&e, PID, true, 0);
	close_stage(&stage);
}

SystemTest(flags, an_autokill_command_of_another_user_is_ended_too)
{
	end_untouchable(NOTHING, NOTHING, "");
	end_untouchable("--allow-new-privs", NOTHING, "");
	/* kill(2): SIGCONT is for anybody of the session to send */
	end_untouchable("--allow-new-privs", A_WHILE,
			"18\n");
}

/* It cannot be: that is no reason to leave it, but one to say so. */
SystemTest(flags, a_command_of_another_user_is_waited_for)
{
	struct stage stage = { .cause = PID };
	const struct way way = { .prepare = lose_cap_kill };
	struct running r;
	struct ended e;
	pid_t command;

	open_stage(&stage);
	start(&r, &way, ARGV(spawnfd, "--autoreap", stage.option, NOTHING,
			     AS_NOBODY, actor, "witness", "0", "0"));
	command = read_pid(r.out);
	strike(&stage, &r, 1);
	await_said(&r, "cannot be sent SIGKILL");
	kill(command, SIGUSR1);
	read_pid(r.out);
	kill(command, SIGKILL);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_last_line(&e, "{\"exit-code\":137,\"signal\":9,"
			 "\"core-dumped\":false}\n");
	close_stage(&stage);
}

/* With the user of spawnfd it comes back into reach, for the next end. */
SystemTest(flags, a_command_that_was_of_another_user_is_ended)
{
	struct stage first = { .cause = FD }, second = { .cause = PID };
	const struct way way = { .prepare = inherit_stage, .arg = &first };
	struct running r;
	struct ended e;

	open_stage(&first);
	open_stage(&second);
	start(&r, &way, ARGV(spawnfd, "--autoreap", first.option,
			     second.option, NOTHING, actor, "away"));
	read_pid(r.out);
	strike(&first, &r, 1);
	await_said(&r, "cannot be sent SIGKILL");
	cr_assert_eq(write(r.in, "\n", 1), 1);
	read_pid(r.out);
	strike(&second, &r, 1);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, PID, true, 0);
	close_stage(&first);
	close_stage(&second);
}

/* ---- called wrongly ---- */

static void expect_usage_error(const char *first, const char *second)
{
	const char *mark = scratch_path("mark");
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, first, second, actor, "mark", mark));
	expect_refusal(&e, 125);
	cr_expect(!exists(mark), "%s %s", first, second);
}

SystemTest(plain, ends_need_a_hold)
{
	static const char *const ends[] = {
		"--timeout=9", "--die-with-parent", "--die-with-pid=1",
		"--die-with-fd=0", "--kill-after=9", "-t9",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		expect_usage_error(ends[i], "--pass=/none");
		expect_usage_error(ends[i], "--pass=fd:0");
		expect_usage_error(ends[i], "--detach");
		expect_usage_error(ends[i], "--exact");
	}
	expect_usage_error("--signal=TERM", NOTHING);
	expect_usage_error("-sTERM", "--new-session");
}

SystemTest(plain, bad_values_are_refused)
{
	static const char *const values[] = {
		"--timeout=", "--timeout=-1", "--timeout=+1", "--timeout=1e1",
		"--timeout=inf", "--timeout=nan", "--timeout=0x10",
		"--timeout= 1", "--timeout=1 ", "--timeout=.",
		"--timeout=1S", "--timeout=1min", "--timeout=s",
		"--timeout=1.1.1", "--kill-after=", "--kill-after=-0",
		"--kill-after=1e1", "--kill-after=x", "--die-with-pid=",
		"--die-with-pid=0", "--die-with-pid=-1", "--die-with-pid=+1",
		"--die-with-pid=self", "--die-with-pid=1:", "--die-with-pid=:1",
		"--die-with-pid=1:0", "--die-with-pid=1:-1",
		"--die-with-pid=1:1:1", "--die-with-pid=0x1",
		"--die-with-pid=2147483648", "--die-with-pid=4294967297",
		"--die-with-fd=", "--die-with-fd=-1", "--die-with-fd=+1",
		"--die-with-fd=x", "--die-with-fd=2147483648",
		"--die-with-fd=4294967296", "--die-with-fd=0 ",
		"--signal=", "--signal=0", "--signal=none", "--signal=65",
		"--signal=-9", "--signal=NOSUCH", "--signal=SIGSIGTERM",
		"--signal=RTMIN+31", "--signal=RTMAX-31", "--signal=15 ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		expect_usage_error("--timeout=9", values[i]);
}
