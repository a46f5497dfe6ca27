/* SPDX-License-Identifier: MIT */
/*
 * Relays: --receive with --pass takes a message and sends it on. The life of
 * COMMAND moves on with the pidfd.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char *next_hop(void)
{
	return at_home("b");
}

static void start_relay(struct receiver *v, const struct setup *setup)
{
	start_receiver(v, setup, ARGV(spawnfd, STATUS, RECEIVE(sock()),
				      PASS(next_hop())));
	await_listening(v);
}

SystemTest(flags, relay_moves_the_life_on)
{
	static const int ends[] = { 0, SIGKILL };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct receiver relay, last;
		struct running p;
		pid_t pid;

		receive_at(&last, &nothing_special, next_hop());
		start_relay(&relay, &nothing_special);
		expect_home(2);
		pass_echo(&p, 0, sock());
		pid = await_received(&relay);
		expect_quiet_end(&relay, 0);
		cr_expect_eq(await_received(&last), pid);
		expect_home(0);
		/* The passer and the relay have ended; COMMAND lives on. */
		ping(&p);
		if (ends[i]) {
			end_with(&last, ends[i]);
			await_events(p.in, 0);
		} else {
			end_input(&p);
			expect_taken(&last, 0);
		}
		nothing_left();
		close_running(&p);
	}
}

/* The last receiver ends as COMMAND does, for a status and for a signal. */
SystemTest(flags, relay_of_a_status_and_a_signal)
{
	for (int dies = 0; dies < 2; dies++) {
		struct receiver relay, last;
		struct running p;
		struct ended e;

		receive_at(&last, &nothing_special, next_hop());
		start_relay(&relay, &nothing_special);
		start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()),
				     actor, dies ? "die" : "exit", "42"));
		expect_passed(&p);
		await_end(&relay.r);
		close_running(&relay.r);
		read_rest(&relay);
		finish_receiver(&last, &e);
		if (dies)
			expect_signal(&e, 42);
		else
			expect_exit(&e, 42);
		close_running(&p);
	}
}

/* The relay has no message yet. The passer and the next hop fail. */
SystemTest(flags, relay_killed_while_it_waits)
{
	struct receiver relay, last;
	struct ended e;

	receive_at(&last, &nothing_special, next_hop());
	start_relay(&relay, &nothing_special);
	end_with(&relay, SIGKILL);
	run(&e, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor, "mark",
			   at_home("mark")));
	expect_refusal(&e, 125);
	expect_said(&e, "nobody listens there");
	cr_expect_not(exists(at_home("mark")));
	unlink(sock());
	expect_not_taken(&last, "hung up without a message");
}

/* ---- the next hop goes away ---- */

static const int listening_types[] = { SOCK_STREAM, SOCK_SEQPACKET };

static const char lost[] = "the receiver has closed the connection: it has "
	"ended, has taken another process, or does not allow this user\n";

static void start_relay_to(struct receiver *relay, int socket)
{
	const struct setup setup = { .socket = socket };

	start_receiver(relay, &setup, ARGV(spawnfd, STATUS, RECEIVE(sock()),
					   PASS(SOCKET)));
	await_listening(relay);
}

/* Expects that the relay has ended because its receiver is gone. */
static void expect_hop_lost(struct receiver *relay)
{
	struct ended e;

	finish_receiver(relay, &e);
	expect_one_line(&e, lost);
	expect_begun(&e, "spawnfd: pass: ");
	cr_expect_str_eq(relay->rest, "{\"exit-code\":125,\"error\":\"pass\","
			 "\"errno\":\"EPIPE\"}\n");
	expect_home(0);
}

SystemTest(flags, relay_ends_when_its_next_hop_does)
{
	static const int deaths[] = { SIGKILL, SIGTERM };

	for (size_t i = 0; i < ARRAY_SIZE(deaths); i++) {
		struct receiver relay, last;
		struct ended e;

		receive_at(&last, &nothing_special, next_hop());
		start_relay(&relay, &nothing_special);
		end_with(&last, deaths[i]);
		unlink(next_hop());
		expect_hop_lost(&relay);
		/* The next sender is refused, and its command does not run. */
		run(&e, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
				   "mark", at_home("mark")));
		expect_refusal(&e, 125);
		expect_begun(&e, "spawnfd: connect: ");
		cr_expect_not(exists(at_home("mark")));
	}
}

