/* SPDX-License-Identifier: MIT */
/* The hang-up of a terminal, and --new-session in a terminal. */
#include "harness.h"
#include "terminal.h"

#include <sys/ioctl.h>

/* ---- hang-ups ---- */

static void hang_up(struct terminal *t)
{
	close(t->master);
	t->master = -1;
}

/* The kernel signals the session leader alone, and that is spawnfd. */
EVERY_WAY_WITH(a_hang_up_when_spawnfd_leads_the_session,
	       ALSO_UNDER(TREE_OF_USER))
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

/* script(1), which people use, makes spawnfd the session leader too. */
EVERY_WAY_WITH(a_hang_up_under_script, ALSO_UNDER(TREE_OF_USER))
{
	char line[512];
	struct terminal t;
	struct player p;

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
	expect_dies(&t.r, SIGKILL);
	reap_orphans();
	tear_down(&t);
}

/*
 * A shell leads the session and dies of the hang-up. Then the kernel signals
 * the foreground process group.
 */
EVERY_WAY_WITH(a_hang_up_when_a_shell_leads_the_session,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	struct player p;

	set_up(&t, with);
	start_in(&t, ARGV("/bin/sh", "-c", "$S " TALLY " 1 18 64; :"));
	p = meet(&t);
	cr_assert_eq(getsid(p.pid), t.r.pid);
	cr_assert_neq(p.holder, t.r.pid);
	hang_up(&t);
	/* Under --kill-tree, the kernel tells the group of spawnfd. */
	expect_event(&t, SIGHUP, kills_tree() ? "user" : "kernel");
	expect_event(&t, SIGCONT, kills_tree() ? "user" : "kernel");
	expect_silence(&t, &p);
	order(&t, "0");
	expect_dies(&t.r, SIGHUP);
	reap_orphans();
	tear_down(&t);
}

/* bash sends SIGHUP to all its jobs, also to stopped ones, and none is left. */
EVERY_WAY_WITH(a_hang_up_ends_every_job_of_bash, ALSO_UNDER(TREE_OF_USER))
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

/*
 * COMMAND is in another process group, so spawnfd forwards the signals of the
 * terminal. COMMAND gets each of them once.
 */
EVERY_WAY_WITH(a_new_session_in_a_terminal, ALSO_UNDER(TREE_OF_USER))
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

/* Ctrl-Z stops nothing, for the new group is orphaned. Ctrl-C ends COMMAND. */
EVERY_WAY_WITH(a_new_session_never_hangs, ALSO_UNDER(TREE_OF_USER))
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

EVERY_WAY_WITH(a_new_session_is_hung_up_once, ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	struct player p;

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
	expect_exits(&t.r, 0);
	tear_down(&t);
}
