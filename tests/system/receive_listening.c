/* SPDX-License-Identifier: MIT */
/*
 * --receive=fd:N with a listening socket, as a service manager hands it over.
 * spawnfd takes the first message, closes its copy of the socket, and changes
 * nothing about it for the other processes that have it.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76		/* Linux 6.5 */
#endif

static const int listening_types[] = { SOCK_STREAM, SOCK_SEQPACKET };

/* ---- one message ---- */

static void socket_as_input(void)
{
	dup2(SOCKET_FD, 0);
	close(SOCKET_FD);
}

/*
 * Expects that no process has the listening socket any more: connect(2) fails,
 * or the kernel closes the connection together with the last copy.
 */
static void expect_refused_at(const char *address, int type)
{
	int socket = try_connect(address, type);

	if (socket < 0) {
		cr_expect_eq(errno, ECONNREFUSED, "%s", strerror(errno));
		return;
	}
	await_events(socket, POLLHUP);
	close(socket);
}

static void works_at(const char *address, int type, bool as_input)
{
	const int listener = listen_at(address, type);
	const struct setup setup = {
		.socket = listener,
		.also = as_input ? socket_as_input : NULL,
	};
	struct receiver v;
	struct running p;
	char line[64];

	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, as_input ?
					RECEIVE("fd:0") : RECEIVE(SOCKET)));
	read_line(v.status, line, sizeof(line));
	cr_expect_str_eq(line, as_input ? "{\"listening\":\"fd:0\"}" :
			 "{\"listening\":\"fd:71\"}");
	close(listener);
	pass_echo(&p, 0, address);
	await_received(&v);
	/* spawnfd had the only copy, and closes it while the command runs. */
	expect_refused_at(address, type);
	ping(&p);
	end_input(&p);
	expect_quiet_end(&v, 0);
	close_running(&p);
}

SystemTest(flags, receive_at_a_listening_descriptor)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		works_at(abstract(), listening_types[i], false);
		works_at(abstract(), listening_types[i], true);
		works_at(sock(), listening_types[i], false);
	}
	/* spawnfd does not remove a name that it has not made. */
	expect_home(1);
	unlink(sock());
}

/*
 * The receiver closes the socket when it has read the message, although it then
 * waits a second in vain for the reaping of this zombie.
 */
SystemTest(plain, receive_closes_a_listening_socket_with_the_message)
{
	struct receiver v;
	struct running c;
	int socket;

	start_zombie(&c, "42");
	socket = open_channel(&v, ACTIVATED);
	send_one(socket, "x", 1, c.pidfd);
	cr_expect(is_end_of_file(socket));
	cr_expect_lt(try_connect(abstract(), SOCK_STREAM), 0);
	cr_expect_eq(errno, ECONNREFUSED, "%s", strerror(errno));
	expect_not_taken(&v, "the process has exited, but its parent has not "
			     "reaped it: its status cannot be read");
	close(socket);
	await_end(&c);
	close_running(&c);
}

/* Does what expect_works() does, but lets files stay in home(). */
static void expect_works_once(struct receiver *v, const char *address)
{
	struct running p;

	pass_echo(&p, 0, address);
	await_received(v);
	ping(&p);
	end_input(&p);
	expect_quiet_end(v, 0);
	close_running(&p);
}

static void chmod_and_receive(int flags, mode_t mode)
{
	const int listener = listen_at(sock(), SOCK_STREAM);
	struct stat before, after;
	struct receiver v;

	cr_assert_eq(chmod(sock(), mode), 0);
	cr_assert_eq(fcntl(listener, F_SETFL, flags), 0);
	cr_assert_eq(stat(sock(), &before), 0);
	receive_from(&v, listener);
	/* Meanwhile accept(2) does not wait. */
	cr_expect_eq(fcntl(listener, F_GETFL), O_RDWR | O_NONBLOCK | flags);
	expect_works_once(&v, sock());
	cr_expect_eq(fcntl(listener, F_GETFL), O_RDWR | flags);
	cr_assert_eq(stat(sock(), &after), 0);
	cr_expect_eq(after.st_ino, before.st_ino);
	cr_expect_eq(after.st_mode, before.st_mode);
	cr_expect_eq(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);

	/* A signal that ends the receiver leaves the socket as it was, too. */
	receive_from(&v, listener);
	end_with(&v, SIGTERM);
	cr_expect(is_socket(sock()));
	cr_expect_eq(fcntl(listener, F_GETFL), O_RDWR | flags);
	expect_nothing_arrived(listener);
	unlink(sock());
	close(listener);
}

