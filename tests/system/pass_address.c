/* SPDX-License-Identifier: MIT */
/*
 * ADDRESS of --pass: a path of any length, an abstract name, or a descriptor
 * that spawnfd inherits. The command inherits that descriptor only if it is 0,
 * 1 or 2.
 */
#include "harness.h"
#include "message.h"
#include "passing.h"
#include "sockets.h"

#include <fcntl.h>
#include <sys/socket.h>

/*
 * Expects that "actor show" has reported descriptors 0, 1 and 2 alone, and that
 * `sockets` of them are sockets.
 */
static void expect_descriptors(const char *report, int sockets)
{
	cr_expect_eq(count(report, "\nfd ") + !strncmp(report, "fd ", 3), 9,
		     "%.900s", report);
	cr_expect_eq(count(report, " is socket:["), sockets, "%.900s", report);
	cr_expect_eq(count(report, "pidfd"), 0, "%.900s", report);
}

static void try_address(const char *address, int type)
{
	int connection, pidfd, listener = listen_at(address, type);
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--autokill", PASS(address), actor,
			   "show", "1"));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.err, "");
	expect_descriptors(e.out, 0);
	connection = accept_one(listener);
	pidfd = expect_one_message(connection, type);
	await_events(pidfd, POLLHUP);
	close(pidfd);
	close(connection);
	close(listener);
}

SystemTest(flags, pass_to_a_path_a_long_path_and_an_abstract_name)
{
	const char *path = scratch_path("socket"), *deep = long_path();

	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		try_address(path, listening_types[i]);
		try_address(deep, listening_types[i]);
		try_address(abstract(), listening_types[i]);
	}
}

/* The report goes to descriptor 1, or to 2 if the socket is descriptor 1. */
static void try_inherited(int type, int as)
{
	struct inheritance lent = { .as = as };
	const struct way way = { .prepare = inherit, .arg = &lent };
	char address[16];
	struct ended e;
	int pair[2];

	open_pair(type, pair);
	lent.fd = pair[1];
	snprintf(address, sizeof(address), "fd:%d", as);
	run(&e, &way, ARGV(spawnfd, "--autokill", PASS(address), actor,
			   "show", as == 1 ? "2" : "1"));
	close(pair[1]);
	expect_exit(&e, 0);
	cr_expect_str_eq(as == 1 ? e.out : e.err, "");
	expect_descriptors(as == 1 ? e.err : e.out, as < 3);
	close(expect_one_message(pair[0], type));
	close(pair[0]);
	nothing_left();
}

SystemTest(flags, pass_the_command_has_only_a_socket_that_is_0_1_or_2)
{
	static const int numbers[] = { 0, 1, 2, 3, 4, 7, 200 };

	for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(numbers); j++)
			try_inherited(pair_types[i], numbers[j]);
}

/*
 * While the command runs, the peer sees the end of file, unless the command has
 * the socket too.
 */
static void try_end_of_file(int type, int as)
{
	struct inheritance lent = { .as = as };
	const struct way way = { .prepare = inherit, .arg = &lent };
	struct pollfd p = { .events = POLLIN };
	struct running r;
	struct message m;
	char address[16];
	int pair[2];

	open_pair(type, pair);
	lent.fd = pair[1];
	snprintf(address, sizeof(address), "fd:%d", as);
	start(&r, &way, ARGV(spawnfd, "--autokill", PASS(address), actor,
			     "let-go", "99"));
	close(pair[1]);
	cr_expect_eq(await_end(&r), 0);
	await_message(pair[0], &m);
	cr_assert(is_message(&m));
	p.fd = pair[0];
	/* The exec closes the socket a moment after vfork(2) has returned. */
	cr_expect_eq(as > 2 ? poll_patiently(&p, 1) : poll(&p, 1, 0), as > 2,
		     "type %d, fd:%d", type, as);
	close(m.pidfd);
	expect_nothing_more(pair[0], type);
	close(pair[0]);
	close_running(&r);
}

SystemTest(flags, pass_no_end_of_file_while_the_command_has_the_socket)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++)
		for (int as = 0; as < 5; as++)
			try_end_of_file(listening_types[i], as);
}

static void try_shared(int type, int flags, int as)
{
	struct inheritance lent = { .as = as };
	const struct way way = { .prepare = inherit, .arg = &lent };
	char address[16];
	struct ended e;
	int pair[2];
	struct message m;

	open_pair(type, pair);
	lent.fd = pair[1];
	fcntl(pair[0], F_SETFL, flags);
	fcntl(pair[1], F_SETFL, flags);
	snprintf(address, sizeof(address), "fd:%d", as);
	run(&e, &way, ARGV(spawnfd, "--autokill", PASS(address), actor,
			   "exit"));
	expect_exit(&e, 0);
	cr_expect_eq(fcntl(pair[1], F_GETFL), O_RDWR | flags);
	cr_expect_eq(fcntl(pair[0], F_GETFL), O_RDWR | flags);
	await_message(pair[0], &m);
	cr_expect(is_message(&m));
	close(m.pidfd);
	close(pair[0]);
	close(pair[1]);
}

SystemTest(flags, pass_the_flags_of_a_shared_socket_stay)
{
	static const int flags[] = { 0, O_NONBLOCK, O_APPEND,
				     O_NONBLOCK | O_APPEND };

	for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(flags); j++) {
			try_shared(pair_types[i], flags[j], 0);
			try_shared(pair_types[i], flags[j], 7);
		}
}

/* -v writes much, and to descriptor 2 alone. */
static void try_closed(unsigned int closed, const char *address, int fd)
{
	const struct inheritance lent = { .fd = fd, .as = 7, .closed = closed };
	const struct way way = { .prepare = inherit, .arg = &lent };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "-v", "--autokill", PASS(address),
			   actor, "exit"));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "");
	cr_expect_eq(e.err[0] == '\0', closed >> 2);
}

static void expect_no_message_either(unsigned int closed, int listener)
{
	const struct inheritance lent = { .fd = -1, .closed = closed };
	const struct way way = { .prepare = inherit, .arg = &lent };
	struct ended e;
	int connection;

	run(&e, &way, ARGV(spawnfd, "-v", "--autokill", PASS(abstract()),
			   "/none"));
	expect_exit(&e, 127);
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	close(connection);
}

SystemTest(flags, pass_with_standard_descriptors_closed)
{
	int listener = listen_at(abstract(), SOCK_STREAM), pair[2];

	for (unsigned int closed = 0; closed < 8; closed++) {
		try_closed(closed, abstract(), -1);
		close(expect_one_connection(listener));
		expect_no_message_either(closed, listener);
		for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++) {
			open_pair(pair_types[i], pair);
			try_closed(closed, "fd:7", pair[1]);
			close(pair[1]);
			close(expect_one_message(pair[0], pair_types[i]));
			close(pair[0]);
		}
	}
	close(listener);
}
