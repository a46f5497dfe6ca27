/* SPDX-License-Identifier: MIT */
/*
 * job - the process group of this process, which a shell calls a job, and the
 * controlling terminal of its session. The group that the terminal belongs to
 * is the foreground group (credentials(7), termios(3)).
 */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether somebody can see that this process has stopped, and continue it: the
 * session has a controlling terminal, and the group is not orphaned. A group is
 * orphaned if no process of it has its parent in another group of the session
 * (setpgid(2)). Only the ancestors of this process are looked at. The group
 * counts as not orphaned if one of them cannot be looked at: Linux before 6.13,
 * or a parent outside this PID namespace.
 */
bool job_can_be_continued(void);

/*
 * The foreground group of the terminal. 0 if it is not of this PID namespace.
 * -ENXIO if the session has no terminal; other errors of open(2) for /dev/tty.
 */
pid_t job_foreground(void);

/*
 * Makes a group of this session the foreground group. SIGTTOU must be blocked;
 * otherwise it stops a process that is in the background (tcsetpgrp(3)).
 */
void job_set_foreground(pid_t group);

/*
 * Makes the group of this process the foreground group if no process is left in
 * the one that is: a COMMAND that was killed cannot give the terminal back.
 * Needs SIGTTOU blocked.
 */
void job_recover_terminal(void);

/*
 * The foreground group of the terminal, as job_foreground gives it, if standard
 * input and standard output are that terminal. Otherwise -ENOTTY.
 */
pid_t job_standard_foreground(void);

#endif
