/* SPDX-License-Identifier: MIT */
/*
 * --receive holds a received command like one that it has started: the receiver
 * ends with the status or signal of the command, and an autokill command dies
 * with the receiver.
 */
#include "cores.h"
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* ---- the receiver ends as the command does ---- */

static void hold_status(const char *code, uid_t uid)
{
	const struct setup setup = { .uid = uid };
	const struct way way = { .uid = uid };
	struct receiver v;
	struct running p;
	struct ended e;

	receive_at(&v, &setup, sock());
	start(&p, &way, ARGV(spawnfd, "--autokill", PASS(sock()), "/bin/sh",
			     "-c", "read line; exit $0", code));
	expect_passed(&p);
	await_received(&v);
	expect_home(0);
	end_input(&p);
	finish_receiver(&v, &e);
	expect_exit(&e, atoi(code));
	cr_expect_str_eq(e.err, "");
	close_running(&p);
}

SystemTest(flags, receive_ends_with_the_status_of_what_it_holds)
{
	static const char *const codes[] = { "0", "1", "42", "255" };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		hold_status(codes[i], 0);
	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		hold_status(codes[i], NOBODY);
}

/* A core of the command goes to scratch(); one of the receiver to home(). */
static void hold_signal(int sig)
{
	const struct setup setup = { .dir = home(), .also = allow_own_cores };
	const struct way way = { .dir = scratch(),
				 .prepare = allow_cores };
	char wanted[128];
	struct receiver v;
	struct running p;
	struct ended e;
	pid_t pid;

	receive_at(&v, &setup, sock());
	start(&p, &way, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "hang"));
	expect_passed(&p);
	pid = read_pid(p.out);
	cr_expect_eq(await_received(&v), pid);
	cr_assert_eq(syscall(SYS_kill, pid, sig), 0);
	finish_receiver(&v, &e);
	expect_signal(&e, sig);
	snprintf(wanted, sizeof(wanted), "{\"exit-code\":%d,\"signal\":%d,"
		 "\"core-dumped\":%s}\n", 128 + sig, sig,
		 dumps_core(sig) ? "true" : "false");
	cr_expect_str_eq(v.rest, wanted);
	expect_home(0);
	close_running(&p);
}

SystemTestWith(flags, receive_dies_of_the_same_signal_without_a_core,
	       REPEATS_PATHS)
{
	char path[512];

	need_core_files();
	snprintf(path, sizeof(path), "%s/core", scratch());
	for (int sig = 1; sig <= 64; sig++) {
		if (!ends_a_process(sig))
			continue;
		hold_signal(sig);
		cr_expect_eq(count_cores(scratch()), dumps_core(sig));
		unlink(path);
	}
}

/* The command may end before or after its message arrives. */
SystemTest(flags, receive_whatever_ends_at_once)
{
	for (int i = 0; i < often(100); i++) {
		const bool dies = i % 2;
		struct receiver v;
		struct running p;
		struct ended e;

		receive_at(&v, &nothing_special, sock());
		start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()),
				     actor, dies ? "die" : "exit", "10"));
		expect_passed(&p);
		finish_receiver(&v, &e);
		if (dies)
			expect_signal(&e, 10);
		else
			expect_exit(&e, 10);
		close_running(&p);
	}
	expect_home(0);
}

static void held_until_killed(int sig)
{
	struct receiver v;
	struct running p;

	receive_at(&v, &nothing_special, sock());
	pass_echo(&p, 0, sock());
	await_received(&v);
	ping(&p);
	end_with(&v, sig);
	/* Nobody reads the input of the command any more. */
	await_events(p.in, 0);
	close_running(&p);
	nothing_left();
}

SystemTest(flags, receive_killed_kills_an_autokill_command)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGHUP, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		held_until_killed(signals[i]);
}

static const char outlives[] = "spawnfd: the received pidfd is not an autokill "
	"pidfd: its process will outlive its holder";

