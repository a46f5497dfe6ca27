/* SPDX-License-Identifier: MIT */
/*
 * --receive where connections say nothing. A sender behind them gets its turn,
 * and nothing that usually ends the wait is held up by them.
 */
#include "harness.h"
#include "message.h"
#include "patience.h"
#include "receivers.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* spawnfd accepts the next connection once the last is so old, and silent */
#define SILENCE_US 1000000
/* so many connections spawnfd keeps at most */
#define MOST 8

static const char none_came[] = "no message came within the time of --wait";

/* Sends a child of the test, and waits until the receiver holds it. */
static void speak(int socket, struct receiver *v, struct running *c)
{
	start_child(c, "42");
	send_one(socket, "x", 1, c->pidfd);
	await_received(v);
}

static void end_held(struct running *c, struct receiver *v)
{
	end_child(c, 42);
	expect_taken(v, 42);
	close_running(c);
}

static void expect_taken_from(int socket, struct receiver *v)
{
	struct running c;

	speak(socket, v, &c);
	end_held(&c, v);
}

/* Waits until spawnfd has accepted all connections at its listening socket. */
static void await_empty_backlog(int listener)
{
	struct pollfd p = { listener, POLLIN, 0 };
	struct patience patience = { 0 };

	while (poll(&p, 1, 0) > 0) {
		cr_assert(is_patient(&patience), "not accepted");
		sched_yield();
	}
}

/* ---- who is taken ---- */

static void expect_first_to_speak(struct receiver *v, const char *address,
				  int type)
{
	const long begun = now_us();
	int silent[2], speaker;
	struct running c;

	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		silent[i] = try_connect(address, type);
		cr_assert_geq(silent[i], 0, "%s", strerror(errno));
	}
	speaker = try_connect(address, type);
	cr_assert_geq(speaker, 0, "%s", strerror(errno));
	speak(speaker, v, &c);
	/* Each silent connection had its second first. */
	cr_expect_geq(now_us() - begun, 2 * SILENCE_US);
	/* The receiver holds the process now, and no connection. */
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		cr_expect(is_end_of_file(silent[i]));
		close(silent[i]);
	}
	end_held(&c, v);
	close(speaker);
}

SystemTest(plain, receive_takes_the_first_that_speaks)
{
	struct receiver v;

	receive_at(&v, &nothing_special, sock());
	expect_first_to_speak(&v, sock(), SOCK_STREAM);
	receive_at(&v, &nothing_special, abstract());
	expect_first_to_speak(&v, abstract(), SOCK_STREAM);
}

SystemTest(plain, receive_takes_the_first_that_speaks_at_a_descriptor)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const int listener = listen_at(abstract(), types[i]);
		struct receiver v;

		receive_from(&v, listener);
		close(listener);
		expect_first_to_speak(&v, abstract(), types[i]);
	}
}

/* A connection that was silent for long may speak after all. */
SystemTest(plain, receive_takes_a_connection_that_speaks_late)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct receiver v;
	int first, second;

	receive_from(&v, listener);
	first = connect_to(abstract());
	second = connect_to(abstract());
	await_empty_backlog(listener);
	expect_taken_from(first, &v);
	cr_expect(is_end_of_file(second));
	close(first);
	close(second);
	close(listener);
}

static bool has_descriptor(const struct receiver *v, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", v->r.pid, fd);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Another process shuts the listening socket down. Nobody can connect any more,
 * but the connection that spawnfd has can still speak.
 */
SystemTest(plain, receive_takes_a_connection_after_the_end_of_the_listener)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct patience patience = { 0 };
	struct receiver v;
	int silent;

	receive_from(&v, listener);
	silent = connect_to(abstract());
	await_empty_backlog(listener);
	cr_assert_eq(shutdown(listener, SHUT_RDWR), 0);
	while (has_descriptor(&v, SOCKET_FD)) {
		cr_assert(is_patient(&patience), "the listener stays");
		sched_yield();
	}
	expect_taken_from(silent, &v);
	close(silent);
	close(listener);
}

/* The first sender decides, even if it only hangs up. */
SystemTest(plain, receive_ends_when_one_behind_silent_ones_hangs_up)
{
	struct receiver v;
	int silent;

	receive_at(&v, &nothing_special, abstract());
	silent = connect_to(abstract());
	close(connect_to(abstract()));
	expect_not_taken(&v, "hung up without a message");
	cr_expect(is_end_of_file(silent));
	close(silent);
}

