/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <stdlib.h>
#include <termios.h>

#include "pty.h"

/* ---- the terminal ---- */

void set_up(struct terminal *t, const char *with)
{
	*t = (struct terminal){ .with = with };
	t->master = open_pty(t->name, sizeof(t->name));
	cr_assert_eq(tcgetattr(t->master, &t->found), 0);
	t->found.c_lflag &= ~(tcflag_t)ECHO;
	cr_assert_eq(tcsetattr(t->master, TCSANOW, &t->found), 0);
	t->events = make_fifo("events");
	t->orders = make_fifo("orders");
}

void tear_down(struct terminal *t)
{
	if (t->master >= 0)
		close(t->master);
	close(t->events);
	close(t->orders);
}

void enter(const void *arg)
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

/* Reads output of the terminal; false at its end, where read(2) gives EIO. */
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

bool text_comes(struct terminal *t, const char *text, int silence_ms)
{
	char *at;

	while (!(at = strstr(t->text + t->seen, text))) {
		struct pollfd p = { t->master, POLLIN, 0 };

		if (poll_until_silence(&p, 1, silence_ms) != 1)
			return false;
		cr_assert(look(t), "no \"%s\" but the end", text);
	}
	t->seen = (size_t)(at - t->text) + strlen(text);
	return true;
}

void await_text(struct terminal *t, const char *text)
{
	cr_assert(text_comes(t, text, PATIENCE_MS), "no \"%s\" in \"%s\"",
		  text, t->text + t->seen);
}

void type(struct terminal *t, const char *keys)
{
	cr_assert_eq(write(t->master, keys, strlen(keys)),
		     (ssize_t)strlen(keys));
}

void prompt(struct terminal *t)
{
	await_text(t, READY);
}

void start_in(struct terminal *t, const char *const argv[])
{
	const struct way way = { .prepare = enter, .arg = t };

	start(&t->r, &way, argv);
}

void open_shell(struct terminal *t, const char *with)
{
	set_up(t, with);
	start_in(t, ARGV("/bin/bash", "--norc", "--noediting", "-i"));
	prompt(t);
}

void close_shell(struct terminal *t)
{
	type(t, "exit 0\r");
	expect_exits(&t->r, 0);
	tear_down(t);
}

void expect_sane(const struct terminal *t)
{
	struct termios now;

	cr_assert_eq(tcgetattr(t->master, &now), 0);
	cr_expect_eq(now.c_iflag, t->found.c_iflag, "%x", now.c_iflag);
	cr_expect_eq(now.c_oflag, t->found.c_oflag, "%x", now.c_oflag);
	cr_expect_eq(now.c_cflag, t->found.c_cflag, "%x", now.c_cflag);
	cr_expect_eq(now.c_lflag, t->found.c_lflag, "%x", now.c_lflag);
	cr_expect_eq(memcmp(now.c_cc, t->found.c_cc, sizeof(now.c_cc)), 0);
}

const char *rest(struct terminal *t)
{
	while (look(t))
		;
	return t->text + t->seen;
}

/* ---- the command ---- */

struct player meet(struct terminal *t)
{
	struct player p;
	char line[64];

	read_line(t->events, line, sizeof(line));
	cr_assert_eq(sscanf(line, "%d %d %d", &p.pid, &p.holder,
			    &p.has_terminal), 3, "%s", line);
	return p;
}

static void expect_line(const char *line, int sig, const char *from)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "%d %s", sig, from);
	cr_assert_str_eq(line, wanted, "wanted \"%s\"; saw \"%s\"", wanted,
			 line);
}

void expect_event(struct terminal *t, int sig, const char *from)
{
	char line[64];

	read_line(t->events, line, sizeof(line));
	expect_line(line, sig, from);
}

void expect_key(struct terminal *t, const struct player *p, int sig)
{
	bool bash_was_last;
	char line[64];
	pid_t front;

	read_line(t->events, line, sizeof(line));
	front = tcgetpgrp(t->master);
	bash_was_last = front == getpgid(p->holder) &&
			front != getpgid(p->pid);
	expect_line(line, sig, bash_was_last && strstr(line, " user")
				       ? "user" : "kernel");
}

void expect_silence(struct terminal *t, const struct player *p)
{
	kill(p->holder, BELL);
	expect_event(t, BELL, "user");
}

void order(struct terminal *t, const char *status)
{
	cr_assert_eq(write(t->orders, status, 1), 1);
}

void start_player(struct terminal *t, struct player *p,
		  void (*prepare)(const void *), const char *first,
		  const char *second)
{
	const struct way way = { .prepare = prepare, .arg = t };

	start(&t->r, &way, ARGV(spawnfd, t->with, actor, "tally",
				scratch_path("events"), scratch_path("orders"),
				"64", first, second));
	*p = meet(t);
}

void end_player(struct terminal *t)
{
	order(t, "6");
	expect_exits(&t->r, 6);
	tear_down(t);
}

bool have(const char *program)
{
	char command[128];
	struct ended e;

	snprintf(command, sizeof(command), "command -v %s", program);
	run(&e, NULL, ARGV("/bin/sh", "-c", command));
	return e.status == 0;
}
