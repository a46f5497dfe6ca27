/* SPDX-License-Identifier: MIT */
/* Processes, as /proc shows them, and what is left of them. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

/* The first child of pid, or 0. The children of a thread do not count. */
pid_t child_of(pid_t pid);

int count_children(pid_t pid);

/* The command of the spawnfd that is pid, behind its init if it has one. */
pid_t command_of(pid_t pid);

/* Whether this variant has an init between spawnfd and the command. */
bool kills_tree(void);

/* Fails the test if pid is gone. */
pid_t parent_of(pid_t pid);

/* The name of the process, or "". */
void name_of(pid_t pid, char *name, size_t size);

/* As in /proc: 'T' is stopped, 'Z' a zombie; '\0' if there is no process. */
char state_of(pid_t pid);

void await_state(pid_t pid, char state);

/* A set of signals in /proc/PID/status: "SigPnd", "SigBlk", ... */
uint64_t signals_of(pid_t pid, const char *name);

int open_pidfd(pid_t pid);

/* The inode of its pidfds, which no other process ever has. */
unsigned long inode_of(pid_t pid);

long resident_kb(pid_t pid);

/* The memory that the process shares with no other. */
int private_kb(pid_t pid);

/* The open descriptors of the test. */
int count_descriptors(void);

/* As waitid(2), but fails with EINTR after silence, as patience.h has it. */
int waitid_patiently(idtype_t type, id_t id, siginfo_t *info, int options);

/* Waits until all that was left to this subreaper has ended; no assertion. */
void reap_orphans(void);

/* Asserts that the test has no descendant, after waiting for dying ones. */
void nothing_left(void);

/* Kills what a failed test has left: a subreaper inherits all of it. */
void kill_all(void);

#endif
