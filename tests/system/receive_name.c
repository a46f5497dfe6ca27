/* SPDX-License-Identifier: MIT */
/*
 * --receive and the name of its socket. The name appears when the socket
 * listens. It belongs to one receiver. It replaces a dead socket, and nothing
 * else.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"
#include "surroundings.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* ---- the name is enough ---- */

SystemTestWith(flags, receive_listens_as_soon_as_the_name_is_there_500_times,
	       PLAIN_IS_ENOUGH)
{
	for (int i = 0; i < often(500); i++) {
		struct running v, p;

		start(&v, NULL, ARGV(spawnfd, RECEIVE(sock())));
		while (!is_socket(sock()))
			;
		start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()),
				     actor, "exit", "7"));
		expect_passed(&p);
		close_running(&p);
		expect_exits(&v, 7);
	}
	expect_home(0);
}

/* The recipe of the manual: the shell waits by "test -S" alone. */
SystemTest(flags, receive_in_a_shell_script)
{
	static const char script[] =
		"i=0; while [ $i -lt $3 ]; do "
		"\"$0\" --receive=\"$2\" & "
		"until [ -S \"$2\" ]; do :; done; "
		"\"$0\" --autokill --pass=\"$2\" \"$1\" exit 7 || exit 1; "
		"wait $!; [ $? = 7 ] || exit 2; "
		"i=$((i + 1)); done";
	char times[16];
	struct ended e;

	snprintf(times, sizeof(times), "%d", often(100));
	run(&e, NULL, ARGV("/bin/sh", "-c", script, spawnfd, actor, sock(),
			   times));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.err, "");
	expect_home(0);
}

/* ---- at every system call ---- */

static void trace_me(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(96);
}

static void without_umask(void)
{
	umask(0);
}

static void trace_me_without_umask(void)
{
	without_umask();
	trace_me();
}

/*
 * Starts a receiver under ptrace(2). The exec stops it first; step() then goes
 * to the next entry or exit of a system call.
 */
static void start_traced(struct receiver *v, void (*also)(void))
{
	const struct setup setup = { .also = also };
	int status;

	start_receiver(v, &setup, ARGV(spawnfd, STATUS, RECEIVE(sock())));
	cr_assert_eq(waitpid(v->r.pid, &status, 0), v->r.pid);
	cr_assert(WIFSTOPPED(status), "%#x", status);
}

/* Goes to the next stop; false if the receiver has said that it listens. */
static bool step(struct receiver *v)
{
	struct pollfd said = { v->status, POLLIN, 0 };
	int status;

	cr_assert_eq(ptrace(PTRACE_SYSCALL, v->r.pid, NULL, NULL), 0);
	cr_assert_eq(waitpid(v->r.pid, &status, 0), v->r.pid);
	cr_assert(WIFSTOPPED(status), "%#x", status);
	return poll(&said, 1, 0) == 0;
}

/* Tries every tenth call under the sanitizers, which make many slow calls. */
static int next_call(int n)
{
	return n + 10 / often(10);
}

/* Goes to the n-th stop; false if the receiver listens before that. */
static bool start_up_to(struct receiver *v, int n)
{
	start_traced(v, trace_me);
	while (n-- > 0)
		if (!step(v))
			return false;
	return true;
}

/* Ends the tracing; the receiver goes on, and gets the signal if not 0. */
static void let_go(const struct receiver *v, int sig)
{
	if (sig)
		kill(v->r.pid, sig);
	ptrace(PTRACE_DETACH, v->r.pid, NULL, NULL);
}

/* Expects that each file at home is a socket for its user alone. */
static void expect_modes_0600(void)
{
	DIR *dir = opendir(home());
	struct dirent *entry;
	struct stat st;

	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' && strlen(entry->d_name) < 3)
			continue;
		if (lstat(at_home(entry->d_name), &st))
			continue;
		cr_expect_eq(st.st_mode, S_IFSOCK | 0600, "%s: %o",
			     entry->d_name, st.st_mode);
	}
	closedir(dir);
}

/* Returns whether the name exists; expects that it listens if it does. */
static bool expect_listening_if_named(void)
{
	int socket;

	if (!is_socket(sock()))
		return false;
	socket = try_connect(sock(), SOCK_STREAM);
	cr_expect_geq(socket, 0, "a name, but %s", strerror(errno));
	if (socket >= 0)
		close(socket);
	return true;
}

