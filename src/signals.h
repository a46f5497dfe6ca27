/* SPDX-License-Identifier: MIT */
/*
 * signals - the signals that are sent to spawnfd itself. spawnfd blocks them
 * before it starts COMMAND or listens, and reads them from a signalfd(2). This
 * way a signal that ends spawnfd leaves neither COMMAND nor a socket behind.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "sys.h"

/* signal(7): signals that stop a process. Unlike SIGSTOP they can be blocked */
#define SIGNALS_STOPPING \
	(SYS_SIGBIT(SIGTSTP) | SYS_SIGBIT(SIGTTIN) | SYS_SIGBIT(SIGTTOU))

struct signals {
	struct sys_sigset inherited;	/* the mask that spawnfd started with */
	int fd;				/* signalfd(2); or -1 */
	int fatal;			/* the signal that ends spawnfd, or 0 */
	const struct pollfd *also_watched; /* events that end signals_poll */
	size_t also_watched_count;	   /* at most SIGNALS_ALSO_WATCHED */
};

enum { SIGNALS_ALSO_WATCHED = 3 };

/*
 * Blocks signals, and fills *ret_signals.
 *
 * With hold, it blocks all signals and makes all readable, like signals_hold.
 * Without hold, it leaves SIGNALS_STOPPING unblocked. It then makes the signals
 * readable whose default action would end spawnfd, except those that spawnfd
 * started with blocked.
 *
 * exit_signal_set has the exit signal of the child, or is empty. Without hold,
 * this signal stays blocked and is never read, so that it has no effect on
 * spawnfd.
 *
 * ret_signals->fd is close-on-exec, and stays open until spawnfd exits.
 */
int signals_block(uint64_t exit_signal_set, bool hold,
		  struct signals *ret_signals);

/*
 * Blocks all signals, including SIGNALS_STOPPING, and makes all readable from
 * signals->fd, so that only SIGKILL can end spawnfd before COMMAND. If
 * signals->fd is -1, it gets a new file descriptor.
 */
int signals_hold(struct signals *signals);

/*
 * Lets a pending signal have its default effect, even if it is ignored. Returns
 * unless the signal ends spawnfd. If the signal stops spawnfd, it returns when
 * spawnfd is continued.
 */
void signals_deliver(int signal);

/* Turns what signalfd(2) has read into what sys_sigqueue takes */
siginfo_t signals_info(const struct signalfd_siginfo *from);

/* Discards a pending signal, which then has no effect */
void signals_discard(int signal);

/*
 * Makes a signal pending again that sys_sigtake has consumed. As any signal, a
 * SIGCONT discards stop signals, and the other way round (signal(7)).
 */
void signals_put_back(const siginfo_t *info);

/* Discards a pending signal if the process sender has sent it */
void signals_discard_from(int signal, pid_t sender);

/*
 * Waits until fd has one of the events of poll(2), and gives 0. Needs the
 * signals of signals_block without hold. deadline is a time of clock.h.
 *
 * -ETIMEDOUT when the deadline has come. -EINTR when a signal has come that
 * would have ended spawnfd; signals->fatal is its number. -ECANCELED when one
 * of signals->also_watched has an event.
 */
int signals_poll(struct signals *signals, int fd, short events,
		 uint64_t deadline);

enum { SIGNALS_POLL_MOST = 9 };

/*
 * Does the same for `count` descriptors, SIGNALS_POLL_MOST at most. Gives 0
 * when one of them has an event, and fills in the events of all.
 */
int signals_poll_any(struct signals *signals, struct pollfd *fds, size_t count,
		     uint64_t deadline);

/*
 * -EINTR if a signal has come that would have ended spawnfd, with its number in
 * signals->fatal; otherwise 0. Does not wait.
 */
int signals_check(struct signals *signals);

struct signals_write_mask {
	struct sys_sigset inherited;	/* the mask to restore */
	bool is_changed;		/* false if the kernel refused */
};

/*
 * Blocks the signals that a write might cause, so that none of them ends or
 * stops spawnfd. A write that nobody can read (SIGPIPE), or to a file that may
 * not grow (SIGXFSZ), only fails. A write from the background to a terminal
 * with stty(1) tostop (SIGTTOU) goes through.
 */
void signals_mask_writes(struct signals_write_mask *ret_write_mask);

/*
 * Consumes the signals that this process's own writes have caused since
 * signals_mask_writes, and restores the mask. Signals of other processes stay
 * pending.
 */
void signals_unmask_writes(const struct signals_write_mask *write_mask);

#endif
