/* SPDX-License-Identifier: MIT */
/*
 * waker - continues spawnfd when COMMAND goes on.
 *
 * spawnfd stops with COMMAND. A shell continues both, but somebody else may
 * continue, or kill, COMMAND alone. The kernel tells spawnfd by SIGCHLD, and a
 * stopped process gets no signal but SIGKILL and SIGCONT (signal(7)). So while
 * spawnfd is stopped, another process watches COMMAND in its place.
 */
#ifndef WAKER_H
#define WAKER_H

#include <sys/types.h>

/*
 * Starts a process that sends SIGCONT to this process as soon as this process
 * is stopped and COMMAND is not. command is a child of this process; or it is
 * 0, and the socket notices becomes readable when COMMAND goes on. notices may
 * be -1.
 *
 * The new process has no other descriptor of this process, and the kernel kills
 * it when this process ends. It looks at /proc, and ends at once if /proc shows
 * another PID namespace.
 *
 * Gives its pid for waker_end, or -errno. Without it, this process stays
 * stopped until somebody else continues it.
 */
pid_t waker_start(pid_t command, int notices);

/* Kills and reaps the process. Does nothing if waker is negative */
void waker_end(pid_t waker);

#endif
