/* SPDX-License-Identifier: MIT */
/*
 * --receive: it listens, takes one message and holds what came with it, or
 * passes it on. What it must refuse, whom it must not disturb, and that it
 * leaves nothing behind.
 */
#include "cores.h"
#include "clocks.h"
#include "harness.h"
#include "sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define STATUS_FD 70
#define STATUS "--status-fd=70"
#define SOCKET_FD 71
#define SOCKET "fd:71"
#define LONGEST 4096		/* of a payload */
#define MANY 200		/* descriptors in one message */
#define LISTENED 0		/* a channel that is no pair */

/* How a receiver is started. All zero: as root, with nothing special. */
struct setup {
	uid_t uid;
	const char *dir;
	int socket;		/* becomes SOCKET_FD; 0: none */
	void (*also)(void);	/* in the child, before exec */
};

struct receiver {
	struct running r;
	int status;		/* the other end of its --status-fd */
	char rest[1024];	/* what was still unread of that at its end */
};

static const struct setup nothing_special;

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* ---- names ---- */

/* A directory in which only sockets of the test are; NAME in it. */
static const char *home(void)
{
	static char path[512];

	if (!path[0]) {
		snprintf(path, sizeof(path), "%s/home", scratch());
		cr_assert_eq(mkdir(path, 0755), 0, "%s", strerror(errno));
	}
	return path;
}

static const char *at_home(const char *name)
{
	static char paths[4][800];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", home(), name);
	return path;
}

static const char *sock(void)
{
	return at_home("sock");
}

#define expect_home(n) \
	cr_expect_eq(count_files(home(), ""), n, "%d files, wanted %d", \
		     count_files(home(), ""), n)

/* ---- sockets ---- */

struct message {
	const char *text;
	size_t length;
	int fds[MANY];
	size_t count;
};

static ssize_t try_send(int socket, const struct message *m)
{
	char control[CMSG_SPACE(sizeof(m->fds))] = { 0 };
	union { const char *in; void *out; } text = { m->text };
	struct iovec line = { text.out, m->length };
	struct msghdr msg = { .msg_iov = &line, .msg_iovlen = 1 };
	struct cmsghdr *rights;

	if (m->count) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(m->count * sizeof(int));
		rights = CMSG_FIRSTHDR(&msg);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(m->count * sizeof(int));
		memcpy(CMSG_DATA(rights), m->fds, m->count * sizeof(int));
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL);
}

static void send_message(int socket, const struct message *m)
{
	cr_assert_eq(try_send(socket, m), (ssize_t)m->length, "sendmsg: %s",
		     strerror(errno));
}

static void send_one(int socket, const char *text, size_t length, int fd)
{
	const struct message m = { text, length, { fd }, 1 };

	send_message(socket, &m);
}

