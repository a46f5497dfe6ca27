/* SPDX-License-Identifier: MIT */
/*
 * --pass: who receives the message has the command's life in hand, and who is
 * sent none can be sure that nothing runs.
 */
#include "message.h"
#include "cgroups.h"
#include "clocks.h"
#include "harness.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83	/* Linux 6.16 */
#endif

#define A_SECOND_MS 1000
#define TIMES 250
#define FIRST_DELAY_US 5000

static const int listening_types[] = { SOCK_STREAM, SOCK_SEQPACKET };
static const int pair_types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
static const char *const ways[] = { "--", "--autokill" };

/* ---- sockets ---- */

/* 300 bytes, of which sun_path has room for a third */
static const char *long_path(void)
{
	char name[301];
	size_t length = 300 - strlen(scratch()) - 1;
	const char *path;

	memset(name, 'l', sizeof(name));
	for (size_t at = 100; at < length; at += 100) {
		name[at] = '\0';
		cr_assert_eq(mkdir(scratch_path(name), 0755), 0);
		name[at] = '/';
	}
	name[length] = '\0';
	path = scratch_path(name);
	cr_assert_eq(strlen(path), 300);
	return path;
}

/* ---- messages ---- */

static bool is_message(const struct message *m)
{
	return m->length > 0 && m->pidfd >= 0 && m->parts == 1 && !m->flags;
}

/* A datagram socket does not tell that its other end is closed. */
static void expect_nothing_more(int socket, int type)
{
	struct message m;

	if (type != SOCK_DGRAM)
		await_events(socket, POLLIN);
	take_message(socket, &m, CONTROL_SIZE);
	cr_expect_eq(m.length, type == SOCK_DGRAM ? -1 : 0, "more: \"%s\"",
		     m.text);
	cr_expect_eq(m.parts, 0);
}

/* One message and then no other; its pidfd */
static int expect_one_message(int socket, int type)
{
	struct message m;

	await_message(socket, &m);
	cr_assert(is_message(&m), "\"%s\", %d control messages", m.text,
		  m.parts);
	expect_nothing_more(socket, type);
	return m.pidfd;
}

static int expect_one_connection(int listener)
{
	int connection = accept_one(listener);
	int pidfd = expect_one_message(connection, SOCK_STREAM);

	close(connection);
	return pidfd;
}

/* ---- commands ---- */

/* POLLHUP is: reaped */
static bool is_gone_within_a_second(int pidfd)
{
	struct pollfd p = { pidfd, 0, 0 };

	return poll(&p, 1, A_SECOND_MS) == 1 && p.revents & POLLHUP;
}

/* Ends what runs still, which was left to this test */
static void end_command(int pidfd)
{
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	close(pidfd);
	reap_orphans();
}

/* ---- the life is in the receiver's hand ---- */

enum fate {
	CLOSES_THE_PIDFD,
	EXITS,
	IS_KILLED,
	DROPS_IT_UNREAD,
	READS_IT_PLAINLY,
	CLOSES_ITS_LISTENER,
	DIES_WITHOUT_ACCEPTING,
	FATES
};

struct receiver {
	pid_t pid;
	int talk;
};

static void let_go(enum fate fate, int listener, int connection, int pidfd)
{
	char text[4096];

	if (fate == CLOSES_THE_PIDFD)
		close(pidfd);
	if (fate == EXITS)
		_exit(0);
	if (fate == IS_KILLED || fate == DIES_WITHOUT_ACCEPTING)
		raise(SIGKILL);
	if (fate == DROPS_IT_UNREAD)
		close(connection);
	if (fate == READS_IT_PLAINLY &&
	    read(connection, text, sizeof(text)) < 1)
		_exit(1);
	if (fate == CLOSES_ITS_LISTENER)
		close(listener);
}

/* A byte when it has received, lets go when a byte is the answer, and stays */
static _Noreturn void receive(int listener, int talk, enum fate fate)
{
	struct message m = { .pidfd = -1 };
	int connection = -1;
	char byte = 'r';

	if (fate < CLOSES_ITS_LISTENER)
		connection = accept(listener, NULL, NULL);
	if (fate < DROPS_IT_UNREAD) {
		struct pollfd p = { connection, POLLIN, 0 };

		poll(&p, 1, -1);
		take_message(connection, &m, CONTROL_SIZE);
		byte = is_message(&m) ? 'r' : 'n';
	}
	if (write(talk, &byte, 1) == 1 && read(talk, &byte, 1) == 1)
		let_go(fate, listener, connection, m.pidfd);
	for (;;)
		pause();
}

/* The listener is the receiver's alone then. */
static void start_receiver(struct receiver *receiver, int listener,
			   enum fate fate)
{
	int talk[2];

	open_pair(SOCK_STREAM, talk);
	receiver->pid = fork();
	cr_assert_geq(receiver->pid, 0);
	if (!receiver->pid) {
		close(talk[0]);
		receive(listener, talk[1], fate);
	}
	close(talk[1]);
	close(listener);
	receiver->talk = talk[0];
}

static void end_receiver(struct receiver *receiver)
{
	kill(receiver->pid, SIGKILL);
	waitpid(receiver->pid, NULL, 0);
	close(receiver->talk);
}

