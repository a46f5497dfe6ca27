/* SPDX-License-Identifier: MIT */
/*
 * Shells as COMMAND, in a terminal: they lead groups of their own, take the
 * terminal, give it back, and suspend themselves.
 */
#include "harness.h"
#include "terminal.h"

#include <sys/stat.h>

/* How a shell is started so that it reads commands from the terminal */
struct shell {
	const char *name;
	const char *words;	/* with options against the user's files */
	const char *suspend;	/* NULL: it has no such command */
	const char *set;	/* sets w, which is not exported */
};

static const struct shell shells[] = {
	{ "bash", "bash --norc --noediting -i", "suspend", "w=outer" },
	{ "dash", "dash -i", NULL, "w=outer" },
	{ "zsh", "zsh -f +Z -i", "suspend", "w=outer" },
	{ "fish", "fish --no-config -i", "suspend", "set w outer" },
};

static const uid_t users[] = { 0, NOBODY };

/* Starts a shell in a new terminal of that user. */
static void open_shell_of(struct terminal *t, uid_t uid, const char *with,
			  const char *script)
{
	const struct way way = { .uid = uid, .prepare = enter, .arg = t };

	set_up(t, with);
	cr_assert_eq(chown(t->name, uid, (gid_t)-1), 0);
	cr_assert_eq(chmod(scratch(), 0777), 0);
	start(&t->r, &way, ARGV("/bin/sh", "-c", script));
}

/* One way of the three shows what happens without spawnfd as well. */
static bool is_plain(const char *with)
{
	return strcmp(with, "--") == 0;
}

static void type_line(struct terminal *t, const char *line)
{
	type(t, line);
	type(t, "\r");
}

/* ---- a script whose user is asked after a shell ---- */

/* The script reads from the terminal, so it must be in the foreground again. */
static void ask_after(uid_t uid, const char *with, const char *command,
		      const char *status)
{
	char script[512], wanted[32];
	struct terminal t;

	snprintf(script, sizeof(script), "$S %s; echo \"=$?.\"; read x && "
		 "echo \"answer: $x\"", command);
	snprintf(wanted, sizeof(wanted), "=%s.", status);
	open_shell_of(&t, uid, with, script);
	await_text(&t, wanted);
	type_line(&t, "yes");
	await_text(&t, "answer: yes");
	expect_exits(&t.r, 0);
	tear_down(&t);
}

static void ask_after_all(const char *with, const char *command,
			  const char *status)
{
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		if (is_plain(with))
			ask_after(users[i], NULL, command, status);
		ask_after(users[i], with, command, status);
	}
}

/* An interactive shell makes a group of its own, even for one command. */
EVERY_WAY_WITH(an_interactive_shell_gives_the_terminal_back,
	       ALSO_UNDER(TREE_OF_USER))
{
	ask_after_all(with, "bash --norc -ic true", "0");
	ask_after_all(with, "dash -ic true", "0");
	if (have("zsh"))
		ask_after_all(with, "zsh -f -ic true", "0");
	else
		not_tested("zsh -i", "zsh is missing");
	if (have("fish"))
		ask_after_all(with, "fish --no-config -ic true", "0");
	else
		not_tested("fish -i", "fish is missing");
}

EVERY_WAY_WITH(a_script_with_job_control_gives_the_terminal_back,
	       ALSO_UNDER(TREE_OF_USER))
{
	ask_after_all(with, "bash -c 'set -m; true | cat'", "0");
	ask_after_all(with, "bash -mc 'true; (exit 4)'", "4");
	ask_after_all(with, "dash -mc 'true | cat; (exit 4)'", "4");
}

/* A shell that is killed cannot give the terminal back. */
EVERY_WAY_WITH(spawnfd_takes_the_terminal_of_a_killed_shell,
	       ALSO_UNDER(TREE_OF_USER))
{
	static const char kill_shell[] = "bash --norc -ic 'kill -9 $$'";

	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		ask_after(users[i], with, kill_shell, "137");
}

/* The child gives the terminal to its group before it is known to fail. */
EVERY_WAY_WITH(a_missing_command_leaves_the_terminal_to_the_script,
	       ALSO_UNDER(TREE_OF_USER))
{
	for (int i = 0; i < often(50); i++)
		ask_after(0, with, "./missing 2>$F", "127");
}

/* ---- a shell that suspends itself ---- */

/*
 * Types a line whose output tells which of two shells has read it. A shell that
 * begins to read may throw away what was typed before (TCSAFLUSH of
 * termios(3)), so the line is typed again after a while.
 */
static void expect_shell(struct terminal *t, const char *wanted)
{
	int tries = 0;

	/* The echo of the line has the quotes, the output has not. */
	do {
		cr_assert_lt(tries++, 30, "%s: no \"%s\" in \"%s\"",
			     t->with ? t->with : "without spawnfd", wanted,
			     t->text);
		type_line(t, "echo 'w=<'\"$w\"'>'");
	} while (!text_comes(t, wanted, 1000));
}

