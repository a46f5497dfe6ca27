/* SPDX-License-Identifier: MIT */
/*
 * In a terminal, with bash as the shell that controls jobs: all keys work as
 * they do without spawnfd. A test plays the person: it types into the other
 * end of a pseudo-terminal and reads until what it waits for is there. The
 * terminal does not echo, so that what is read is output alone.
 */
#include "harness.h"
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>

#define LOOP "for i in 1 2 3; do \"$0\" \"$1\" \"$2\" hang; done; " \
	     "echo the loop went on"

#define CONTROL_C "\003"
#define CONTROL_BACKSLASH "\034"
#define CONTROL_D "\004"
#define CONTROL_S "\023"
#define CONTROL_Z "\032"
#define ESCAPE "\033"
#define READY "ready> "		/* the prompt */
#define STATUS "echo \"=$?\"\r"
#define BELL 64			/* the last signal to be read of all pending */

/*
 * The command line of actor: $S is spawnfd, or nothing to compare with;
 * $N is spawnfd with --new-session.
 */
#define TALLY "$A tally $E $O"

struct terminal {
	int master;
	char name[64];
	struct termios found;
	const char *with;	/* NULL: without spawnfd */
	int events, orders;	/* FIFOs of "actor tally" */
	pid_t players[2];	/* of the steps, or the spawnfd that holds it */
	int player_count;
	struct running r;	/* what was started in it */
	char text[65536];	/* all that came out of it */
	size_t used;
	size_t seen;		/* so far the test has looked */
};

/* What tally has said of itself. */
struct player {
	pid_t pid;
	pid_t holder;		/* spawnfd, or whoever its parent is */
	int has_terminal;
};

/* ---- the terminal ---- */

static void set_up(struct terminal *t, const char *with)
{
	*t = (struct terminal){ .with = with };
	t->master = open_pty(t->name, sizeof(t->name));
	cr_assert_eq(tcgetattr(t->master, &t->found), 0);
	t->found.c_lflag &= ~(tcflag_t)ECHO;
	cr_assert_eq(tcsetattr(t->master, TCSANOW, &t->found), 0);
	t->events = make_fifo("events");
	t->orders = make_fifo("orders");
}

static void tear_down(struct terminal *t)
{
	if (t->master >= 0)
		close(t->master);
	close(t->events);
	close(t->orders);
}

/* The variables of the command lines; and nothing of the tester's own bash. */
static void enter(const void *arg)
{
	const struct terminal *t = arg;
	char s[512] = "";

	if (t->with)
		snprintf(s, sizeof(s), "%s %s", spawnfd, t->with);
	setenv("S", s, 1);
	snprintf(s, sizeof(s), "%s --new-session %s", spawnfd,
		 t->with ? t->with : "");
	setenv("N", s, 1);
	setenv("A", actor, 1);
	setenv("E", scratch_path("events"), 1);
	setenv("O", scratch_path("orders"), 1);
	setenv("F", scratch_path("file"), 1);
	setenv("HOME", scratch(), 1);
	setenv("PS1", READY, 1);
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C", 1);
	setenv("HISTFILE", "", 1);
	setenv("SHELL", "/bin/sh", 1);
	unsetenv("PROMPT_COMMAND");
	unsetenv("MAIL");
	take_terminal(t->name);
}

/* Reads what has come out. False at the end, which is EIO. */
static bool look(struct terminal *t)
{
	ssize_t n;

	await_events(t->master, POLLIN);
	cr_assert_lt(t->used, sizeof(t->text) - 1, "much came out");
	n = read(t->master, t->text + t->used, sizeof(t->text) - 1 - t->used);
	t->used += n > 0 ? (size_t)n : 0;
	t->text[t->used] = '\0';
	return n > 0;
}

/* Reads until the text is there, behind all that was waited for before. */
static void await_text(struct terminal *t, const char *text)
{
	char *at;

	while (!(at = strstr(t->text + t->seen, text))) {
		struct pollfd p = { t->master, POLLIN, 0 };

		cr_assert_eq(poll(&p, 1, PATIENCE_MS), 1, "no \"%s\" in "
			     "\"%s\"", text, t->text + t->seen);
		cr_assert(look(t), "no \"%s\" but the end", text);
	}
	t->seen = (size_t)(at - t->text) + strlen(text);
}

static void type(struct terminal *t, const char *keys)
{
	cr_assert_eq(write(t->master, keys, strlen(keys)),
		     (ssize_t)strlen(keys));
}

static void prompt(struct terminal *t)
{
	await_text(t, READY);
}

static void enter_far_away(const void *arg)
{
	setenv("L", far_path(), 1);
	enter(arg);
}

static void start_in(struct terminal *t, const char *const argv[])
{
	const struct way way = { .prepare = enter, .arg = t };

	start(&t->r, &way, argv);
}

static void open_shell(struct terminal *t, const char *with)
{
	set_up(t, with);
	start_in(t, ARGV("/bin/bash", "--norc", "--noediting", "-i"));
	prompt(t);
}