/* The one descriptor of a message; its text is terminated. */
static int take_message(int socket, char *text, size_t size, size_t *length)
{
	union { struct cmsghdr header; char bytes[64]; } control;
	struct iovec line = { text, size - 1 };
	struct msghdr msg = { .msg_iov = &line, .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;
	int fd;

	await_events(socket, POLLIN);
	n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	cr_assert_geq(n, 0, "recvmsg: %s", strerror(errno));
	cr_assert_eq(msg.msg_controllen, CMSG_SPACE(sizeof(fd)));
	text[n] = '\0';
	*length = (size_t)n;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* ---- receivers ---- */

struct scene {
	const struct setup *setup;
	int status;
};

static void set_scene(const void *arg)
{
	const struct scene *scene = arg;

	inherit_as(scene->status, STATUS_FD);
	if (scene->setup->socket)
		inherit_as(scene->setup->socket, SOCKET_FD);
	if (scene->setup->also)
		scene->setup->also();
}

/* argv has STATUS in it, or not */
static void start_receiver(struct receiver *v, const struct setup *setup,
			   const char *const argv[])
{
	struct scene scene = { .setup = setup };
	const struct way way = { .uid = setup->uid, .dir = setup->dir,
				 .prepare = set_scene, .arg = &scene };
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	scene.status = fds[1];
	start(&v->r, &way, argv);
	close(fds[1]);
	v->status = fds[0];
	v->rest[0] = '\0';
}

/* It has ended: what it still said on its way out */
static void read_rest(struct receiver *v)
{
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(v->rest) - 1 &&
	       (n = read(v->status, v->rest + used,
			 sizeof(v->rest) - 1 - used)) > 0)
		used += (size_t)n;
	v->rest[used] = '\0';
	close(v->status);
}

static void finish_receiver(struct receiver *v, struct ended *e)
{
	finish(&v->r, e);
	read_rest(v);
}

/* It has been killed; the wait status */
static int bury(struct receiver *v)
{
	int status = await_end(&v->r);

	close_running(&v->r);
	read_rest(v);
	return status;
}

static void await_listening(struct receiver *v)
{
	char line[1024];

	read_line(v->status, line, sizeof(line));
	cr_assert(begins(line, "{\"listening\":\""), "%s: %s", v->r.words,
		  line);
}

/* The pid that it says it has received. */
static pid_t await_received(struct receiver *v)
{
	char line[1024];
	int pid = 0;

	read_line(v->status, line, sizeof(line));
	sscanf(line, "{\"child-pid\":%d,", &pid);
	cr_assert_gt(pid, 0, "%s: %s", v->r.words, line);
	return pid;
}

static void receive_at(struct receiver *v, const struct setup *setup,
		       const char *address)
{
	start_receiver(v, setup, ARGV(spawnfd, STATUS, RECEIVE(address)));
	await_listening(v);
}

/* A receiver, and the socket that leads to it: of a pair, or connected. */
static int open_channel(struct receiver *v, int type)
{
	struct setup setup = { 0 };
	int pair[2];

	if (type == LISTENED) {
		receive_at(v, &setup, sock());
		return connect_to(sock());
	}
	open_pair(type, pair);
	setup.socket = pair[1];
	receive_at(v, &setup, SOCKET);
	close(pair[1]);
	return pair[0];
}

/* Refused with that in the only line of its standard error */
static void expect_one_line(const struct ended *e, const char *text)
{
	expect_refusal(e, 125);
	expect_said(e, text);
	cr_expect_eq(strchr(e->err, '\n') - e->err,
		     (ptrdiff_t)strlen(e->err) - 1, "%s: %s", e->words, e->err);
}

/* The end of one that received what it must not take */
static void expect_not_taken(struct receiver *v, const char *text)
{
	struct ended e;

	finish_receiver(v, &e);
	expect_one_line(&e, text);
	cr_expect(begins(v->rest, "{\"exit-code\":125,\"error\":\"receive\","
			 "\"errno\":\"E"), "%s: %s", e.words, v->rest);
	expect_home(0);
}

static void expect_taken(struct receiver *v, int code)
{
	struct ended e;

	finish_receiver(v, &e);
	expect_exit(&e, code);
	expect_home(0);
}

/* It has ended with that code, and said nothing. */
static void expect_gone(struct receiver *v, int code)
{
	struct ended e;

	finish_receiver(v, &e);
	expect_exit(&e, code);
	cr_expect_str_eq(e.err, "");
}

/* ---- what is passed to them ---- */

static void expect_passed(struct running *p)
{
	int status = await_end(p);
	char text[512] = "";

	if (status && read(p->err, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	cr_assert_eq(status, 0, "%s: wait status %d: %s", p->words, status,
		     text);
}

/* A command that echoes, and by its end of file ends, is passed on. */
static void pass_echo(struct running *p, uid_t uid, const char *address)
{
	const struct way way = { .uid = uid };

	start(p, &way, ARGV(spawnfd, "--autokill", PASS(address), actor,
			    "echo"));
	expect_passed(p);
	read_pid(p->out);
}

/* The whole way, of which nothing but success is expected */
static void expect_works(struct receiver *v, uid_t uid, const char *address)
{
	struct running p;

	pass_echo(&p, uid, address);
	await_received(v);
	ping(&p);
	end_input(&p);
	expect_taken(v, 0);
	close_running(&p);
}

/* A child of the test that ends as its input does, with that status */
static void start_child(struct running *c, const char *code)
{
	start(c, NULL, ARGV("/bin/sh", "-c", "read line; exit $0", code));
}

static void end_child(struct running *c, int code)
{
	int status;

	end_input(c);
	status = await_end(c);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

/* ---- signals ---- */

static void expect_died_of(int status, int sig)
{
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == sig &&
		  !WCOREDUMP(status), "signal %d: wait status %#x", sig,
		  status);
}

static void end_with(struct receiver *v, int sig)
{
	cr_assert_eq(syscall(SYS_kill, v->r.pid, sig), 0);
	expect_died_of(bury(v), sig);
}

/* ---- holds what it gets as a command of its own ---- */

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

static void allow_own_cores(void)
{
	allow_cores(NULL);
}

/* The command dumps its core in scratch(), the receiver would at home. */
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

SystemTest(flags, receive_dies_of_the_same_signal_without_a_core)
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

/* Whether or not it is quicker than the message: both come of this. */
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
	/* its input has nobody who reads it any more */
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

static const char outlives[] = "spawnfd: what was received is not an autokill "
	"pidfd: its process outlives spawnfd";

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
	/* not only its name: nobody is left at the other end */
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

static const int channels[] = { LISTENED, SOCK_STREAM, SOCK_SEQPACKET,
				SOCK_DGRAM };

SystemTest(plain, receive_takes_any_pidfd_with_any_payload)
{
	static const char text[LONGEST] = "{\"not\":\nJSON\0\377";

	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		take_from_test(channels[i], " ", 1);
		take_from_test(channels[i], text, 14);
		take_from_test(channels[i], text, sizeof(text));
	}
	/* on a stream there is nothing to hang a descriptor on */
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

/* An autokill one too: held by the test until there is nothing left of it */
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
	pidfd = take_message(connection, text, sizeof(text), &length);
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

/* A zombie that its parent, the test, reaps late or not */
SystemTest(plain, receive_waits_a_second_for_the_reaping)
{
	struct receiver v;
	struct running c;
	siginfo_t info;
	int socket;

	start_child(&c, "42");
	end_input(&c);
	cr_assert_eq(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT), 0);
	socket = open_channel(&v, LISTENED);
	send_one(socket, "x", 1, c.pidfd);
	close(socket);
	expect_not_taken(&v, "a process that is over, but that its parent does "
			     "not reap");

	socket = open_channel(&v, LISTENED);
	send_one(socket, "x", 1, c.pidfd);
	/* it has been read: from now on the second counts */
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
	expect_said(&e, "spawnfd: hold: the status cannot be known");
	await_end(&c);
	close_running(&c);
}

/* ---- the name is enough ---- */

static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

SystemTest(flags, receive_listens_as_soon_as_the_name_is_there_500_times)
{
	for (int i = 0; i < often(500); i++) {
		struct running v, p;
		struct ended e;

		start(&v, NULL, ARGV(spawnfd, RECEIVE(sock())));
		while (!is_socket(sock()))
			;
		start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()),
				     actor, "exit", "7"));
		expect_passed(&p);
		close_running(&p);
		finish(&v, &e);
		expect_exit(&e, 7);
	}
	expect_home(0);
}

