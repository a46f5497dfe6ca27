/* SPDX-License-Identifier: MIT */
/*
 * --pass: an autokill command lives until the receiver of the message lets go
 * of it, and the message says which process the command is.
 */
#include "harness.h"
#include "message.h"
#include "passing.h"
#include "sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- the receiver has the life of the command ---- */

static void await_receipt(struct taker *taker)
{
	char byte;

	await_events(taker->talk, POLLIN);
	cr_assert_eq(read(taker->talk, &byte, 1), 1);
	cr_assert_eq(byte, 'r', "it received no message");
}

/* Expects that spawnfd ends and leaves nothing but COMMAND, which lives. */
static int expect_passed(struct running *r, const struct taker *taker)
{
	pid_t command = read_pid(r->out);
	char children[64], expected[64];

	cr_expect_eq(await_end(r), 0);
	snprintf(expected, sizeof(expected), "%d %d ", taker->pid, command);
	read_file("/proc/thread-self/children", children, sizeof(children));
	cr_expect_str_eq(children, expected);
	ping(r);
	return open_pidfd(command);
}

static void hand_over(int type, enum fate fate)
{
	struct taker taker;
	struct running r;
	int command;

	start_taker(&taker, listen_at(abstract(), type), fate);
	start(&r, NULL, ARGV(spawnfd, "--autokill", PASS(abstract()), actor,
			     "echo"));
	command = expect_passed(&r, &taker);
	await_receipt(&taker);
	ping(&r);
	cr_assert_eq(write(taker.talk, "l", 1), 1);
	cr_expect(is_gone_soon(command), "type %d, fate %d", type,
		  fate);
	end_taker(&taker);
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

/* Without the flag COMMAND lives on: so the tests above can fail. */
SystemTest(flags, pass_without_autokill_the_command_lives_on)
{
	struct taker taker;
	struct running r;
	int command;

	start_taker(&taker, listen_at(abstract(), SOCK_STREAM), EXITS);
	start(&r, NULL, ARGV(spawnfd, PASS(abstract()), actor, "echo"));
	command = expect_passed(&r, &taker);
	await_receipt(&taker);
	end_taker(&taker);
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
	cr_expect(is_gone_soon(command), "type %d, %d", type,
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

/* Checks the message as a receiver with room for one descriptor, as in runc. */
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

/* A receiver that sets SO_PASSCRED gets spawnfd's credentials: unix(7). */
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