static void close_shell(struct terminal *t)
{
	struct ended e;

	type(t, "exit 0\r");
	finish(&t->r, &e);
	expect_exit(&e, 0);
	tear_down(t);
}

/* Whoever has the terminal, it is not the shell; there is nothing to poll. */
static void await_foreground(const struct terminal *t)
{
	const time_t end = time(NULL) + PATIENCE_MS / 1000;

	while (tcgetpgrp(t->master) == t->r.pid) {
		cr_assert_lt(time(NULL), end, "no job in the foreground");
		sched_yield();
	}
}

/* As stty -g shows it */
static void expect_sane(const struct terminal *t)
{
	struct termios now;

	cr_assert_eq(tcgetattr(t->master, &now), 0);
	cr_expect_eq(now.c_iflag, t->found.c_iflag, "%x", now.c_iflag);
	cr_expect_eq(now.c_oflag, t->found.c_oflag, "%x", now.c_oflag);
	cr_expect_eq(now.c_cflag, t->found.c_cflag, "%x", now.c_cflag);
	cr_expect_eq(now.c_lflag, t->found.c_lflag, "%x", now.c_lflag);
	cr_expect_eq(memcmp(now.c_cc, t->found.c_cc, sizeof(now.c_cc)), 0);
}

/* All that is left on the terminal */
static const char *rest(struct terminal *t)
{
	while (look(t))
		;
	return t->text + t->seen;
}

/* ---- the command ---- */

static struct player meet(struct terminal *t)
{
	struct player p;
	char line[64];

	read_line(t->events, line, sizeof(line));
	cr_assert_eq(sscanf(line, "%d %d %d", &p.pid, &p.holder,
			    &p.has_terminal), 3, "%s", line);
	return p;
}

static void expect_event(struct terminal *t, int sig, const char *from)
{
	char line[64], wanted[64];

	snprintf(wanted, sizeof(wanted), "%d %s", sig, from);
	read_line(t->events, line, sizeof(line));
	cr_assert_str_eq(line, wanted, "wanted \"%s\"; saw \"%s\"", wanted,
			 line);
}

/*
 * No signal is on its way: one that spawnfd passes on last of all is the next
 * that arrives.
 */
static void expect_silence(struct terminal *t, const struct player *p)
{
	kill(p->holder, BELL);
	expect_event(t, BELL, "user");
}

static void order(struct terminal *t, const char *status)
{
	cr_assert_eq(write(t->orders, status, 1), 1);
}

/* ---- Ctrl-C and Ctrl-\\ ---- */

static void interrupt_loop(const char *shell, const char *with)
{
	struct terminal t;
	struct ended e;
	char pid[32];

	set_up(&t, with);
	start_in(&t, ARGV(shell, "-c", LOOP, spawnfd, with, actor));
	await_text(&t, "\n");
	snprintf(pid, sizeof(pid), "%.*s", (int)strcspn(t.text, "\r"), t.text);
	cr_assert_gt(atoi(pid), 0, "%s", t.text);
	type(&t, CONTROL_C);
	finish(&t.r, &e);
	expect_signal(&e, SIGINT);
	/* Ctrl-C has hit them all, and a parent may have been the first. */
	reap_orphans();

	rest(&t);
	cr_expect_null(strstr(t.text + t.seen, "went on"), "%s: %s", shell,
		       t.text);
	cr_expect_null(strpbrk(t.text + t.seen, "0123456789"), "%s: another "
		       "command was started: %s", shell, t.text);
	tear_down(&t);
}

EVERY_WAY(control_c_ends_a_loop_of_sh)
{
	interrupt_loop("/bin/sh", with);
}

/* bash goes on unless what it waits for has *died of* the signal. */
EVERY_WAY(control_c_ends_a_loop_of_bash)
{
	interrupt_loop("/bin/bash", with);
}

EVERY_WAY(control_c_ends_a_loop_of_an_interactive_bash)
{
	struct terminal t;

	open_shell(&t, with);
	type(&t, "for i in 1 2 3; do $S " TALLY "; done; echo went on\r");
	meet(&t);
	type(&t, CONTROL_C);
	prompt(&t);
	cr_expect_null(strstr(t.text, "went on"), "%s", t.text);
	type(&t, "echo \"=$?\"\r");
	await_text(&t, "=130");
	expect_sane(&t);
	close_shell(&t);
}

/* Many of each, since two at one time would look like one. */
static void keys_arrive_once(const char *with, int n)
{
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	type(&t, "$S " TALLY " 2 3 64; echo \"=$?\"\r");
	p = meet(&t);
	cr_expect_eq(p.has_terminal, 1);
	for (int i = 0; i < n; i++) {
		type(&t, i % 2 ? CONTROL_BACKSLASH : CONTROL_C);
		expect_event(&t, i % 2 ? SIGQUIT : SIGINT, "kernel");
		expect_silence(&t, &p);
	}
	/* it has cleaned up */
	order(&t, "3");
	await_text(&t, "=3");
	expect_sane(&t);
	close_shell(&t);
}

