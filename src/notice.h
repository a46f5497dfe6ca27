/* SPDX-License-Identifier: MIT */
/*
 * notice - what spawnfd and its child tell each other: the child, that it could
 * not execute COMMAND; the init of --kill-tree, what has become of COMMAND.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "step.h"

/* What the sender means by it, and what `value` is then */
enum notice_kind {
	/* from a child before its exec */
	NOTICE_FAILED,		/* COMMAND was not executed: `step`, errno */
	NOTICE_LEFT_TO_STOP,	/* the child exited, for this signal stops it */
	/* from the init, which sends NOTICE_FAILED too */
	NOTICE_EXECUTED,	/* COMMAND was; 0, or why there is no /proc */
	NOTICE_STOPPED,		/* COMMAND, by this signal; spawnfd stops too */
	NOTICE_STOPPED_ALONE,	/* COMMAND, in a group of its own */
	NOTICE_REPLY,		/* to a question: 1 for yes, 0 for no */
	NOTICE_ENDED,		/* COMMAND has, with this wait status */
	/* to the init */
	NOTICE_BEGIN,		/* its user namespace is ready */
	ASK_STILL_STOPPED,	/* is COMMAND stopped as it was reported? */
	ASK_CHANGED		/* has its state changed since that? */
};

/* Whole or not at all: far below PIPE_BUF, or one message of a socket */
struct notice {
	enum notice_kind kind;
	enum step step;
	int value;
};

/* The two ends for spawnfd and an init, close-on-exec */
int notice_open(int ret_ends[2]);

/*
 * For an init and to it. Never waits and raises no SIGPIPE: a notice that
 * nobody takes gets lost, -errno.
 */
int notice_send(int fd, enum notice_kind kind, enum step step, int value);

/* 1 if there was one; 0 if the other end is gone; -EAGAIN if there is none */
int notice_take(int fd, struct notice *ret_notice);

/* The same, but waits; for so many milliseconds, -1 for ever: -ETIMEDOUT */
int notice_await(int fd, int ms, struct notice *ret_notice);

/* The same as notice_take for a child without an init, from its pipe */
int notice_read(int fd, struct notice *ret_notice);

#endif
