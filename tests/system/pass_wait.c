/* SPDX-License-Identifier: MIT */
/* --wait with --pass: after which errors spawnfd tries to connect again. */
#include "harness.h"
#include "passing.h"
#include "sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>

/* Waits until n attempts have failed, and spawnfd has slept after each. */
static void await_attempts(struct running *r, int n)
{
	char line[1024];

	while (n) {
		read_line(r->err, line, sizeof(line));
		n -= strstr(line, "nanosleep(") != NULL;
	}
}

static void come_later(const char *address, int type)
{
	struct running r;
	int listener;

	start_traced(&r, NULL, "nanosleep,clock_nanosleep", "--wait=1h",
		     address);
	await_attempts(&r, 5);
	listener = listen_at(address, type);
	close(expect_one_connection(listener));
	expect_exits(&r, 0);
	close(listener);
}

SystemTest(flags, pass_waits_for_a_listener_that_comes_later)
{
	const char *path = scratch_path("socket"), *deep = long_path();

	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		const int type = listening_types[i];

		come_later(path, type);		/* ENOENT */
		come_later(path, type);		/* ECONNREFUSED */
		unlink(path);
		come_later(deep, type);
		come_later(deep, type);
		unlink(deep);
		come_later(abstract(), type);
	}
}

static void never_come(const char *address, const char *why)
{
	long begin = now_us();
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--autokill", "--wait=0.2",
			   PASS(address), actor, "hang"));
	cr_expect_geq(now_us() - begin, 200000);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: connect: ");
	expect_said(&e, why);
	run_traced(&e, NULL, "connect", "--wait=1000ms", address);
	expect_exit(&e, 125);
	cr_expect_gt(count(e.err, "connect("), 1, "%s", e.err);
}

SystemTest(flags, pass_waits_for_a_listener_that_never_comes)
{
	const char *path = scratch_path("socket");

	never_come(path, "no such socket");
	close(bind_to(path, SOCK_STREAM));
	never_come(path, "nobody listens");
	never_come(abstract(), "nobody listens");
}

/*
 * Expects status 125 after n calls of connect(2). With --wait=1h that proves
 * that spawnfd has not waited.
 */
static void expect_attempts(const struct way *way, const char *option,
			    const char *address, int n)
{
	struct ended e;

	run_traced(&e, way, "connect", option, address);
	expect_exit(&e, 125);
	cr_expect_eq(count(e.err, "connect("), n, "%s", e.err);
}

SystemTest(flags, pass_without_wait_tries_once)
{
	const char *path = scratch_path("socket");

	expect_attempts(NULL, "--nnp", path, 1);
	expect_attempts(NULL, "--wait=0", path, 1);
	close(bind_to(path, SOCK_STREAM));
	expect_attempts(NULL, "--nnp", path, 1);
	/* Two types: an abstract name of the other type is ECONNREFUSED too. */
	expect_attempts(NULL, "--nnp", abstract(), 2);
}

SystemTest(flags, pass_waits_after_no_other_error)
{
	const struct way way = { .uid = NOBODY };
	const char *path = scratch_path("socket");
	int first, fd;

	fd = bind_to(path, SOCK_DGRAM);
	expect_attempts(NULL, "--wait=1h", path, 2);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		fd = listen_full(abstract(), listening_types[i], &first);
		expect_attempts(NULL, "--wait=1h", abstract(),
				1 + (listening_types[i] != SOCK_STREAM));
		close(first);
		close(fd);
	}
	fd = listen_at(path, SOCK_STREAM);
	chmod(path, 0600);
	expect_attempts(&way, "--wait=1h", path, 1);
	expect_attempts(NULL, "--wait=1h", scratch_path("socket/x"), 1);
	close(fd);
	write_file(scratch_path("file"), "", 0666);
	expect_attempts(NULL, "--wait=1h", scratch_path("file"), 1);
}

/* spawnfd waits, and then meets an error after which it does not wait. */
SystemTest(flags, pass_stops_waiting_at_another_error)
{
	const char *path = scratch_path("socket");
	struct running r;
	struct ended e;
	int fd;

	start_traced(&r, NULL, "nanosleep,clock_nanosleep", "--wait=1h", path);
	await_attempts(&r, 3);
	fd = bind_to(path, SOCK_DGRAM);
	finish(&r, &e);
	expect_exit(&e, 125);
	expect_said(&e, "neither a stream nor a seqpacket socket");
	close(fd);
}

SystemTest(flags, pass_does_not_ask_a_peer_twice)
{
	int connection, listener = bind_to(abstract(), SOCK_STREAM);

	become_peer(1);
	cr_assert_eq(listen(listener, 10), 0);
	become_peer(0);
	expect_attempts(NULL, "--wait=1h", abstract(), 1);
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	close(connection);
	close(listener);
}