EVERY_WAY(control_c_and_control_backslash_arrive_once)
{
	keys_arrive_once(with, often(100));
}

/* The shell tells that spawnfd left no core, and that there could be one. */
EVERY_WAY(control_backslash_leaves_no_core_of_spawnfd)
{
	struct terminal t;

	open_shell(&t, with);
	type(&t, "cd \"$HOME\" && ulimit -c unlimited && " TALLY "\r");
	meet(&t);
	type(&t, CONTROL_BACKSLASH);
	await_text(&t, "Quit (core dumped)");
	prompt(&t);
	type(&t, "$S " TALLY "\r");
	meet(&t);
	type(&t, CONTROL_BACKSLASH);
	await_text(&t, "Quit");
	prompt(&t);
	cr_expect_null(strstr(strstr(t.text, "core dumped)") + 1, "core"),
		       "%s", t.text);
	close_shell(&t);
}

/* A foreground job, told when the terminal's SIGINT is pending: executed so */
struct early {
	const struct terminal *t;
	int ready;
};

static void await_interrupt(const void *arg)
{
	const struct early *early = arg;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setsid();
	if (ioctl(open(early->t->name, O_RDWR | O_CLOEXEC), TIOCSCTTY, 0) ||
	    write(early->ready, "", 1) != 1)
		_exit(96);
	do
		sigpending(&set);
	while (!sigismember(&set, SIGINT));
}

/* What came before there was a command is not taken for the group's to have. */
EVERY_WAY(control_c_before_the_clone_reaches_the_command)
{
	char byte, line[64];
	struct terminal t;
	int ready[2];

	set_up(&t, with);
	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	for (int i = 0; i < often(100); i++) {
		const struct early early = { &t, ready[1] };
		const struct way way = { .prepare = await_interrupt,
					 .arg = &early };
		struct running r;
		struct ended e;

		/* try_start returns at the exec, which waits for this */
		if (fork() == 0) {
			if (read(ready[0], &byte, 1) != 1 ||
			    write(t.master, CONTROL_C, 1) != 1)
				_exit(96);
			_exit(0);
		}
		start(&r, &way, ARGV(spawnfd, "-v", with, actor, "hear"));
		read_pid(r.out);
		read_line(r.out, line, sizeof(line));
		cr_expect_eq(strncmp(line, "2 ", 2), 0, "%s", line);
		end_input(&r);
		finish(&r, &e);
		expect_exit(&e, 0);
		cr_expect_str_eq(e.out, "");
		reap_orphans();
	}
	close(ready[0]);
	close(ready[1]);
	tear_down(&t);
}

/* A stop is pending before spawnfd starts, and takes effect in its clone3. */
static void enter_with_stop(const void *arg)
{
	const struct terminal *t = arg;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setenv("PATH", far_path(), 1);
	take_terminal(t->name);
	kill(getpid(), SIGTSTP);
}

/* What SIGCONT has taken away is not taken for what comes next. */
EVERY_WAY(control_z_arrives_once_after_a_stop_that_was_taken_back)
{
	struct terminal t;
	struct player p;
	struct ended e;
	char line[64];

	set_up(&t, with);
	start(&t.r, &(struct way){ .prepare = enter_with_stop, .arg = &t },
	      ARGV(spawnfd, with, "actor", "tally", scratch_path("events"),
		   scratch_path("orders"), "20", "64"));
	while (!child_of(t.r.pid))
		sched_yield();
	kill(t.r.pid, SIGCONT);
	p = meet(&t);
	/* unless it was passed on before */
	kill(p.holder, BELL);
	do
		read_line(t.events, line, sizeof(line));
	while (strncmp(line, "20 ", 3) == 0);
	cr_expect_str_eq(line, "64 user");
	type(&t, CONTROL_Z);
	expect_event(&t, SIGTSTP, "kernel");
	expect_silence(&t, &p);
	order(&t, "0");
	finish(&t.r, &e);
	expect_exit(&e, 0);
	tear_down(&t);
}

/* timeout(1) puts itself in a group of its own, but the shell waits for us. */
EVERY_WAY(control_z_for_a_command_in_another_group)
{
	struct terminal t;

	open_shell(&t, with);
	type(&t, "$S timeout 100 " TALLY "\r");
	meet(&t);
	type(&t, CONTROL_Z);
	prompt(&t);
	cr_expect_not_null(strstr(t.text, "Stopped"), "%s", t.text);
	type(&t, "fg; echo \"=$?\"\r");
	order(&t, "5");
	await_text(&t, "=5");
	close_shell(&t);
}

/* Whether it ends of what is typed; see CAVEATS of the man page. */
static bool ends_of(struct terminal *t, const char *key)
{
	struct pollfd p = { t->r.pidfd, POLLIN, 0 };

	type(t, key);
	if (poll(&p, 1, PATIENCE_MS / 4) == 1)
		return true;
	type(t, key);
	return false;
}

