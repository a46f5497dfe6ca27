/* SPDX-License-Identifier: MIT */
/*
 * --receive refuses malformed messages, and the connections and pidfds of other
 * users. A refusal leaves nothing behind.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* ---- malformed messages ---- */

/*
 * Sends a message with `count` write ends of a pipe. The read end hangs up when
 * the receiver has closed all of them.
 */
static void refuse_pipes(int type, size_t count, const char *text)
{
	struct outgoing m = { "x", 1, { 0 }, count };
	struct receiver v;
	int fds[2], socket;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	for (size_t i = 0; i < count; i++)
		m.fds[i] = fds[1];
	socket = open_channel(&v, type);
	send_message(socket, &m);
	close(fds[1]);
	expect_not_taken(&v, text);
	await_events(fds[0], 0);
	close(fds[0]);
	close(socket);
}

static const char too_many[] = "the message has more than one descriptor";

SystemTest(plain, receive_refuses_no_descriptor_and_several)
{
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		refuse_pipes(channels[i], 0, "has no descriptor");
		refuse_pipes(channels[i], 2, too_many);
		refuse_pipes(channels[i], 3, too_many);
		refuse_pipes(channels[i], 60, too_many);
		refuse_pipes(channels[i], 61, too_many);
		refuse_pipes(channels[i], MANY, too_many);
	}
}

/* An autokill pidfd is refused as well, and its command is killed by that. */
SystemTest(flags, receive_refuses_an_autokill_pidfd_in_company)
{
	int listener, connection, pidfd, socket;
	struct receiver v;
	struct running p;
	char text[LONGEST];
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		listener = listen_at(at_home("test"), SOCK_STREAM);
		pass_echo(&p, 0, at_home("test"));
		connection = accept_one(listener);
		pidfd = await_pidfd(connection, text, sizeof(text), &length);
		close(connection);
		close(listener);
		unlink(at_home("test"));

		socket = open_channel(&v, channels[i]);
		send_message(socket, &(struct outgoing){
			     text, length, { pidfd, pidfd }, 2 });
		close(pidfd);
		expect_not_taken(&v, too_many);
		await_events(p.in, 0);
		close(socket);
		close_running(&p);
	}
}

SystemTest(plain, receive_refuses_an_end_of_file_without_a_message)
{
	static const int with_end[] = { LISTENED, ACTIVATED, SOCK_STREAM,
					SOCK_SEQPACKET };
	struct receiver v;

	for (size_t i = 0; i < ARRAY_SIZE(with_end); i++) {
		close(open_channel(&v, with_end[i]));
		expect_not_taken(&v, "hung up without a message");
	}
}

/* If COMMAND cannot be executed, the sender hangs up without a message. */
SystemTest(flags, receive_when_the_command_could_not_be_executed)
{
	struct receiver v;
	struct ended e;

	receive_at(&v, &nothing_special, sock());
	run(&e, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), "/none"));
	expect_exit(&e, 127);
	expect_not_taken(&v, "hung up without a message");
}

static void refuse_other(int type, int fd)
{
	struct receiver v;
	int socket = open_channel(&v, type);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	send_one(socket, "x", 1, fd);
	expect_not_taken(&v, "the descriptor is not a pidfd");
	close(socket);
}

static void refuse_and_close(int fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
		refuse_other(channels[i], fd);
	close(fd);
}