static void await_receipt(struct receiver *receiver)
{
	char byte;

	await_events(receiver->talk, POLLIN);
	cr_assert_eq(read(receiver->talk, &byte, 1), 1);
	cr_assert_eq(byte, 'r', "it received no message");
}

/* spawnfd is gone, and the command, which lives, is all that it left. */
static int expect_passed(struct running *r, const struct receiver *receiver)
{
	pid_t command = read_pid(r->out);
	char children[64], expected[64];

	cr_expect_eq(await_end(r), 0);
	snprintf(expected, sizeof(expected), "%d %d ", receiver->pid, command);
	read_file("/proc/thread-self/children", children, sizeof(children));
	cr_expect_str_eq(children, expected);
	ping(r);
	return open_pidfd(command);
}

static void hand_over(int type, enum fate fate)
{
	struct receiver receiver;
	struct running r;
	int command;

	start_receiver(&receiver, listen_at(abstract(), type), fate);
	start(&r, NULL, ARGV(spawnfd, "--autokill", PASS(abstract()), actor,
			     "echo"));
	command = expect_passed(&r, &receiver);
	await_receipt(&receiver);
	ping(&r);
	cr_assert_eq(write(receiver.talk, "l", 1), 1);
	cr_expect(is_gone_within_a_second(command), "type %d, fate %d", type,
		  fate);
	end_receiver(&receiver);
	close(command);
	close_running(&r);
	nothing_left();
}

SystemTest(flags, pass_the_command_lives_until_the_receiver_lets_go)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++)
		for (enum fate fate = 0; fate < FATES; fate++)
			hand_over(listening_types[i], fate);
}

/* Without the flag it lives on: the test can tell the difference. */
SystemTest(flags, pass_without_autokill_the_command_lives_on)
{
	struct receiver receiver;
	struct running r;
	int command;

	start_receiver(&receiver, listen_at(abstract(), SOCK_STREAM), EXITS);
	start(&r, NULL, ARGV(spawnfd, PASS(abstract()), actor, "echo"));
	command = expect_passed(&r, &receiver);
	await_receipt(&receiver);
	end_receiver(&receiver);
	ping(&r);
	end_command(command);
	close_running(&r);
}

static void hand_to_pair(int type, bool unread)
{
	int pair[2], command, pidfd = -1;
	struct inheritance lent = { .as = 7 };
	const struct way way = { .prepare = inherit, .arg = &lent };
	struct running r;

	open_pair(type, pair);
	lent.fd = pair[1];
	start(&r, &way, ARGV(spawnfd, "--autokill", "--pass=fd:7", actor,
			     "echo"));
	close(pair[1]);
	command = open_pidfd(read_pid(r.out));
	cr_expect_eq(await_end(&r), 0);
	if (!unread)
		pidfd = expect_one_message(pair[0], type);
	ping(&r);
	close(unread ? pair[0] : pidfd);
	cr_expect(is_gone_within_a_second(command), "type %d, %d", type,
		  unread);
	if (!unread)
		close(pair[0]);
	close(command);
	close_running(&r);
	nothing_left();
}

SystemTest(flags, pass_the_command_lives_until_the_pair_is_closed)
{
	for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++) {
		hand_to_pair(pair_types[i], true);
		hand_to_pair(pair_types[i], false);
	}
}

/* ---- no message, no command ---- */

static void expect_closed_without_message(const char *with, int type,
					  const char *command, int code)
{
	int listener = listen_at(abstract(), type), connection;
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, PASS(abstract()), with, command));
	expect_refusal(&e, code);
	connection = accept_one(listener);
	expect_nothing_more(connection, type);
	close(connection);
	close(listener);
	nothing_left();
}

SystemTest(flags, pass_no_message_for_126_and_127)
{
	const char *text = scratch_path("text");

	write_file(text, "no program", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t j = 0; j < ARRAY_SIZE(listening_types); j++) {
			const int type = listening_types[j];

			expect_closed_without_message(ways[i], type, text,
						      126);
			expect_closed_without_message(ways[i], type,
						      "/dev/null", 126);
			expect_closed_without_message(ways[i], type, "/none",
						      127);
			expect_closed_without_message(ways[i], type,
						      "spawnfd-none", 127);
		}
}

/* With each way: 125, a line with `why`, and nothing that ran or runs */
static void expect_unreachable(const struct way *way, const char *address,
			       const char *why)
{
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		run(&e, way, ARGV(spawnfd, PASS(address), ways[i], actor,
				  "hang"));
		expect_refusal(&e, 125);
		expect_begun(&e, "spawnfd: connect: ");
		expect_said(&e, why);
		nothing_left();
	}
}

SystemTest(flags, pass_to_nobody)
{
	const char *path = scratch_path("socket");

	expect_unreachable(NULL, path, "no such socket");
	expect_unreachable(NULL, long_path(), "no such socket");
	expect_unreachable(NULL, abstract(), "nobody listens");
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		int fd = bind_to(path, listening_types[i]);

		expect_unreachable(NULL, path, "nobody listens");
		close(fd);
		expect_unreachable(NULL, path, "nobody listens");
	}
	write_file(scratch_path("file"), "", 0666);
	expect_unreachable(NULL, scratch_path("file"), "nobody listens");
	expect_unreachable(NULL, scratch_path("file/socket"),
			   "Not a directory");
}