/*
 * The next hop closes the connection, as it does if it refuses the relay's
 * user; or it closes its listening socket without having accepted.
 */
static void close_connection(int type, bool accepts)
{
	int listener = listen_at(next_hop(), type);
	struct receiver relay;

	start_relay(&relay, &nothing_special);
	if (accepts)
		close(accept_one(listener));
	else
		close(listener);
	unlink(next_hop());
	expect_hop_lost(&relay);
	if (accepts)
		close(listener);
}

/* The other end of fd:N closes before the relay waits, or while it waits. */
static void close_pair(int type, bool early, uid_t uid)
{
	struct setup setup = { .uid = uid };
	struct receiver relay;
	int pair[2];

	open_pair(type, pair);
	setup.socket = pair[1];
	if (early)
		close(pair[0]);
	start_receiver(&relay, &setup, ARGV(spawnfd, STATUS,
					    RECEIVE(abstract()),
					    PASS(SOCKET)));
	await_listening(&relay);
	if (!early)
		close(pair[0]);
	expect_hop_lost(&relay);
	close(pair[1]);
}

SystemTest(plain, relay_ends_when_its_next_hop_closes_the_connection)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		close_connection(listening_types[i], true);
		close_connection(listening_types[i], false);
		close_pair(listening_types[i], true, 0);
		close_pair(listening_types[i], false, 0);
		close_pair(listening_types[i], true, NOBODY);
		close_pair(listening_types[i], false, NOBODY);
	}
}

/* A sender has connected but not sent when the next hop closes: it fails. */
static void lose_hop_of_sender(int channel)
{
	int listener, socket, next, pair[2];
	struct setup setup = { 0 };
	struct receiver relay;

	listener = listen_at(next_hop(), SOCK_STREAM);
	if (channel == ACTIVATED) {
		pair[0] = -1;
		pair[1] = listen_at(abstract(), SOCK_STREAM);
	} else {
		open_pair(channel, pair);
	}
	setup.socket = pair[1];
	start_receiver(&relay, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET),
					    PASS(next_hop())));
	await_listening(&relay);
	close(pair[1]);
	socket = pair[0] < 0 ? connect_to(abstract()) : pair[0];
	next = accept_one(listener);
	close(next);
	close(listener);
	unlink(next_hop());
	expect_hop_lost(&relay);
	cr_expect_eq(try_send(socket, &(struct outgoing){ "x", 1, { 0 }, 1 }),
		     -1);
	cr_expect(errno == EPIPE || errno == ECONNREFUSED, "%s",
		  strerror(errno));
	close(socket);
}

SystemTest(plain, relay_ends_though_its_sender_is_there)
{
	lose_hop_of_sender(SOCK_STREAM);
	lose_hop_of_sender(SOCK_SEQPACKET);
	lose_hop_of_sender(SOCK_DGRAM);
	lose_hop_of_sender(ACTIVATED);
}

/* A next hop that has sent data and has shut down its sending can receive. */
SystemTest(flags, relay_goes_on_while_its_next_hop_can_receive)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		char got[2 * LONGEST];
		struct receiver relay;
		struct running p;
		size_t length;
		int pair[2], pidfd;

		open_pair(listening_types[i], pair);
		start_relay_to(&relay, pair[1]);
		close(pair[1]);
		/* Unread data of a seqpacket socket reset the connection. */
		if (listening_types[i] == SOCK_STREAM)
			cr_assert_eq(write(pair[0], "x", 1), 1);
		cr_assert_eq(shutdown(pair[0], SHUT_WR), 0);
		pass_echo(&p, 0, sock());
		pidfd = await_pidfd(pair[0], got, sizeof(got), &length);
		await_received(&relay);
		expect_quiet_end(&relay, 0);
		ping(&p);
		close(pidfd);
		await_events(p.out, 0);
		close(pair[0]);
		close_running(&p);
		expect_home(0);
	}
}

