/* SPDX-License-Identifier: MIT */
/* fd - see fd.h. It must never close a descriptor that is to be kept. */
#include "fd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "proc.h"
#include "sys.h"

#define DESCRIPTORS "/proc/self/fd"

/* Not inlined: spawnfd is seldom started with one of these closed. */
int fd_move_up(int fd)
{
	const int copy = fd_copy(fd);
	const int error = errno;

	close(fd);
	errno = error;
	return copy;
}

bool fd_has_event(int fd, short events)
{
	struct pollfd row = { .fd = fd, .events = events };

	return fd >= 0 && poll(&row, 1, 0) > 0;
}

/* ---- the limit ---- */

int fd_allow_rows(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur >= count)
		return -EINVAL;
	limit.rlim_cur = count;
	if (limit.rlim_max < count)
		limit.rlim_max = count;
	return sys_limit_files(limit.rlim_cur, limit.rlim_max) < 0 ? -EMFILE
								   : 0;
}

/* ---- closing ---- */

/* One by one, where there is no close_range(2) */
__attribute__((noinline)) static void close_listed(unsigned int first,
						   unsigned int last)
{
	struct proc_list listing;
	struct rlimit limit = { 0 };
	int fd;

	if (proc_list_open(DESCRIPTORS, &listing)) {
		while ((fd = proc_list_next(&listing)) >= 0)
			if ((unsigned int)fd >= first &&
			    (unsigned int)fd <= last &&
			    fd != listing.directory)
				close(fd);
		proc_list_close(&listing);
		return;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	for (; first <= last && first < limit.rlim_cur; first++)
		close((int)first);
}

static void close_run(unsigned int first, unsigned int last)
{
	if (first <= last && sys_close_range(first, last) < 0)
		close_listed(first, last);
}

/* Goes through the descriptors in ascending order, and closes runs of them */
struct sweep {
	int kept[FD_KEEP_MAX];	/* in ascending order */
	size_t count;
	size_t next;		/* the entry of kept that comes next */
	unsigned int from;	/* everything below is closed, or kept */
};

static void sweep_begin(struct sweep *sweep, const int *keep, size_t count)
{
	sweep->count = sweep->next = sweep->from = 0;
	for (size_t i = 0; i < count; i++) {
		size_t n = sweep->count;

		if (keep[i] < 0)
			continue;
		for (; n > 0 && sweep->kept[n - 1] > keep[i]; n--)
			sweep->kept[n] = sweep->kept[n - 1];
		sweep->kept[n] = keep[i];
		sweep->count++;
	}
}

/* Keeps fd, and closes what is between it and the one kept before */
static void sweep_keep(struct sweep *sweep, int fd)
{
	if ((unsigned int)fd < sweep->from)
		return;
	if ((unsigned int)fd > sweep->from)
		close_run(sweep->from, (unsigned int)fd - 1);
	sweep->from = (unsigned int)fd + 1;
}

/* Keeps the descriptors to be kept, up to fd */
static void sweep_to(struct sweep *sweep, int fd)
{
	while (sweep->next < sweep->count &&
	       sweep->kept[sweep->next] <= fd)
		sweep_keep(sweep, sweep->kept[sweep->next++]);
}

static void sweep_end(struct sweep *sweep)
{
	sweep_to(sweep, INT_MAX);
	close_run(sweep->from, UINT_MAX);
}

void fd_close_others(const int *keep, size_t count)
{
	struct sweep sweep;

	sweep_begin(&sweep, keep, count);
	sweep_end(&sweep);
}

/* ---- record locks ---- */

/* Keeps the descriptors to be kept, up to fd, and fd if closing would unlock */
static void sweep_unlocked(struct sweep *sweep, int fd)
{
	sweep_to(sweep, fd);
	if ((unsigned int)fd >= sweep->from && sys_has_record_lock(fd))
		sweep_keep(sweep, fd);
}

/* Looks at every open descriptor */
__attribute__((noinline)) static void sweep_all(struct sweep *sweep)
{
	enum { MOST = 4096 };
	struct proc_list listing;
	int fd;

	if (!proc_list_open(DESCRIPTORS, &listing)) {
		for (fd = 0; fd < MOST; fd++)
			sweep_unlocked(sweep, fd);
		return;
	}
	while ((fd = proc_list_next(&listing)) >= 0)
		if (fd == listing.directory)
			sweep_keep(sweep, fd);
		else
			sweep_unlocked(sweep, fd);
	proc_list_close(&listing);
}

/* How many descriptors above 2 are to be kept; one may stand there twice */
static int count_kept(const struct sweep *sweep)
{
	int last = STDERR_FILENO, count = 0;

	for (size_t i = 0; i < sweep->count; i++)
		if (sweep->kept[i] > last) {
			last = sweep->kept[i];
			count++;
		}
	return count;
}

/*
 * Looks at 0, 1 and 2 if nothing else is open but what is kept. What poll(2)
 * calls neither readable nor writable, or only one of them, is no regular file,
 * and has no record lock.
 */
static bool sweep_standard(struct sweep *sweep)
{
	enum { STANDARD = 3, BOTH = POLLIN | POLLOUT };
	struct pollfd rows[STANDARD];
	int open = count_kept(sweep);
	struct stat st;

	for (int fd = 0; fd < STANDARD; fd++)
		rows[fd] = (struct pollfd){ .fd = fd, .events = BOTH };
	if (poll(rows, STANDARD, 0) < 0)
		return false;
	for (int fd = 0; fd < STANDARD; fd++)
		open += !(rows[fd].revents & POLLNVAL);
	/* Linux 6.2: the size of the directory is the number of descriptors */
	if (stat(DESCRIPTORS, &st) < 0 || st.st_size != open)
		return false;
	for (int fd = 0; fd < STANDARD; fd++)
		if ((rows[fd].revents & BOTH) == BOTH)
			sweep_unlocked(sweep, fd);
	return true;
}

void fd_close_unlocked(const int *keep, size_t count)
{
	struct sweep sweep;

	sweep_begin(&sweep, keep, count);
	if (!sweep_standard(&sweep))
		sweep_all(&sweep);
	sweep_end(&sweep);
}
