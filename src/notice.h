/* SPDX-License-Identifier: MIT */
/*
 * notice - short messages between spawnfd and its child. A child tells spawnfd
 * that it could not execute COMMAND. The init of --kill-tree tells what becomes
 * of COMMAND, and answers questions.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>

#include "proc.h"
#include "step.h"

/*
 * Behind the colon: what `value` holds. NOTICE_FAILED alone has a `step`, which
 * says what failed.
 */
enum notice_kind {
	/* from a child before its exec */
	NOTICE_FAILED,		/* COMMAND was not executed: an errno */
	/*
	 * this signal was to stop the child before its exec; it exited, and a
	 * second child is to stop in its place
	 */
	NOTICE_LEFT_TO_STOP,
	/* from the init, which sends NOTICE_FAILED for its own failures too */
	NOTICE_EXECUTED,	/* COMMAND was executed: 0, or errno of /proc */
	NOTICE_STOPPED,		/* COMMAND stopped, spawnfd follows: signal */
	NOTICE_STOPPED_ALONE,	/* COMMAND stopped in its own group: signal */
	NOTICE_STOPPED_FOREGROUND,	/* with the terminal: a signal */
	NOTICE_WENT_ON,		/* COMMAND runs again, after NOTICE_STOPPED */
	NOTICE_REPLY,		/* to a question: its number, and 1 for yes */
	NOTICE_ENDED,		/* COMMAND ended: its wait status */
	NOTICE_LEFT_ONE,	/* and left a process: its pid, and its name */
	NOTICE_LEFT,		/* how many processes it has left */
	NOTICE_KILLED_ONE,	/* the kernel is to kill this one: the same */
	NOTICE_KILLED,		/* how many the kernel is to kill */
	/* in both directions: hold_group.h */
	NOTICE_GROUP_SIGNAL,	/* the other group had it: a signal */
	/* to the init */
	NOTICE_BEGIN,		/* the init's user namespace is ready */
	NOTICE_CONTINUE,	/* continue COMMAND; 1: give it the terminal */
	NOTICE_ENDING,		/* spawnfd has begun to end COMMAND */
	NOTICE_KILL,		/* send COMMAND SIGKILL */
	/* questions to the init, each with an even number above 0 */
	ASK_ENDED,		/* is nothing left to end? */
	ASK_STILL_STOPPED,	/* is COMMAND still stopped as reported? */
	ASK_CHANGED,		/* has it changed its state since that stop? */
	ASK_HAS_TERMINAL	/* has the group of COMMAND the terminal? */
};

/*
 * The kernel delivers a notice whole or not at all: it is smaller than PIPE_BUF
 * (pipe(7)), and one message on a seqpacket socket.
 */
struct notice {
	enum notice_kind kind;
	enum step step;
	int value;
	char name[PROC_NAME_SIZE];	/* of NOTICE_..._ONE */
};

/*
 * Makes a pair of seqpacket sockets for spawnfd and an init. Both are
 * close-on-exec and above 2, and belong to the caller.
 */
int notice_open(int ret_ends[2]);

/*
 * Sends a notice over a socket of notice_open. Does not wait for the peer, and
 * raises no SIGPIPE. If the kernel has no memory, tries again for up to
 * CLOCK_PATIENCE_NS (-ENOMEM, -ENOBUFS). The notice is also lost if the queue
 * is full (-EAGAIN) or the peer has closed its end (-EPIPE).
 */
int notice_send(int fd, enum notice_kind kind, enum step step, int value);

/*
 * Sends a notice about one process of many. Waits up to CLOCK_PATIENCE_NS until
 * a quarter of the queue is in use at most, and gives -EAGAIN if it is not: the
 * notices that nobody repeats find room in the rest.
 */
int notice_send_one(int fd, enum notice_kind kind, pid_t pid,
		    const char name[PROC_NAME_SIZE]);

/* Says whether a quarter of the queue to the peer is in use at most */
bool notice_has_room(int fd);

/*
 * Takes the next notice from a socket of notice_open, without waiting. Gives 1
 * for a notice, 0 if the peer has closed its end, -EAGAIN if there is none yet.
 */
int notice_take(int fd, struct notice *ret_notice);

/* Says whether notice_take would give a notice, or the end of the peer, now */
bool notice_is_due(int fd);

/*
 * Waits up to ms milliseconds for a notice, with -1 forever, and takes it.
 * -ETIMEDOUT if none came; otherwise the values of notice_take.
 */
int notice_await(int fd, int ms, struct notice *ret_notice);

/*
 * Writes a notice to the pipe of a child, which has room for it. If the kernel
 * has no memory, tries again for up to CLOCK_PATIENCE_NS. 0 or -errno
 */
int notice_write(int fd, const struct notice *notice);

/*
 * Reads from the pipe of a child, and waits for it to write or to close. Gives
 * 1 for a notice, and 0 if there is none: the child has executed COMMAND, or
 * has ended.
 */
int notice_read(int fd, struct notice *ret_notice);

#endif
