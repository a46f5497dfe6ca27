/* SPDX-License-Identifier: MIT */
/*
 * storms - starts spawnfd thousands of times, kills spawnfd or its receiver at
 * a random moment of each run, and looks at what is left. README.md in tests/
 * says how to use it.
 *
 *	command.c	what COMMAND does
 *	run.c		one run of a hold: draws it, makes it, and judges it
 *	pass.c		one run of --pass
 *	signals.c	a thousand signals a second to one holder
 *	storms.c	lanes of runs, and the results
 */
#ifndef STORMS_H
#define STORMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum kind { AUTOKILL, KILL_TREE, PASS, KINDS };

#define OWN_STATUS 7	/* the exit status of a COMMAND that ends by itself */
#define FD_LIFE 8	/* every process of a run has this end of a pipe */

/* The signals of the signal storm: numbered, and the last one */
#define SIGNAL_NUMBERED 40
#define SIGNAL_LAST 41

/* The counts of all lanes */
struct tally {
	long taken;		/* how many runs a lane has begun */
	long runs, survivors, zombies, wrong;
	long before, during, after;	/* the kill, and the life of COMMAND */
	long told;		/* how many faults were found */
};

/* The report of a receiver while it lives, in memory that is shared with it */
struct receiver {
	int messages;
	bool malformed;
};

struct run {
	enum kind kind;
	long index;
	uint64_t dice;
	/* These are drawn. */
	int signal;		/* the kill of spawnfd; 0: there is none */
	bool kills_receiver;
	bool keeps_listener;	/* the lane takes what the receiver has not */
	bool ends;		/* COMMAND ends by itself */
	long moment_us;		/* of the kill, after the start of spawnfd */
	/* These were seen. */
	int status;		/* the wait status of spawnfd */
	bool hung, executed;
	int survivors, zombies;
	long length_us;
	struct receiver received;
};

/* ---- what main() has found out ---- */

extern char spawnfd[4096], self[4096];
extern struct receiver *receiver;
extern int patience_s;

/* ---- runs ---- */

/* Draws all about a run from the seed. length_us is that of a whole run. */
void draw_run(struct run *run, uint64_t seed, long length_us);

/* Makes the run, fills in what was seen, and leaves no process behind. */
void make_hold(struct run *run);
void make_pass(struct run *run);

/* Says what is wrong with the status, or NULL. */
const char *judge_hold(const struct run *run);
const char *judge_pass(const struct run *run);

/* Executes spawnfd with FD_LIFE; words end in NULL. Never returns. */
void become_spawnfd(int life, char *const *words) __attribute__((noreturn));

/* The pipe that shows survivors: ends[1] is what all processes of a run have. */
void open_life(int ends[2]);

/* Waits for the moment of the kill, which is counted from start_us. */
void await_moment(const struct run *run, long start_us);

/* Waits for spawnfd. */
void await_spawnfd(struct run *run, pid_t pid, long start_us);

/* Looks for survivors and zombies, and ends what is left. */
void look_at_rest(struct run *run, int life);

/* From now on each wait ends with EINTR after patience_s. */
void start_patience(void);

/* Never returns. */
void command_run(const char *what) __attribute__((noreturn));

/* ---- the signal storm ---- */

/* Tells the figures, and whether all was right. */
bool storm_signals(bool tree, long seconds);

#endif
