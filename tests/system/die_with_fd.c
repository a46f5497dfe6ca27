/* SPDX-License-Identifier: MIT */
/*
 * --die-with-fd: which descriptors hang up and which cannot. spawnfd reads
 * nothing from the descriptor.
 */
#include "ending.h"
#include "harness.h"
#include "pty.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* ---- a hang-up ---- */

struct ends {
	int given, ours;
};

static struct ends open_pipe(bool read_end)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	return (struct ends){ fds[!read_end], fds[read_end] };
}

static struct ends open_read_end(void)
{
	return open_pipe(true);
}

static struct ends open_write_end(void)
{
	return open_pipe(false);
}

static struct ends open_fifo(bool read_end)
{
	const char *path = scratch_path("fifo");
	int in, out;

	cr_assert_eq(mkfifo(path, 0600), 0);
	in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	out = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert(in >= 0 && out >= 0);
	unlink(path);
	return read_end ? (struct ends){ in, out } : (struct ends){ out, in };
}

static struct ends open_fifo_read_end(void)
{
	return open_fifo(true);
}

static struct ends open_fifo_write_end(void)
{
	return open_fifo(false);
}

static struct ends open_terminal(bool master)
{
	int fds[2];
	char name[64];

	fds[0] = open_pty(name, sizeof(name));
	fds[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(fds[1], 0);
	return (struct ends){ fds[!master], fds[master] };
}

static struct ends open_master(void)
{
	return open_terminal(true);
}

static struct ends open_slave(void)
{
	return open_terminal(false);
}

static struct ends open_socketpair(int type)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	return (struct ends){ fds[0], fds[1] };
}

static struct ends open_stream_pair(void)
{
	return open_socketpair(SOCK_STREAM);
}

static struct ends open_seqpacket_pair(void)
{
	return open_socketpair(SOCK_SEQPACKET);
}

static struct ends open_connection(const void *address, socklen_t size,
				   int domain, int type)
{
	struct sockaddr_storage bound;
	int listener = socket(domain, type | SOCK_CLOEXEC, 0);
	struct ends ends = { socket(domain, type | SOCK_CLOEXEC, 0), -1 };

	cr_assert_eq(bind(listener, address, size), 0, "%s", strerror(errno));
	cr_assert_eq(listen(listener, 1), 0);
	size = sizeof(bound);
	cr_assert_eq(getsockname(listener, (void *)&bound, &size), 0);
	cr_assert_eq(connect(ends.given, (void *)&bound, size), 0, "%s",
		     strerror(errno));
	ends.ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(ends.ours, 0);
	close(listener);
	return ends;
}

static struct ends open_path(int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ends ends;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 scratch_path("socket"));
	ends = open_connection(&address, sizeof(address), AF_UNIX, type);
	unlink(address.sun_path);
	return ends;
}

static struct ends open_stream_path(void)
{
	return open_path(SOCK_STREAM);
}

static struct ends open_seqpacket_path(void)
{
	return open_path(SOCK_SEQPACKET);
}

static struct ends open_tcp(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};

	return open_connection(&address, sizeof(address), AF_INET,
			       SOCK_STREAM);
}

enum { CLOSED = 1, HALF = 2, RESET = 4 };

static const struct kind {
	const char *name;
	struct ends (*open)(void);
	unsigned int hangups;
	bool readable;		/* spawnfd could read from it */
	bool keeps;		/* data sent before the hang-up stay readable */
} kinds[] = {
	{ "read end", open_read_end, CLOSED, true, true },
	{ "write end", open_write_end, CLOSED, false, false },
	{ "read end of a FIFO", open_fifo_read_end, CLOSED, true, true },
	{ "write end of a FIFO", open_fifo_write_end, CLOSED, false, false },
	{ "master", open_master, CLOSED, true, false },
	{ "slave", open_slave, CLOSED, true, false },
	{ "stream pair", open_stream_pair, CLOSED | HALF, true, true },
	{ "seqpacket pair", open_seqpacket_pair, CLOSED | HALF, true, true },
	{ "stream path", open_stream_path, CLOSED | HALF, true, true },
	{ "seqpacket path", open_seqpacket_path, CLOSED | HALF, true, true },
	{ "TCP", open_tcp, CLOSED | HALF, true, true },
	{ "TCP, reset", open_tcp, RESET, true, false },
};

static void hang_up(struct ends *ends, unsigned int how)
{
	const struct linger at_once = { 1, 0 };

	if (how == HALF) {
		cr_assert_eq(shutdown(ends->ours, SHUT_WR), 0);
		return;
	}
	if (how == RESET)
		cr_assert_eq(setsockopt(ends->ours, SOL_SOCKET, SO_LINGER,
					&at_once, sizeof(at_once)), 0);
	close(ends->ours);
	ends->ours = -1;
}