SystemTest(flags, receive_killed_spares_what_is_not_autokill_as_it_said)
{
	struct receiver v;
	struct running p;
	char line[256], byte;

	receive_at(&v, &nothing_special, sock());
	start(&p, NULL, ARGV(spawnfd, "--autoreap", PASS(sock()), actor,
			     "echo"));
	expect_passed(&p);
	read_pid(p.out);
	await_received(&v);
	read_line(v.r.err, line, sizeof(line));
	cr_expect_str_eq(line, outlives);
	kill(v.r.pid, SIGKILL);
	await_end(&v.r);
	cr_expect_eq(read(v.r.err, &byte, 1), 0, "one line only");
	close_running(&v.r);
	read_rest(&v);
	ping(&p);
	close_running(&p);
}

/* ---- from any sender ---- */

static void take_from_test(int type, const char *text, size_t length)
{
	struct receiver v;
	struct running c;
	struct stat st;
	char line[256], wanted[256];
	struct ended e;
	int socket;

	start_child(&c, "42");
	fstat(c.pidfd, &st);
	socket = open_channel(&v, type);
	send_one(socket, text, length, c.pidfd);
	read_line(v.status, line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "{\"child-pid\":%d,\"pidfd-inode\":"
		 "%llu}", c.pid, (unsigned long long)st.st_ino);
	cr_expect_str_eq(line, wanted);
	expect_home(0);
	/* The receiver has closed the connection too, not only the name. */
	cr_expect(type == SOCK_DGRAM || is_end_of_file(socket));
	close(socket);
	end_child(&c, 42);
	finish_receiver(&v, &e);
	expect_exit(&e, 42);
	expect_begun(&e, outlives);
	cr_expect_eq(strlen(e.err), strlen(outlives) + 1, "%s", e.err);
	cr_expect_str_eq(v.rest, "{\"exit-code\":42}\n");
	close_running(&c);
}

SystemTest(plain, receive_takes_any_pidfd_with_any_payload)
{
	static const char text[LONGEST] = "{\"not\":\nJSON\0\377";

	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		take_from_test(channels[i], " ", 1);
		take_from_test(channels[i], text, 14);
		take_from_test(channels[i], text, sizeof(text));
	}
	/* A stream carries a descriptor only with a byte of data: unix(7). */
	take_from_test(SOCK_SEQPACKET, "", 0);
	take_from_test(SOCK_DGRAM, "", 0);
}

static void take_what_is_over(int type, bool killed)
{
	struct receiver v;
	struct running c;
	struct ended e;
	int socket;

	start_child(&c, "42");
	if (killed)
		kill(c.pid, SIGUSR1);
	end_input(&c);
	await_end(&c);
	socket = open_channel(&v, type);
	send_one(socket, "x", 1, c.pidfd);
	close(socket);
	finish_receiver(&v, &e);
	if (killed)
		expect_signal(&e, SIGUSR1);
	else
		expect_exit(&e, 42);
	cr_expect_null(strstr(v.rest, "child-pid"), "%s", v.rest);
	cr_expect_not_null(strstr(v.rest, killed ? "{\"exit-code\":138,"
				  "\"signal\":10,\"core-dumped\":false}\n" :
				  "{\"exit-code\":42}\n"), "%s", v.rest);
	close_running(&c);
}

SystemTest(plain, receive_gives_the_status_of_what_was_reaped_before)
{
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		take_what_is_over(channels[i], false);
		take_what_is_over(channels[i], true);
	}
}