/* As it stands in the manual, with nobody but the shell who looks */
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

/* It is stopped by exec, and then by each begin and end of a system call. */
static void start_traced(struct receiver *v, void (*also)(void))
{
	const struct setup setup = { .also = also };
	int status;

	start_receiver(v, &setup, ARGV(spawnfd, STATUS, RECEIVE(sock())));
	cr_assert_eq(waitpid(v->r.pid, &status, 0), v->r.pid);
	cr_assert(WIFSTOPPED(status), "%#x", status);
}

/* On to the next stop; false if it has said meanwhile that it listens. */
static bool step(struct receiver *v)
{
	struct pollfd said = { v->status, POLLIN, 0 };
	int status;

	cr_assert_eq(ptrace(PTRACE_SYSCALL, v->r.pid, NULL, NULL), 0);
	cr_assert_eq(waitpid(v->r.pid, &status, 0), v->r.pid);
	cr_assert(WIFSTOPPED(status), "%#x", status);
	return poll(&said, 1, 0) == 0;
}

/* Under the sanitizers there are many calls more, and each is slow. */
static int next_call(int n)
{
	return n + 10 / often(10);
}

/* To its n-th stop; false if there is none before it listens. */
static bool start_up_to(struct receiver *v, int n)
{
	start_traced(v, trace_me);
	while (n-- > 0)
		if (!step(v))
			return false;
	return true;
}

/* From here on it runs by itself, with that signal if there is one. */
static void let_go(const struct receiver *v, int sig)
{
	if (sig)
		kill(v->r.pid, sig);
	ptrace(PTRACE_DETACH, v->r.pid, NULL, NULL);
}

/* Whatever stands there now, under the name or another: only for its user */
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

/* Whether there is the name; and if so, that there is the listener. */
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

/* The same by a look that never rests */
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

/* With a dead socket in the way, that may be left. */
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

/* What SIGKILL leaves, at whatever moment, is in nobody's way. */
SystemTest(flags, receive_after_one_was_killed_at_every_call)
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

/* ---- what is in the way ---- */

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
	for (size_t i = 1; i < ARRAY_SIZE(channels); i++)
		replaces_dead(channels[i], 0);
	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	for (size_t i = 1; i < ARRAY_SIZE(channels); i++)
		replaces_dead(channels[i], NOBODY);
}

/* 125, and what has that name is the same as before, with n files at home. */
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

static const char busy[] = "somebody listens there already";
static const char occupied[] = "in the way, and not a dead socket of this user";

static void expect_nothing_arrived(int socket)
{
	struct pollfd p = { socket, POLLIN, 0 };

	cr_expect_eq(poll(&p, 1, 0), 0, "the listener noticed: %#x",
		     p.revents);
}

