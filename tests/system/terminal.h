/* SPDX-License-Identifier: MIT */
/*
 * A terminal with bash in it, where the test plays the person. The test types
 * into the other end of a pseudo-terminal, and reads until the text comes that
 * it waits for. The terminal does not echo, so the test reads only output.
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <termios.h>

#include "harness.h"

#define CONTROL_C "\003"

#define CONTROL_Z "\032"

#define READY "ready> "		/* the prompt */
#define STATUS "echo \"=$?\"\r"
#define BELL 64			/* of all pending signals it is read last */

/*
 * The command line of "actor tally". A test writes $S or $N before it: $S is
 * spawnfd, or empty to compare with; $N is spawnfd with --new-session.
 */
#define TALLY "$A tally $E $O"

struct terminal {
	int master;
	char name[64];
	struct termios found;
	const char *with;	/* the option of spawnfd; NULL: no spawnfd */
	int events, orders;	/* FIFOs of "actor tally" */
	pid_t players[2];	/* commands, or the spawnfds that hold them */
	int player_count;
	struct running r;	/* the program in the terminal */
	char text[65536];	/* all output of the terminal */
	size_t used;
	size_t seen;		/* the test has looked at the text before it */
};

/* "actor tally", as it has announced itself. */
struct player {
	pid_t pid;
	pid_t holder;		/* spawnfd; without it, the parent */
	int has_terminal;
};

/* ---- the terminal ---- */

/* Makes a terminal with nothing in it. */
void set_up(struct terminal *t, const char *with);

/* Closes the terminal, which hangs up for all that is still in it. */
void tear_down(struct terminal *t);

/*
 * For way->prepare: enters the terminal. It sets the variables that the command
 * lines use, and removes those that would change bash's behaviour.
 */
void enter(const void *arg);

/* Reads until the text comes, after the text that was awaited before. */
void await_text(struct terminal *t, const char *text);

/* As await_text(), but returns false after that silence: see patience.h. */
bool text_comes(struct terminal *t, const char *text, int silence_ms);

void type(struct terminal *t, const char *keys);

/* Waits for the prompt of bash. */
void prompt(struct terminal *t);

/* Starts a program in the terminal, as t->r. */
void start_in(struct terminal *t, const char *const argv[]);

/* Calls set_up(), and starts bash in the terminal. */
void open_shell(struct terminal *t, const char *with);

/* Ends bash, and calls tear_down(). */
void close_shell(struct terminal *t);

/* Expects the settings that the terminal had at first. */
void expect_sane(const struct terminal *t);

/* Reads to the end, and returns the text after the last one awaited. */
const char *rest(struct terminal *t);

/* ---- the command ---- */

/* Waits for a new "actor tally". */
struct player meet(struct terminal *t);

/* Expects that "actor tally" reports this signal next, from that sender. */
void expect_event(struct terminal *t, int sig, const char *from);

/*
 * Expects that "actor tally" reports next the signal of a key, from the
 * terminal. bash puts its job into the foreground twice. With --kill-tree, the
 * second time may come when the terminal is with the group of COMMAND already,
 * and takes it away. Then the signal may come from spawnfd.
 */
void expect_key(struct terminal *t, const struct player *p, int sig);

/*
 * Expects that no other signal is on its way. It sends BELL, which spawnfd
 * forwards after all others; BELL must be the next signal that arrives.
 */
void expect_silence(struct terminal *t, const struct player *p);

/* Tells "actor tally" to exit with that status, of one digit. */
void order(struct terminal *t, const char *status);

/* Starts "actor tally" under spawnfd in a terminal that was set up. */
void start_player(struct terminal *t, struct player *p,
		  void (*prepare)(const void *), const char *first,
		  const char *second);

/* Ends that command, and the terminal. */
void end_player(struct terminal *t);

/* Whether this machine has the program. */
bool have(const char *program);

#endif