SystemTest(flags, receive_leaves_a_listening_socket_as_it_was)
{
	chmod_and_receive(0, 0666);
	chmod_and_receive(O_NONBLOCK, 0666);
	chmod_and_receive(O_APPEND, 0600);
}

/* ---- several senders and receivers ---- */

/*
 * Senders connect, send and exit before there is a receiver. Each receiver
 * takes one message; the commands of the others go on in the queue.
 */
SystemTest(flags, receive_takes_what_has_waited_for_activation)
{
	enum { SENDERS = 3 };
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct running senders[SENDERS];

	for (int i = 0; i < SENDERS; i++)
		pass_echo(&senders[i], 0, abstract());
	for (int i = 0; i < SENDERS; i++) {
		struct receiver v;

		receive_from(&v, listener);
		await_received(&v);
		/* The commands that wait in the queue are alive. */
		for (int j = i; j < SENDERS; j++)
			ping(&senders[j]);
		end_input(&senders[i]);
		expect_taken(&v, 0);
		close_running(&senders[i]);
	}
	expect_nothing_arrived(listener);
	close(listener);
}

/* One connection wakes several receivers. One takes it, the others wait on. */
SystemTest(flags, receive_shares_a_listening_socket)
{
	enum { WORKERS = 6 };
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct receiver v[WORKERS];
	struct pollfd ready[WORKERS];
	struct running p;
	int taker = 0;

	for (int i = 0; i < WORKERS; i++) {
		receive_from(&v[i], listener);
		ready[i] = (struct pollfd){ v[i].status, POLLIN, 0 };
	}
	pass_echo(&p, 0, abstract());
	cr_assert_gt(poll_patiently(ready, WORKERS), 0);
	while (taker < WORKERS - 1 && !ready[taker].revents)
		taker++;
	for (int i = 0; i < WORKERS; i++)
		if (i != taker)
			end_with(&v[i], SIGTERM);
	await_received(&v[taker]);
	ping(&p);
	end_input(&p);
	expect_taken(&v[taker], 0);
	close_running(&p);
	close(listener);
}

static long call_of(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	cr_assert_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info),
		     0);
	return info.op == PTRACE_SYSCALL_INFO_ENTRY ? (long)info.entry.nr : -1;
}

/*
 * Takes a connection after poll(2) has told the receiver of it, and before the
 * receiver calls accept(2). The receiver must not wait in accept(2), because it
 * blocks all signals, and has a deadline and watches.
 */
static void snatch_connection(const struct receiver *v, int listener)
{
	const pid_t pid = v->r.pid;
	int client, status;

	cr_assert_eq(ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD),
		     0);
	cr_assert_eq(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	client = connect_to(abstract());
	do {
		cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFSTOPPED(status), "%#x", status);
	} while (call_of(pid) != SYS_accept4);
	close(accept_one(listener));
	close(client);
	cr_assert_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
}

static void start_and_snatch(struct receiver *v, int listener, uid_t uid,
			     const char *option)
{
	const struct setup setup = { .uid = uid, .socket = listener };

	start_receiver(v, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET),
				       option));
	await_listening(v);
	snatch_connection(v, listener);
}

