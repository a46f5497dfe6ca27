/* SPDX-License-Identifier: MIT */
/* What the verbs of the actor share. */
#ifndef ACTOR_H
#define ACTOR_H

#include <sys/types.h>

#define LIFETIME 3600

/* Ends the actor with status 99, and says why. */
_Noreturn void fail(const char *what);

/* Ends the actor after LIFETIME, even if SIGALRM was ignored or blocked. */
void die_in_time(void);

/* Waits for a signal that ends the actor. */
_Noreturn void stay(void);

void block_all(void);

/* The number that the word says; 0 without a word. */
int number(const char *word);

/* The pid of this process as the test sees it. */
pid_t pid_outside(void);

/* Does what the verb says, with the words after it; returns the exit status. */
int act(char **words);

/* The verbs of actor_tree.c. */
int do_brood(char **args);
int do_daemonize(char **args);
int do_forest(char **args);
int do_grove(char **args);
int do_traced(char **args);

#endif