/* From the first moment on: either ends, and neither is left. */
EVERY_WAY(control_c_at_any_moment)
{
	const int n = often(200);
	int in_vain = 0;

	for (int i = 0; i < n; i++) {
		struct terminal t;
		struct ended e;

		set_up(&t, with);
		start_in(&t, ARGV(spawnfd, with, actor, "tally",
				  scratch_path("events"),
				  scratch_path("orders")));
		sleep_at_random(2000);
		in_vain += !ends_of(&t, i % 2 ? CONTROL_C : CONTROL_BACKSLASH);
		finish(&t.r, &e);
		expect_signal(&e, i % 2 ? SIGINT : SIGQUIT);
		reap_orphans();
		tear_down(&t);
	}
	cr_expect_leq(in_vain, 2, "%d of %d", in_vain, n);
}

/* ---- jobs ---- */

enum { STARTED = -1, IN_FOREGROUND = -2 };

/*
 * Keys, and what comes of them: events or states, then text. The text must have
 * been read before the next Ctrl-C or Ctrl-Z, which throws it away: termios(3).
 */
struct step {
	const char *keys;
	int events[2];
	const char *text;
};

#define STEPS(...) ((const struct step[]){ __VA_ARGS__, { 0 } })

static void join(struct terminal *t)
{
	struct player p = meet(t);
	char name[32];

	cr_assert_lt(t->player_count, 2);
	name_of(p.holder, name, sizeof(name));
	t->players[t->player_count++] =
		strncmp(name, "spawnfd", 7) == 0 ? p.holder : p.pid;
}

/* All of them, each once, though bash tells the whole group. */
static void continue_all(struct terminal *t)
{
	int continued = 1, bells = 0;
	char line[64];

	read_line(t->events, line, sizeof(line));
	cr_assert_eq(atoi(line), SIGCONT, "%s", line);
	for (int i = 0; i < t->player_count; i++)
		kill(t->players[i], BELL);
	while (bells < t->player_count) {
		read_line(t->events, line, sizeof(line));
		continued += atoi(line) == SIGCONT;
		bells += atoi(line) == BELL;
	}
	cr_expect_eq(continued, t->player_count);
}

static void await_step(struct terminal *t, const struct step *step)
{
	for (int i = 0; i < 2; i++) {
		if (step->events[i] == STARTED)
			join(t);
		if (step->events[i] == IN_FOREGROUND)
			await_foreground(t);
		if (step->events[i] == SIGCONT)
			continue_all(t);
	}
	if (step->text)
		await_text(t, step->text);
}

static void cut(char *text, size_t length)
{
	memmove(text, text + length, strlen(text + length) + 1);
}

/*
 * What differs from run to run: "[1] 1234" of a job that goes into the
 * background, and whether the shell first asks for more or tells of a job.
 */
static void hide_differences(char *text)
{
	char *at;

	for (at = text; (at = strstr(at, "] ")); at += 2)
		cut(at + 2, strspn(at + 2, "0123456789"));
	for (at = text; (at = strstr(at, READY));)
		cut(at, strlen(READY));
	for (at = text; (at = strstr(at, "\r\n\r\n"));)
		cut(at, 2);
}

static void play(struct terminal *t, const char *with,
		 const struct step *steps)
{
	open_shell(t, with);
	for (; steps->keys; steps++) {
		type(t, steps->keys);
		await_step(t, steps);
	}
	expect_sane(t);
	close_shell(t);
	hide_differences(t->text);
}

static void expect_same(const char *with, const struct step *steps)
{
	static struct terminal bare, wrapped;

	play(&bare, NULL, steps);
	play(&wrapped, with, steps);
	cr_expect_str_eq(wrapped.text, bare.text, "without spawnfd:\n%s\n"
			 "with it:\n%s", bare.text, wrapped.text);
}

EVERY_WAY(control_z_fg_bg_and_jobs)
{
	expect_same(with, STEPS(
		{ "$S " TALLY " 18 64\r", { STARTED } },
		{ CONTROL_Z, .text = "Stopped" },
		{ "", .text = READY },
		{ STATUS, .text = "=148" },
		{ "", .text = READY },
		{ "jobs\r", .text = READY },
		{ "bg\r", { SIGCONT }, READY },
		{ "jobs\r", .text = "Running" },
		{ "", .text = READY },
		{ "fg\r", { IN_FOREGROUND }, "64\r\n" },
		{ CONTROL_Z, .text = "Stopped" },
		{ "", .text = READY },
		{ "fg\r", { SIGCONT, IN_FOREGROUND }, "64\r\n" },
		{ CONTROL_Z, .text = "Stopped" },
		{ "", .text = READY },
		{ "%1\r", { SIGCONT, IN_FOREGROUND }, "64\r\n" },
		{ CONTROL_C, .text = READY },
		{ STATUS, .text = "=130" },
		{ "", .text = READY },
		{ "jobs\r", .text = READY }));
}

