/* SPDX-License-Identifier: MIT */
/* triggers - see triggers.h. It must never read from what it watches. */
#include "triggers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

static void watch(struct triggers *triggers, enum cause cause, int fd,
		  short events)
{
	triggers->watches[triggers->count++] =
		(struct watch){ cause, fd, events };
}

/* Opens a pidfd; -ESRCH if the process has ended, even if nobody reaped it */
static int open_living(pid_t pid)
{
	int fd = sys_pidfd_open(pid);

	if (fd < 0)
		return fd;
	fd = fd_above_standard(fd);
	if (fd < 0)
		return -errno;
	if (!fd_has_event(fd, POLLIN))
		return fd;
	close(fd);
	return -ESRCH;
}

static int watch_parent(struct triggers *triggers)
{
	pid_t parent = getppid();
	int fd;

	/*
	 * pid_namespaces(7): the parent is outside this PID namespace. Process
	 * 1 of the first namespace has none.
	 */
	if (!parent)
		return -EREMOTE;
	fd = open_living(parent);
	if (fd < 0)
		return fd;
	/*
	 * The parent may have ended before the open, and another process may
	 * have got its pid. This process has a different parent then.
	 */
	if (getppid() != parent) {
		close(fd);
		return -ESRCH;
	}
	watch(triggers, CAUSE_PARENT, fd, POLLIN);
	return 0;
}

static int watch_pid(struct triggers *triggers, const union value *value)
{
	int fd = open_living(value->process.pid);

	if (fd < 0)
		return fd;
	if (value->process.inode &&
	    value->process.inode != sys_pidfd_inode(fd)) {
		close(fd);
		return -ESTALE;
	}
	watch(triggers, CAUSE_PID, fd, POLLIN);
	return 0;
}

/* Checks that fd can hang up at all: fifo(7), unix(7), tcp(7), tty(4) */
static int check_kind(int fd, const struct stat *st)
{
	struct termios terminal;
	int type, listens;
	socklen_t size = sizeof(type);

	/*
	 * isatty(3) would not do: on a terminal that has hung up it fails with
	 * EIO.
	 */
	if (S_ISFIFO(st->st_mode) || !tcgetattr(fd, &terminal) || errno == EIO)
		return 0;
	if (S_ISSOCK(st->st_mode) &&
	    !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) &&
	    !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) &&
	    !listens &&
	    (type == SOCK_STREAM || type == SOCK_SEQPACKET))
		return 0;
	return -EINVAL;
}

/*
 * Looks for a descriptor of spawnfd that is the other end of that pipe; -1 if
 * there is none. COMMAND would inherit it, so that the pipe could not hang up
 * while COMMAND runs.
 */
static int other_end(int fd, const struct stat *st)
{
	/* A descriptor that was left open by mistake has a low number. */
	enum { MOST = 4096 };
	int mode = fcntl(fd, F_GETFL) & O_ACCMODE;

	/* fifo(7): a FIFO that is open for reading and writing is both ends. */
	if (mode == O_RDWR)
		return fd;
	for (int other = 0; other < MOST; other++) {
		int flags = fcntl(other, F_GETFL);
		struct stat st_other;

		if (flags >= 0 && (flags & O_ACCMODE) != mode &&
		    !(flags & O_PATH) && !fstat(other, &st_other) &&
		    st_other.st_dev == st->st_dev &&
		    st_other.st_ino == st->st_ino)
			return other;
	}
	return -1;
}

static int watch_fd(struct triggers *triggers, int fd)
{
	struct stat st;
	int r, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || flags & O_PATH || fstat(fd, &st) < 0)
		return -EBADF;
	r = check_kind(fd, &st);
	if (r < 0)
		return r;
	if (S_ISFIFO(st.st_mode) && other_end(fd, &st) >= 0)
		return -EDEADLK;
	if (fd_has_event(fd, POLLRDHUP))
		return -EPIPE;
	/* COMMAND inherits FD only if it is 0, 1 or 2. */
	if (fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	watch(triggers, CAUSE_FD, fd, POLLRDHUP);
	return 0;
}

/* Fills *ret_failure; its number is the argument of the option that failed */
static int fail(const struct options *options, enum step step, int r,
		struct failure *ret_failure)
{
	step_fail(ret_failure, step, r, NULL);
	if (step == STEP_PID)
		ret_failure->number =
			options->values[OPT_DIE_WITH_PID].process.pid;
	if (step == STEP_FD)
		ret_failure->number =
			(int)options->values[OPT_DIE_WITH_FD].number;
	return r;
}

struct triggers triggers_of_end(const struct options *options)
{
	const union value *values = options->values;

	return (struct triggers){
		.signal = (int)values[OPT_SIGNAL].number,
		.has_kill_after = options_has(options, OPT_KILL_AFTER),
		.kill_after_ns = values[OPT_KILL_AFTER].number,
	};
}

int triggers_open(const struct options *options, struct triggers *ret_triggers,
		  struct failure *ret_failure)
{
	const union value *values = options->values;
	struct triggers triggers = triggers_of_end(options);
	enum step step = STEP_NONE;
	int r = 0;

	triggers.timeout_ns = values[OPT_TIMEOUT].number;
	/* First, before spawnfd opens anything that could get that number. */
	if (options_has(options, OPT_DIE_WITH_FD)) {
		step = STEP_FD;
		r = watch_fd(&triggers, (int)values[OPT_DIE_WITH_FD].number);
	}
	if (r >= 0 && options_has(options, OPT_DIE_WITH_PARENT)) {
		step = STEP_PARENT;
		r = watch_parent(&triggers);
	}
	if (r >= 0 && options_has(options, OPT_DIE_WITH_PID)) {
		step = STEP_PID;
		r = watch_pid(&triggers, &values[OPT_DIE_WITH_PID]);
	}
	if (r < 0)
		return fail(options, step, r, ret_failure);
	*ret_triggers = triggers;
	return 0;
}

size_t triggers_poll(const struct triggers *triggers, struct pollfd *ret_fds)
{
	for (size_t i = 0; i < triggers->count; i++)
		ret_fds[i] = (struct pollfd){
			.fd = triggers->watches[i].fd,
			.events = triggers->watches[i].events,
		};
	return triggers->count;
}

int triggers_error(const struct options *options,
		   const struct triggers *triggers, struct failure *ret_failure)
{
	static const enum step steps[CAUSES] = {
		[CAUSE_PARENT] = STEP_PARENT,
		[CAUSE_PID] = STEP_PID,
		[CAUSE_FD] = STEP_FD,
	};
	const struct watch *watch = triggers->watches;

	while (!fd_has_event(watch->fd, watch->events))
		watch++;
	return fail(options, steps[watch->cause],
		    watch->cause == CAUSE_FD ? -EPIPE : -ESRCH, ret_failure);
}

int triggers_first_signal(const struct triggers *triggers, enum cause cause)
{
	if (triggers->signal)
		return triggers->signal;
	return triggers->has_kill_after || cause == CAUSE_TIMEOUT ? SIGTERM
								  : SIGKILL;
}

bool triggers_start_clock(const struct triggers *triggers, int signal)
{
	return triggers->has_kill_after &&
	       signal == triggers_first_signal(triggers, CAUSE_SIGNAL) &&
	       sys_sigignored(signal) <= 0;
}