SystemTest(plain, receive_leaves_a_live_listener_in_peace)
{
	for (size_t i = 1; i < ARRAY_SIZE(channels); i++) {
		int listener = listen_at(sock(), channels[i]), client;

		expect_in_the_way(0, busy, 1);
		expect_nothing_arrived(listener);
		/* the test would see what arrives, and it is alive */
		client = try_connect(sock(), channels[i]);
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

/* Alive, though one cannot talk to them: not yet, or not everybody */
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

/* Root could replace it, and so could the owner of the directory. */
SystemTest(plain, receive_leaves_a_socket_of_another_user)
{
	close(listen_at(sock(), SOCK_STREAM));
	cr_assert_eq(chown(home(), NOBODY, NOBODY), 0);
	expect_in_the_way(NOBODY, occupied, 1);
	cr_assert_eq(lchown(sock(), NOBODY, NOBODY), 0);
	expect_in_the_way(0, occupied, 1);
}

/* ---- two for one name ---- */

/* Whether it has come to listen; the other possibility is that it ended. */
static bool comes_to_listen(struct receiver *v)
{
	char line[1024];

	await_events(v->status, POLLIN);
	read_line(v->status, line, sizeof(line));
	return begins(line, "{\"listening\":\"");
}

/*
 * The first is stopped at its n-th call, and goes on when the other has come
 * to its goal. Returns false when there is no such call.
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

SystemTest(flags, receive_two_for_one_name_and_one_gets_it)
{
	race_at_every_call(false);
}

SystemTest(flags, receive_two_for_the_name_of_a_dead_socket_and_one_gets_it)
{
	race_at_every_call(true);
}

/* Both in full speed, let loose together by the shell's end of file */
SystemTest(flags, receive_two_that_start_together)
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

/* ---- malformed messages ---- */

/* A message with write ends of a pipe; the read end hangs up in the end. */
static void refuse_pipes(int type, size_t count, const char *text)
{
	struct message m = { "x", 1, { 0 }, count };
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

static const char too_many[] = "a message with more than one descriptor";

SystemTest(plain, receive_refuses_no_descriptor_and_several)
{
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		refuse_pipes(channels[i], 0, "without a descriptor");
		refuse_pipes(channels[i], 2, too_many);
		refuse_pipes(channels[i], 3, too_many);
		refuse_pipes(channels[i], 60, too_many);
		refuse_pipes(channels[i], 61, too_many);
		refuse_pipes(channels[i], MANY, too_many);
	}
}

/* Good ones too, and then the command is gone. */
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
		pidfd = take_message(connection, text, sizeof(text), &length);
		close(connection);
		close(listener);
		unlink(at_home("test"));

		socket = open_channel(&v, channels[i]);
		send_message(socket, &(struct message){
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
	static const int with_end[] = { LISTENED, SOCK_STREAM,
					SOCK_SEQPACKET };
	struct receiver v;

	for (size_t i = 0; i < ARRAY_SIZE(with_end); i++) {
		close(open_channel(&v, with_end[i]));
		expect_not_taken(&v, "hung up without a message");
	}
}

/* For 126 and 127 a passer hangs up. */
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
	expect_not_taken(&v, "a descriptor that is not a pidfd");
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
			const struct message m = { text, size, { c.pidfd }, 1 };
			struct receiver v;
			int socket = open_channel(&v, channels[i]);

			/* who is refused need not get rid of all of it */
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

/* The kernel delivers the message without it: MSG_CTRUNC */
SystemTest(plain, receive_refuses_a_message_whose_descriptor_is_lost)
{
	for (size_t i = 1; i < ARRAY_SIZE(channels); i++) {
		struct receiver v;
		int fds[2], socket = open_channel(&v, channels[i]);

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

/* One that waits under that limit; whether it could take the message */
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
	/* it may have failed at accept already */
	try_send(socket, &(struct message){ "x", 1, { c.pidfd }, 1 });
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
	const struct rlimit limit = { n, n };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(96);
}

static rlim_t started_with;	/* for the next function; no argument there */

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

/* Acts as that user in a process of its own; 0 is fine. */
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

/* Closed, with all that lay in it, while the receiver goes on waiting */
static int is_sent_away(int socket, int pipe_end)
{
	struct pollfd p = { pipe_end, 0, 0 };

	if (!is_end_of_file(socket))
		return 2;
	return pipe_end >= 0 && poll(&p, 1, PATIENCE_MS) != 1 ? 3 : 0;
}

#define CROWD 100

/* Every other one with a message: a descriptor, or two. */
static int crowd_in(const char *address)
{
	int sockets[CROWD], ends[CROWD], r = 0;

	for (int i = 0; i < CROWD; i++) {
		struct message m = { "x", 1, { 0 }, (size_t)(i % 3) };
		int fds[2];

		sockets[i] = try_connect(address, SOCK_STREAM);
		if (sockets[i] < 0 || pipe2(fds, O_CLOEXEC))
			return 1;
		m.fds[0] = m.fds[1] = fds[1];
		/* which may be sent away already */
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

	/* one who is allowed does not open the door to others */
	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--peer-uid=12345",
			    RECEIVE(abstract())));
	await_listening(&v);
	as_user(NOBODY, crowd_in, abstract());
	expect_works(&v, 0, abstract());
}

/* A pidfd that only it has: what it passes is gone, and it is told nothing. */
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
		const struct message m = { "x", 1, { pidfd }, 1 };
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
}

SystemTest(flags, receive_takes_it_from_the_user_of_peer_uid)
{
	struct receiver v;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, "--peer-uid=65534",
			    RECEIVE(abstract())));
	await_listening(&v);
	expect_works(&v, NOBODY, abstract());
}