static void suspend(const char *with, const struct shell *outer,
		    const struct shell *inner, uid_t uid)
{
	char line[128];
	struct terminal t;

	snprintf(line, sizeof(line), "exec %s", outer->words);
	open_shell_of(&t, uid, with, line);
	type_line(&t, outer->set);
	expect_shell(&t, "w=<outer>");
	/* Of the variables of enter(), every shell knows $S as one word. */
	snprintf(line, sizeof(line), "%s %s %s", with ? spawnfd : "",
		 with ? with : "", inner->words);
	type_line(&t, line);
	expect_shell(&t, "w=<>");
	type_line(&t, inner->suspend);
	expect_shell(&t, "w=<outer>");
	type_line(&t, "fg");
	expect_shell(&t, "w=<>");
	type_line(&t, "exit 5");
	expect_shell(&t, "w=<outer>");
	type_line(&t, "exit 0");
	expect_exits(&t.r, 0);
	tear_down(&t);
}

static void suspend_all(const char *with, const struct shell *inner)
{
	if (!have(inner->name)) {
		not_tested(inner->words, "the shell is missing");
		return;
	}
	/* Where programs start slowly, only bash is the outer shell. */
	for (size_t i = 0; i < (size_t)often(ARRAY_SIZE(shells)) + 1; i++) {
		if (i == ARRAY_SIZE(shells) || !have(shells[i].name))
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(users); j++) {
			if (is_plain(with))
				suspend(NULL, &shells[i], inner, users[j]);
			suspend(with, &shells[i], inner, users[j]);
		}
	}
}

EVERY_WAY_WITH(bash_suspends_itself, ALSO_UNDER(TREE_OF_USER))
{
	suspend_all(with, &shells[0]);
}

EVERY_WAY_WITH(zsh_suspends_itself, ALSO_UNDER(TREE_OF_USER))
{
	suspend_all(with, &shells[2]);
}

EVERY_WAY_WITH(fish_suspends_itself, ALSO_UNDER(TREE_OF_USER))
{
	suspend_all(with, &shells[3]);
}

/* ---- the group that has the terminal ---- */

/* wget(1) and git(1) ask whether they are in the foreground. */
EVERY_WAY_WITH(a_command_is_in_the_foreground, ALSO_UNDER(TREE_OF_USER))
{
	int terminal_group, group;
	struct terminal t;

	open_shell(&t, with);
	type(&t, "$S sh -c 'ps -o tpgid=,pgid= -p $$; echo end'\r");
	await_text(&t, "end");
	cr_assert_eq(sscanf(t.text + strlen(READY), "%d %d", &terminal_group,
			    &group), 2, "%s", t.text);
	cr_expect_gt(group, 0);
	cr_expect_eq(terminal_group, group);
	prompt(&t);
	close_shell(&t);
}

/*
 * A shell in the background must not take the terminal from the shell that has
 * started it. It stops, and reads when it gets the terminal.
 */
EVERY_WAY_WITH(a_shell_in_the_background_waits_for_the_terminal,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	int tries = 0;

	open_shell(&t, with);
	type_line(&t, "w=outer");
	prompt(&t);
	type_line(&t, "$S bash --norc --noediting -i &");
	prompt(&t);
	do {
		cr_assert_lt(tries++, 30, "%s", t.text);
		type_line(&t, "jobs");
	} while (!text_comes(&t, "Stopped", 1000));
	expect_shell(&t, "w=<outer>");
	type_line(&t, "fg");
	expect_shell(&t, "w=<>");
	type_line(&t, "exit 5");
	expect_shell(&t, "w=<outer>");
	close_shell(&t);
}

/* kill 0 in a tree reaches one group. spawnfd sends five signals to its own. */
SystemTestWith(plain, five_signals_of_kill_0_leave_a_tree,
	       ALSO_UNDER(TREE_OF_USER))
{
	static const char script[] =
		"export all='HUP INT QUIT WINCH CONT TERM USR1'\n"
		"for s in $all; do trap \"echo had $s.\" $s; done\n"
		"$S sh -c 'trap : $all; for s in $all; do kill -$s 0; done'\n"
		"echo over";
	static const char *const leaving[] = {
		"had HUP.", "had INT.", "had QUIT.", "had WINCH.", "had CONT.",
	};
	struct terminal t;

	set_up(&t, "--kill-tree");
	start_in(&t, ARGV("/bin/sh", "-c", script));
	await_text(&t, "over");
	for (size_t i = 0; i < ARRAY_SIZE(leaving); i++)
		cr_expect_not_null(strstr(t.text, leaving[i]), "%s: %s",
				   leaving[i], t.text);
	cr_expect_null(strstr(t.text, "had TERM."), "%s", t.text);
	cr_expect_null(strstr(t.text, "had USR1."), "%s", t.text);
	expect_exits(&t.r, 0);
	tear_down(&t);
}