SystemTest(flags, pass_to_a_datagram_socket)
{
	int fd = bind_to(scratch_path("socket"), SOCK_DGRAM);

	expect_unreachable(NULL, scratch_path("socket"),
			   "neither a stream nor a seqpacket socket");
	close(fd);
	fd = bind_to(abstract(), SOCK_DGRAM);
	expect_unreachable(NULL, abstract(), "nobody listens");
	close(fd);
}

/* A listener that does not accept, and has no room for one more */
static int listen_full(const char *address, int type, int *ret_first)
{
	int fd = bind_to(address, type);
	struct sockaddr_un un;
	socklen_t size = sizeof(un);

	cr_assert_eq(listen(fd, 0), 0);
	cr_assert_eq(getsockname(fd, (void *)&un, &size), 0);
	*ret_first = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(*ret_first, (void *)&un, size), 0);
	return fd;
}

SystemTest(flags, pass_to_a_listener_with_a_full_backlog)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		int first, fd = listen_full(abstract(), listening_types[i],
					    &first);

		expect_unreachable(NULL, abstract(), "its backlog is full");
		close(first);
		close(fd);
	}
}

SystemTest(flags, pass_to_a_listener_that_may_not_be_connected_to)
{
	const struct way way = { .uid = NOBODY };
	int fd = listen_at(scratch_path("socket"), SOCK_STREAM);

	chmod(scratch_path("socket"), 0600);
	expect_unreachable(&way, scratch_path("socket"), "Permission denied");
	close(fd);
}

/* ---- who the peer is ---- */

struct peer {
	uid_t uid;		/* of spawnfd, */
	uid_t peer;		/* and of the other end */
	const char *option;
	bool admitted;
};

static const struct peer peers[] = {
	{ 0, 0, "--", true },
	{ NOBODY, 0, "--", true },
	{ NOBODY, NOBODY, "--", true },
	{ NOBODY, 1, "--", false },
	{ NOBODY, 1, "--peer-uid=2", false },
	{ NOBODY, 1, "--peer-uid=0", false },
	{ NOBODY, 1, "--peer-uid=1", true },
	{ NOBODY, NOBODY, "--peer-uid=1", true },
	{ 0, 1, "--", false },
	{ 0, NOBODY, "--", false },
	{ 0, 1, "--peer-uid=1", true },
};

/* unix(7): the credentials are those at the time of listen or socketpair. */
static void become_peer(uid_t uid)
{
	cr_assert_eq(seteuid(uid), 0, "%s", strerror(errno));
}

/* Takes what the other end of `socket` was sent, which is closed then */
static void expect_admission(const struct peer *peer, struct ended *e,
			     int socket)
{
	if (peer->admitted) {
		expect_exit(e, 0);
		close(expect_one_message(socket, SOCK_STREAM));
	} else {
		expect_refusal(e, 125);
		expect_begun(e, "spawnfd: peer: ");
		expect_said(e, "--peer-uid");
		expect_nothing_more(socket, SOCK_STREAM);
	}
	nothing_left();
}

static void try_peer(const struct peer *peer, const char *with, int type)
{
	const struct way way = { .uid = peer->uid };
	int connection, listener = bind_to(abstract(), type);
	struct ended e;

	become_peer(peer->peer);
	cr_assert_eq(listen(listener, 1), 0);
	become_peer(0);
	run(&e, &way, ARGV(spawnfd, with, PASS(abstract()), peer->option,
			   actor, peer->admitted ? "exit" : "hang"));
	connection = accept_one(listener);
	if (peer->admitted && strcmp(with, "--nnp") == 0)
		cr_expect_gt(wait(NULL), 0);
	expect_admission(peer, &e, connection);
	close(connection);
	close(listener);
}

SystemTest(flags, pass_only_to_root_oneself_and_peer_uid)
{
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		for (size_t j = 0; j < ARRAY_SIZE(listening_types); j++) {
			try_peer(&peers[i], "--autokill", listening_types[j]);
			try_peer(&peers[i], "--nnp", listening_types[j]);
		}
}

static void try_pair(const struct peer *peer, int type)
{
	struct inheritance lent = { .as = 7 };
	const struct way way = { .uid = peer->uid, .prepare = inherit,
				 .arg = &lent };
	struct ended e;
	int pair[2];

	become_peer(peer->peer);
	open_pair(type, pair);
	become_peer(0);
	lent.fd = pair[1];
	run(&e, &way, ARGV(spawnfd, "--autokill", "--pass=fd:7", peer->option,
			   actor, peer->admitted ? "exit" : "hang"));
	close(pair[1]);
	expect_admission(peer, &e, pair[0]);
	close(pair[0]);
}

SystemTest(flags, pass_only_to_pairs_of_root_oneself_and_peer_uid)
{
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
		for (size_t j = 0; j < ARRAY_SIZE(listening_types); j++)
			try_pair(&peers[i], listening_types[j]);
}

/* ---- what cannot be sent ---- */

