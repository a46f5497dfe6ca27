/* SPDX-License-Identifier: MIT */
/* signals - see signals.h. It must never end spawnfd by itself. */
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"

#define BIT(signal) (UINT64_C(1) << ((signal) - 1))

/* signal(7): what they do by default, which is not to end a process */
#define STOPPING (BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))
#define HARMLESS (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT))

int signals_block(uint64_t own, struct signals *ret_signals)
{
	struct signals signals = { .own = own };
	struct sys_sigset set = { ~STOPPING | own };
	int r = sys_sigmask(&set, &signals.found);

	if (r < 0)
		return r;
	set.bits = ~(signals.found.bits | own | STOPPING | HARMLESS);
	signals.fd = sys_signalfd(&set);
	if (signals.fd < 0)
		return signals.fd;
	*ret_signals = signals;
	return 0;
}

int signals_restore(struct signals *signals)
{
	const struct sys_sigset set = { signals->found.bits | signals->own };

	fd_close(&signals->fd);
	return sys_sigmask(&set, NULL);
}

int signals_look(struct signals *signals)
{
	struct signalfd_siginfo info;

	/* what is ignored is pending too while it is blocked: signal(7) */
	while (!signals->deadly &&
	       read(signals->fd, &info, sizeof(info)) == sizeof(info))
		if (sys_sigignored((int)info.ssi_signo) == 0)
			signals->deadly = (int)info.ssi_signo;
	return signals->deadly ? -EINTR : 0;
}

int signals_poll(struct signals *signals, int fd, short events,
		 uint64_t deadline)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = events },
		{ .fd = signals->fd, .events = POLLIN },
	};
	struct timespec left;
	int r;

	for (;;) {
		r = ppoll(fds, 2, clock_left(deadline, &left), NULL);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (r > 0 && signals_look(signals) < 0)
			return -EINTR;
		if (r > 0 && fds[0].revents)
			return 0;
	}
}

static const int hushed_signals[SIGNALS_HUSHED] = {
	SIGPIPE, SIGXFSZ, SIGTTOU,
};

void signals_hush(struct signals_hushed *ret_hushed)
{
	for (size_t i = 0; i < SIGNALS_HUSHED; i++)
		sys_sigignore(hushed_signals[i], true, &ret_hushed->ignored[i]);
}

void signals_unhush(const struct signals_hushed *hushed)
{
	for (size_t i = 0; i < SIGNALS_HUSHED; i++) {
		/* again, for one that is pending because it was blocked */
		sys_sigignore(hushed_signals[i], true, NULL);
		sys_sigignore(hushed_signals[i], hushed->ignored[i], NULL);
	}
}