/* Root may, and the other users may not. */
SystemTest(plain, receive_of_an_ordinary_user)
{
	const struct setup setup = { .uid = NOBODY };
	struct receiver v;
	struct running c;
	int socket;

	receive_at(&v, &setup, abstract());
	as_user(12345, crowd_in, abstract());
	start_child(&c, "42");
	socket = connect_to(abstract());
	send_one(socket, "x", 1, c.pidfd);
	await_received(&v);
	close(socket);
	end_child(&c, 42);
	expect_taken(&v, 42);
	close_running(&c);
}

/* A pair whose maker is NOBODY; SO_PEERCRED says so of both ends. */
static void make_foreign_pair(int pair[2])
{
	cr_assert_eq(seteuid(NOBODY), 0);
	open_pair(SOCK_STREAM, pair);
	cr_assert_eq(seteuid(0), 0);
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
	expect_said(&e, "peer: fd:71: ");
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

/* Root, who sends this, is 65534 there: it could be anybody. */
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
	/* where root is root, it may */
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

/* Connected, and the receiver knows it: /proc has nothing to poll. */
static int connect_and_await_accept(const struct receiver *v)
{
	const int before = count_files_of(v->r.pid);
	const int socket = connect_to(sock());
	const long begun = now_us();

	while (count_files_of(v->r.pid) == before)
		cr_assert_lt(now_us() - begun, PATIENCE_MS * 1000L);
	return socket;
}

/* The line has been written; but it waits only when it sleeps: proc(5) */
static void await_sleep(const struct receiver *v)
{
	const long begun = now_us();
	char path[64], text[1024], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", v->r.pid);
	do {
		cr_assert_lt(now_us() - begun, PATIENCE_MS * 1000L);
		read_file(path, text, sizeof(text));
		end = strrchr(text, ')');
	} while (!end || end[2] != 'S');
}

SystemTest(plain, receive_dies_of_every_signal_and_leaves_nothing)
{
	for (int sig = 1; sig <= 64; sig++) {
		struct receiver v;
		int socket;

		if (!ends_a_process(sig) || sig == SIGKILL)
			continue;
		/* while it waits for a connection, and for the message */
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

/* The third thing it waits for; the connection and the name are gone then. */
SystemTest(plain, receive_dies_of_a_signal_while_it_waits_for_the_reaping)
{
	struct receiver v;
	struct running c;
	siginfo_t info;
	int socket;

	start_child(&c, "0");
	end_input(&c);
	cr_assert_eq(waitid(P_PID, (id_t)c.pid, &info, WEXITED | WNOWAIT), 0);
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

/* One that was blocked waits for whom it is passed on to. */
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
	/* the lowest of them is the first */
	expect_died_of(bury(&v), SIGHUP);
	expect_home(0);
	close_running(&p);
}

/* ---- what it watches ---- */

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

/* Over, but not reaped yet, it has its status already. */
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

/* Not orphaned, so that it may stop: its parent is in another group. */
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

	/* and does not mind that it is gone */
	receive_at(&v, &nothing_special, sock());
	unlink(sock());
	end_with(&v, SIGTERM);
	expect_home(0);
}

/* What was received is not to run without the file: the pass is undone. */
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
	await_listening(&v);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "hang"));
	expect_passed(&p);
	finish_receiver(&v, &e);
	expect_one_line(&e, "--pid-file: /none/pid: ");
	expect_home(0);
	close_running(&p);
}

/* ---- --wait ---- */

static const char in_vain[] = "nothing came as long as --wait allows";

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

/* Another user's connections do not begin the time anew. */
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

/* What comes first is another receiver, which waits and ends in vain. */
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

/* ---- PID namespaces ---- */

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
	expect_not_taken(&v, "a process that cannot be seen in this PID "
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

/* Its status, were it only reaped, could not be read either. */
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
	expect_not_taken(&v, "a process that cannot be seen in this PID "
			     "namespace");
	close(socket);
	close_running(&c);
}

/* What can be seen there can be held there. */
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

/* Orphans are its children, what it receives among them. */
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

/* A child of the process that then executes spawnfd. */
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