/* The command is silent, for it may run until the send has failed. */
static void expect_unsent(const struct way *way, const char *with,
			  const char *address, const char *why)
{
	struct ended e;

	run(&e, way, ARGV(spawnfd, PASS(address), with, actor, "let-go"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: pass: ");
	expect_said(&e, why);
	nothing_left();
}

static void refuse_rights(int socket)
{
	const int no = 0;

	cr_assert_eq(setsockopt(socket, SOL_SOCKET, SO_PASSRIGHTS, &no,
				sizeof(no)), 0, "%s", strerror(errno));
}

SystemTest(flags, pass_to_a_listener_that_refuses_descriptors)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ways); j++) {
			int connection, listener;

			listener = listen_at(abstract(), listening_types[i]);
			refuse_rights(listener);
			expect_unsent(NULL, ways[j], abstract(),
				      "refuses descriptors");
			connection = accept_one(listener);
			expect_nothing_more(connection, listening_types[i]);
			close(connection);
			close(listener);
		}
}

static void try_refusing_pair(int type, const char *with)
{
	struct inheritance lent = { .as = 7 };
	const struct way way = { .prepare = inherit, .arg = &lent };
	int pair[2];

	open_pair(type, pair);
	refuse_rights(pair[0]);
	lent.fd = pair[1];
	expect_unsent(&way, with, "fd:7", "refuses descriptors");
	close(pair[1]);
	expect_nothing_more(pair[0], type);
	close(pair[0]);
}

SystemTest(flags, pass_to_a_pair_that_refuses_descriptors)
{
	for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ways); j++)
			try_refusing_pair(pair_types[i], ways[j]);
}

static int fill(int socket)
{
	int n = 0;

	while (send(socket, "full", 4, MSG_DONTWAIT) > 0)
		n++;
	cr_assert_eq(errno, EAGAIN);
	cr_assert_gt(n, 0);
	return n;
}

/* Waiting for it to have room, it would never end. */
static void try_full_pair(int type, const char *with)
{
	struct inheritance lent = { .as = 7 };
	const struct way way = { .prepare = inherit, .arg = &lent };
	struct message m;
	int pair[2], n, got = 0;

	open_pair(type, pair);
	lent.fd = pair[1];
	n = fill(pair[1]);
	expect_unsent(&way, with, "fd:7", "queue is full");
	cr_expect_eq(fcntl(pair[1], F_GETFL), O_RDWR);
	close(pair[1]);
	while (take_message(pair[0], &m, CONTROL_SIZE), m.length > 0) {
		cr_expect_eq(m.parts, 0);
		got += (int)m.length / 4;
	}
	cr_expect_eq(got, n);
	close(pair[0]);
}

SystemTest(flags, pass_to_a_pair_with_a_full_queue)
{
	for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ways); j++)
			try_full_pair(pair_types[i], ways[j]);
}

/* Everybody has closed what is at the other end. */
static void try_broken_pair(int type, const char *with)
{
	struct inheritance lent = { .as = 7 };
	const struct way way = { .prepare = inherit, .arg = &lent };
	struct ended e;
	int pair[2];

	open_pair(type, pair);
	close(pair[0]);
	lent.fd = pair[1];
	run(&e, &way, ARGV(spawnfd, "--pass=fd:7", with, actor, "let-go"));
	expect_refusal(&e, 125);
	close(pair[1]);
	nothing_left();
}

SystemTest(flags, pass_to_a_pair_whose_other_end_is_closed)
{
	for (size_t i = 0; i < ARRAY_SIZE(pair_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(ways); j++)
			try_broken_pair(pair_types[i], ways[j]);
}

/* ---- at any moment ---- */

/* How often it was too early, in between, and too late to disturb */
struct tally {
	long most_us;		/* the longest delay */
	int unconnected;
	int unsent;
	int sent;
};

/* The delay is what is tested, so for once time itself is waited for. */
static void wait_a_moment(const struct running *r, const struct tally *tally)
{
	const long us = random_below((unsigned int)tally->most_us + 1);
	const struct timespec time = { us / 1000000, us % 1000000 * 1000 };
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	cr_assert_geq(ppoll(&p, 1, &time, NULL), 0);
}

/* Delays grow and shrink so that half of them are too long, on any machine. */
static void count_one(struct tally *tally, int *which)
{
	++*which;
	if (which == &tally->sent)
		tally->most_us -= tally->most_us / 8;
	else
		tally->most_us += tally->most_us / 8 + 8;
}

/*
 * Whether to go on: for that many times, and longer where chance wants it, for
 * both before and after the message must have been met.
 */
static bool goes_on(const struct tally *tally, int times)
{
	int runs = tally->unconnected + tally->unsent + tally->sent;

	if (runs < times)
		return true;
	if (tally->unsent && tally->sent)
		return false;
	cr_assert_lt(runs, 20 * times, "unsent %d, sent %d", tally->unsent,
		     tally->sent);
	return true;
}

/*
 * A message is for a command that was executed; but CLONE_VFORK waits no longer
 * than until that cannot fail any more, and /proc shows it a moment later.
 */
static void check_sent(const struct message *m)
{
	const time_t end = time(NULL) + PATIENCE_MS / 1000;
	char path[64], program[256];
	ssize_t n;

	cr_assert(is_message(m), "half a message: \"%s\"", m->text);
	snprintf(path, sizeof(path), "/proc/%d/exe",
		 atoi(m->text + strlen("{\"pid\":")));
	do {
		cr_assert_lt(time(NULL), end, "%s, and not %s", m->text,
			     actor);
		n = readlink(path, program, sizeof(program) - 1);
		cr_assert_gt(n, 0, "%s: %s", m->text, strerror(errno));
		program[n] = '\0';
	} while (strcmp(program, actor));
}

/* The message to a listener whose sender is gone, if there is one */
static int take_what_came(int listener, struct tally *tally)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct message m = { .pidfd = -1 };

	if (connection < 0) {
		count_one(tally, &tally->unconnected);
		return -1;
	}
	await_message(connection, &m);
	if (m.length)
		check_sent(&m);
	count_one(tally, m.length ? &tally->sent : &tally->unsent);
	close(connection);
	return m.pidfd;
}