static void look_at_every_call(void (*also)(void))
{
	int without_name = 0, with_name = 0;
	struct receiver v;

	start_traced(&v, also);
	do {
		expect_modes_0600();
		if (expect_listening_if_named())
			with_name++;
		else
			without_name++;
	} while (step(&v));
	cr_expect(expect_listening_if_named(), "it said that it listens");
	cr_expect(without_name > 0 && with_name > 0, "%d, %d", without_name,
		  with_name);
	let_go(&v, SIGTERM);
	expect_died_of(bury(&v), SIGTERM);
	expect_home(0);
}

SystemTest(plain, receive_at_every_call_is_0600_and_listens_if_it_has_a_name)
{
	look_at_every_call(trace_me);
	look_at_every_call(trace_me_without_umask);
}

/* Looks without a pause instead of at each system call. */
SystemTest(plain, receive_has_mode_0600_from_the_moment_of_the_name)
{
	const struct setup setup = { .also = without_umask };

	for (int i = 0; i < often(200); i++) {
		struct receiver v;
		struct stat st;

		start_receiver(&v, i % 2 ? &setup : &nothing_special,
			       ARGV(spawnfd, STATUS, RECEIVE(sock())));
		while (lstat(sock(), &st))
			;
		cr_expect_eq(st.st_mode, S_IFSOCK | 0600, "%o", st.st_mode);
		expect_modes_0600();
		end_with(&v, SIGTERM);
	}
}

static ino_t inode_at(const char *path)
{
	struct stat st;

	cr_assert_eq(lstat(path, &st), 0, "%s: %s", path, strerror(errno));
	return st.st_ino;
}

/* A receiver that ends may leave a dead socket that was in the way before. */
static void end_at_every_call(bool dead)
{
	bool listens = false;

	for (int n = 0; !listens; n = next_call(n)) {
		struct receiver v;
		ino_t inode = 0;

		if (dead) {
			close(listen_at(sock(), SOCK_STREAM));
			inode = inode_at(sock());
		}
		listens = !start_up_to(&v, n);
		let_go(&v, SIGTERM);
		expect_died_of(bury(&v), SIGTERM);
		if (is_socket(sock())) {
			cr_expect_eq(inode_at(sock()), inode, "call %d", n);
			unlink(sock());
		}
		expect_home(0);
	}
}

SystemTest(plain, receive_ended_at_every_call_leaves_nothing)
{
	end_at_every_call(false);
	end_at_every_call(true);
}

static void remove_temporary_names(void)
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "rm -f \"$0\"/.spawnfd.*",
			   home()));
	expect_exit(&e, 0);
}

/* A socket that SIGKILL leaves, at any moment, hinders no later receiver. */
SystemTestWith(flags, receive_after_one_was_killed_at_every_call,
	       PLAIN_IS_ENOUGH)
{
	bool listens = false;
	int left = 0;

	for (int n = 0; !listens; n = next_call(n)) {
		struct receiver v;

		listens = !start_up_to(&v, n);
		end_with(&v, SIGKILL);
		left += is_socket(sock());
		remove_temporary_names();
		receive_at(&v, &nothing_special, sock());
		if (listens)
			expect_works(&v, 0, sock());
		else
			end_with(&v, SIGTERM);
		expect_home(0);
	}
	cr_expect_gt(left, 0, "none was killed when it had a name");
}

/* ---- files that are in the way ---- */

static void replaces_dead(int type, uid_t uid)
{
	const struct setup setup = { .uid = uid };
	struct receiver v;
	ino_t dead;

	close(listen_at(sock(), type));
	cr_assert_eq(lchown(sock(), uid, uid), 0);
	dead = inode_at(sock());
	receive_at(&v, &setup, sock());
	cr_expect_neq(inode_at(sock()), dead);
	expect_home(1);
	expect_works(&v, uid, sock());
}

SystemTest(flags, receive_replaces_a_dead_socket)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++)
		replaces_dead(socket_types[i], 0);
	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++)
		replaces_dead(socket_types[i], NOBODY);
}