SystemTest(plain, relay_takes_the_first_that_speaks)
{
	struct receiver relay, last;
	struct running c;
	int silent, speaker;

	receive_at(&last, &nothing_special, at_home("b"));
	start_receiver(&relay, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()),
			    PASS(at_home("b"))));
	await_listening(&relay);
	silent = connect_to(sock());
	speaker = connect_to(sock());
	start_child(&c, "42");
	send_one(speaker, "x", 1, c.pidfd);
	await_received(&last);
	expect_taken(&relay, 0);
	cr_expect(is_end_of_file(silent));
	end_child(&c, 42);
	expect_taken(&last, 42);
	close_running(&c);
	close(silent);
	close(speaker);
}

/* ---- who else gets a turn ---- */

/*
 * A receiver that has a message leaves the next connections alone. Other
 * receivers have the same socket, and one of them takes the next message.
 */
SystemTest(plain, receive_leaves_other_connections_in_the_backlog)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	int sockets[3], next;
	struct receiver v;

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		sockets[i] = connect_to(abstract());
	receive_from(&v, listener);
	expect_taken_from(sockets[0], &v);
	for (size_t i = 1; i < ARRAY_SIZE(sockets); i++) {
		struct pollfd p = { listener, POLLIN, 0 };

		cr_assert_eq(poll(&p, 1, 0), 1, "it has left the backlog");
		next = accept_one(listener);
		cr_assert_eq(write(sockets[i], "x", 1), 1);
		await_events(next, POLLIN);
		close(next);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		close(sockets[i]);
	close(listener);
}

/* ---- how many ---- */

SystemTest(plain, receive_closes_the_oldest_of_many_silent_connections)
{
	int silent[MOST + 1], speaker;
	struct receiver v;

	receive_at(&v, &nothing_special, abstract());
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		silent[i] = connect_to(abstract());
	cr_expect(is_end_of_file(silent[0]));
	for (size_t i = 1; i < ARRAY_SIZE(silent); i++)
		expect_nothing_arrived(silent[i]);
	/* A connection that spawnfd keeps is able to speak. */
	speaker = silent[MOST];
	expect_taken_from(speaker, &v);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		close(silent[i]);
}

static int lowest_free(const struct receiver *v)
{
	int fd = 0;

	while (has_descriptor(v, fd))
		fd++;
	return fd;
}

/*
 * The receiver has two free descriptors, and silent connections take both. The
 * next sender finds room for its connection, and for its pidfd.
 */
SystemTest(plain, receive_closes_silent_connections_when_descriptors_run_out)
{
	struct rlimit limit;
	int silent[3], speaker;
	struct receiver v;

	receive_at(&v, &nothing_special, abstract());
	limit.rlim_cur = limit.rlim_max = (rlim_t)lowest_free(&v) + 2;
	cr_assert_eq(prlimit(v.r.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		silent[i] = connect_to(abstract());
	speaker = connect_to(abstract());
	expect_taken_from(speaker, &v);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		close(silent[i]);
	close(speaker);
}

/* COMMAND of --exec-fd inherits none of the connections. */
SystemTest(plain, receive_leaves_no_silent_connection_to_the_holder)
{
	struct receiver v;
	struct running c;
	struct ended e;
	int silent, speaker;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(abstract()),
			    "--exec-fd=3", "/bin/sh", "-c", "read line"));
	await_listening(&v);
	silent = connect_to(abstract());
	speaker = connect_to(abstract());
	speak(speaker, &v, &c);
	cr_expect(is_end_of_file(silent));
	cr_expect(is_end_of_file(speaker));
	end_input(&v.r);
	finish_receiver(&v, &e);
	end_child(&c, 42);
	close_running(&c);
	close(silent);
	close(speaker);
}

/* ---- what ends the wait ---- */

SystemTest(plain, receive_behind_silent_connections_ends_by_a_signal)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct receiver v;
	int first, second;

	receive_from(&v, listener);
	first = connect_to(abstract());
	/* In the second in which spawnfd accepts no other connection */
	await_empty_backlog(listener);
	end_with(&v, SIGTERM);

	receive_from(&v, listener);
	second = connect_to(abstract());
	await_empty_backlog(listener);
	end_with(&v, SIGINT);
	close(first);
	close(second);
	close(listener);
}