static void lead_far_away(const void *arg)
{
	(void)arg;
	if (setpgid(0, 0))
		_exit(96);
	setenv("PATH", far_path(), 1);
}

/* Whether it was stopped, and not over */
static bool stops(const struct running *r)
{
	const time_t end = time(NULL) + PATIENCE_MS / 1000;
	siginfo_t info = { 0 };

	do {
		cr_assert_lt(time(NULL), end, "%s: goes on", r->words);
		sched_yield();
		cr_assert_eq(waitid(P_PID, (id_t)r->pid, &info, WEXITED |
				    WSTOPPED | WNOWAIT | WNOHANG), 0);
	} while (!info.si_pid);
	return info.si_code == CLD_STOPPED;
}

/* A tree that is passed on is no part of the group. */
static void await_stopped(pid_t command)
{
	const time_t end = time(NULL) + PATIENCE_MS / 1000;
	char state;

	/* what has to be made again when spawnfd goes on is over, or gone */
	while ((state = state_of(command)) && !strchr("TZ", state) &&
	       !kills_tree()) {
		cr_assert_lt(time(NULL), end, "%d is %c", command, state);
		sched_yield();
	}
}

/* Both stop, or what is passed on does; and go on together. */
EVERY_WAY(pass_stopped_at_any_moment)
{
	const struct way way = { .prepare = lead_far_away };
	int listener = listen_at(abstract(), SOCK_STREAM);

	for (int i = 0; i < often(30); i++) {
		int connection, pidfd;
		struct running r;
		struct ended e;
		pid_t command;

		start(&r, &way, ARGV(spawnfd, PASS(abstract()), with,
				     "actor", "echo"));
		sleep_at_random(10000);
		kill(-r.pid, SIGTSTP);
		command = stops(&r) ? child_of(r.pid) : 0;
		if (command)
			await_stopped(command);
		kill(-r.pid, SIGCONT);
		connection = accept_one(listener);
		pidfd = expect_one_message(connection, SOCK_STREAM);
		read_pid(r.out);
		ping(&r);
		end_input(&r);
		await_events(pidfd, POLLIN);
		finish(&r, &e);
		expect_exit(&e, 0);
		close(pidfd);
		close(connection);
		reap_orphans();
	}
	close(listener);
}

static void disturb_once(const char *with, int sig, int listener,
			 struct tally *tally)
{
	struct running r;
	int status, pidfd;

	start(&r, NULL, ARGV(spawnfd, PASS(abstract()), with, actor,
			     "hang"));
	wait_a_moment(&r, tally);
	kill(r.pid, sig);
	status = await_end(&r);
	pidfd = take_what_came(listener, tally);
	if (status)
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == sig,
			  "%s: status %x", r.words, status);
	/* SIGKILL alone can come between the message and the exit. */
	if (status == 0 || sig != SIGKILL)
		cr_assert_eq(pidfd >= 0, status == 0, "%s: status %x",
			     r.words, status);
	if (pidfd >= 0 && strcmp(with, "--autokill"))
		end_command(pidfd);
	else if (pidfd >= 0)
		close(pidfd);
	nothing_left();
	close_running(&r);
}

static void disturb_often(const char *with, int sig)
{
	int listener = listen_at(abstract(), SOCK_STREAM);
	struct tally tally = { .most_us = FIRST_DELAY_US };

	fcntl(listener, F_SETFL, O_NONBLOCK);
	while (goes_on(&tally, often(TIMES)))
		disturb_once(with, sig, listener, &tally);
	close(listener);
}

SystemTest(flags, pass_killed_at_any_moment_leaves_it_to_the_receiver_or_dead)
{
	disturb_often("--autokill", SIGKILL);
}

SystemTest(flags, pass_termed_at_any_moment_leaves_it_to_the_receiver_or_dead)
{
	disturb_often("--autokill", SIGTERM);
}

SystemTest(flags, pass_termed_at_any_moment_without_autokill_too)
{
	disturb_often("--", SIGTERM);
}

/* What it said, once nobody but this test has its pipes any more */
static void conclude(struct running *r, struct ended *e, int status)
{
	ssize_t n = read(r->out, e->out, sizeof(e->out) - 1);

	e->out[n < 0 ? 0 : n] = '\0';
	n = read(r->err, e->err, sizeof(e->err) - 1);
	e->err[n < 0 ? 0 : n] = '\0';
	e->status = status;
	memcpy(e->words, r->words, sizeof(e->words));
	close_running(r);
}

