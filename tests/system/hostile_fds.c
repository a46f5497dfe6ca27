/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of every kind as the argument of an option. Each is used or
 * refused, and spawnfd never waits for one of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include "harness.h"
#include "sockets.h"

#define FAR 60			/* the number in spawnfd */
#define FAR_WORD "60"

static int open_eventfd(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

/* Writing 8 bytes of text to it waits, though poll(2) calls it writable. */
static int open_full_eventfd(void)
{
	const uint64_t most = UINT64_MAX - 2;
	int fd = eventfd(0, EFD_CLOEXEC);

	cr_assert_eq(write(fd, &most, sizeof(most)), sizeof(most));
	return fd;
}

static int open_epoll(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int open_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int open_timerfd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
}

static int open_inotify(void)
{
	return inotify_init1(IN_CLOEXEC);
}

static int open_own_pidfd(void)
{
	return open_pidfd(getpid());
}

static int open_sealed(void)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	return fd;
}

static int open_write_only(const char *path)
{
	return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

static int open_full_device(void)
{
	return open_write_only("/dev/full");
}

static int open_memory(void)
{
	return open_write_only("/proc/self/mem");
}

static int open_directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static int open_unconnected(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_internet(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_listener(void)
{
	return listen_at(abstract(), SOCK_STREAM);
}

static int open_nothing(void)
{
	return -1;
}

static const struct kind {
	const char *name;
	int (*open)(void);
} kinds[] = {
	{ "eventfd", open_eventfd }, { "full eventfd", open_full_eventfd },
	{ "epoll", open_epoll }, { "signalfd", open_signalfd },
	{ "timerfd", open_timerfd }, { "inotify", open_inotify },
	{ "pidfd", open_own_pidfd }, { "sealed memfd", open_sealed },
	{ "/dev/full", open_full_device }, { "memory", open_memory },
	{ "directory", open_directory }, { "netlink", open_netlink },
	{ "unconnected", open_unconnected }, { "internet", open_internet },
	{ "listener", open_listener }, { "nothing", open_nothing },
};

static const char *const options[] = {
	"--status-fd=" FAR_WORD, "--die-with-fd=" FAR_WORD,
	"--pid-file=/proc/self/fd/" FAR_WORD, "--pid-file=/dev/fd/" FAR_WORD,
	"--pass=fd:" FAR_WORD, "--receive=fd:" FAR_WORD,
};

static void give(const void *arg)
{
	const int *fd = arg;

	if (*fd >= 0)
		inherit_as(*fd, FAR);
}

static void try_kind(const struct kind *kind, const char *option,
		     const char *with)
{
	const int fd = kind->open();
	const struct way way = { .prepare = give, .arg = &fd };
	const bool receives = strstr(option, "--receive");
	struct ended e;

	run(&e, &way, ARGV(spawnfd, option, with, receives ? NULL : actor,
			   "say", "ran"));
	/* The pid file is written when COMMAND runs already. */
	if (e.status && strstr(option, "--pid-file"))
		e.out[0] = '\0';
	if (e.status == 0)
		cr_expect_str_eq(e.out, "ran\n", "%s, %s %s: %s", kind->name,
				 option, with, e.err);
	else
		cr_expect_null(not_refused(&e, 125), "%s: %s", kind->name,
			       not_refused(&e, 125));
	if (fd >= 0)
		close(fd);
	nothing_left();
}

SystemTest(flags, every_kind_of_descriptor_for_every_option)
{
	static const char *const withs[] = { "--autokill", "--kill-tree" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (size_t j = 0; j < ARRAY_SIZE(options); j++)
			try_kind(&kinds[i], options[j], withs[(i + j) % 2]);
}