SystemTest(plain, receive_behind_silent_connections_waits_as_long_as_it_shall)
{
	static const char *const waits[] = { "--wait=300ms", "--wait=1500ms" };
	static const long least[] = { 300000, 1500000 };

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		const long begun = now_us();
		struct receiver v;
		int first, second;

		start_receiver(&v, &nothing_special,
			       ARGV(spawnfd, STATUS, waits[i],
				    RECEIVE(sock())));
		await_listening(&v);
		first = connect_to(sock());
		second = connect_to(sock());
		expect_not_taken(&v, none_came);
		cr_expect_geq(now_us() - begun, least[i]);
		cr_expect(is_end_of_file(first) && is_end_of_file(second));
		close(first);
		close(second);
	}
}

SystemTest(plain, receive_behind_silent_connections_watches)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	const struct setup setup = { .socket = listener };
	struct receiver v;
	struct running c;
	struct ended e;
	char watch[32];
	int silent;

	start_child(&c, "0");
	snprintf(watch, sizeof(watch), "--die-with-pid=%d", c.pid);
	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, watch,
					RECEIVE(SOCKET)));
	await_listening(&v);
	silent = connect_to(abstract());
	await_empty_backlog(listener);
	end_child(&c, 0);
	finish_receiver(&v, &e);
	expect_one_line(&e, "--die-with-pid");
	cr_expect(is_end_of_file(silent));
	close(silent);
	close_running(&c);
	close(listener);
}

/* ---- connections of other users ---- */

static int connect_as_nobody(const char *address)
{
	int socket;

	cr_assert_eq(seteuid(NOBODY), 0);
	socket = connect_to(address);
	cr_assert_eq(seteuid(0), 0);
	return socket;
}

static void stop(const struct receiver *v)
{
	siginfo_t info;

	cr_assert_eq(kill(v->r.pid, SIGSTOP), 0);
	cr_assert_eq(waitid(P_PID, (id_t)v->r.pid, &info, WSTOPPED), 0);
}

/* Queues a connection of another user, and behind it a message of root. */
static void queue_both(int *ret_foreign, int *ret_own, struct running *c)
{
	*ret_foreign = connect_as_nobody(abstract());
	*ret_own = connect_to(abstract());
	start_child(c, "42");
	send_one(*ret_own, "x", 1, c->pidfd);
}

/*
 * Connections of another user come all the time. They keep spawnfd neither from
 * its deadline, nor from what it watches.
 */
static void expect_ended(struct receiver *v, const char *text)
{
	struct ended e;

	cr_assert_eq(kill(v->r.pid, SIGCONT), 0);
	finish_receiver(v, &e);
	expect_one_line(&e, text);
}

SystemTest(plain, receive_behind_foreign_connections_waits_as_it_shall)
{
	struct receiver v;
	struct running c;
	int foreign, own;
	long begun;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--wait=300ms",
			    RECEIVE(abstract())));
	await_listening(&v);
	stop(&v);
	begun = now_us();
	queue_both(&foreign, &own, &c);
	while (now_us() - begun < 300000)
		sched_yield();
	expect_ended(&v, none_came);
	end_child(&c, 42);
	close_running(&c);
	close(foreign);
	close(own);
}

SystemTest(plain, receive_behind_foreign_connections_watches)
{
	struct receiver v;
	struct running watched, c;
	char watch[32];
	int foreign, own;

	start_child(&watched, "0");
	snprintf(watch, sizeof(watch), "--die-with-pid=%d", watched.pid);
	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, watch, RECEIVE(abstract())));
	await_listening(&v);
	stop(&v);
	queue_both(&foreign, &own, &c);
	end_child(&watched, 0);
	expect_ended(&v, "--die-with-pid");
	end_child(&c, 42);
	close_running(&c);
	close_running(&watched);
	close(foreign);
	close(own);
}

/* A connection of another user costs a rightful one no second. */
SystemTest(plain, receive_behind_foreign_connections_takes_the_message)
{
	struct receiver v;
	struct running c;
	int foreign, own;

	receive_at(&v, &nothing_special, abstract());
	stop(&v);
	queue_both(&foreign, &own, &c);
	cr_assert_eq(kill(v.r.pid, SIGCONT), 0);
	await_received(&v);
	cr_expect(is_end_of_file(foreign));
	end_held(&c, &v);
	close(foreign);
	close(own);
}
