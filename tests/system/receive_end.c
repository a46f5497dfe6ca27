/* SPDX-License-Identifier: MIT */
/*
 * --receive ends before a message has come: by a signal, by an option
 * --die-with-*, or because --wait has run out. It leaves nothing behind.
 */
#include "cores.h"
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <dirent.h>
#include <sys/socket.h>

/* ---- nothing is left behind ---- */

static int count_files_of(pid_t pid)
{
	char path[64];
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/*
 * Connects, and waits until the receiver has accepted the connection. It looks
 * again and again, because /proc cannot be polled.
 */
static int connect_and_await_accept(const struct receiver *v)
{
	const int before = count_files_of(v->r.pid);
	const int socket = connect_to(sock());
	struct patience patience = { 0 };

	while (count_files_of(v->r.pid) == before)
		cr_assert(is_patient(&patience), "it accepts nothing");
	return socket;
}

/*
 * Waits until the receiver sleeps. It waits for something only from then on; it
 * writes its status line before that. State S: proc(5).
 */
static void await_sleep(const struct receiver *v)
{
	await_state(v->r.pid, 'S');
}

SystemTest(plain, receive_dies_of_every_signal_and_leaves_nothing)
{
	for (int sig = 1; sig <= 64; sig++) {
		struct receiver v;
		int socket;

		if (!ends_a_process(sig) || sig == SIGKILL)
			continue;
		/* First it waits for a connection, then for the message. */
		receive_at(&v, &nothing_special, sock());
		await_sleep(&v);
		end_with(&v, sig);
		cr_expect_str_eq(v.rest, "");
		expect_home(0);
		receive_at(&v, &nothing_special, sock());
		socket = connect_and_await_accept(&v);
		await_sleep(&v);
		end_with(&v, sig);
		expect_home(0);
		close(socket);
	}
}

SystemTest(plain, receive_dies_of_a_signal_without_a_core)
{
	const struct setup setup = { .dir = scratch(),
				     .also = allow_own_cores };
	struct receiver v;

	receive_at(&v, &setup, sock());
	end_with(&v, SIGQUIT);
	cr_expect_eq(count_cores(scratch()), 0);
	expect_home(0);
}

/*
 * The receiver has taken the message, and waits until the process is reaped. It
 * has closed the connection and removed the name by then.
 */
SystemTest(plain, receive_dies_of_a_signal_while_it_waits_for_the_reaping)
{
	struct receiver v;
	struct running c;
	int socket;

	start_zombie(&c, "0");
	socket = open_channel(&v, LISTENED);
	send_one(socket, "x", 1, c.pidfd);
	cr_expect(is_end_of_file(socket));
	expect_home(0);
	end_with(&v, SIGTERM);
	close(socket);
	await_end(&c);
	close_running(&c);
}

static const int set_aside[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1, 64 };

static void ignore_some(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(set_aside); i++)
		signal(set_aside[i], SIG_IGN);
}

static void block_some(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(set_aside); i++)
		sigaddset(&set, set_aside[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void send_set_aside(const struct receiver *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(set_aside); i++)
		kill(v->r.pid, set_aside[i]);
}

static void goes_on_after_signals(void (*also)(void))
{
	const struct setup setup = { .also = also };
	struct receiver v;

	receive_at(&v, &setup, sock());
	if (also)
		send_set_aside(&v);
	for (int sig = 1; sig <= 64; sig++)
		if (!ends_a_process(sig) && sig != SIGSTOP &&
		    sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU)
			kill(v.r.pid, sig);
	expect_works(&v, 0, sock());
}

SystemTest(flags, receive_goes_on_after_a_signal_that_is_ignored_or_harmless)
{
	goes_on_after_signals(ignore_some);
	goes_on_after_signals(NULL);
}

/* Signals that are blocked stay pending, and go to the received command. */
SystemTest(flags, receive_passes_on_a_signal_that_was_blocked)
{
	const struct setup setup = { .also = block_some };
	struct receiver v;
	struct running p;

	receive_at(&v, &setup, sock());
	send_set_aside(&v);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "echo"));
	expect_passed(&p);
	/* The kernel delivers the lowest signal first. */
	expect_died_of(bury(&v), SIGHUP);
	expect_home(0);
	close_running(&p);
}

/* ---- the options --die-with-* ---- */

static void watch_while_receiving(struct receiver *v, const char *watch,
				  const struct setup *setup)
{
	start_receiver(v, setup, ARGV(spawnfd, STATUS, watch,
				      RECEIVE(sock())));
	await_listening(v);
}

static void expect_given_up(struct receiver *v, const char *watch,
			    const char *error)
{
	char line[128];
	struct ended e;

	finish_receiver(v, &e);
	expect_refusal(&e, 125);
	cr_expect_not_null(strstr(e.err, watch), "%s", e.err);
	snprintf(line, sizeof(line), "{\"exit-code\":125,\"error\":\"usage\","
		 "\"errno\":\"%s\"}\n", error);
	cr_expect_str_eq(v->rest, line);
	expect_home(0);
}