static void enter_line(struct terminal *t, const char *line)
{
	type(t, line);
	prompt(t);
}

/* The shell learns of it when it does, and says so when it is asked next. */
static void until_told(struct terminal *t, const char *line, const char *text)
{
	const time_t end = time(NULL) + PATIENCE_MS / 1000;

	do {
		cr_assert_lt(time(NULL), end, "no \"%s\": %s", text, t->text);
		t->used = t->seen = 0;
		t->text[0] = '\0';
		enter_line(t, line);
		line = "jobs\r";
	} while (!strstr(t->text, text));
}

static void await_death(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	cr_assert(fd >= 0 || errno == ESRCH);
	if (fd < 0)
		return;
	await_events(fd, POLLIN);
	close(fd);
}

static void kill_job(struct terminal *t, const struct player *p,
		     const char *line)
{
	enter_line(t, line);
	await_death(p->pid);
	if (t->with)
		await_death(p->holder);
}

/* Of one that is killed while stopped, bash 5.2 may for ever say "Stopped". */
static void kill_jobs(const char *with)
{
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	enter_line(&t, "$S " TALLY " &\r");
	meet(&t);
	type(&t, "kill %1; wait %1; " STATUS);
	await_text(&t, "=143");
	prompt(&t);
	enter_line(&t, "$S $A exit 7 & wait $!; echo \"=$?\"\r");
	cr_expect_not_null(strstr(t.text, "=7"), "%s", t.text);
	enter_line(&t, "$S " TALLY " &\r");
	p = meet(&t);
	until_told(&t, "kill -STOP %%\r", "Stopped");
	kill_job(&t, &p, "kill -KILL %%\r");
	type(&t, "$S " TALLY "\r");
	p = meet(&t);
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	kill_job(&t, &p, "kill %%\r");
	/* again, if it did */
	type(&t, "exit 0\r");
	close_shell(&t);
	reap_orphans();
}

/* Where nobody would see that it is stopped, it is not: vfork(2). */
EVERY_WAY(control_z_while_the_command_is_looked_for)
{
	/* the shell that has forked may still ignore what is typed */
	static const char command[] =
		"PATH=$L /bin/sh -c 'echo begun; exec $S actor echo'\r";
	struct terminal t;

	set_up(&t, with);
	start(&t.r, &(struct way){ .prepare = enter_far_away, .arg = &t },
	      ARGV("/bin/bash", "--norc", "--noediting", "-i"));
	prompt(&t);
	for (int i = 0; i < often(30); i++) {
		type(&t, command);
		await_text(&t, "begun");
		sleep_at_random(10000);
		type(&t, CONTROL_Z);
		await_text(&t, "Stopped");
		prompt(&t);
		type(&t, "fg; echo \"=$?\"\r" CONTROL_D);
		await_text(&t, "=0");
		prompt(&t);
	}
	close_shell(&t);
}

EVERY_WAY(jobs_are_killed_and_waited_for)
{
	kill_jobs(NULL);
	kill_jobs(with);
}

/* It is a matter of the command whether Ctrl-Z stops anything. */
EVERY_WAY(a_command_that_catches_the_stop)
{
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	type(&t, "$S " TALLY " 20 64\r");
	p = meet(&t);
	for (int i = 0; i < 20; i++) {
		type(&t, CONTROL_Z);
		expect_event(&t, SIGTSTP, "kernel");
		expect_silence(&t, &p);
	}
	order(&t, "4");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=4");
	cr_expect_null(strstr(t.text, "Stopped"), "%s", t.text);
	close_shell(&t);
}

static void read_in_background(const char *with)
{
	struct terminal t;

	open_shell(&t, with);
	until_told(&t, "$S cat &\r", "Stopped");
	type(&t, "fg\r");
	await_foreground(&t);
	type(&t, "hello\r");
	await_text(&t, "hello\r\n");
	enter_line(&t, CONTROL_D);
	type(&t, STATUS);
	await_text(&t, "=0");
	close_shell(&t);
}

EVERY_WAY(stopped_when_it_reads_in_the_background)
{
	read_in_background(NULL);
	read_in_background(with);
}

static void write_in_background(const char *with)
{
	struct terminal t;

	open_shell(&t, with);
	enter_line(&t, "stty tostop\r");
	until_told(&t, "$S $A say hello &\r", "Stopped");
	type(&t, "fg\r");
	await_text(&t, "hello\r\nhello\r\n");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=0");
	close_shell(&t);
}

EVERY_WAY(stopped_when_it_writes_in_the_background)
{
	write_in_background(NULL);
	write_in_background(with);
}

