/* SPDX-License-Identifier: MIT */
/*
 * Jobs of a shell under spawnfd: Ctrl-Z, fg, bg, jobs and kill work as they do
 * without spawnfd.
 */
#include "harness.h"
#include "terminal.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <termios.h>

#define CONTROL_D "\004"

static void enter_far_away(const void *arg)
{
	setenv("L", far_path(), 1);
	enter(arg);
}

/*
 * Waits until a job has the terminal, and no longer the shell. The foreground
 * group cannot be polled.
 */
static void await_foreground(const struct terminal *t)
{
	struct patience patience = { 0 };

	while (tcgetpgrp(t->master) == t->r.pid) {
		cr_assert(is_patient(&patience), "no job in the foreground");
		sched_yield();
	}
}

/* ---- jobs ---- */

enum { STARTED = -1, IN_FOREGROUND = -2 };

/*
 * Keys that are typed, and their effect: first events or states, then text. The
 * text must be read before the next Ctrl-C or Ctrl-Z, which discards unread
 * output: termios(3).
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

/* Each player gets one SIGCONT, although bash sends it to the whole group. */
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
 * Cuts text that differs from run to run: the pid in "[1] 1234" of a background
 * job, and the prompts, because the shell may report a job before or after one.
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

EVERY_WAY_WITH(control_z_fg_bg_and_jobs, ALSO_UNDER(TREE_OF_USER))
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

/*
 * Enters the line, then "jobs" until the shell says that the job has stopped.
 * The shell learns of it at some moment, and reports it at the next command. On
 * two processors bash 5.2 sometimes misses a stop (one in 60, also without
 * spawnfd). So the other line is entered now and then: it continues the job,
 * which stops again.
 */
static void until_stopped(struct terminal *t, const char *line,
			  const char *again)
{
	enum { MOST = 1000, PATIENT = 100 };

	for (int i = 1; i <= MOST; i++) {
		t->used = t->seen = 0;
		t->text[0] = '\0';
		enter_line(t, line);
		if (strstr(t->text, "Stopped"))
			return;
		line = i % PATIENT ? "jobs\r" : again;
	}
	cr_assert_fail("no stop: %s", t->text);
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

/*
 * Kills jobs in several ways. If a job is killed while it is stopped, bash 5.2
 * may go on to say "Stopped", so the test waits for its death instead.
 */
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
	until_stopped(&t, "kill -STOP %%\r",
		      "kill -CONT %%; kill -STOP %%\r");
	kill_job(&t, &p, "kill -KILL %%\r");
	type(&t, "$S " TALLY "\r");
	p = meet(&t);
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	kill_job(&t, &p, "kill %%\r");
	/* bash refuses the first exit if it believes that a job is stopped. */
	type(&t, "exit 0\r");
	close_shell(&t);
	reap_orphans();
}

/*
 * Types Ctrl-Z until the job has stopped, and gives how often. The manual page
 * admits that a signal can be lost right before clone3, in a moment that is
 * long on a busy machine.
 */
static int stop_job(struct terminal *t)
{
	enum { SILENCE_MS = 5000, MOST = 3 };
	int typed = 0;

	do {
		cr_assert_lt(typed++, MOST, "no \"Stopped\": %s", t->text);
		type(t, CONTROL_Z);
	} while (!text_comes(t, "Stopped", SILENCE_MS));
	return typed;
}

/*
 * Ctrl-Z may come before the exec. A child that shares spawnfd's memory must
 * not stop there, because no shell would see that: vfork(2). The job must still
 * stop.
 */
EVERY_WAY_WITH(control_z_while_the_command_is_looked_for,
	       ALSO_UNDER(TREE_OF_USER))
{
	/* The shell's child may still ignore SIGTSTP before it says "begun". */
	static const char command[] =
		"PATH=$L /bin/sh -c 'echo begun; exec $S actor echo'\r";
	struct terminal t;
	int lost = 0, n = often(30);

	set_up(&t, with);
	start(&t.r, &(struct way){ .prepare = enter_far_away, .arg = &t },
	      ARGV("/bin/bash", "--norc", "--noediting", "-i"));
	prompt(&t);
	for (int i = 0; i < n; i++) {
		type(&t, command);
		await_text(&t, "begun");
		sleep_at_random(10000);
		lost += stop_job(&t) - 1;
		prompt(&t);
		type(&t, "fg; echo \"=$?\"\r" CONTROL_D);
		await_text(&t, "=0");
		prompt(&t);
	}
	cr_expect_leq(lost, 1, "%d of %d", lost, n);
	close_shell(&t);
}

EVERY_WAY(jobs_are_killed_and_waited_for)
{
	kill_jobs(NULL);
	kill_jobs(with);
}