/*
 * poll(2) does not tell that the next hop has shut down its receiving, nor that
 * the other end of a datagram pair is closed. The relay learns it from
 * sendmsg(2), and its sender has exited with 0 then.
 */
static void lose_what_was_received(int type, const char *option)
{
	struct setup setup = { 0 };
	struct receiver relay;
	struct running p;
	struct ended e;
	int pair[2];

	open_pair(type, pair);
	setup.socket = pair[1];
	start_receiver(&relay, &setup, ARGV(spawnfd, STATUS, RECEIVE(sock()),
					    PASS(SOCKET), option));
	await_listening(&relay);
	close(pair[1]);
	if (type == SOCK_DGRAM)
		close(pair[0]);
	else
		cr_assert_eq(shutdown(pair[0], SHUT_RD), 0);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "hang"));
	expect_passed(&p);
	finish_receiver(&relay, &e);
	expect_one_line(&e, lost);
	cr_expect_not_null(strstr(relay.rest, "{\"exit-code\":125,"
				  "\"error\":\"pass\","), "%s", relay.rest);
	expect_home(0);
	nothing_left();
	close_running(&p);
	if (type != SOCK_DGRAM)
		close(pair[0]);
}

SystemTest(flags, relay_that_cannot_pass_it_on_ends_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++)
		lose_what_was_received(socket_types[i], NULL);
}

/* Sends a message through a relay between two sockets of the test. */
static void relay_payload(int type, const char *text, size_t length)
{
	struct setup setup = { 0 };
	struct receiver relay;
	struct running c;
	char got[2 * LONGEST];
	size_t got_length;
	int pair[2], listener, next, pidfd;
	struct stat sent, taken;

	open_pair(SOCK_SEQPACKET, pair);
	setup.socket = pair[1];
	listener = listen_at(next_hop(), type);
	start_receiver(&relay, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET),
					    PASS(next_hop())));
	await_listening(&relay);
	next = accept_one(listener);
	start_child(&c, "0");
	send_one(pair[0], text, length, c.pidfd);
	pidfd = await_pidfd(next, got, sizeof(got), &got_length);
	if (length) {
		cr_expect_eq(got_length, length, "%zu", got_length);
		cr_expect_eq(memcmp(got, text, length), 0);
	} else {
		cr_expect_str_eq(got, " ");
	}
	fstat(c.pidfd, &sent);
	fstat(pidfd, &taken);
	cr_expect_eq(taken.st_ino, sent.st_ino);
	cr_expect(is_end_of_file(next));
	expect_quiet_end(&relay, 0);
	unlink(next_hop());
	end_child(&c, 0);
	close_running(&c);
	close(pidfd);
	close(next);
	close(listener);
	close(pair[0]);
	close(pair[1]);
}

SystemTest(plain, relay_sends_the_payload_on_unchanged)
{
	static const char text[LONGEST] = "{\"not\":\nJSON\0\377";
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		relay_payload(types[i], "", 0);
		relay_payload(types[i], " ", 1);
		relay_payload(types[i], "\n", 1);
		relay_payload(types[i], "\0", 1);
		relay_payload(types[i], text, 14);
		relay_payload(types[i], text, sizeof(text));
	}
}

/* The relay sends the passer's line on unchanged. */
SystemTest(flags, relay_of_the_line_of_a_passer)
{
	char got[2 * LONGEST], wanted[256];
	int listener = listen_at(next_hop(), SOCK_STREAM), next, pidfd;
	struct receiver relay;
	struct running p;
	struct stat st;
	size_t length;
	pid_t pid;

	start_relay(&relay, &nothing_special);
	next = accept_one(listener);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "hang"));
	expect_passed(&p);
	pid = read_pid(p.out);
	pidfd = await_pidfd(next, got, sizeof(got), &length);
	fstat(pidfd, &st);
	snprintf(wanted, sizeof(wanted), "{\"pid\":%d,\"inode\":%llu,\"flags\":"
		 "[\"CLONE_PIDFD\",\"CLONE_AUTOREAP\",\"CLONE_NNP\","
		 "\"CLONE_PIDFD_AUTOKILL\"]}\n", pid,
		 (unsigned long long)st.st_ino);
	cr_expect_str_eq(got, wanted);
	expect_quiet_end(&relay, 0);
	/* The descriptor is the one whose close kills COMMAND. */
	close(pidfd);
	await_events(p.out, 0);
	close_running(&p);
	close(next);
	close(listener);
}