SystemTest(plain, receive_gives_up_when_what_it_watches_is_gone)
{
	struct setup setup = { 0 };
	struct receiver v;
	struct running c;
	char watch[32];
	int pair[2];

	start_child(&c, "0");
	snprintf(watch, sizeof(watch), "--die-with-pid=%d", c.pid);
	watch_while_receiving(&v, watch, &setup);
	end_child(&c, 0);
	expect_given_up(&v, "--die-with-pid", "ESRCH");
	close_running(&c);
	open_pair(SOCK_STREAM, pair);
	setup.socket = pair[1];
	snprintf(watch, sizeof(watch), "--die-with-fd=%d", SOCKET_FD);
	watch_while_receiving(&v, watch, &setup);
	close(pair[1]);
	close(pair[0]);
	expect_given_up(&v, "--die-with-fd", "EPIPE");
}

/*
 * The received process has exited and is a zombie when the watched one ends. It
 * keeps its own exit status.
 */
SystemTest(plain, receive_ends_nothing_that_is_over)
{
	const struct setup setup = { 0 };
	struct running c, watched;
	struct receiver v;
	siginfo_t info;
	char watch[32], line[128];
	struct ended e;
	int socket;

	start_child(&c, "3");
	start_child(&watched, "0");
	snprintf(watch, sizeof(watch), "--die-with-pid=%d", watched.pid);
	watch_while_receiving(&v, watch, &setup);
	socket = connect_to(sock());
	send_one(socket, "x", 1, c.pidfd);
	close(socket);
	read_line(v.status, line, sizeof(line));
	end_input(&c);
	cr_assert_eq(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT), 0);
	end_child(&watched, 0);
	await_end(&c);
	finish_receiver(&v, &e);
	expect_exit(&e, 3);
	cr_expect_str_eq(v.rest, "{\"exit-code\":3}\n", "%s", v.rest);
	close_running(&c);
	close_running(&watched);
}

/*
 * Puts the receiver into a group that is not orphaned, because its parent is in
 * another group. In an orphaned group the stop signals would do nothing.
 */
static void lead_a_group(void)
{
	setpgid(0, 0);
}

SystemTest(flags, receive_stops_and_continues)
{
	static const int signals[] = { SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP };
	const struct setup setup = { .also = lead_a_group };
	struct receiver v;
	int status;

	receive_at(&v, &setup, sock());
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		kill(v.r.pid, signals[i]);
		cr_assert_eq(waitpid(v.r.pid, &status, WUNTRACED), v.r.pid);
		cr_assert(WIFSTOPPED(status) &&
			  WSTOPSIG(status) == signals[i], "%#x", status);
		expect_home(1);
		kill(v.r.pid, SIGCONT);
		cr_assert_eq(waitpid(v.r.pid, &status, WCONTINUED), v.r.pid);
		cr_assert(WIFCONTINUED(status));
	}
	expect_works(&v, 0, sock());
}

/* ---- --wait ---- */

static const char in_vain[] = "no message came within the time of --wait";

static void wait_in_vain(bool connected)
{
	struct receiver v;
	int socket = -1;
	long begun = now_us();

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--wait=300ms",
			    RECEIVE(sock())));
	await_listening(&v);
	if (connected)
		socket = connect_to(sock());
	await_events(v.r.pidfd, POLLIN);
	cr_expect_geq(now_us() - begun, 300000);
	expect_not_taken(&v, in_vain);
	if (connected)
		close(socket);
}

SystemTest(plain, receive_waits_as_long_as_it_shall)
{
	wait_in_vain(false);
	wait_in_vain(true);
}

/* The time of --wait does not start again when another user connects. */
SystemTest(plain, receive_waits_no_longer_for_another_user)
{
	struct receiver v;
	int rounds = 0;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--wait=1",
			    RECEIVE(abstract())));
	await_listening(&v);
	while (poll(&(struct pollfd){ v.r.pidfd, POLLIN, 0 }, 1, 0) == 0) {
		cr_assert_eq(seteuid(NOBODY), 0);
		int socket = try_connect(abstract(), SOCK_STREAM);
		cr_assert_eq(seteuid(0), 0);
		if (socket < 0)
			continue;
		is_end_of_file(socket);
		close(socket);
		rounds++;
	}
	cr_expect_gt(rounds, 0);
	expect_not_taken(&v, in_vain);
}

/*
 * Another receiver gives up after 300 ms. The first one still waits after that.
 */
static void waits_on(const char *wait)
{
	struct receiver v;
	struct ended e;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), wait));
	await_listening(&v);
	run(&e, NULL, ARGV(spawnfd, RECEIVE(abstract()), "--wait=300ms"));
	expect_one_line(&e, in_vain);
	expect_works(&v, 0, sock());
}

SystemTest(flags, receive_waits_for_ever)
{
	waits_on(NULL);
	waits_on("--wait=0");
	waits_on("--wait=99999999999d");
}
