/* SPDX-License-Identifier: MIT */
/*
 * A terminal with bash in it, where a test plays the person: it types into the
 * other end of a pseudo-terminal and reads until the text that it waits for is
 * there. The terminal does not echo: all that a test reads is output.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <termios.h>

#include "harness.h"

#define CONTROL_C "\003"

#define CONTROL_Z "\032"

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

void set_up(struct terminal *t, const char *with);
void tear_down(struct terminal *t);

/* The variables of the command lines; and nothing of the tester's own bash. */
void enter(const void *arg);

/* Reads until the text is there, behind all that was waited for before. */
void await_text(struct terminal *t, const char *text);
void type(struct terminal *t, const char *keys);
void prompt(struct terminal *t);
void start_in(struct terminal *t, const char *const argv[]);
void open_shell(struct terminal *t, const char *with);
void close_shell(struct terminal *t);

/* As stty -g shows it */
void expect_sane(const struct terminal *t);

/* All that is left on the terminal */
const char *rest(struct terminal *t);

/* ---- the command ---- */

struct player meet(struct terminal *t);
void expect_event(struct terminal *t, int sig, const char *from);

/*
 * No signal is on its way: one that spawnfd passes on last of all is the next
 * that arrives.
 */
void expect_silence(struct terminal *t, const struct player *p);
void order(struct terminal *t, const char *status);
void start_player(struct terminal *t, struct player *p,
		  void (*prepare)(const void *), const char *first,
		  const char *second);
void end_player(struct terminal *t);
bool have(const char *program);

#endif