static void close_ends(const struct ends *ends)
{
	close(ends->given);
	if (ends->ours >= 0)
		close(ends->ours);
}

static void give(const void *arg)
{
	const struct ends *ends = arg;

	inherit_as(ends->given, WATCHED);
}

static void expect_unread(const struct kind *kind, int fd)
{
	char data[16] = "";

	cr_expect_eq(read(fd, data, sizeof(data) - 1), 5, "%s: data are gone",
		     kind->name);
	cr_expect_str_eq(data, "data\n", "%s", kind->name);
}

static void end_by_hangup(const char *with, const struct kind *kind,
			  unsigned int how)
{
	struct ends ends = kind->open();
	const struct way way = { .prepare = give, .arg = &ends };
	struct running r;
	struct ended e;

	if (kind->readable)
		cr_assert_eq(write(ends.ours, "data\n", 5), 5);
	start(&r, &way, ARGV(spawnfd, "--die-with-fd=7", NOTHING, with, actor,
			     "witness", "0", "0"));
	read_pid(r.out);
	ping_twice(&r, r.pid);
	hang_up(&ends, how);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, FD, true, 0);
	if (kind->keeps)
		expect_unread(kind, ends.given);
	close_ends(&ends);
}

static void refuse_hung_up(const char *with, const struct kind *kind,
			   unsigned int how)
{
	const char *mark = scratch_path("mark");
	struct ends ends = kind->open();
	const struct way way = { .prepare = give, .arg = &ends };
	struct ended e;

	if (kind->readable)
		cr_assert_eq(write(ends.ours, "data\n", 5), 5);
	hang_up(&ends, how);
	run(&e, &way, ARGV(spawnfd, "--die-with-fd=7", with, actor, "mark",
			   mark));
	expect_refusal(&e, 125);
	cr_expect_not_null(strstr(e.err, "hung up"), "%s: %s", kind->name,
			   e.err);
	cr_expect(!exists(mark), "%s", kind->name);
	if (kind->keeps)
		expect_unread(kind, ends.given);
	close_ends(&ends);
}

EVERY_WAY(dies_with_a_hangup_of_every_kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned int how = CLOSED; how <= RESET; how *= 2)
			if (kinds[i].hangups & how)
				end_by_hangup(with, &kinds[i], how);
}

EVERY_WAY(a_hangup_of_every_kind_that_was_before_is_refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned int how = CLOSED; how <= RESET; how *= 2)
			if (kinds[i].hangups & how)
				refuse_hung_up(with, &kinds[i], how);
}

/* spawnfd reads none of the input: COMMAND gets every byte of it, in order. */
EVERY_WAY(the_command_reads_what_is_watched)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=0", NOTHING, with, actor,
			     "echo"));
	read_pid(r.out);
	for (int i = 0; i < 100; i++)
		ping(&r);
	cr_assert_eq(write(r.in, "0123456789", 10), 10);
	await_events(r.out, POLLIN);
	for (const char *c = "0123456789"; *c; c++) {
		char byte;

		cr_assert_eq(read(r.out, &byte, 1), 1);
		cr_expect_eq(byte, *c);
	}
	kill(child_of(r.pid), SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	cr_expect_null(strstr(e.err, "ended-by"), "%s", e.err);
}

/* COMMAND does not use the input or output whose hang-up ends it. */
EVERY_WAY(dies_with_its_standard_input_or_output)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=0", NOTHING, with, actor,
			     "hang"));
	read_pid(r.out);
	end_input(&r);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, FD, true, 0);

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=1", with, actor, "hang"));
	read_pid(r.out);
	close(r.out);
	r.out = r.err;
	r.err = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect_dies(&r, SIGKILL);
}

/* SIGCONT ends no server: this one has all the time of --kill-after. */
EVERY_WAY(ends_by_itself_after_sigcont)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, "--die-with-fd=0", "--signal=CONT",
			     "--kill-after=1h", NOTHING, with, "/bin/sh", "-c",
			     "trap 'exit 7' CONT; echo $$; cat; "
			     "while :; do :; done"));
	read_pid(r.out);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 7);
	expect_status_line(&e, FD, false, 7);
}