static void lose_once(const char *with, enum fate fate, struct tally *tally)
{
	struct receiver receiver;
	struct running r;
	struct ended e;
	int status;

	start_receiver(&receiver, listen_at(abstract(), SOCK_STREAM), fate);
	start(&r, NULL, ARGV(spawnfd, PASS(abstract()), with, actor,
			     "let-go"));
	wait_a_moment(&r, tally);
	end_receiver(&receiver);
	status = await_end(&r);
	if (status == 0 && strcmp(with, "--autokill"))
		end_command(open_pidfd(child_of(getpid())));
	nothing_left();
	conclude(&r, &e, status);
	if (status == 0) {
		count_one(tally, &tally->sent);
		return;
	}
	expect_refusal(&e, 125);
	count_one(tally, strncmp(e.err, "spawnfd: pass: ", 15) ?
			 &tally->unconnected : &tally->unsent);
}

/* Every other one never accepts. */
static void lose_often(const char *with, int times)
{
	struct tally tally = { .most_us = FIRST_DELAY_US };

	for (int n = 0; goes_on(&tally, often(times)); n++)
		lose_once(with, n % 2 ? IS_KILLED : DIES_WITHOUT_ACCEPTING,
			  &tally);
}

SystemTest(flags, pass_to_a_listener_that_dies_at_any_moment)
{
	lose_often("--autokill", 2 * TIMES);
}

SystemTest(flags, pass_to_a_listener_that_dies_at_any_moment_without_autokill)
{
	lose_often("--", TIMES);
}

/* ---- while the message is held back ---- */

/*
 * strace keeps spawnfd at the entry of that system call: for longer than any
 * test takes, but once strace is gone it goes on. The command runs on return.
 */
static pid_t hold_back(struct running *r, const char *call, const char *with,
		       pid_t *ret_command)
{
	const char *file = scratch_path("pid");
	char trace[64], inject[96], pid_file[512];

	snprintf(trace, sizeof(trace), "trace=%s", call);
	snprintf(inject, sizeof(inject), "inject=%s:delay_enter=1000000000",
		 call);
	snprintf(pid_file, sizeof(pid_file), "--pid-file=%s", file);
	start(r, NULL, ARGV("/usr/bin/env", "strace", "-o", "/dev/null", "-e",
			    trace, "-e", inject, spawnfd, pid_file,
			    PASS(abstract()), with, actor, "hang"));
	*ret_command = read_pid(r->out);
	return child_of(r->pid);
}

static int wait_for(pid_t pid)
{
	int status;

	cr_assert_eq(waitpid(pid, &status, 0), pid, "%s", strerror(errno));
	return status;
}

/* It is an error, although all went well when the command was started. */
static void lose_held_back(const char *with, int type, bool accepted)
{
	int listener = listen_at(abstract(), type), connection = -1;
	pid_t self, command;
	struct running r;
	struct ended e;
	int status;

	self = hold_back(&r, "sendmsg", with, &command);
	if (accepted)
		connection = accept_one(listener);
	close(accepted ? connection : listener);
	cr_expect_eq(kill(command, 0), 0);
	kill(r.pid, SIGKILL);
	await_end(&r);
	status = wait_for(self);
	nothing_left();
	conclude(&r, &e, status);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: pass: ");
	expect_said(&e, "the receiver has closed");
	cr_expect(!exists(scratch_path("pid")));
	if (accepted)
		close(listener);
}

SystemTest(flags, pass_to_a_listener_that_died_before_the_send)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t j = 0; j < ARRAY_SIZE(listening_types); j++) {
			lose_held_back(ways[i], listening_types[j], false);
			lose_held_back(ways[i], listening_types[j], true);
		}
}

/* strace would hold back its exit too (PTRACE_EVENT_EXIT), and so goes next. */
SystemTest(flags, pass_killed_before_the_send_takes_the_command)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	struct running r;
	pid_t self, command;
	int pidfd;

	self = hold_back(&r, "sendmsg", "--autokill", &command);
	pidfd = open_pidfd(command);
	kill(self, SIGKILL);
	kill(r.pid, SIGKILL);
	cr_expect(is_gone_within_a_second(pidfd));
	await_end(&r);
	reap_orphans();
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	close(connection);
	close(listener);
	close(pidfd);
	close_running(&r);
}

/* When the pid file is on its way, the exec has been confirmed. */
static void await_pid_file(pid_t self)
{
	char name[64];

	snprintf(name, sizeof(name), ".spawnfd.%d.0", self);
	while (!exists(scratch_path(name)))
		;
}

static void term_before_send(const char *with)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	struct running r;
	struct ended e;
	pid_t self, command;
	int status;

	self = hold_back(&r, "renameat2", with, &command);
	await_pid_file(self);
	kill(self, SIGTERM);
	kill(r.pid, SIGKILL);
	await_end(&r);
	status = wait_for(self);
	nothing_left();
	conclude(&r, &e, status);
	expect_signal(&e, SIGTERM);
	cr_expect(!exists(scratch_path("pid")));
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	close(connection);
	close(listener);
}