EVERY_WAY(pipelines_stop_and_go_on)
{
	expect_same(with, STEPS(
		{ "$S " TALLY " 18 64 | $S " TALLY " 18 64\r",
		  { STARTED, STARTED } },
		{ CONTROL_Z, .text = "Stopped" },
		{ "", .text = READY },
		{ "jobs\r", .text = READY },
		{ "fg\r", { SIGCONT }, "64\r\n" },
		{ CONTROL_Z, .text = "Stopped" },
		{ "", .text = READY },
		{ "bg\r", { SIGCONT }, READY },
		{ "fg\r", { IN_FOREGROUND }, "64\r\n" },
		{ CONTROL_C, .text = READY },
		{ "echo \"=${PIPESTATUS[*]}\"\r", .text = "=130" },
		{ "", .text = READY },
		{ "$S $A say one two | $S cat | $S tail -n 1\r",
		  .text = "two\r\n" },
		{ "", .text = READY }));
}

/* A shell that controls jobs of its own has a process group of its own. */
EVERY_WAY(a_shell_under_it_controls_its_own_jobs)
{
	expect_same(with, STEPS(
		{ "$S bash --norc --noediting -i\r", .text = READY },
		{ TALLY " 18 64\r", { STARTED } },
		{ CONTROL_Z, .text = "Stopped" },
		{ "", .text = READY },
		{ "fg\r", { SIGCONT }, "64\r\n" },
		{ CONTROL_C, .text = READY },
		{ "exit 5\r", .text = READY },
		{ STATUS, .text = "=5" },
		{ "", .text = READY }));
}

/* ---- stops and continues that no shell has a hand in ---- */

static void start_player(struct terminal *t, struct player *p,
			 void (*prepare)(const void *), const char *first,
			 const char *second)
{
	const struct way way = { .prepare = prepare, .arg = t };

	start(&t->r, &way, ARGV(spawnfd, t->with, actor, "tally",
				scratch_path("events"), scratch_path("orders"),
				"64", first, second));
	*p = meet(t);
}

static void end_player(struct terminal *t)
{
	struct ended e;

	order(t, "6");
	finish(&t->r, &e);
	expect_exit(&e, 6);
	tear_down(t);
}

/* In a group that is orphaned, stops do nothing: nobody could continue it. */
EVERY_WAY(an_orphaned_group_never_stops)
{
	static const int stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	struct terminal t;
	struct player p;

	set_up(&t, with);
	start_player(&t, &p, enter, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(stops); i++) {
		kill(p.pid, stops[i]);
		kill(p.holder, stops[i]);
		expect_silence(&t, &p);
		kill(-p.holder, stops[i]);
		expect_silence(&t, &p);
		type(&t, CONTROL_Z);
		expect_silence(&t, &p);
	}
	end_player(&t);
}

/* The shell dies: its stopped jobs get HUP and CONT from the kernel, once. */
EVERY_WAY(a_stopped_group_that_becomes_orphaned)
{
	struct terminal t;
	struct player p;
	struct ended e;

	open_shell(&t, with);
	type(&t, "$S " TALLY " 1 18 64\r");
	p = meet(&t);
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	kill(t.r.pid, SIGKILL);
	expect_event(&t, SIGHUP, "kernel");
	expect_event(&t, SIGCONT, "kernel");
	expect_silence(&t, &p);
	order(&t, "0");
	finish(&t.r, &e);
	expect_signal(&e, SIGKILL);
	reap_orphans();
	tear_down(&t);
}

static void lead_background_group(const void *arg)
{
	(void)arg;
	setpgid(0, 0);
}

/* Whatever the moment, a CONT of the group leaves neither stopped. */
EVERY_WAY(continued_at_random_moments)
{
	const int n = often(500);
	struct terminal t;
	struct player p;

	set_up(&t, with);
	start_player(&t, &p, lead_background_group, NULL, NULL);
	for (int i = 0; i < n; i++) {
		kill(p.pid, SIGTSTP);
		sleep_at_random(300);
		kill(-p.holder, SIGCONT);
		expect_silence(&t, &p);
	}
	end_player(&t);
}

/* ---- full screens ---- */

static bool have(const char *program)
{
	char command[128];
	struct ended e;

	snprintf(command, sizeof(command), "command -v %s", program);
	run(&e, NULL, ARGV("/bin/sh", "-c", command));
	return e.status == 0;
}

#define TO_SCREEN "\033[?1049h"
#define FROM_SCREEN "\033[?1049l"

static void open_vi(struct terminal *t)
{
	type(t, "$S vi $F\r");
	await_text(t, TO_SCREEN);
	await_text(t, "/file");		/* its last line */
}

static void insert(struct terminal *t, const char *text)
{
	type(t, "i");
	type(t, text);
	await_text(t, text);
}

/* The screen comes back, and so does the shell. */
static void leave_vi(struct terminal *t, const char *keys)
{
	type(t, keys);
	await_text(t, FROM_SCREEN);
	prompt(t);
	expect_sane(t);
}

static void expect_file(const char *wanted)
{
	char text[64];

	read_file(scratch_path("file"), text, sizeof(text));
	cr_expect_str_eq(text, wanted, "%s", text);
}