/* The listening socket blocks, and the receiver still reacts to everything. */
SystemTest(flags, receive_when_another_process_takes_the_connection)
{
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct receiver v;
	struct running c;
	char watch[32];
	struct ended e;

	start_and_snatch(&v, listener, 0, NULL);
	expect_works(&v, 0, abstract());
	start_and_snatch(&v, listener, NOBODY, NULL);
	expect_works(&v, NOBODY, abstract());
	start_and_snatch(&v, listener, 0, NULL);
	snatch_connection(&v, listener);
	end_with(&v, SIGTERM);
	start_and_snatch(&v, listener, NOBODY, "--wait=300ms");
	expect_not_taken(&v, "no message came within the time of --wait");
	start_child(&c, "0");
	snprintf(watch, sizeof(watch), "--die-with-pid=%d", c.pid);
	start_and_snatch(&v, listener, 0, watch);
	end_child(&c, 0);
	finish_receiver(&v, &e);
	expect_one_line(&e, "--die-with-pid");
	close_running(&c);
	close(listener);
}

/* ---- no message ---- */

SystemTest(plain, receive_waits_at_a_listening_descriptor_as_long_as_it_shall)
{
	for (int connected = 0; connected < 2; connected++) {
		const int listener = listen_at(abstract(), SOCK_STREAM);
		const struct setup setup = { .socket = listener };
		const long begun = now_us();
		struct receiver v;
		int client = -1;

		start_receiver(&v, &setup, ARGV(spawnfd, STATUS, "--wait=300ms",
						RECEIVE(SOCKET)));
		await_listening(&v);
		if (connected)
			client = connect_to(abstract());
		expect_not_taken(&v, "no message came within the time of "
				     "--wait");
		cr_expect_geq(now_us() - begun, 300000);
		if (connected)
			close(client);
		close(listener);
	}
}

SystemTest(plain, receive_at_a_listening_descriptor_watches_too)
{
	struct setup setup = { 0 };
	struct receiver v;
	struct running c;
	struct ended e;
	char watch[32];

	start_child(&c, "0");
	snprintf(watch, sizeof(watch), "--die-with-pid=%d", c.pid);
	setup.socket = listen_at(abstract(), SOCK_STREAM);
	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, watch,
					RECEIVE(SOCKET)));
	await_listening(&v);
	end_child(&c, 0);
	finish_receiver(&v, &e);
	expect_refusal(&e, 125);
	expect_said(&e, "--die-with-pid");
	close_running(&c);
	close(setup.socket);
}

/* Another process has shut the socket down. It has no connections then. */
SystemTest(plain, receive_at_a_listening_descriptor_that_is_shut_down)
{
	static const int ways[] = { SHUT_RD, SHUT_RDWR };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const int listener = listen_at(abstract(), SOCK_STREAM);
		struct receiver v;

		receive_from(&v, listener);
		cr_assert_eq(shutdown(listener, ways[i]), 0);
		expect_not_taken(&v, "receive: fd:71: ");
		close(listener);
	}
}

SystemTest(plain, receive_at_a_listening_descriptor_without_a_free_one)
{
	const struct rlimit limit = { 3, 3 };
	const int listener = listen_at(abstract(), SOCK_STREAM);
	struct receiver v;
	int client;

	receive_from(&v, listener);
	cr_assert_eq(prlimit(v.r.pid, RLIMIT_NOFILE, &limit, NULL), 0);
	client = connect_to(abstract());
	expect_not_taken(&v, "no descriptor is free; see ulimit -n");
	close(client);
	close(listener);
}

/* ---- socket options ---- */

static void takes_with(int option)
{
	const int listener = listen_at(abstract(), SOCK_STREAM), on = 1;
	struct receiver v;
	int r = setsockopt(listener, SOL_SOCKET, option, &on, sizeof(on));

	cr_assert_eq(r, 0, "%d: %s", option, strerror(errno));
	receive_from(&v, listener);
	expect_works_once(&v, abstract());
	close(listener);
}

/*
 * An accepted socket inherits these options of a listening socket. They add
 * control messages to the one with the pidfd.
 */
SystemTest(flags, receive_at_a_listening_descriptor_that_passes_credentials)
{
	takes_with(SO_PASSCRED);
	takes_with(SO_PASSPIDFD);
	takes_with(SO_TIMESTAMP);
}