SystemTest(flags, pass_termed_before_the_send_takes_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		term_before_send(ways[i]);
}

/* ---- while the exec is held back ---- */

static void ignore_hup(const void *arg)
{
	(void)arg;
	signal(SIGHUP, SIG_IGN);
}

/* The command has been made, and never gets to its exec. */
static void start_frozen(struct running *r, const char *group,
			 const char *with)
{
	const struct way way = { .prepare = ignore_hup };

	start(r, &way, ARGV(spawnfd, CGROUP(group), PASS(abstract()), with,
			    actor, "hang"));
	await_member(group);
}

/* Had SIGHUP, of the lower number, not been ignored, it would be the one. */
static void term_frozen(const char *with)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	const char *group = make_frozen_group();
	struct running r;
	struct ended e;

	start_frozen(&r, group, with);
	kill(r.pid, SIGHUP);
	kill(r.pid, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	cr_expect_str_eq(e.out, "", "it ran");
	cr_expect_str_eq(e.err, "");
	connection = accept_one(listener);
	expect_nothing_more(connection, SOCK_STREAM);
	nothing_left();
	close(connection);
	close(listener);
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

SystemTest(cgroup, pass_termed_before_the_exec_takes_the_command)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		term_frozen(ways[i]);
}

SystemTest(cgroup, pass_goes_on_after_an_ignored_signal)
{
	int listener = listen_at(abstract(), SOCK_STREAM);
	const char *group = make_frozen_group();
	struct running r;

	start_frozen(&r, group, "--autokill");
	kill(r.pid, SIGHUP);
	write_group(group, "cgroup.freeze", "0");
	cr_expect_eq(await_end(&r), 0);
	read_pid(r.out);
	close(expect_one_connection(listener));
	nothing_left();
	close(listener);
	close_running(&r);
	cr_expect_eq(rmdir(group), 0, "%s", strerror(errno));
}

/* ---- every kind of address ---- */

static int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

/* The report of "actor show": 0, 1 and 2, of which `sockets` are sockets */
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

/* The report goes to where the socket is not. */
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

/* While it runs: end of file, unless the socket is the command's too */
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
	/* the exec closes it a moment after vfork has returned */
	cr_expect_eq(poll(&p, 1, as > 2 ? PATIENCE_MS : 0), as > 2,
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

/* -v has much to say, and that nowhere but to descriptor 2. */
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

/* ---- the message ---- */

struct sample {
	const char *options[3];
	const char *flags;
	bool autokill;
};

#define PIDFD "\"CLONE_PIDFD\""
#define AUTOREAP ",\"CLONE_AUTOREAP\""
#define NNP ",\"CLONE_NNP\""

static const struct sample samples[] = {
	{ { "--" }, PIDFD, false },
	{ { "--autoreap" }, PIDFD AUTOREAP, false },
	{ { "--nnp" }, PIDFD NNP, false },
	{ { "--autokill" },
	  PIDFD AUTOREAP NNP ",\"CLONE_PIDFD_AUTOKILL\"", true },
	{ { "--autokill", "--allow-new-privs" },
	  PIDFD AUTOREAP ",\"CLONE_PIDFD_AUTOKILL\"", true },
	{ { "--autokill", "--clear-sighand" },
	  PIDFD ",\"CLONE_CLEAR_SIGHAND\"" AUTOREAP NNP
	  ",\"CLONE_PIDFD_AUTOKILL\"", true },
	{ { "--exact", "--pidfd" }, PIDFD, false },
	{ { "--exact", "--pidfd", "--nnp" }, PIDFD NNP, false },
	{ { "--raw-flags=CLONE_IO|CLONE_NEWUTS" },
	  PIDFD ",\"CLONE_NEWUTS\",\"CLONE_IO\"", false },
};

static void start_sample(struct running *r, const struct sample *sample)
{
	const char *argv[8] = { spawnfd, PASS(abstract()) };
	size_t n = 2;

	for (size_t i = 0; i < ARRAY_SIZE(sample->options); i++)
		if (sample->options[i])
			argv[n++] = sample->options[i];
	argv[n++] = actor;
	argv[n] = "hang";
	start(r, NULL, argv);
}

/* A receiver of runc's kind has room for one descriptor and no more. */
static void expect_sample(const struct sample *sample, int connection,
			  pid_t command)
{
	char expected[512];
	struct message m;
	struct stat st;

	await_events(connection, POLLIN);
	take_message(connection, &m, CMSG_SPACE(sizeof(int)));
	cr_assert(is_message(&m), "\"%s\"", m.text);
	cr_expect_eq(m.control, CMSG_SPACE(sizeof(int)));
	cr_assert_eq(fstat(m.pidfd, &st), 0);
	snprintf(expected, sizeof(expected),
		 "{\"pid\":%d,\"inode\":%llu,\"flags\":[%s]}\n", command,
		 (unsigned long long)st.st_ino, sample->flags);
	cr_expect_str_eq(m.text, expected);
	cr_expect_eq(m.length, (ssize_t)strlen(expected));
	cr_expect_eq(!!(fcntl(m.pidfd, F_GETFL) & O_TRUNC), sample->autokill);
	expect_nothing_more(connection, SOCK_STREAM);
	end_command(m.pidfd);
}

SystemTest(flags, pass_the_message_is_right)
{
	for (size_t i = 0; i < ARRAY_SIZE(listening_types); i++) {
		int listener = listen_at(abstract(), listening_types[i]);

		for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
			struct running r;
			int connection;

			start_sample(&r, &samples[j]);
			cr_expect_eq(await_end(&r), 0);
			connection = accept_one(listener);
			expect_sample(&samples[j], connection,
				      read_pid(r.out));
			close(connection);
			close_running(&r);
		}
		close(listener);
	}
}

