/* SPDX-License-Identifier: MIT */
/* signals - see signals.h. It must never end spawnfd by itself. */
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"

/* signal(7): the default action of these does not end a process */
#define DOES_NOT_END (SYS_SIGBIT(SIGCHLD) | SYS_SIGBIT(SIGURG) | \
		  SYS_SIGBIT(SIGWINCH) | SYS_SIGBIT(SIGCONT))

int signals_block(uint64_t exit_signal_set, bool hold,
		  struct signals *ret_signals)
{
	struct signals signals = { .fd = -1 };
	struct sys_sigset set = { hold ? ~UINT64_C(0)
				       : ~SIGNALS_STOPPING | exit_signal_set };
	int r = sys_sigmask(&set, &signals.inherited);

	if (r < 0)
		return r;
	/* Signals that spawnfd started with blocked would not have ended it. */
	if (!hold)
		set.bits = ~(signals.inherited.bits | exit_signal_set |
			     SIGNALS_STOPPING | DOES_NOT_END);
	signals.fd = sys_signalfd(-1, &set);
	if (signals.fd < 0)
		return signals.fd;
	*ret_signals = signals;
	return 0;
}

int signals_hold(struct signals *signals)
{
	const struct sys_sigset all = { ~UINT64_C(0) };
	int r = sys_sigmask(&all, NULL);

	if (r >= 0)
		r = sys_signalfd(signals->fd, &all);
	if (r < 0)
		return r;
	signals->fd = r;
	return 0;
}

void signals_deliver(int signal)
{
	const struct sys_sigset others = { ~SYS_SIGBIT(signal) };
	struct sys_sigset before;
	bool ignored = false;	/* stays so if the kernel refuses: SIGSTOP */

	sys_sigignore(signal, false, &ignored);
	sys_sigmask(&others, &before);
	sys_sigmask(&before, NULL);
	sys_sigignore(signal, ignored, NULL);
}

siginfo_t signals_info(const struct signalfd_siginfo *from)
{
	siginfo_t info = {
		.si_signo = (int)from->ssi_signo,
		.si_code = from->ssi_code,
	};

	info.si_pid = (pid_t)from->ssi_pid;
	info.si_uid = from->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)from->ssi_ptr;
	return info;
}

void signals_discard(int signal)
{
	bool ignored = false;

	sys_sigignore(signal, true, &ignored);
	sys_sigignore(signal, ignored, NULL);
}

void signals_put_back(const siginfo_t *info)
{
	/* A filter may deny it. Better another sender than no signal. */
	if (sys_sigqueue(getpid(), info) < 0)
		kill(getpid(), info->si_signo);
}

void signals_discard_from(int signal, pid_t sender)
{
	const struct sys_sigset set = { SYS_SIGBIT(signal) };
	siginfo_t info;

	if (sys_sigtake(&set, &info) > 0 && info.si_pid != sender)
		signals_put_back(&info);
}

int signals_check(struct signals *signals)
{
	struct signalfd_siginfo info;

	/*
	 * A blocked signal becomes pending even if it is ignored (signal(7)).
	 * An ignored one must not end spawnfd.
	 */
	while (!signals->fatal &&
	       read(signals->fd, &info, sizeof(info)) == sizeof(info))
		if (sys_sigignored((int)info.ssi_signo) == 0)
			signals->fatal = (int)info.ssi_signo;
	return signals->fatal ? -EINTR : 0;
}

static bool has_event(const struct pollfd *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i].revents)
			return true;
	return false;
}

int signals_poll_any(struct signals *signals, struct pollfd *fds, size_t count,
		     uint64_t deadline)
{
	struct pollfd rows[1 + SIGNALS_ALSO_WATCHED + SIGNALS_POLL_MOST];
	const size_t watched = signals->also_watched_count;
	struct pollfd *const own = rows + 1 + watched;
	struct timespec left;
	int r;

	rows[0] = (struct pollfd){ .fd = signals->fd, .events = POLLIN };
	for (size_t i = 0; i < watched; i++)
		rows[1 + i] = signals->also_watched[i];
	memcpy(own, fds, count * sizeof(*rows));
	for (;;) {
		r = ppoll(rows, 1 + watched + count,
			  clock_left(deadline, &left), NULL);
		/* poll(2): there are more rows than RLIMIT_NOFILE. */
		if (r < 0 && errno != EINTR)
			return errno == EINVAL ? -EMFILE : -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (r > 0 && signals_check(signals) < 0)
			return -EINTR;
		if (r > 0 && has_event(own, count))
			break;
		if (r > 0 && has_event(rows + 1, watched))
			return -ECANCELED;
	}
	memcpy(fds, own, count * sizeof(*rows));
	return 0;
}

int signals_poll(struct signals *signals, int fd, short events,
		 uint64_t deadline)
{
	return signals_poll_any(signals, &(struct pollfd){ fd, events, 0 }, 1,
				deadline);
}

void signals_mask_writes(struct signals_write_mask *ret_write_mask)
{
	const struct sys_sigset set = {
		SYS_SIGBIT(SIGPIPE) | SYS_SIGBIT(SIGXFSZ) | SYS_SIGBIT(SIGTTOU)
	};

	/*
	 * If SIGTTOU is blocked, the kernel lets a background process write to
	 * its terminal, as if the signal were ignored (Linux 7.3). No SIGTTOU
	 * is sent then.
	 */
	ret_write_mask->is_changed =
		sys_sigblock(&set, &ret_write_mask->inherited) >= 0;
}

void signals_unmask_writes(const struct signals_write_mask *write_mask)
{
	const struct sys_sigset own = {
		SYS_SIGBIT(SIGPIPE) | SYS_SIGBIT(SIGXFSZ)
	};
	/* A SIGPIPE and a SIGXFSZ of others: they do not queue, signal(7) */
	siginfo_t others[2], info;
	bool has[2] = { false };
	int signal;

	if (!write_mask->is_changed)
		return;
	while ((signal = sys_sigtake(&own, &info)) > 0)
		if (info.si_pid != getpid()) {
			others[signal == SIGXFSZ] = info;
			has[signal == SIGXFSZ] = true;
		}
	/*
	 * Another process has sent these, before the write or during it. They
	 * become pending again. One may have come to the thread and another one
	 * to the process: one of both is enough.
	 */
	for (int i = 0; i < 2; i++)
		if (has[i])
			sys_sigqueue(getpid(), &others[i]);
	sys_sigmask(&write_mask->inherited, NULL);
}