EVERY_WAY(vi_in_full_screen)
{
	struct terminal t;

	if (!have("vi")) {
		not_tested("a full-screen program", "vi is missing");
		return;
	}
	open_shell(&t, with);
	open_vi(&t);
	insert(&t, "hello");
	leave_vi(&t, ESCAPE CONTROL_Z);
	cr_expect_not_null(strstr(t.text, "Stopped"), "%s", t.text);
	type(&t, "fg\r");
	await_text(&t, TO_SCREEN);
	await_text(&t, "hello");
	leave_vi(&t, ":wq\r");
	expect_file("hello\n");
	type(&t, STATUS);
	await_text(&t, "=0");
	open_vi(&t);
	insert(&t, "world");
	leave_vi(&t, ESCAPE ":q!\r");
	expect_file("hello\n");
	close_shell(&t);
}

EVERY_WAY(resizes_arrive_once)
{
	struct winsize size = { 0 };
	struct terminal t;
	struct player p;
	char wanted[64];

	open_shell(&t, with);
	type(&t, "$S " TALLY " 28 64\r");
	p = meet(&t);
	for (unsigned short i = 1; i <= 20; i++) {
		size.ws_col = (unsigned short)(100 + i);
		size.ws_row = i;
		cr_assert_eq(ioctl(t.master, TIOCSWINSZ, &size), 0);
		snprintf(wanted, sizeof(wanted), "kernel %dx%d", 100 + i, i);
		expect_event(&t, SIGWINCH, wanted);
		expect_silence(&t, &p);
	}
	order(&t, "0");
	prompt(&t);
	close_shell(&t);
}

/* What a program that is killed leaves raw, bash sets right again. */
static void die_raw(struct terminal *t, int sig, bool of_holder)
{
	struct termios raw = t->found;
	struct player p;

	type(t, "$S " TALLY "\r");
	p = meet(t);
	cfmakeraw(&raw);
	cr_assert_eq(tcsetattr(t->master, TCSANOW, &raw), 0);
	kill(of_holder ? p.holder : p.pid, sig);
	prompt(t);
	expect_sane(t);
}

EVERY_WAY(a_killed_command_leaves_the_terminal_sane)
{
	struct terminal t;

	open_shell(&t, with);
	die_raw(&t, SIGINT, false);
	die_raw(&t, SIGTERM, false);
	die_raw(&t, SIGKILL, false);
	die_raw(&t, SIGHUP, true);
	if (strcmp(with, "--autokill") == 0)
		die_raw(&t, SIGKILL, true);
	close_shell(&t);
}

/* ---- hang-ups ---- */

static void hang_up(struct terminal *t)
{
	close(t->master);
	t->master = -1;
}

/* The kernel tells the session's leader alone, and that is spawnfd. */
EVERY_WAY(a_hang_up_when_spawnfd_leads_the_session)
{
	struct terminal t;
	struct player p;

	set_up(&t, with);
	start_player(&t, &p, enter, "1", "18");
	hang_up(&t);
	expect_event(&t, SIGHUP, "user");
	expect_event(&t, SIGCONT, "user");
	expect_silence(&t, &p);
	end_player(&t);
}

/* As above, but by a program that people use. */
EVERY_WAY(a_hang_up_under_script)
{
	char line[512];
	struct terminal t;
	struct player p;
	struct ended e;

	if (!have("script")) {
		not_tested("script -c", "script is missing");
		return;
	}
	set_up(&t, with);
	snprintf(line, sizeof(line), "exec %s %s %s tally %s %s 1 18 64",
		 spawnfd, with, actor, scratch_path("events"),
		 scratch_path("orders"));
	start_in(&t, ARGV("/usr/bin/script", "-q", "-c", line, "/dev/null"));
	p = meet(&t);
	cr_assert_eq(getsid(p.pid), p.holder);
	kill(t.r.pid, SIGKILL);
	expect_event(&t, SIGHUP, "user");
	expect_event(&t, SIGCONT, "user");
	expect_silence(&t, &p);
	order(&t, "0");
	finish(&t.r, &e);
	expect_signal(&e, SIGKILL);
	reap_orphans();
	tear_down(&t);
}

/* A shell leads and dies of it: then the kernel tells the group in front. */
EVERY_WAY(a_hang_up_when_a_shell_leads_the_session)
{
	struct terminal t;
	struct player p;
	struct ended e;

	set_up(&t, with);
	start_in(&t, ARGV("/bin/sh", "-c", "$S " TALLY " 1 18 64; :"));
	p = meet(&t);
	cr_assert_eq(getsid(p.pid), t.r.pid);
	cr_assert_neq(p.holder, t.r.pid);
	hang_up(&t);
	expect_event(&t, SIGHUP, "kernel");
	expect_event(&t, SIGCONT, "kernel");
	expect_silence(&t, &p);
	order(&t, "0");
	finish(&t.r, &e);
	expect_signal(&e, SIGHUP);
	reap_orphans();
	tear_down(&t);
}

