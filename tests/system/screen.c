/* SPDX-License-Identifier: MIT */
/* Programs that use the whole screen, and status lines on a terminal. */
#include "harness.h"
#include "terminal.h"

#include <sys/ioctl.h>
#include <termios.h>

#define CONTROL_S "\023"

#define ESCAPE "\033"

/* ---- full screens ---- */

#define TO_SCREEN "\033[?1049h"
#define FROM_SCREEN "\033[?1049l"

static void open_vi(struct terminal *t)
{
	type(t, "$S vi $F\r");
	await_text(t, TO_SCREEN);
	await_text(t, "/file");		/* in the last line of the screen */
}

static void insert(struct terminal *t, const char *text)
{
	type(t, "i");
	type(t, text);
	await_text(t, text);
}

/* Types the keys, which end or stop vi: the old screen and the shell return. */
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

/*
 * Makes the terminal raw, as a program that is killed may leave it. bash must
 * restore the settings.
 */
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
	char line[64];

	set_up(&t, with);
	start_status(&t, &p);
	snprintf(line, sizeof(line), "{\"child-pid\":%d,\"pidfd-inode\":",
		 child_of(t.r.pid));
	await_text(&t, line);
	await_text(&t, "}\r\n");
	order(&t, "3");
	expect_exits(&t.r, 3);
	await_text(&t, "}\r\n");
	hide_left(t.text);
	cr_expect_not_null(strstr(t.text, "}\r\n{\"exit-code\":3}\r\n"), "%s",
			   t.text);
	cr_expect_str_eq(rest(&t), "");
	tear_down(&t);
}

/* Types Ctrl-S, and waits until the terminal reports that it has stopped. */
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

EVERY_WAY_WITH(a_stopped_terminal_does_not_block_status_lines,
	       ALSO_UNDER(TREE_OF_USER))
{
	struct terminal t;
	struct player p;

	set_up(&t, with);
	start_status(&t, &p);
	await_text(&t, "}\r\n");
	stop_output(&t);
	order(&t, "3");
	expect_exits(&t.r, 3);
	cr_expect_str_eq(rest(&t), "");
	tear_down(&t);
}
