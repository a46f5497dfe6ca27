/* SPDX-License-Identifier: MIT */
/* Ctrl-C, Ctrl-\ and Ctrl-Z reach the command exactly once, at any moment. */
#include "harness.h"
#include "pty.h"
#include "terminal.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define LOOP "for i in 1 2 3; do \"$0\" \"$1\" \"$2\" hang; done; " \
	     "echo the loop went on"

#define CONTROL_BACKSLASH "\034"

static void interrupt_loop(const char *shell, const char *with)
{
	struct terminal t;
	char pid[32];

	set_up(&t, with);
	start_in(&t, ARGV(shell, "-c", LOOP, spawnfd, with, actor));
	await_text(&t, "\n");
	snprintf(pid, sizeof(pid), "%.*s", (int)strcspn(t.text, "\r"), t.text);
	cr_assert_gt(atoi(pid), 0, "%s", t.text);
	type(&t, CONTROL_C);
	expect_dies(&t.r, SIGINT);
	/* Ctrl-C kills all of them; a parent that dies first leaves orphans. */
	reap_orphans();

	rest(&t);
	cr_expect_null(strstr(t.text + t.seen, "went on"), "%s: %s", shell,
		       t.text);
	cr_expect_null(strpbrk(t.text + t.seen, "0123456789"), "%s: another "
		       "command was started: %s", shell, t.text);
	tear_down(&t);
}

EVERY_WAY_WITH(control_c_ends_a_loop_of_sh, ALSO_UNDER(TREE_OF_USER))
{
	/*
	 * Under --kill-tree, the shell gets the signal from spawnfd, which must
	 * not be late when COMMAND dies at once.
	 */
	for (int i = 0; i < often(50); i++)
		interrupt_loop("/bin/sh", with);
}

/* bash goes on unless what it waits for has *died of* the signal. */
EVERY_WAY_WITH(control_c_ends_a_loop_of_bash, ALSO_UNDER(TREE_OF_USER))
{
	interrupt_loop("/bin/bash", with);
}

EVERY_WAY_WITH(control_c_ends_a_loop_of_an_interactive_bash,
	       ALSO_UNDER(TREE_OF_USER))
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

/* Types many keys, one by one: two equal pending signals would become one. */
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
		expect_key(&t, &p, i % 2 ? SIGQUIT : SIGINT);
		expect_silence(&t, &p);
	}
	/* The command ends by itself, and its status is seen. */
	order(&t, "3");
	await_text(&t, "=3");
	expect_sane(&t);
	close_shell(&t);
}

EVERY_WAY_WITH(control_c_and_control_backslash_arrive_once,
	       ALSO_UNDER(TREE_OF_USER))
{
	keys_arrive_once(with, often(100));
}

/*
 * The shell reports a core dump. It does for the command alone, which proves
 * that core files are allowed, and does not for spawnfd.
 */
EVERY_WAY_WITH(control_backslash_leaves_no_core_of_spawnfd,
	       ALSO_UNDER(TREE_OF_USER))
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

/* For await_interrupt: the terminal, and a pipe that says "type Ctrl-C". */
struct early {
	const struct terminal *t;
	int ready;
};

/* Enters the terminal, and waits until SIGINT is pending, before the exec. */
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

/*
 * A SIGINT from the terminal usually goes to the whole group, so spawnfd does
 * not forward it. But a SIGINT from before clone3 did not reach the command.
 */
EVERY_WAY_WITH(control_c_before_the_clone_reaches_the_command,
	       ALSO_UNDER(TREE_OF_USER))
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

		/* This child types Ctrl-C: start() returns after the exec. */
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

/* Enters the terminal with SIGTSTP blocked and pending. */
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

/* A SIGTSTP that SIGCONT has discarded is not mistaken for the next one. */
EVERY_WAY_WITH(control_z_arrives_once_after_a_stop_that_was_taken_back,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	struct player p;
	char line[64];

	set_up(&t, with);
	start(&t.r, &(struct way){ .prepare = enter_with_stop, .arg = &t },
	      ARGV(spawnfd, with, "actor", "tally", scratch_path("events"),
		   scratch_path("orders"), "20", "64"));
	while (!child_of(t.r.pid))
		sched_yield();
	kill(t.r.pid, SIGCONT);
	p = meet(&t);
	/* The old SIGTSTP may have been forwarded before SIGCONT: skip it. */
	kill(p.holder, BELL);
	do
		read_line(t.events, line, sizeof(line));
	while (strncmp(line, "20 ", 3) == 0);
	cr_expect_str_eq(line, "64 user");
	type(&t, CONTROL_Z);
	expect_event(&t, SIGTSTP, "kernel");
	expect_silence(&t, &p);
	order(&t, "0");
	expect_exits(&t.r, 0);
	tear_down(&t);
}

/* timeout(1) makes its own process group, but the shell waits for spawnfd. */
EVERY_WAY_WITH(control_z_for_a_command_in_another_group,
	       ALSO_UNDER(TREE_OF_USER))
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

/*
 * Types the key. If nothing ends within a while, types it again and returns
 * false: see CAVEATS of the man page.
 */
static bool ends_of(struct terminal *t, const char *key)
{
	struct pollfd p = { t->r.pidfd, POLLIN, 0 };

	type(t, key);
	if (poll_until_silence(&p, 1, PATIENCE_MS / 4) == 1)
		return true;
	type(t, key);
	return false;
}

/*
 * Ctrl-C ends both spawnfd and its command, from the first moment on. On a busy
 * machine the microsecond of the caveat can last as long as a time slice.
 */
EVERY_WAY_WITH(control_c_at_any_moment, ALSO_UNDER(TREE_OF_USER))
{
	const int n = often(200);
	int in_vain = 0;

	for (int i = 0; i < n; i++) {
		struct terminal t;

		set_up(&t, with);
		start_in(&t, ARGV(spawnfd, with, actor, "tally",
				  scratch_path("events"),
				  scratch_path("orders")));
		sleep_at_random(2000);
		in_vain += !ends_of(&t, i % 2 ? CONTROL_C : CONTROL_BACKSLASH);
		expect_dies(&t.r, i % 2 ? SIGINT : SIGQUIT);
		reap_orphans();
		tear_down(&t);
	}
	cr_expect_leq(in_vain, 1 + n / 20, "%d of %d", in_vain, n);
}