EVERY_WAY(what_is_watched_is_inherited_up_to_2)
{
	struct ends ends = open_read_end();
	const struct way way = { .prepare = give, .arg = &ends };
	struct running r;
	struct ended e;

	start(&r, &way, ARGV(spawnfd, "--die-with-fd=7", with, actor, "show",
			     "1"));
	finish(&r, &e);
	expect_exit(&e, 0);
	cr_expect_not_null(strstr(e.out, "fd 0 is "));
	cr_expect_null(strstr(e.out, "fd 7 is "), "%s", e.out);
	for (int fd = 0; fd < 3; fd++) {
		char option[] = "--die-with-fd=0", line[] = "fd 0 is pipe:";

		option[strlen(option) - 1] = (char)('0' + fd);
		line[3] = (char)('0' + fd);
		start(&r, &way, ARGV(spawnfd, option, with, actor, "show",
				     "1"));
		finish(&r, &e);
		expect_exit(&e, 0);
		cr_expect_not_null(strstr(e.out, line), "%s", e.out);
		cr_expect_not_null(strstr(e.out, "fd 7 is "));
	}
	close_ends(&ends);
}

/* ---- what cannot hang up ---- */

static struct ends open_file(const char *path, int flags)
{
	struct ends ends = { open(path, flags | O_CLOEXEC, 0600), -1 };

	cr_assert_geq(ends.given, 0, "%s: %s", path, strerror(errno));
	return ends;
}

static struct ends open_regular(void)
{
	return open_file(scratch_path("file"), O_RDWR | O_CREAT);
}

static struct ends open_null(void)
{
	return open_file("/dev/null", O_RDWR);
}

static struct ends open_directory(void)
{
	return open_file("/", O_RDONLY | O_DIRECTORY);
}

static struct ends open_fifo_as(int flags)
{
	const char *path = scratch_path("fifo");
	struct ends ends;

	cr_assert_eq(mkfifo(path, 0600), 0);
	ends = open_file(path, flags);
	unlink(path);
	return ends;
}

static struct ends open_only_path(void)
{
	return open_fifo_as(O_PATH);
}

static struct ends open_both_in_one(void)
{
	return open_fifo_as(O_RDWR);
}

static struct ends open_dgram(void)
{
	return open_socketpair(SOCK_DGRAM);
}

static struct ends open_listening(void)
{
	struct ends ends = { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
			     -1 };
	const struct sockaddr_un unnamed = { .sun_family = AF_UNIX };

	cr_assert_eq(bind(ends.given, (const struct sockaddr *)&unnamed,
			  sizeof(unnamed.sun_family)), 0);
	cr_assert_eq(listen(ends.given, 1), 0);
	return ends;
}

static struct ends open_none(void)
{
	return (struct ends){ -1, -1 };
}

/* Gives spawnfd the descriptor as 7, and the other end, if any, as 8. */
static void give_both(const void *arg)
{
	const struct ends *ends = arg;

	if (ends->given >= 0)
		inherit_as(ends->given, WATCHED);
	if (ends->ours >= 0)
		inherit_as(ends->ours, WATCHED + 1);
}

static const struct wrong {
	const char *name;
	struct ends (*open)(void);
	const char *why;
} wrongs[] = {
	{ "none", open_none, "not open" },
	{ "O_PATH", open_only_path, "not open" },
	{ "regular file", open_regular, "not a pipe" },
	{ "/dev/null", open_null, "not a pipe" },
	{ "directory", open_directory, "not a pipe" },
	{ "datagram socket", open_dgram, "not a pipe" },
	{ "listening socket", open_listening, "not a pipe" },
	{ "read end of its own", open_read_end, ">&-" },
	{ "write end of its own", open_write_end, ">&-" },
	{ "FIFO of its own, read end", open_fifo_read_end, ">&-" },
	{ "FIFO of its own, write end", open_fifo_write_end, ">&-" },
	{ "FIFO, open for both", open_both_in_one, "both ends" },
};

SystemTest(plain, what_cannot_hang_up_is_refused)
{
	const char *mark = scratch_path("mark");

	for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
		struct ends ends = wrongs[i].open();
		const struct way way = { .prepare = give_both, .arg = &ends };
		struct ended e;

		run(&e, &way, ARGV(spawnfd, "--die-with-fd=7", actor, "mark",
				   mark));
		expect_refusal(&e, 125);
		cr_expect_not_null(strstr(e.err, wrongs[i].why), "%s: %s",
				   wrongs[i].name, e.err);
		run(&e, &way, ARGV(spawnfd, "--die-with-fd=7",
				   "--status-fd=1", actor, "mark", mark));
		cr_expect_not_null(strstr(e.out, "\"error\":\"usage\""), "%s",
				   e.out);
		cr_expect(!exists(mark), "%s", wrongs[i].name);
		close_ends(&ends);
	}
}