SystemTest(plain, receive_refuses_what_is_not_a_pidfd)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY;
	int pair[2];

	refuse_and_close(open(scratch(), O_TMPFILE | flags, 0600));
	refuse_and_close(open(scratch(), O_DIRECTORY | O_CLOEXEC));
	refuse_and_close(open(scratch(), O_PATH | O_CLOEXEC));
	refuse_and_close(open("/dev/null", flags));
	refuse_and_close(open("/dev/ptmx", flags));
	refuse_and_close(open("/proc/self", O_DIRECTORY | O_CLOEXEC));
	refuse_and_close(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
	refuse_and_close(eventfd(0, EFD_CLOEXEC));
	refuse_and_close(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	open_pair(SOCK_STREAM, pair);
	refuse_and_close(pair[0]);
	await_events(pair[1], 0);
	close(pair[1]);
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
		refuse_pipes(channels[i], 1, "not a pidfd");
}

SystemTest(plain, receive_refuses_a_payload_over_4096_bytes)
{
	static const char text[LONGEST * 16];
	struct running c;

	start_child(&c, "0");
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
		for (size_t size = LONGEST + 1; size <= sizeof(text);
		     size += sizeof(text) - LONGEST - 1) {
			const struct outgoing m = { text, size,
						    { c.pidfd }, 1 };
			struct receiver v;
			int socket = open_channel(&v, channels[i]);

			/* The receiver may stop reading before the end. */
			cr_assert_gt(try_send(socket, &m), LONGEST);
			expect_not_taken(&v, "more than 4096 bytes");
			close(socket);
		}
	end_child(&c, 0);
	close_running(&c);
}

static void limit_files(const struct receiver *v, rlim_t n)
{
	const struct rlimit limit = { n, n };

	cr_assert_eq(prlimit(v->r.pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/*
 * The receiver has no free descriptor. The kernel delivers the message without
 * it, and sets MSG_CTRUNC.
 */
SystemTest(plain, receive_refuses_a_message_whose_descriptor_is_lost)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++) {
		struct receiver v;
		int fds[2], socket = open_channel(&v, socket_types[i]);

		cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
		limit_files(&v, 3);
		send_one(socket, "x", 1, fds[1]);
		close(fds[1]);
		expect_not_taken(&v, "the descriptor of the message is lost");
		await_events(fds[0], 0);
		close(fds[0]);
		close(socket);
	}
}

/* Limits a waiting receiver; returns whether it could take the message. */
static bool took_it_with_room_for(rlim_t n)
{
	struct receiver v;
	struct running c;
	struct ended e;
	int socket;

	start_child(&c, "42");
	receive_at(&v, &nothing_special, sock());
	limit_files(&v, n);
	socket = connect_to(sock());
	/* The receiver may have failed at accept(2) already. */
	try_send(socket, &(struct outgoing){ "x", 1, { c.pidfd }, 1 });
	cr_expect(is_end_of_file(socket));
	close(socket);
	end_child(&c, 42);
	close_running(&c);
	finish_receiver(&v, &e);
	expect_home(0);
	if (WEXITSTATUS(e.status) == 42)
		return true;
	expect_one_line(&e, "see ulimit -n");
	return false;
}

SystemTest(plain, receive_whatever_its_limit_of_descriptors_becomes)
{
	int taken = 0;

	for (rlim_t n = 3; n < 15; n++)
		taken += took_it_with_room_for(n);
	cr_expect(taken > 0 && taken < 12, "%d of 12", taken);
	cr_expect(took_it_with_room_for(STATUS_FD + 1));
}

static void limit_to(rlim_t n)
{
	const struct resource_limit limit = { RLIMIT_NOFILE, n };

	limit_resource(&limit);
}

static rlim_t started_with;	/* for limit_at_start, which has no argument */

static void limit_at_start(void)
{
	limit_to(started_with);
}

SystemTest(plain, receive_whatever_its_limit_of_descriptors_is)
{
	const struct setup setup = { .also = limit_at_start };
	int listened = 0;

	for (started_with = 4; started_with < 12; started_with++) {
		struct receiver v;
		struct ended e;

		start_receiver(&v, &setup,
			       ARGV(spawnfd, STATUS, RECEIVE(sock())));
		if (comes_to_listen(&v)) {
			listened++;
			end_with(&v, SIGTERM);
		} else {
			finish_receiver(&v, &e);
			expect_refusal(&e, 125);
		}
		expect_home(0);
	}
	cr_expect(listened > 0 && listened < 8, "%d of 8", listened);
}

/* ---- foreign users ---- */

/* Calls act() as that user in a child process; act() returns 0 for success. */
static void as_user(uid_t uid, int (*act)(const char *address),
		    const char *address)
{
	pid_t pid = fork();
	int status;

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
		    setresuid(uid, uid, uid))
			_exit(100);
		_exit(act(address));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "uid %d: wait status %#x", (int)uid, status);
}