/* unix(7): SO_PASSCRED; it is spawnfd that they are of. */
SystemTest(flags, pass_credentials_only_to_who_asks_for_them)
{
	int connection, listener = listen_at(abstract(), SOCK_STREAM);
	const int yes = 1;
	struct running r;
	struct message m;

	cr_assert_eq(setsockopt(listener, SOL_SOCKET, SO_PASSCRED, &yes,
				sizeof(yes)), 0);
	start(&r, NULL, ARGV(spawnfd, "--autokill", PASS(abstract()),
			     actor, "exit"));
	cr_expect_eq(await_end(&r), 0);
	connection = accept_one(listener);
	await_message(connection, &m);
	cr_expect_eq(m.parts, 2);
	cr_expect_eq(m.sender, r.pid);
	cr_expect_geq(m.pidfd, 0);
	close(m.pidfd);
	close(connection);
	close(listener);
	close_running(&r);
}

/* ---- calls, as strace shows them on standard error ---- */

static void start_traced(struct running *r, const struct way *way,
			 const char *calls, const char *option,
			 const char *address)
{
	char trace[64];

	snprintf(trace, sizeof(trace), "trace=%s", calls);
	start(r, way, ARGV("/usr/bin/env", "strace", "-e", trace, "-e",
			   "signal=none", spawnfd, "--autokill", option,
			   PASS(address), actor, "exit"));
}

static void run_traced(struct ended *e, const struct way *way,
		       const char *calls, const char *option,
		       const char *address)
{
	struct running r;

	start_traced(&r, way, calls, option, address);
	finish(&r, e);
}

SystemTest(flags, pass_is_one_sendmsg)
{
	int listener = listen_at(abstract(), SOCK_STREAM);
	char control[64];
	struct ended e;

	run_traced(&e, NULL, "%network,write,writev", "--nnp", abstract());
	expect_exit(&e, 0);
	cr_expect_eq(count(e.err, "connect("), 1, "%s", e.err);
	cr_expect_eq(count(e.err, "sendmsg("), 1, "%s", e.err);
	cr_expect_eq(count(e.err, "sendto(") + count(e.err, "sendmmsg(") +
		     count(e.err, "write"), 0, "%s", e.err);
	cr_expect_eq(count(e.err, "cmsg_type="), 1, "%s", e.err);
	snprintf(control, sizeof(control), "msg_controllen=%zu",
		 CMSG_SPACE(sizeof(int)));
	expect_said(&e, control);
	close(expect_one_connection(listener));
	close(listener);
}

/* ---- --wait ---- */

/* Returns when that many attempts have failed, and it has slept after each. */
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
	struct ended e;
	int listener;

	start_traced(&r, NULL, "nanosleep,clock_nanosleep", "--wait=1h",
		     address);
	await_attempts(&r, 5);
	listener = listen_at(address, type);
	close(expect_one_connection(listener));
	finish(&r, &e);
	expect_exit(&e, 0);
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

/* An hour is longer than anything here may take. */
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
	/* once for each type: see connect(2) to the other one */
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
}

/* The first error that is another one ends it, late as it comes. */
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

/* ---- called wrongly ---- */

SystemTest(flags, pass_needs_a_pidfd)
{
	static const char *const options[] = { "--nnp", "--autoreap", "--" };
	int listener = listen_at(abstract(), SOCK_STREAM);
	struct ended e;

	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		run(&e, NULL, ARGV(spawnfd, "--exact", PASS(abstract()),
				   options[i], actor, "hang"));
		expect_refusal(&e, 125);
		expect_begun(&e, "spawnfd: --pass: ");
		expect_said(&e, "--pidfd");
		cr_expect_lt(accept(listener, NULL, NULL), 0);
	}
	close(listener);
}

static void try_descriptor(const struct inheritance *lent, const char *why)
{
	const struct way way = { .prepare = inherit, .arg = lent };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--autokill", "--pass=fd:7", actor,
			   "hang"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: fd:7: ");
	expect_said(&e, why);
}

SystemTest(flags, pass_to_a_descriptor_that_is_no_connected_unix_socket)
{
	struct inheritance lent = { .fd = -1, .as = 7 };

	try_descriptor(&lent, "not open");
	lent.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	try_descriptor(&lent, "not a socket");
	close(lent.fd);
	lent.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	try_descriptor(&lent, "not a Unix socket");
	close(lent.fd);
	lent.fd = listen_at(abstract(), SOCK_STREAM);
	try_descriptor(&lent, "not a connected socket");
	close(lent.fd);
}