/* If the command catches SIGTSTP, Ctrl-Z stops neither it nor spawnfd. */
EVERY_WAY_WITH(a_command_that_catches_the_stop, ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	type(&t, "$S " TALLY " 20 64\r");
	p = meet(&t);
	for (int i = 0; i < 20; i++) {
		type(&t, CONTROL_Z);
		expect_key(&t, &p, SIGTSTP);
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
	until_stopped(&t, "$S cat &\r", "kill -CONT %%\r");
	type(&t, "fg\r");
	await_foreground(&t);
	type(&t, "hello\r");
	await_text(&t, "hello\r\n");
	enter_line(&t, CONTROL_D);
	type(&t, STATUS);
	await_text(&t, "=0");
	close_shell(&t);
}

EVERY_WAY_WITH(stopped_when_it_reads_in_the_background,
	       ALSO_UNDER(TREE_OF_USER))
{
	read_in_background(NULL);
	read_in_background(with);
}

static void write_in_background(const char *with)
{
	struct terminal t;

	open_shell(&t, with);
	enter_line(&t, "stty tostop\r");
	until_stopped(&t, "$S $A say hello &\r", "kill -CONT %%\r");
	type(&t, "fg\r");
	await_text(&t, "hello\r\nhello\r\n");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=0");
	close_shell(&t);
}

EVERY_WAY_WITH(stopped_when_it_writes_in_the_background,
	       ALSO_UNDER(TREE_OF_USER))
{
	write_in_background(NULL);
	write_in_background(with);
}

EVERY_WAY_WITH(pipelines_stop_and_go_on, ALSO_UNDER(TREE_OF_USER))
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

/* A shell with job control puts itself into a process group of its own. */
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

/* ---- stops and continues without a shell ---- */

/* Stop signals do nothing in an orphaned group, which no one could continue. */
EVERY_WAY_WITH(an_orphaned_group_never_stops, ALSO_UNDER(TREE_OF_USER))
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

/* When the shell dies, the kernel sends SIGHUP and SIGCONT to a stopped job. */
EVERY_WAY_WITH(a_stopped_group_that_becomes_orphaned, ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	struct player p;

	open_shell(&t, with);
	type(&t, "$S " TALLY " 1 18 64\r");
	p = meet(&t);
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	kill(t.r.pid, SIGKILL);
	/* Under --kill-tree, the kernel tells the group of spawnfd. */
	expect_event(&t, SIGHUP, kills_tree() ? "user" : "kernel");
	expect_event(&t, SIGCONT, kills_tree() ? "user" : "kernel");
	expect_silence(&t, &p);
	order(&t, "0");
	expect_dies(&t.r, SIGKILL);
	reap_orphans();
	tear_down(&t);
}

static void lead_background_group(const void *arg)
{
	(void)arg;
	setpgid(0, 0);
}

/* SIGCONT to the group continues the command and spawnfd at any moment. */
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

/*
 * bash gives the job the terminal, then sends SIGCONT. A Ctrl-Z that comes in
 * between is lost, also without spawnfd. But on a busy machine it may be late
 * only, and "Stopped" may come when the next one is typed, which discards what
 * the terminal has not shown yet (termios(3), NOFLSH).
 */
static void stop_at_last(struct terminal *t)
{
	int tries = 0;

	do {
		cr_assert_lt(tries++, 3, "\"%s\"", t->text + t->seen);
		type(t, CONTROL_Z);
	} while (!text_comes(t, "Stopped", 2000) &&
		 tcgetpgrp(t->master) != t->r.pid);
}

/* The SIGTSTP discards a SIGCONT that spawnfd has not read yet: signal(7). */
EVERY_WAY_WITH(control_z_right_after_fg, ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;

	open_shell(&t, with);
	type(&t, "$S " TALLY " 64\r");
	meet(&t);
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	for (int i = 0; i < often(30); i++) {
		type(&t, "fg\r");
		await_foreground(&t);
		stop_at_last(&t);
		prompt(&t);
	}
	type(&t, "fg\r");
	await_foreground(&t);
	order(&t, "5");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=5");
	close_shell(&t);
}

/* The parent of spawnfd reads from the terminal, and COMMAND does not. */
EVERY_WAY_WITH(a_script_reads_while_the_command_runs, ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;

	open_shell(&t, with);
	for (int i = 0; i < often(20); i++) {
		type(&t, "sh -c 'exec 3<&0; $S " TALLY " <&3 & read x; "
			 "echo \"answer: $x\"; kill $!; wait'\r");
		meet(&t);
		type(&t, "yes\r");
		await_text(&t, "answer: yes");
		prompt(&t);
	}
	cr_expect_null(strstr(t.text, "Stopped"), "%s", t.text);
	close_shell(&t);
}

/* As the kill of a shell sends it: kill -INT %1 */
EVERY_WAY_WITH(an_interrupt_for_the_job_reaches_all_of_it,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	pid_t group;

	open_shell(&t, with);
	/* bash as sh loses a signal that comes before its child is executed. */
	type(&t, "$S sh -c '" TALLY " 64; :'\r");
	meet(&t);
	group = tcgetpgrp(t.master);
	/* The job of bash: the terminal may belong to a group of the tree. */
	if (kills_tree())
		group = getpgid(child_of(t.r.pid));
	kill(-group, SIGINT);
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=130");
	close_shell(&t);
}

/*
 * The init tells spawnfd of each signal to the group of COMMAND. A spawnfd that
 * is stopped reads none of that, and must learn of the end all the same.
 */
SystemTest(flags, a_job_of_a_tree_tells_its_end_after_500_signals)
{
	struct terminal t;
	pid_t holder, init;

	open_shell(&t, "--kill-tree --status-fd=2");
	type(&t, "$S sh -c 'read line <$O; i=0; while [ $i -lt 500 ]; do "
		 "kill -WINCH 0; (:); i=$((i + 1)); done; kill -TERM $$'\r");
	await_text(&t, "child-pid");
	holder = child_of(t.r.pid);
	init = child_of(holder);
	kill(holder, SIGSTOP);
	await_text(&t, "Stopped");
	prompt(&t);
	order(&t, "\n");
	await_state(init, 'Z');
	type(&t, "fg\r");
	await_text(&t, "{\"exit-code\":143,\"signal\":15,"
		       "\"core-dumped\":false,\"left\":0}");
	await_text(&t, "Terminated");
	close_shell(&t);
}