/* The test keeps the pidfd until the kernel has reaped an autokill command. */
SystemTest(flags, receive_gives_the_status_of_what_was_autoreaped_before)
{
	int listener, connection, pidfd, socket;
	struct receiver v;
	struct running p;
	struct ended e;
	char text[LONGEST];
	size_t length;

	listener = listen_at(at_home("test"), SOCK_STREAM);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(at_home("test")),
			     actor, "exit", "42"));
	connection = accept_one(listener);
	pidfd = await_pidfd(connection, text, sizeof(text), &length);
	expect_passed(&p);
	await_events(pidfd, POLLHUP);
	unlink(at_home("test"));
	socket = open_channel(&v, LISTENED);
	send_one(socket, text, length, pidfd);
	finish_receiver(&v, &e);
	expect_exit(&e, 42);
	cr_expect_null(strstr(v.rest, "child-pid"), "%s", v.rest);
	close(socket);
	close(pidfd);
	close(connection);
	close(listener);
	close_running(&p);
}

/*
 * The command is a zombie, whose parent is the test. First the test does not
 * reap it in time. The second time the test reaps it within the second.
 */
SystemTest(plain, receive_waits_a_second_for_the_reaping)
{
	struct receiver v;
	struct running c;
	int socket;

	start_zombie(&c, "42");
	socket = open_channel(&v, LISTENED);
	send_one(socket, "x", 1, c.pidfd);
	close(socket);
	expect_not_taken(&v, "the process has exited, but its parent has not "
			     "reaped it: its status cannot be read");

	socket = open_channel(&v, LISTENED);
	send_one(socket, "x", 1, c.pidfd);
	/* The receiver has read the message: its second begins now. */
	cr_expect(is_end_of_file(socket));
	close(socket);
	await_end(&c);
	expect_taken(&v, 42);
	close_running(&c);
}

SystemTest(plain, receive_cannot_know_the_status_of_a_zombie_that_stays)
{
	struct receiver v;
	struct running c;
	struct ended e;
	int socket;

	start_child(&c, "42");
	socket = open_channel(&v, LISTENED);
	send_one(socket, "x", 1, c.pidfd);
	await_received(&v);
	close(socket);
	end_input(&c);
	finish_receiver(&v, &e);
	expect_exit(&e, 125);
	expect_said(&e, "spawnfd: hold: the status cannot be known: the "
		    "process has exited, but its parent has not reaped it\n"
		    "spawnfd: its parent must reap it");
	await_end(&c);
	close_running(&c);
}

/*
 * The pid file appears when a process is received. If it cannot be written at
 * its place, spawnfd refuses before it listens.
 */
SystemTest(flags, receive_with_a_pid_file)
{
	struct receiver v;
	struct running p;
	struct ended e;
	char text[32];
	pid_t pid;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()),
			    joined("--pid-file=", at_home("pid"))));
	await_listening(&v);
	cr_expect_not(exists(at_home("pid")));
	pass_echo(&p, 0, sock());
	pid = await_received(&v);
	read_file(at_home("pid"), text, sizeof(text));
	cr_expect_eq(atoi(text), pid, "%s", text);
	end_input(&p);
	expect_taken(&v, 0);
	close_running(&p);

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()),
			    "--pid-file=/none/pid"));
	finish_receiver(&v, &e);
	expect_one_line(&e, "--pid-file: /none/pid: ");
	expect_home(0);
}

/* Makes standard error a pipe that is full and that nobody reads. */
static void fill_standard_error(void)
{
	static const char much[65536];
	int ends[2];

	/* The read end stays open in spawnfd. */
	if (pipe(ends) || fcntl(ends[1], F_SETFL, O_NONBLOCK))
		_exit(96);
	while (write(ends[1], much, sizeof(much)) > 0)
		;
	if (fcntl(ends[1], F_SETFL, 0))
		_exit(96);
	inherit_as(ends[1], STDERR_FILENO);
}

SystemTest(plain, receive_is_not_held_up_by_a_full_standard_error)
{
	const struct setup setup = { .also = fill_standard_error };
	struct receiver v;
	struct ended e;

	start_receiver(&v, &setup,
		       ARGV(spawnfd, "-v", STATUS, RECEIVE(sock())));
	await_listening(&v);
	kill(v.r.pid, SIGTERM);
	finish_receiver(&v, &e);
	expect_signal(&e, SIGTERM);
	expect_home(0);
}