SystemTestWith(flags, receive_without_a_proc,
	       NOT_UNDER(SANITIZED, "hide /proc, which the sanitizers read"))
{
	struct ended e;

	share_mounts();
	cr_assert_eq(mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	run(&e, NULL, ARGV(spawnfd, RECEIVE(sock())));
	cr_assert_eq(umount("/proc"), 0);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: receive: ");
	expect_said(&e, ": --receive needs /proc, which is not mounted\n");
	expect_home(0);
}

static const char occupied[] =
	"in the way: only a socket of this user, on which nobody listens, is "
	"replaced";

/*
 * Expects status 125, that the file of the name has not changed, and n files at
 * home.
 */
static void expect_in_the_way(uid_t uid, const char *text, int n)
{
	const struct setup setup = { .uid = uid };
	struct stat before, after;
	struct receiver v;
	struct ended e;

	cr_assert_eq(lstat(sock(), &before), 0);
	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, RECEIVE(sock())));
	finish_receiver(&v, &e);
	expect_one_line(&e, text);
	cr_expect(begins(v.rest, "{\"exit-code\":125,\"error\":\"receive\","),
		  "%s", v.rest);
	cr_assert_eq(lstat(sock(), &after), 0, "it is gone");
	cr_expect_eq(after.st_ino, before.st_ino);
	cr_expect_eq(after.st_mode, before.st_mode);
	cr_expect_eq(after.st_uid, before.st_uid);
	cr_expect_eq(after.st_ctim.tv_sec, before.st_ctim.tv_sec);
	cr_expect_eq(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	expect_home(n);
}

SystemTest(plain, receive_leaves_a_live_listener_in_peace)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++) {
		int listener = listen_at(sock(), socket_types[i]), client;

		expect_in_the_way(0, busy, 1);
		expect_nothing_arrived(listener);
		/* The listener is alive, and the test sees what arrives. */
		client = try_connect(sock(), socket_types[i]);
		cr_assert_geq(client, 0, "%s", strerror(errno));
		cr_assert_eq(write(client, "x", 1), 1);
		await_events(listener, POLLIN);
		close(client);
		close(listener);
		unlink(sock());
	}
}

static void without_a_listener(int type)
{
	int fd = bind_to(sock(), type);

	expect_in_the_way(0, busy, 1);
	close(fd);
	unlink(sock());
}

/*
 * These sockets are alive, but a connection fails: the first two do not listen
 * yet, and the third is a datagram socket with a peer of its own.
 */
SystemTest(plain, receive_leaves_a_live_socket_that_does_not_answer)
{
	struct sockaddr_un un;
	socklen_t size = fill_address(&un, at_home("other"));
	int fd, other;

	without_a_listener(SOCK_STREAM);
	without_a_listener(SOCK_SEQPACKET);

	other = bind_to(at_home("other"), SOCK_DGRAM);
	fd = bind_to(sock(), SOCK_DGRAM);
	cr_assert_eq(connect(fd, (const void *)&un, size), 0);
	expect_in_the_way(0, busy, 2);
	expect_nothing_arrived(fd);
	close(fd);
	close(other);
}

SystemTest(plain, receive_leaves_a_listener_whose_backlog_is_full)
{
	int clients[16], n = 0, listener = bind_to(sock(), SOCK_STREAM);
	struct sockaddr_un un;
	socklen_t size = fill_address(&un, sock());

	cr_assert_eq(listen(listener, 0), 0);
	do
		clients[n] = new_socket(SOCK_STREAM | SOCK_NONBLOCK);
	while (connect(clients[n++], (const void *)&un, size) == 0);
	expect_in_the_way(0, busy, 1);
	while (n)
		close(clients[--n]);
	close(listener);
}

SystemTest(plain, receive_leaves_every_other_file)
{
	int fd;

	write_file(sock(), "text", 0600);
	expect_in_the_way(0, occupied, 1);
	unlink(sock());
	mkdir(sock(), 0700);
	expect_in_the_way(0, occupied, 1);
	rmdir(sock());
	mkfifo(sock(), 0600);
	expect_in_the_way(0, occupied, 1);
	unlink(sock());

	cr_assert_eq(symlink("nothing", sock()), 0);
	expect_in_the_way(0, occupied, 1);
	fd = listen_at(at_home("nothing"), SOCK_STREAM);
	expect_in_the_way(0, occupied, 2);
	expect_nothing_arrived(fd);
	close(fd);
	expect_in_the_way(0, occupied, 2);
}