/* bash hangs its jobs up, stopped ones too, and nothing stays behind. */
EVERY_WAY(a_hang_up_ends_every_job_of_bash)
{
	struct terminal t;
	struct ended e;

	open_shell(&t, with);
	type(&t, "$S " TALLY " &\r");
	meet(&t);
	prompt(&t);
	type(&t, "$S " TALLY "\r");
	meet(&t);
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	type(&t, "$S " TALLY "\r");
	meet(&t);
	hang_up(&t);
	finish(&t.r, &e);
	reap_orphans();
	tear_down(&t);
}

/* ---- --new-session ---- */

/* Its group is another one, so what spawnfd gets is passed on: still once. */
EVERY_WAY(a_new_session_in_a_terminal)
{
	const struct winsize size = { .ws_col = 90, .ws_row = 30 };
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	type(&t, "$N " TALLY " 2 20 28 64; echo \"=$?\"\r");
	p = meet(&t);
	cr_expect_eq(p.has_terminal, 0);
	cr_expect_eq(getsid(p.pid), p.pid);
	for (int i = 0; i < 20; i++) {
		type(&t, CONTROL_C);
		expect_event(&t, SIGINT, "user");
		expect_silence(&t, &p);
	}
	type(&t, CONTROL_Z);
	expect_event(&t, SIGTSTP, "user");
	expect_silence(&t, &p);
	cr_assert_eq(ioctl(t.master, TIOCSWINSZ, &size), 0);
	expect_event(&t, SIGWINCH, "user 90x30");
	expect_silence(&t, &p);
	order(&t, "3");
	await_text(&t, "=3");
	close_shell(&t);
}

/* Nothing in it may stop of Ctrl-Z: its group is orphaned. Ctrl-C ends it. */
EVERY_WAY(a_new_session_never_hangs)
{
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	type(&t, "$N " TALLY " 64; echo \"=$?\"\r");
	p = meet(&t);
	type(&t, CONTROL_Z);
	expect_silence(&t, &p);
	type(&t, CONTROL_C);
	prompt(&t);
	cr_expect_null(strstr(t.text, "Stopped"), "%s", t.text);
	type(&t, STATUS);
	await_text(&t, "=130");
	close_shell(&t);
}

EVERY_WAY(a_new_session_is_hung_up_once)
{
	struct terminal t;
	struct player p;
	struct ended e;

	set_up(&t, with);
	start_in(&t, ARGV(spawnfd, "--new-session", with, actor, "tally",
			  scratch_path("events"), scratch_path("orders"),
			  "1", "18", "64"));
	p = meet(&t);
	hang_up(&t);
	expect_event(&t, SIGHUP, "user");
	expect_event(&t, SIGCONT, "user");
	expect_silence(&t, &p);
	order(&t, "0");
	finish(&t.r, &e);
	expect_exit(&e, 0);
	tear_down(&t);
}

/* ---- status lines ---- */

static void start_status(struct terminal *t, struct player *p)
{
	start_in(t, ARGV(spawnfd, "--status-fd=1", t->with, actor, "tally",
			 scratch_path("events"), scratch_path("orders"),
			 "64"));
	*p = meet(t);
}

EVERY_WAY(status_lines_go_to_a_terminal)
{
	struct terminal t;
	struct player p;
	struct ended e;
	char line[64];

	set_up(&t, with);
	start_status(&t, &p);
	snprintf(line, sizeof(line), "{\"child-pid\":%d,\"pidfd-inode\":",
		 child_of(t.r.pid));
	await_text(&t, line);
	await_text(&t, "}\r\n");
	order(&t, "3");
	finish(&t.r, &e);
	expect_exit(&e, 3);
	await_text(&t, "{\"exit-code\":3}\r\n");
	cr_expect_str_eq(rest(&t), "");
	tear_down(&t);
}

/* Ctrl-S, and the terminal's own word that it has stopped. */
static void stop_output(struct terminal *t)
{
	int on = 1;
	char byte;

	cr_assert_eq(ioctl(t->master, TIOCPKT, &on), 0);
	type(t, CONTROL_S);
	do {
		await_events(t->master, POLLIN);
		cr_assert_eq(read(t->master, &byte, 1), 1);
	} while (!(byte & TIOCPKT_STOP));
	on = 0;
	cr_assert_eq(ioctl(t->master, TIOCPKT, &on), 0);
}

EVERY_WAY(a_stopped_terminal_does_not_block_status_lines)
{
	struct terminal t;
	struct player p;
	struct ended e;

	set_up(&t, with);
	start_status(&t, &p);
	await_text(&t, "}\r\n");
	stop_output(&t);
	order(&t, "3");
	finish(&t.r, &e);
	expect_exit(&e, 3);
	cr_expect_str_eq(rest(&t), "");
	tear_down(&t);
}
