/* SPDX-License-Identifier: MIT */
/*
 * notice - what spawnfd and its child tell each other: the child, that it could
 * not execute COMMAND; the init of --kill-tree, what has become of COMMAND.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "explain.h"

enum notice_kind {
	NOTICE_FAILED,		/* COMMAND was not executed: step and errno */
	NOTICE_STOPPED,		/* by that signal, and spawnfd is to stop too */
	/* of an init: */
	NOTICE_EXECUTED,	/* it was; 0, or the errno of mounting /proc */
	NOTICE_STOPPED_APART,	/* by that signal, in a group of its own */
	NOTICE_ANSWER,		/* 1 for yes, or 0 */
	NOTICE_ENDED,		/* with that wait status */
	/* to an init: */
	NOTICE_BEGIN,		/* the user namespace is ready */
	NOTICE_IS_OVER,		/* is the stop that was told over? */
	NOTICE_HAS_CHANGED	/* has anything become of it since? */
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