/* A line of --verbose waits for nobody who reads standard error. */
static void fill_standard_error(void)
{
	static const char much[65536];
	int ends[2];

	/* the read end stays open, and nobody reads */
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

/* ---- relays ---- */

/* From sock() to b() */
static const char *b(void)
{
	return at_home("b");
}

static void start_relay(struct receiver *v, const struct setup *setup)
{
	start_receiver(v, setup, ARGV(spawnfd, STATUS, RECEIVE(sock()),
				      PASS(b())));
	await_listening(v);
}

SystemTest(flags, relay_moves_the_life_on)
{
	static const int ends[] = { 0, SIGKILL };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct receiver relay, last;
		struct running p;
		pid_t pid;

		receive_at(&last, &nothing_special, b());
		start_relay(&relay, &nothing_special);
		expect_home(2);
		pass_echo(&p, 0, sock());
		pid = await_received(&relay);
		expect_gone(&relay, 0);
		cr_expect_eq(await_received(&last), pid);
		expect_home(0);
		/* the passer has gone, the relay has gone */
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

/* Every status comes through all three. */
SystemTest(flags, relay_of_a_status_and_a_signal)
{
	for (int dies = 0; dies < 2; dies++) {
		struct receiver relay, last;
		struct running p;
		struct ended e;

		receive_at(&last, &nothing_special, b());
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

/* Nobody has anything to hold yet: the others learn of it, and fail. */
SystemTest(flags, relay_killed_while_it_waits)
{
	struct receiver relay, last;
	struct ended e;

	receive_at(&last, &nothing_special, b());
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

SystemTest(flags, relay_whose_next_hop_dies_ends_the_command)
{
	static const int deaths[] = { SIGKILL, SIGTERM };

	for (size_t i = 0; i < ARRAY_SIZE(deaths); i++) {
		struct receiver relay, last;
		struct running p;
		struct ended e;

		receive_at(&last, &nothing_special, b());
		start_relay(&relay, &nothing_special);
		end_with(&last, deaths[i]);
		unlink(b());
		start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()),
				     actor, "hang"));
		expect_passed(&p);
		finish_receiver(&relay, &e);
		expect_one_line(&e, "the receiver has closed");
		cr_expect_not_null(strstr(relay.rest, "{\"exit-code\":125,"
					  "\"error\":\"pass\","), "%s",
				   relay.rest);
		expect_home(0);
		nothing_left();
		close_running(&p);
	}
}

/* The relay between two sockets of the test */
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
	listener = listen_at(b(), type);
	start_receiver(&relay, &setup, ARGV(spawnfd, STATUS, RECEIVE(SOCKET),
					    PASS(b())));
	await_listening(&relay);
	next = accept_one(listener);
	start_child(&c, "0");
	send_one(pair[0], text, length, c.pidfd);
	pidfd = take_message(next, got, sizeof(got), &got_length);
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
	expect_gone(&relay, 0);
	unlink(b());
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

/* The passer's own line is the same after any number of relays. */
SystemTest(flags, relay_of_the_line_of_a_passer)
{
	char got[2 * LONGEST], wanted[256];
	int listener = listen_at(b(), SOCK_STREAM), next, pidfd;
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
	pidfd = take_message(next, got, sizeof(got), &length);
	fstat(pidfd, &st);
	snprintf(wanted, sizeof(wanted), "{\"pid\":%d,\"inode\":%llu,\"flags\":"
		 "[\"CLONE_PIDFD\",\"CLONE_AUTOREAP\",\"CLONE_NNP\","
		 "\"CLONE_PIDFD_AUTOKILL\"]}\n", pid,
		 (unsigned long long)st.st_ino);
	cr_expect_str_eq(got, wanted);
	expect_gone(&relay, 0);
	/* and it is the descriptor that kills */
	close(pidfd);
	await_events(p.out, 0);
	close_running(&p);
	close(next);
	close(listener);
}

/* It fails before it listens: no name has been there, whatever comes. */
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

	relay_fails(&nothing_special, b(), "connect: ");
	fd = listen_at(b(), SOCK_STREAM);
	close(fd);
	relay_fails(&nothing_special, b(), "nobody listens there");
	unlink(b());
	fd = listen_at(b(), SOCK_DGRAM);
	relay_fails(&nothing_special, b(),
		    "neither a stream nor a seqpacket socket");
	close(fd);
	unlink(b());

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

	relay_fails(&nothing_special, SOCKET, "fd:71: not open");
	make_foreign_pair(pair);
	other.socket = pair[0];
	relay_fails(&other, SOCKET, "peer: ");
	close(pair[0]);
	close(pair[1]);
}

/* The message is refused by the relay, so the next hop gets none. */
SystemTest(flags, relay_of_a_malformed_message)
{
	struct receiver relay, last;
	struct ended e;
	int socket;

	receive_at(&last, &nothing_special, b());
	start_relay(&relay, &nothing_special);
	socket = connect_to(sock());
	cr_assert_eq(write(socket, "x", 1), 1);
	finish_receiver(&relay, &e);
	expect_one_line(&e, "without a descriptor");
	expect_not_taken(&last, "hung up without a message");
	close(socket);
}

static void relay_with_file(struct receiver *relay, const char *file)
{
	start_receiver(relay, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), PASS(b()),
			    joined("--pid-file=", file)));
	await_listening(relay);
}

