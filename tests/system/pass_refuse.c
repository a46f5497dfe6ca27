/* SPDX-License-Identifier: MIT */
/*
 * --pass fails: nobody listens, the peer is another user, or the socket takes
 * no descriptor. spawnfd sends no message then, and leaves no command running.
 */
#include "harness.h"
#include "message.h"
#include "passing.h"
#include "sockets.h"
#include "surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83	/* Linux 6.16 */
#endif

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

/* Expects status 125, `why` in the message, and no command, in each way. */
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
	expect_unreachable(NULL, scratch_path("file"), "file: not a socket\n");
	expect_unreachable(NULL, scratch(), ": not a socket\n");
	expect_unreachable(NULL, scratch_path("file/socket"),
			   "Not a directory");
}

/* A path that is too long for sun_path is reached through /proc. */
SystemTestWith(flags, pass_to_a_long_path_without_a_proc,
	       NOT_UNDER(SANITIZED, "hide /proc, which the sanitizers read"))
{
	const char *path = long_path();
	struct ended e;

	write_file(path, "", 0666);
	share_mounts();
	cr_assert_eq(mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	run(&e, NULL, ARGV(spawnfd, PASS(path), "--wait=1h", actor, "exit",
			   "0"));
	cr_assert_eq(umount("/proc"), 0);
	expect_refusal(&e, 125);
	expect_said(&e, "so long a path needs /proc, which is not mounted");
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

/* ---- the user of the peer ---- */

struct peer {
	uid_t uid;		/* the user of spawnfd */
	uid_t peer;		/* the user of the other end */
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

/*
 * Expects a message on `socket` if the peer is admitted, else a refusal and no
 * message. The other end is closed after that.
 */
static void expect_admission(const struct peer *peer, struct ended *e,
			     int socket)
{
	char uid[64];

	if (peer->admitted) {
		expect_exit(e, 0);
		close(expect_one_message(socket, SOCK_STREAM));
	} else {
		expect_refusal(e, 125);
		snprintf(uid, sizeof(uid), ": its user has uid %u, and",
			 peer->peer);
		expect_begun(e, "spawnfd: peer: ");
		expect_said(e, uid);
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

/* ---- a message that cannot be sent ---- */

/*
 * The command may run until the send has failed. "actor let-go" writes nothing,
 * because expect_refusal wants no output.
 */
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

/* The queue of the socket is full: spawnfd fails at once, without waiting. */
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

/* The other end is closed in all processes. */
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
	expect_begun(&e, "spawnfd: --pass: fd:7: ");
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
