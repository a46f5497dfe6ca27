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

/* Makes a terminal with nothing in it. */
void set_up(struct terminal *t, const char *with);

/* Closes it, which is the hang-up for all that is still in it. */
void tear_down(struct terminal *t);

/*
 * For way->prepare: enters the terminal, with the variables of the command
 * lines and none of those that the tester's own bash goes by.
 */
void enter(const void *arg);

/* Reads until the text is there, after all that was waited for before. */
void await_text(struct terminal *t, const char *text);

void type(struct terminal *t, const char *keys);

/* Waits for the prompt of bash. */
void prompt(struct terminal *t);

/* Starts a program in it, as t->r. */
void start_in(struct terminal *t, const char *const argv[]);

/* set_up(), and bash in it. */
void open_shell(struct terminal *t, const char *with);

/* Ends bash, and tear_down(). */
void close_shell(struct terminal *t);

/* Expects the settings that the terminal had at first. */
void expect_sane(const struct terminal *t);

/* Reads to the end, and returns all that nobody has waited for. */
const char *rest(struct terminal *t);

/* ---- the command ---- */

/* Waits for a new "actor tally". */
struct player meet(struct terminal *t);

/* Expects that "actor tally" tells of this signal next, and whence it came. */
void expect_event(struct terminal *t, int sig, const char *from);

/*
 * Expects that no signal is on its way: the one that spawnfd forwards last of
 * all is the next that arrives.
 */
void expect_silence(struct terminal *t, const struct player *p);

/* Tells "actor tally" to exit with that status, of one digit. */
void order(struct terminal *t, const char *status);

/* Starts "actor tally" under spawnfd in a terminal that was set up. */
void start_player(struct terminal *t, struct player *p,
		  void (*prepare)(const void *), const char *first,
		  const char *second);

/* Ends that, and the terminal. */
void end_player(struct terminal *t);

/* Whether this machine has the program. */
bool have(const char *program);

#endif
