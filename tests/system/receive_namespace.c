/* SPDX-License-Identifier: MIT */
/*
 * --receive in a PID namespace. It holds a process that it can see there, also
 * when it is process 1, and refuses a process that it cannot see.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <sys/socket.h>
#include <sys/syscall.h>

static void receive_in_child_namespace(const char *more)
{
	struct receiver v;
	struct running p;

	start_receiver(&v, &nothing_special,
		       ARGV("/usr/bin/unshare", "--pid", "--fork", more,
			    spawnfd, STATUS, RECEIVE(sock())));
	await_listening(&v);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "hang"));
	expect_passed(&p);
	expect_not_taken(&v, "the process cannot be seen in this PID "
			     "namespace");
	cr_expect_not_null(strstr(v.rest, "\"errno\":\"EREMOTE\""), "%s",
			   v.rest);
	nothing_left();
	close_running(&p);
}

SystemTest(flags, receive_in_a_child_pid_namespace_is_refused)
{
	receive_in_child_namespace("--");
	receive_in_child_namespace("--mount-proc");
}

/*
 * The process has been reaped, so its status exists. But it cannot be read in a
 * PID namespace where the process cannot be seen.
 */
SystemTest(plain, receive_what_is_over_in_a_child_pid_namespace)
{
	struct receiver v;
	struct running c;
	int socket;

	start_child(&c, "42");
	end_child(&c, 42);
	start_receiver(&v, &nothing_special,
		       ARGV("/usr/bin/unshare", "--pid", "--fork", spawnfd,
			    STATUS, RECEIVE(sock())));
	await_listening(&v);
	socket = connect_to(sock());
	send_one(socket, "x", 1, c.pidfd);
	expect_not_taken(&v, "the process cannot be seen in this PID "
			     "namespace");
	close(socket);
	close_running(&c);
}

/* Both spawnfds run inside the namespace, and so the process can be held. */
SystemTest(flags, receive_within_a_child_pid_namespace)
{
	static const char script[] =
		"\"$0\" --receive=\"$2\" & until [ -S \"$2\" ]; do :; done; "
		"\"$0\" --autokill --pass=\"$2\" \"$1\" exit 42 || exit 1; "
		"wait $!";
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/unshare", "--pid", "--fork",
			   "--mount-proc", "/bin/sh", "-c", script, spawnfd,
			   actor, sock()));
	expect_exit(&e, 42);
	expect_home(0);
}

/*
 * spawnfd --receive is process 1 here. It inherits orphans, and the received
 * process is one of them.
 */
static void receive_as_pid_1(const char *with)
{
	static const char script[] =
		"\"$0\" \"$3\" --wait=9 --pass=\"$2\" -- \"$1\" exit 42 & "
		"exec \"$0\" --receive=\"$2\"";
	struct ended e;

	for (int i = 0; i < often(20); i++) {
		run(&e, NULL, ARGV("/usr/bin/unshare", "--pid", "--fork",
				   "--mount-proc", "/bin/sh", "-c", script,
				   spawnfd, actor, sock(), with));
		expect_exit(&e, 42);
		expect_home(0);
	}
}

SystemTest(plain, receive_as_pid_1_what_it_has_to_reap)
{
	receive_as_pid_1("--pidfd");
}

SystemTest(flags, receive_as_pid_1_what_is_autoreaped)
{
	receive_as_pid_1("--autokill");
}

/* Sends a pidfd of a child of the process that executes spawnfd next. */
static void send_own_child(void)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		_exit(96);
	child = fork();
	if (child == 0)
		_exit(7);
	send_one(pair[0], "x", 1, (int)syscall(SYS_pidfd_open, child, 0));
	inherit_as(pair[1], SOCKET_FD);
}

SystemTest(plain, receive_of_its_own_child)
{
	const struct setup setup = { .also = send_own_child };
	struct receiver v;
	struct ended e;

	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET)));
	finish_receiver(&v, &e);
	expect_exit(&e, 7);
}