/* Root and the owner of the directory could replace it, but they do not. */
SystemTest(plain, receive_leaves_a_socket_of_another_user)
{
	close(listen_at(sock(), SOCK_STREAM));
	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	expect_in_the_way(NOBODY, occupied, 1);
	cr_assert_eq(lchown(sock(), NOBODY, NOBODY), 0);
	expect_in_the_way(0, occupied, 1);
}

/* ---- two for one name ---- */

/*
 * Stops the first receiver at its n-th stop, and lets it go on when the second
 * one listens or has given up. Returns false if there is no n-th stop.
 */
static bool race(int n, bool *ret_first)
{
	struct receiver first, second, *winner, *loser;
	const bool early = start_up_to(&first, n);
	struct ended e;
	bool a, b;

	start_receiver(&second, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock())));
	b = comes_to_listen(&second);
	let_go(&first, 0);
	a = comes_to_listen(&first);
	cr_assert_neq(a, b, "call %d: %s listens", n, a ? "each" : "none");
	winner = a ? &first : &second;
	loser = a ? &second : &first;
	finish_receiver(loser, &e);
	expect_one_line(&e, busy);
	expect_home(1);
	expect_works(winner, 0, sock());
	*ret_first = a;
	return early;
}

static void race_at_every_call(bool dead)
{
	int won = 0, lost = 0;
	bool first, more = true;

	for (int n = 0; more; n = next_call(n)) {
		if (dead)
			close(listen_at(sock(), SOCK_STREAM));
		more = race(n, &first);
		won += first;
		lost += !first;
	}
	cr_expect(won > 0 && lost > 0, "the first won %d, lost %d", won, lost);
}

SystemTestWith(flags, receive_two_for_one_name_and_one_gets_it, PLAIN_IS_ENOUGH)
{
	race_at_every_call(false);
}

SystemTestWith(flags, receive_two_for_the_name_of_a_dead_socket_and_one_gets_it,
	       PLAIN_IS_ENOUGH)
{
	race_at_every_call(true);
}

/* Both run at full speed; a line of input lets both shells exec spawnfd. */
SystemTestWith(flags, receive_two_that_start_together, PLAIN_IS_ENOUGH)
{
	static const char script[] = "read line; exec \"$@\"";

	for (int i = 0; i < often(200); i++) {
		struct receiver v[2];
		struct ended e;
		bool listens[2];

		if (i % 2)
			close(listen_at(sock(), SOCK_STREAM));
		for (int j = 0; j < 2; j++)
			start_receiver(&v[j], &nothing_special,
				       ARGV("/bin/sh", "-c", script, "sh",
					    spawnfd, STATUS, RECEIVE(sock())));
		for (int j = 0; j < 2; j++)
			cr_assert_eq(write(v[j].r.in, "\n", 1), 1);
		for (int j = 0; j < 2; j++)
			listens[j] = comes_to_listen(&v[j]);
		cr_assert_neq(listens[0], listens[1], "%s listens",
			      listens[0] ? "each" : "none");
		finish_receiver(&v[listens[0]], &e);
		expect_one_line(&e, busy);
		expect_works(&v[!listens[0]], 0, sock());
	}
}

static void put_another_file_there(void)
{
	write_file(at_home("new"), "another's", 0600);
	cr_assert_eq(rename(at_home("new"), sock()), 0);
}

static void expect_another_file_there(void)
{
	char text[32];

	read_file(sock(), text, sizeof(text));
	cr_expect_str_eq(text, "another's");
	expect_home(1);
	unlink(sock());
}

SystemTest(plain, receive_does_not_remove_what_took_its_name)
{
	struct receiver v;
	struct running c;
	struct ended e;
	int socket;

	receive_at(&v, &nothing_special, sock());
	put_another_file_there();
	end_with(&v, SIGTERM);
	expect_another_file_there();

	socket = open_channel(&v, LISTENED);
	put_another_file_there();
	start_child(&c, "42");
	send_one(socket, "x", 1, c.pidfd);
	await_received(&v);
	end_child(&c, 42);
	finish_receiver(&v, &e);
	expect_exit(&e, 42);
	expect_another_file_there();
	close(socket);
	close_running(&c);

	/* A receiver whose name is gone ends as usual. */
	receive_at(&v, &nothing_special, sock());
	unlink(sock());
	end_with(&v, SIGTERM);
	expect_home(0);
}