/*
 * Returns 0 if the receiver has closed the connection, with all descriptors in
 * it, while it goes on waiting.
 */
static int is_sent_away(int socket, int pipe_end)
{
	struct pollfd p = { pipe_end, 0, 0 };

	if (!is_end_of_file(socket))
		return 2;
	return pipe_end >= 0 && poll_patiently(&p, 1) != 1 ? 3 : 0;
}

#define CROWD 100

/*
 * Makes many connections. Every other one sends a message, with no descriptor,
 * one or two.
 */
static int crowd_in(const char *address)
{
	int sockets[CROWD], ends[CROWD], r = 0;

	for (int i = 0; i < CROWD; i++) {
		struct outgoing m = { "x", 1, { 0 }, (size_t)(i % 3) };
		int fds[2];

		sockets[i] = try_connect(address, SOCK_STREAM);
		if (sockets[i] < 0 || pipe2(fds, O_CLOEXEC))
			return 1;
		m.fds[0] = m.fds[1] = fds[1];
		/* The receiver may have closed the connection already. */
		if (i % 2)
			try_send(sockets[i], &m);
		close(fds[1]);
		ends[i] = fds[0];
	}
	for (int i = 0; i < CROWD && r == 0; i++)
		r = is_sent_away(sockets[i], ends[i]);
	return r;
}

SystemTest(flags, receive_goes_on_after_100_connections_of_another_user)
{
	struct receiver v;

	receive_at(&v, &nothing_special, abstract());
	as_user(NOBODY, crowd_in, abstract());
	expect_works(&v, 0, abstract());

	/* --peer-uid allows that one user, and no other. */
	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--peer-uid=12345",
			    RECEIVE(abstract())));
	await_listening(&v);
	as_user(NOBODY, crowd_in, abstract());
	expect_works(&v, 0, abstract());
}

/* Starts a receiver that inherits a socket which listens at abstract(). */
static void inherit_listener(struct receiver *v, uid_t uid, const char *option)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	const struct setup setup = { .uid = uid, .socket = listener };

	start_receiver(v, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET),
				       option));
	await_listening(v);
	close(listener);
}

/* The peer check at an inherited listening socket is that at a path. */
SystemTest(flags, receive_checks_users_at_an_inherited_socket)
{
	struct receiver v;

	inherit_listener(&v, 0, NULL);
	as_user(NOBODY, crowd_in, abstract());
	expect_works(&v, 0, abstract());

	inherit_listener(&v, 0, "--peer-uid=12345");
	as_user(NOBODY, crowd_in, abstract());
	expect_works(&v, 0, abstract());
}

/* Passes a pidfd of its child; each connection is closed without an answer. */
static int pass_of_own(const char *address)
{
	pid_t pid = fork();
	int status, pidfd;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	for (int i = 0; i < 10; i++) {
		const struct outgoing m = { "x", 1, { pidfd }, 1 };
		int socket = try_connect(address, SOCK_STREAM);

		if (socket < 0)
			return 1;
		try_send(socket, &m);
		if (!is_end_of_file(socket))
			return 2;
		close(socket);
	}
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) != pid;
}

SystemTest(flags, receive_takes_no_pidfd_of_another_user)
{
	struct receiver v;

	receive_at(&v, &nothing_special, abstract());
	as_user(NOBODY, pass_of_own, abstract());
	expect_works(&v, 0, abstract());
	inherit_listener(&v, 0, NULL);
	as_user(NOBODY, pass_of_own, abstract());
	expect_works(&v, 0, abstract());
}