SystemTest(flags, relay_with_a_pid_file)
{
	struct receiver relay, last;
	struct running p;
	struct ended e;
	char text[32];
	pid_t pid;

	receive_at(&last, &nothing_special, b());
	relay_with_file(&relay, at_home("pid"));
	pass_echo(&p, 0, sock());
	pid = await_received(&relay);
	expect_gone(&relay, 0);
	read_file(at_home("pid"), text, sizeof(text));
	cr_expect_eq(atoi(text), pid, "%s", text);
	unlink(at_home("pid"));
	end_with(&last, SIGTERM);
	close_running(&p);
	nothing_left();

	/* taken back where the command could not be passed on */
	receive_at(&last, &nothing_special, b());
	relay_with_file(&relay, at_home("pid"));
	end_with(&last, SIGTERM);
	start(&p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			     "hang"));
	expect_passed(&p);
	finish_receiver(&relay, &e);
	expect_one_line(&e, "the receiver has closed");
	expect_home(0);
	close_running(&p);
}

/* ---- ADDRESS ---- */

/* In that directory, by that address, which is that path; NULL: no path. */
static void works_at(const char *dir, const char *as, const char *path)
{
	const struct setup setup = { .dir = dir };
	const struct way way = { .dir = dir };
	char wanted[800], line[800];
	struct receiver v;
	struct running p;

	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, RECEIVE(as)));
	read_line(v.status, line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "{\"listening\":\"%s\"}", as);
	cr_expect_str_eq(line, wanted);
	if (path)
		cr_expect(is_socket(path), "%s", path);
	start(&p, &way, ARGV(spawnfd, "--autokill", PASS(as), actor, "exit",
			     "42"));
	expect_passed(&p);
	close_running(&p);
	expect_gone(&v, 42);
	cr_expect(!path || !exists(path));
}

/* That many bytes, of which the name of the file has no more than `last` */
static const char *long_path(size_t length, size_t last)
{
	static char path[800];
	size_t start = strlen(home()) + 1;

	memset(path, 'x', length);
	path[length] = '\0';
	memcpy(path, at_home(""), start);
	if (length - start > last) {
		path[length - last - 1] = '\0';
		cr_assert_eq(mkdir(path, 0700), 0, "%s", strerror(errno));
		path[length - last - 1] = '/';
	}
	return path;
}

static void works_at_length(size_t length, size_t last)
{
	const char *path = long_path(length, last);
	char *dir = strdup(path);

	cr_assert_eq(strlen(path), length);
	works_at(NULL, path, path);
	*strrchr(dir, '/') = '\0';
	if (strcmp(dir, home()))
		cr_expect_eq(rmdir(dir), 0, "%s is not empty", dir);
	expect_home(0);
	free(dir);
}

SystemTest(flags, receive_at_a_path)
{
	static const size_t lengths[] = { 92, 93, 106, 107, 108, 109, 255 };

	works_at(NULL, sock(), sock());
	works_at(home(), "sock", sock());
	works_at(home(), "./sock", sock());
	works_at(scratch(), "home/../home//sock", sock());
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		works_at_length(lengths[i], lengths[i]);
	works_at_length(300, 150);
	works_at_length(300, 255);
	works_at_length(500, 254);
}

/* What JSON wants to be quoted, and bytes that are no UTF-8 but may be names */
SystemTest(flags, receive_at_a_path_that_json_quotes)
{
	static const char name[] = "a\"b\\c\nd\te f";
	char wanted[800], line[800];
	struct receiver v;

	start_receiver(&v, &(struct setup){ .dir = home() },
		       ARGV(spawnfd, STATUS, RECEIVE(name)));
	read_line(v.status, line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "{\"listening\":\"%s\"}",
		 "a\\\"b\\\\c\\u000ad\\u0009e f");
	cr_expect_str_eq(line, wanted);
	cr_expect(is_socket(at_home(name)));
	expect_works(&v, 0, at_home(name));
}

SystemTest(flags, receive_at_an_abstract_address)
{
	char longest[109];
	int fd;
	struct receiver v;
	struct ended e;

	works_at(NULL, abstract(), NULL);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, abstract(), strlen(abstract()));
	longest[107] = '\0';
	works_at(NULL, longest, NULL);

	for (size_t i = 1; i < ARRAY_SIZE(channels); i++) {
		fd = listen_at(abstract(), channels[i]);
		start_receiver(&v, &nothing_special,
			       ARGV(spawnfd, STATUS, RECEIVE(abstract())));
		/* names of different types do not meet */
		if (channels[i] == SOCK_STREAM) {
			finish_receiver(&v, &e);
			expect_one_line(&e, busy);
		} else {
			await_listening(&v);
			end_with(&v, SIGTERM);
		}
		expect_nothing_arrived(fd);
		close(fd);
	}
}

static void socket_as_input(void)
{
	dup2(SOCKET_FD, 0);
	close(SOCKET_FD);
}

static void give_socket(const void *arg)
{
	const int *socket = arg;

	inherit_as(*socket, SOCKET_FD);
}