/* Expects that the relay fails before it makes a name and listens. */
static void relay_fails(const struct setup *setup, const char *next,
			const char *text)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct receiver relay;
	struct ended e;
	char event[1024];

	cr_assert_geq(inotify_add_watch(watch, home(), IN_CREATE | IN_MOVE |
					IN_DELETE), 0);
	start_receiver(&relay, setup, ARGV(spawnfd, STATUS, RECEIVE(sock()),
					   PASS(next)));
	finish_receiver(&relay, &e);
	expect_refusal(&e, 125);
	expect_said(&e, text);
	cr_expect_eq(read(watch, event, sizeof(event)), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_expect_null(strstr(relay.rest, "listening"), "%s", relay.rest);
	close(watch);
	run(&e, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor, "mark",
			   at_home("mark")));
	expect_refusal(&e, 125);
	expect_said(&e, "there is no such socket");
	cr_expect_not(exists(at_home("mark")));
}

SystemTest(flags, relay_that_finds_no_next_hop_touches_nothing)
{
	struct setup other = { 0 }, nobody = { .uid = NOBODY };
	int fd, pair[2];

	relay_fails(&nothing_special, next_hop(), "connect: ");
	fd = listen_at(next_hop(), SOCK_STREAM);
	close(fd);
	relay_fails(&nothing_special, next_hop(), "nobody listens there");
	unlink(next_hop());
	fd = listen_at(next_hop(), SOCK_DGRAM);
	relay_fails(&nothing_special, next_hop(),
		    "neither a stream nor a seqpacket socket");
	close(fd);
	unlink(next_hop());

	cr_assert_eq(seteuid(NOBODY), 0);
	fd = listen_at(abstract(), SOCK_STREAM);
	cr_assert_eq(seteuid(0), 0);
	relay_fails(&nothing_special, abstract(), "peer: ");
	close(fd);
	cr_assert_eq(seteuid(12345), 0);
	fd = listen_at(abstract(), SOCK_STREAM);
	cr_assert_eq(seteuid(0), 0);
	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	relay_fails(&nobody, abstract(), "peer: ");
	close(fd);

	relay_fails(&nothing_special, SOCKET, "--pass: fd:71: not open");
	make_foreign_pair(pair);
	other.socket = pair[0];
	relay_fails(&other, SOCKET, "peer: ");
	close(pair[0]);
	close(pair[1]);
}

/* The relay refuses the message, so the next hop gets none. */
SystemTest(flags, relay_of_a_malformed_message)
{
	struct receiver relay, last;
	struct ended e;
	int socket;

	receive_at(&last, &nothing_special, next_hop());
	start_relay(&relay, &nothing_special);
	socket = connect_to(sock());
	cr_assert_eq(write(socket, "x", 1), 1);
	finish_receiver(&relay, &e);
	expect_one_line(&e, "has no descriptor");
	expect_not_taken(&last, "hung up without a message");
	close(socket);
}

static void relay_with_file(struct receiver *relay, const char *file)
{
	start_receiver(relay, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), PASS(next_hop()),
			    joined("--pid-file=", file)));
	await_listening(relay);
}

SystemTest(flags, relay_with_a_pid_file)
{
	struct receiver relay, last;
	struct running p;
	char text[32];
	pid_t pid;

	receive_at(&last, &nothing_special, next_hop());
	relay_with_file(&relay, at_home("pid"));
	pass_echo(&p, 0, sock());
	pid = await_received(&relay);
	expect_quiet_end(&relay, 0);
	read_file(at_home("pid"), text, sizeof(text));
	cr_expect_eq(atoi(text), pid, "%s", text);
	unlink(at_home("pid"));
	end_with(&last, SIGTERM);
	close_running(&p);
	nothing_left();

	/* If the relay cannot pass the command on, it removes the pid file. */
	lose_what_was_received(SOCK_STREAM,
			       joined("--pid-file=", at_home("pid")));
}