SystemTest(flags, receive_takes_it_from_the_user_of_peer_uid)
{
	struct receiver v;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--peer-uid=65534",
			    RECEIVE(abstract())));
	await_listening(&v);
	expect_works(&v, NOBODY, abstract());
	inherit_listener(&v, 0, "--peer-uid=65534");
	expect_works(&v, NOBODY, abstract());
}

/* Root can pass a command to the receiver of NOBODY, and user 12345 cannot. */
static void expect_ordinary_user(struct receiver *v)
{
	struct running c;
	int socket;

	as_user(12345, crowd_in, abstract());
	start_child(&c, "42");
	socket = connect_to(abstract());
	send_one(socket, "x", 1, c.pidfd);
	await_received(v);
	close(socket);
	end_child(&c, 42);
	expect_taken(v, 42);
	close_running(&c);
}

SystemTest(plain, receive_of_an_ordinary_user)
{
	const struct setup setup = { .uid = NOBODY };
	struct receiver v;

	receive_at(&v, &setup, abstract());
	expect_ordinary_user(&v);
	/* Root has made the socket that this receiver inherits. */
	inherit_listener(&v, NOBODY, NULL);
	expect_ordinary_user(&v);
}

SystemTest(plain, receive_from_a_pair_of_another_user)
{
	struct setup setup = { 0 };
	struct receiver v;
	struct running c;
	struct ended e;
	int pair[2];

	make_foreign_pair(pair);
	setup.socket = pair[1];
	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET)));
	finish_receiver(&v, &e);
	expect_refusal(&e, 125);
	expect_said(&e, "peer: fd:71: its user has uid 65534, and is neither");
	cr_expect_not_null(strstr(v.rest, "\"error\":\"peer\""), "%s", v.rest);

	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, "--peer-uid=65534",
					RECEIVE(SOCKET)));
	start_child(&c, "42");
	send_one(pair[0], "x", 1, c.pidfd);
	await_listening(&v);
	await_received(&v);
	end_child(&c, 42);
	expect_taken(&v, 42);
	close_running(&c);
	close(pair[0]);
	close(pair[1]);
}

static bool has_user_namespaces(void)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/unshare", "--user", "true"));
	if (e.status)
		not_tested("peers in a user namespace", e.err);
	return e.status == 0;
}

/*
 * Root connects here. In the user namespace root is not mapped, and so shows as
 * 65534, like everybody else who is unknown there.
 */
static void refuse_the_unmapped(const char *const argv[])
{
	struct receiver v;

	start_receiver(&v, &nothing_special, argv);
	await_listening(&v);
	for (int i = 0; i < 10; i++) {
		int socket = connect_to(sock());

		cr_expect(is_end_of_file(socket), "not sent away");
		close(socket);
	}
	end_with(&v, SIGTERM);
	expect_home(0);
}

SystemTest(plain, receive_in_a_user_namespace_refuses_who_is_unmapped)
{
	const char *const unshare = "/usr/bin/unshare";
	struct receiver v;
	struct running c;
	int socket;

	if (!has_user_namespaces())
		return;
	refuse_the_unmapped(ARGV(unshare, "--user", spawnfd, STATUS,
				 RECEIVE(sock())));
	refuse_the_unmapped(ARGV(unshare, "--user", spawnfd, STATUS,
				 "--peer-uid=65534", RECEIVE(sock())));
	/* Where root is mapped to root, its message is taken. */
	start_receiver(&v, &nothing_special,
		       ARGV(unshare, "--user", "--map-root-user", spawnfd,
			    STATUS, RECEIVE(sock())));
	await_listening(&v);
	start_child(&c, "42");
	socket = connect_to(sock());
	send_one(socket, "x", 1, c.pidfd);
	await_received(&v);
	close(socket);
	end_child(&c, 42);
	expect_taken(&v, 42);
	close_running(&c);
}
