/* SPDX-License-Identifier: MIT */
/* Processes, as /proc shows them, and those that a test has left. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

/* Returns the first child of pid's main thread, or 0. */
pid_t child_of(pid_t pid);

int count_children(pid_t pid);

/* Returns the command that the spawnfd `pid` holds: the init's child if any. */
pid_t command_of(pid_t pid);

/* Tells whether this variant has an init between spawnfd and COMMAND. */
bool kills_tree(void);

/* Fails the test if pid is gone. */
pid_t parent_of(pid_t pid);

/* Gives the name of the process, or "" if there is no such process. */
void name_of(pid_t pid, char *name, size_t size);

/* Returns the state as in /proc: 'T' is stopped, 'Z' a zombie, '\0' none. */
char state_of(pid_t pid);

void await_state(pid_t pid, char state);

/* Returns a set of signals from /proc/PID/status: "SigPnd:", "SigBlk:"... */
uint64_t signals_of(pid_t pid, const char *name);

/* Waits until the process has read these signals, and sleeps again. */
void await_handled(pid_t pid, uint64_t signals);

/* Waits until the init, if there is one, has passed on what spawnfd has. */
void await_init(pid_t holder);

int open_pidfd(pid_t pid);

/* Returns the inode of the process's pidfds; no other process ever has it. */
unsigned long inode_of(pid_t pid);

long resident_kb(pid_t pid);

/* Returns how much memory the process shares with no other. */
int private_kb(pid_t pid);

/* Counts the open descriptors of the test. */
int count_descriptors(void);

/* As waitid(2), but fails with EINTR after silence: see patience.h. */
int waitid_patiently(idtype_t type, id_t id, siginfo_t *info, int options);

/* Waits until the test, a subreaper, has no child left; asserts nothing. */
void reap_orphans(void);

/* Waits for descendants that die, and asserts that none is left. */
void nothing_left(void);

/* Kills what a failed test has left. The test, a subreaper, inherits it all. */
void kill_all(void);

#endif