static void at_descriptor(int type, bool as_input)
{
	struct setup setup = { 0 };
	struct receiver v;
	struct running p;
	char line[64];
	int pair[2];

	open_pair(type, pair);
	setup.socket = pair[1];
	setup.also = as_input ? socket_as_input : NULL;
	start_receiver(&v, &setup, ARGV(spawnfd, STATUS,
					RECEIVE(as_input ? "fd:0" : SOCKET)));
	read_line(v.status, line, sizeof(line));
	cr_expect_str_eq(line, as_input ? "{\"listening\":\"fd:0\"}" :
			 "{\"listening\":\"fd:71\"}");
	start(&p, &(struct way){ .prepare = give_socket, .arg = &pair[0] },
	      ARGV(spawnfd, "--autokill", PASS(SOCKET), actor, "echo"));
	expect_passed(&p);
	close(pair[0]);
	close(pair[1]);
	await_received(&v);
	end_input(&p);
	expect_taken(&v, 0);
	close_running(&p);
}

SystemTest(flags, receive_at_a_descriptor)
{
	for (size_t i = 1; i < ARRAY_SIZE(channels); i++) {
		at_descriptor(channels[i], false);
		at_descriptor(channels[i], true);
	}
}

static void refuses_address(const struct setup *setup, const char *address,
			    const char *text)
{
	struct receiver v;
	struct ended e;

	start_receiver(&v, setup, ARGV(spawnfd, STATUS, RECEIVE(address)));
	finish_receiver(&v, &e);
	expect_one_line(&e, text);
	cr_expect(begins(v.rest, "{\"exit-code\":125,\"error\":\""), "%s",
		  v.rest);
	expect_home(0);
}

static void refuses_descriptor(int fd, const char *text)
{
	const struct setup setup = { .socket = fd };

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	refuses_address(&setup, SOCKET, text);
	close(fd);
}

SystemTest(plain, receive_refuses_a_descriptor_that_is_not_connected)
{
	static const char unconnected[] = "fd:71: not a connected socket";
	static const char no_socket[] = "fd:71: not a socket";
	const int flags = O_RDWR | O_CLOEXEC;
	int fd, pair[2];

	refuses_address(&nothing_special, SOCKET, "fd:71: not open");
	/* nor is it one that spawnfd opens for itself */
	refuses_address(&nothing_special, "fd:3", "fd:3: not open");
	refuses_address(&nothing_special, "fd:0", "fd:0: not a socket");
	refuses_descriptor(open(scratch(), O_TMPFILE | flags, 0600), no_socket);
	refuses_descriptor(open("/dev/null", flags), no_socket);
	refuses_descriptor(eventfd(0, EFD_CLOEXEC), no_socket);
	refuses_descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
			   "fd:71: not a Unix socket");
	for (size_t i = 1; i < ARRAY_SIZE(channels); i++)
		refuses_descriptor(new_socket(channels[i]), unconnected);
	fd = listen_at(abstract(), SOCK_STREAM);
	refuses_descriptor(fd, unconnected);
	fd = listen_at(abstract(), SOCK_SEQPACKET);
	refuses_descriptor(fd, unconnected);
	fd = listen_at(abstract(), SOCK_DGRAM);
	refuses_descriptor(fd, unconnected);

	/* a connected one is no address of a file either */
	open_pair(SOCK_STREAM, pair);
	refuses_address(&(struct setup){ .socket = pair[0] }, "fd:72",
			"fd:72: not open");
	close(pair[0]);
	close(pair[1]);
}

/* A connected one over TCP: it has another end, but is no Unix socket. */
SystemTest(plain, receive_refuses_a_tcp_connection)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(in);

	cr_assert_eq(bind(listener, (const void *)&in, size), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (void *)&in, &size), 0);
	cr_assert_eq(connect(fd, (const void *)&in, size), 0, "%s",
		     strerror(errno));
	refuses_descriptor(fd, "fd:71: not a Unix socket");
	refuses_descriptor(listener, "fd:71: not a Unix socket");
}

SystemTest(plain, receive_refuses_a_path_that_cannot_be)
{
	const struct setup nobody = { .uid = NOBODY };
	char name[257];

	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	refuses_address(&nothing_special, "/none/sock", "/none/sock: ");
	refuses_address(&nothing_special, joined(home(), "/"), "receive: ");
	refuses_address(&nothing_special, joined(home(), "/."), "receive: ");
	refuses_address(&nothing_special, joined(home(), "/.."), "receive: ");
	refuses_address(&nothing_special, "/", "receive: /: ");
	refuses_address(&nothing_special, at_home(name), "receive: ");
	refuses_address(&nobody, sock(), "receive: ");
	refuses_address(&nothing_special, "", "--receive");
}

SystemTest(plain, receive_from_a_descriptor_does_not_wait_for_it)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--wait=1", RECEIVE("fd:0")));
	expect_one_line(&e, "--wait");
}
