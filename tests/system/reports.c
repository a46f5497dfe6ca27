/* SPDX-License-Identifier: MIT */
/*
 * What spawnfd tells programs: the lines of --status-fd, which must never cost
 * it anything, and the file of --pid-file, which must never be half there.
 */
#include "harness.h"
#include "pty.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#define FD 5			/* of --status-fd */
#define PEER 6			/* of fd:N */
#define OTHER 7			/* inherited, and of no use to spawnfd */
#define STATUS "--status-fd=5"
#define TO_PEER "--pass=fd:6"
#define FROM_PEER "--receive=fd:6"
#define HOLD "--pidfd"		/* says nothing */
#define LINES 8

/* What the child makes of itself before it executes spawnfd; 0 is none. */
struct scene {
	int status;		/* becomes FD */
	int peer;		/* becomes PEER */
	int other;		/* becomes OTHER */
	unsigned int closed;	/* bit N: standard descriptor N */
	bool foreign;		/* PEER is the socket of another user */
	bool cores;
	bool limited;		/* files to size */
	rlim_t size;
	mode_t mask;		/* umask */
};

/* A socketpair that NOBODY has made: SO_PEERCRED says so. */
static void open_foreign(void)
{
	int pair[2];

	if (seteuid(NOBODY) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    seteuid(0))
		_exit(96);
	inherit_as(pair[0], PEER);
	/* the other end shall not be closed, so it is inherited too */
	inherit_as(pair[1], OTHER);
}

static void set_scene(const void *arg)
{
	const struct scene *scene = arg;
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const struct rlimit size = { scene->size, scene->size };

	if (scene->status)
		inherit_as(scene->status, FD);
	if (scene->peer)
		inherit_as(scene->peer, PEER);
	if (scene->other)
		inherit_as(scene->other, OTHER);
	if (scene->foreign)
		open_foreign();
	if (scene->cores && setrlimit(RLIMIT_CORE, &all))
		_exit(96);
	if (scene->limited && setrlimit(RLIMIT_FSIZE, &size))
		_exit(96);
	if (scene->mask)
		umask(scene->mask);
	for (int fd = 0; fd < 3; fd++)
		if (scene->closed & (1U << fd))
			close(fd);
}

/* Out of the way of all that a child is given. */
static int far(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	cr_assert_geq(copy, 0, "%s", strerror(errno));
	close(fd);
	return copy;
}

static void open_far_pair(int type, int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	*ours = far(fds[0]);
	*theirs = far(fds[1]);
}

/* pipe(2), O_DIRECT: a read gives what one write was. */
static void open_packets(int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_DIRECT | O_CLOEXEC), 0);
	*ours = far(fds[0]);
	*theirs = far(fds[1]);
}

/* ---- reading the lines ---- */

struct lines {
	size_t count;
	char text[LINES][4096];
};

/* The next write; false if there will be none. */
static bool take_line(int fd, struct lines *lines)
{
	char *text = lines->text[lines->count];
	ssize_t n;

	cr_assert_lt(lines->count, LINES);
	await_events(fd, POLLIN);
	n = read(fd, text, sizeof(lines->text[0]) - 1);
	cr_assert_geq(n, 0, "%s", strerror(errno));
	text[n] = '\0';
	if (n == 0)
		return false;
	cr_expect_eq(strchr(text, '\n'), text + n - 1,
		     "a write that is not one line: \"%s\"", text);
	lines->count++;
	return true;
}

/* Those up to the end of file. */
static void take_lines(int fd, struct lines *lines)
{
	while (take_line(fd, lines))
		;
}

__attribute__((format(printf, 3, 4)))
static void expect_line(const struct lines *lines, size_t number,
			const char *format, ...)
{
	char wanted[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(wanted, sizeof(wanted), format, arguments);
	va_end(arguments);
	cr_assert_gt(lines->count, number, "no line %zu; wanted %s", number,
		     wanted);
	cr_expect_str_eq(lines->text[number], wanted, "wanted %s, saw %s",
			 wanted, lines->text[number]);
}

static void expect_running(const struct lines *lines, size_t number, pid_t pid,
			   unsigned long inode)
{
	expect_line(lines, number,
		    "{\"child-pid\":%d,\"pidfd-inode\":%lu}\n", pid, inode);
}

/* The same where nobody knows the pid but the line. */
static pid_t expect_some_running(const struct lines *lines, size_t number)
{
	unsigned long inode = 0;
	pid_t pid = 0;

	cr_assert_gt(lines->count, number);
	sscanf(lines->text[number], "{\"child-pid\":%d,\"pidfd-inode\":%lu",
	       &pid, &inode);
	cr_expect(pid > 0 && inode > 0, "%s", lines->text[number]);
	expect_running(lines, number, pid, inode);
	return pid;
}

/* Runs it with a pipe as FD, and takes all lines that come out of that. */
static void run_told(struct ended *e, struct lines *lines, struct scene *scene,
		     const char *const argv[])
{
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = scene };
	int ours;

	lines->count = 0;
	open_packets(&ours, &scene->status);
	run(e, &way, argv);
	close(scene->status);
	take_lines(ours, lines);
	close(ours);
}

/* ---- what the lines say ---- */

static void start_told(struct running *r, struct scene *scene, int *ours,
		       const char *const argv[])
{
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = scene };

	open_packets(ours, &scene->status);
	start(r, &way, argv);
	close(scene->status);
}

EVERY_WAY(tells_pid_and_inode_while_it_runs)
{
	struct lines lines = { 0 };
	struct scene scene = { 0 };
	struct running r;
	struct ended e;
	pid_t pid;
	int ours;

	start_told(&r, &scene, &ours, ARGV(spawnfd, STATUS, with, actor,
					   "echo"));
	pid = read_pid(r.out);
	take_line(ours, &lines);
	expect_running(&lines, 0, pid, inode_of(pid));
	ping(&r);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
	take_lines(ours, &lines);
	cr_expect_eq(lines.count, 2);
	expect_line(&lines, 1, "{\"exit-code\":0}\n");
	close(ours);
}

EVERY_WAY(tells_the_exit_status)
{
	static const char *const codes[] = { "0", "1", "42", "125", "255" };
	struct lines lines;
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct scene scene = { 0 };

		run_told(&e, &lines, &scene, ARGV(spawnfd, STATUS, with, actor,
						  "exit", codes[i]));
		expect_exit(&e, atoi(codes[i]));
		cr_expect_eq(lines.count, 2);
		expect_some_running(&lines, 0);
		expect_line(&lines, 1, "{\"exit-code\":%s}\n", codes[i]);
	}
}

EVERY_WAY(tells_the_signal_and_the_core)
{
	static const struct { int signal; bool cores, dumped; } deaths[] = {
		{ SIGTERM, true, false }, { SIGKILL, false, false },
		{ SIGABRT, false, false }, { SIGABRT, true, true },
		{ SIGSEGV, true, true }, { 64, false, false },
	};
	struct lines lines;
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(deaths); i++) {
		struct scene scene = { .cores = deaths[i].cores };
		char number[16];

		snprintf(number, sizeof(number), "%d", deaths[i].signal);
		run_told(&e, &lines, &scene, ARGV(spawnfd, STATUS, with, actor,
						  "die", number));
		expect_signal(&e, deaths[i].signal);
		expect_line(&lines, 1, "{\"exit-code\":%d,\"signal\":%s,"
			    "\"core-dumped\":%s}\n", 128 + deaths[i].signal,
			    number, deaths[i].dumped ? "true" : "false");
	}
}

static void expect_detached(const char *with)
{
	struct lines lines;
	struct scene scene = { 0 };
	struct ended e;

	run_told(&e, &lines, &scene, ARGV(spawnfd, STATUS, "--detach", with,
					  actor, "exit", "42"));
	expect_exit(&e, 0);
	cr_expect_eq(lines.count, 1);
	expect_some_running(&lines, 0);
	reap_orphans();
}

SystemTest(plain, tells_the_pid_when_detached)
{
	expect_detached("--");
}

SystemTest(flags, tells_the_pid_when_detached)
{
	expect_detached("--autoreap");
}

/* One socket for both, so that the order of the two can be seen. */
EVERY_WAY(tells_the_pid_after_it_was_passed)
{
	struct scene scene = { 0 };
	const struct way way = { .prepare = set_scene, .arg = &scene };
	struct lines lines = { 0 };
	struct running r;
	struct ended e;
	char payload[4096];
	pid_t pid;
	int ours;

	open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
	scene.status = scene.peer;
	start(&r, &way, ARGV(spawnfd, STATUS, TO_PEER, with, actor, "echo"));
	close(scene.peer);
	pid = read_pid(r.out);
	/* read, not recvmsg: the pidfd is dropped, and autokill kills */
	cr_assert_gt(recv(ours, payload, sizeof(payload), MSG_PEEK), 0);
	cr_expect_eq(strncmp(payload, "{\"pid\":", 7), 0, "%s", payload);
	cr_assert_gt(recv(ours, payload, sizeof(payload), 0), 0);
	cr_assert(take_line(ours, &lines));
	sscanf(lines.text[0], "{\"child-pid\":%d", &pid);
	expect_some_running(&lines, 0);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
	cr_expect_not(take_line(ours, &lines));
	close(ours);
	reap_orphans();
}

/* Starts spawnfd as a sender, with the other end of PEER. */
static void send_to(int socket, struct running *r, const char *with,
		    const char *verb, const char *argument)
{
	struct scene scene = { .peer = socket };
	const struct way way = { .prepare = set_scene, .arg = &scene };

	start(r, &way, ARGV(spawnfd, TO_PEER, with, actor, verb, argument));
}

SystemTest(flags, tells_of_a_received_process_as_of_its_own)
{
	struct scene scene = { 0 };
	struct lines lines = { 0 };
	struct running sender, r;
	struct ended e;
	int ours, status;
	pid_t pid;

	open_far_pair(SOCK_STREAM, &ours, &scene.peer);
	start_told(&r, &scene, &status, ARGV(spawnfd, STATUS, FROM_PEER));
	close(scene.peer);
	take_line(status, &lines);
	expect_line(&lines, 0, "{\"listening\":\"fd:6\"}\n");
	send_to(ours, &sender, "--autokill", "echo", NULL);
	close(ours);
	pid = read_pid(sender.out);
	take_line(status, &lines);
	expect_running(&lines, 1, pid, inode_of(pid));
	end_input(&sender);
	finish(&sender, &e);
	expect_exit(&e, 0);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
	take_lines(status, &lines);
	cr_expect_eq(lines.count, 3);
	expect_line(&lines, 2, "{\"exit-code\":0}\n");
	close(status);
}

/* Bytes that would break a line or a string of JSON. */
SystemTest(flags, tells_any_address_as_valid_json)
{
	static const char *const addresses[][2] = {
		{ "plain", "plain" }, { "a\"b\\c", "a\\\"b\\\\c" },
		{ "two\nlines\x7f", "two\\u000alines\\u007f" },
		{ "\xff" "x\xc3\xa9", "\\ufffdx\xc3\xa9" },
		{ "@ab\"stract", "@ab\\\"stract" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct scene scene = { 0 };
		struct lines lines = { 0 };
		struct running r;
		struct ended e;
		char option[64];
		int ours;

		snprintf(option, sizeof(option), "--receive=%s",
			 addresses[i][0]);
		start_told(&r, &scene, &ours, ARGV(spawnfd, STATUS, option));
		take_line(ours, &lines);
		expect_line(&lines, 0, "{\"listening\":\"%s\"}\n",
			    addresses[i][1]);
		kill(r.pid, SIGTERM);
		finish(&r, &e);
		expect_signal(&e, SIGTERM);
		close(ours);
	}
}

SystemTest(plain, tells_a_pid_alone_where_there_is_no_pidfd)
{
	struct scene scene = { 0 };
	struct lines lines;
	struct ended e;
	pid_t pid = 0;

	run_told(&e, &lines, &scene, ARGV(spawnfd, STATUS, "--exact", actor,
					  "echo"));
	expect_exit(&e, 0);
	pid = atoi(e.out);
	cr_expect_eq(lines.count, 1);
	expect_line(&lines, 0, "{\"child-pid\":%d}\n", pid);
	reap_orphans();
}

/* ---- what they say of failures ---- */

enum peer { PEER_NONE, PEER_GONE, PEER_FULL, PEER_FOREIGN, PEER_SILENT };

struct failure {
	const char *words[5];	/* behind STATUS */
	int code;
	const char *class;
	const char *error;	/* NULL: there is none */
	enum peer peer;
};

#define FILLING '#'		/* is in no line */

static void fill(int fd)
{
	struct pollfd room = { fd, POLLOUT, 0 };
	char bytes[4096];
	int flags = fcntl(fd, F_GETFL);

	memset(bytes, FILLING, sizeof(bytes));
	cr_assert_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
	/* a terminal is not full before its kernel thread has moved things */
	do
		for (size_t size = sizeof(bytes); size > 0;)
			if (write(fd, bytes, size) < 0)
				size /= 2;
	while (isatty(fd) && poll(&room, 1, 20) > 0);
	cr_assert_eq(fcntl(fd, F_SETFL, flags), 0);
}

static void expect_failure(const struct failure *failure)
{
	struct scene scene = { .foreign = failure->peer == PEER_FOREIGN };
	const char *argv[8] = { spawnfd, STATUS };
	struct lines lines;
	struct ended e;
	int ours = -1;

	memcpy(argv + 2, failure->words, sizeof(failure->words));
	if (failure->peer && !scene.foreign)
		open_far_pair(SOCK_STREAM, &ours, &scene.peer);
	if (failure->peer == PEER_FULL)
		fill(scene.peer);
	if (failure->peer == PEER_GONE)
		close(ours);
	run_told(&e, &lines, &scene, argv);
	if (failure->peer && failure->peer != PEER_GONE)
		close(ours);
	if (scene.peer)
		close(scene.peer);
	expect_refusal(&e, failure->code);
	cr_expect_geq(lines.count, 1, "%s: no line", e.words);
	expect_line(&lines, lines.count - 1, "{\"exit-code\":%d,\"error\":"
		    "\"%s\"%s%s%s}\n", failure->code, failure->class,
		    failure->error ? ",\"errno\":\"" : "",
		    failure->error ? failure->error : "",
		    failure->error ? "\"" : "");
	/* "listening" is all that may come before */
	cr_expect(lines.count == 1 || (lines.count == 2 &&
		  strstr(lines.text[0], "listening")), "%s", e.words);
	nothing_left();
}

SystemTest(plain, tells_the_class_and_the_error_of_a_failure)
{
	static const struct failure failures[] = {
		{ { "--bogus", "x" }, 125, "usage", NULL, PEER_NONE },
		{ { "-Z", "x" }, 125, "usage", NULL, PEER_NONE },
		{ { "--wait=x" }, 125, "usage", NULL, PEER_NONE },
		{ { NULL }, 125, "usage", NULL, PEER_NONE },
		{ { "--detach", "--autokill", "x" }, 125, "usage", NULL,
		  PEER_NONE },
		{ { "--exact", "--pass=x", "x" }, 125, "usage", NULL,
		  PEER_NONE },
		{ { "--raw-flags=CLONE_PARENT", "x" }, 125, "usage", NULL,
		  PEER_NONE },
		{ { "--receive=x", "x" }, 125, "usage", NULL, PEER_NONE },
		{ { "--pass=fd:99", "x" }, 125, "usage", "EBADF", PEER_NONE },
		{ { "--pass=fd:0", "x" }, 125, "usage", "ENOTSOCK",
		  PEER_NONE },
		{ { "--receive=fd:0" }, 125, "usage", "ENOTSOCK", PEER_NONE },
		{ { "--pass=none", "x" }, 125, "connect", "ENOENT",
		  PEER_NONE },
		{ { "--pass=none/x", "--wait=5ms", "x" }, 125, "connect",
		  "ENOENT", PEER_NONE },
		{ { "--pass=dead", "x" }, 125, "connect", "ECONNREFUSED",
		  PEER_NONE },
		{ { "--pass=@nobody is there", "x" }, 125, "connect",
		  "ECONNREFUSED", PEER_NONE },
		{ { "--pass=file/x", "x" }, 125, "connect", "ENOTDIR",
		  PEER_NONE },
		{ { TO_PEER, "x" }, 125, "peer", "EPERM", PEER_FOREIGN },
		{ { FROM_PEER }, 125, "peer", "EPERM", PEER_FOREIGN },
		{ { "--cgroup=none", "x" }, 125, "clone3", "ENOENT",
		  PEER_NONE },
		{ { "--cgroup=file", "x" }, 125, "clone3", "ENOTDIR",
		  PEER_NONE },
		{ { "--cgroup=.", "x" }, 125, "clone3", "EBADF", PEER_NONE },
		{ { "--raw-flags=1<<63", "x" }, 125, "clone3", "EINVAL",
		  PEER_NONE },
		{ { "--detach", "--raw-flags=1<<63", "x" }, 125, "clone3",
		  "EINVAL", PEER_NONE },
		{ { TO_PEER, "--raw-flags=1<<63", "x" }, 125, "clone3",
		  "EINVAL", PEER_SILENT },
		{ { "/none" }, 127, "exec", "ENOENT", PEER_NONE },
		{ { "--detach", "/none" }, 127, "exec", "ENOENT", PEER_NONE },
		{ { TO_PEER, "/none" }, 127, "exec", "ENOENT", PEER_SILENT },
		{ { "/" }, 126, "exec", "EACCES", PEER_NONE },
		{ { "./file" }, 126, "exec", "EACCES", PEER_NONE },
		{ { "./text" }, 126, "exec", "ENOEXEC", PEER_NONE },
		{ { "./lost" }, 126, "exec", "ENOENT", PEER_NONE },
		{ { TO_PEER, "true" }, 125, "pass", "EPIPE", PEER_GONE },
		{ { TO_PEER, "true" }, 125, "pass", "EAGAIN", PEER_FULL },
		{ { FROM_PEER }, 125, "receive", "ENOMSG", PEER_GONE },
		{ { "--receive=x", "--wait=5ms" }, 125, "receive",
		  "ETIMEDOUT", PEER_NONE },
		{ { "--receive=none/x" }, 125, "receive", "ENOENT",
		  PEER_NONE },
		{ { "--receive=file" }, 125, "receive", "EEXIST", PEER_NONE },
		{ { "--pid-file=none/x", "true" }, 125, "hold", "ENOENT",
		  PEER_NONE },
		{ { "--pid-file=.", "true" }, 125, "hold", "EISDIR",
		  PEER_NONE },
		{ { "--pid-file=none/x", TO_PEER, "true" }, 125, "hold",
		  "ENOENT", PEER_SILENT },
		{ { "--pid-file=none/x", "-d", "true" }, 125, "hold",
		  "ENOENT", PEER_NONE },
	};

	write_file(scratch_path("file"), "", 0644);
	write_file(scratch_path("text"), "echo ran\n", 0755);
	write_file(scratch_path("lost"), "#!/no/interpreter\n", 0755);
	/* a socket that is closed leaves its name */
	close(listen_at(scratch_path("dead"), SOCK_STREAM));
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		expect_failure(&failures[i]);
}

/* On a kernel that has the flags it is not one of them that is unknown. */
SystemTest(flags, tells_the_class_and_the_error_of_a_failure)
{
	static const struct failure failures[] = {
		{ { "--exact", "--autokill", "x" }, 125, "clone3", "EINVAL",
		  PEER_NONE },
		{ { "--autokill", "/none" }, 127, "exec", "ENOENT",
		  PEER_NONE },
		{ { "--autokill", TO_PEER, "true" }, 125, "pass", "EPIPE",
		  PEER_GONE },
		{ { "--autokill", "--pid-file=none/x", "true" }, 125, "hold",
		  "ENOENT", PEER_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		expect_failure(&failures[i]);
}

static void expect_unheard(const char *const argv[], size_t lines_wanted)
{
	struct scene scene = { 0 };
	struct lines lines;
	struct ended e;

	run_told(&e, &lines, &scene, argv);
	expect_refusal(&e, 125);
	cr_expect_eq(lines.count, lines_wanted, "%s: %zu lines", e.words,
		     lines.count);
}

SystemTest(usage, tells_only_mistakes_behind_status_fd)
{
	expect_unheard(ARGV(spawnfd, "--bogus", STATUS, "x"), 0);
	expect_unheard(ARGV(spawnfd, "-Z", STATUS, "x"), 0);
	expect_unheard(ARGV(spawnfd, "--wait=x", STATUS, "x"), 0);
	expect_unheard(ARGV(spawnfd, "--status-fd=", STATUS, "x"), 0);
	expect_unheard(ARGV(spawnfd, STATUS, "--bogus", "x"), 1);
	/* found when all was read */
	expect_unheard(ARGV(spawnfd, "--wait=1", STATUS, "x"), 1);
	expect_unheard(ARGV(spawnfd, "--detach", "--pass=x", STATUS, "x"), 1);
	/* no option of spawnfd's */
	expect_unheard(ARGV(spawnfd, "--bogus", "--", STATUS), 0);
}

/* ---- which descriptors will do, and who has them ---- */

static void expect_unusable(struct scene *scene, const char *option)
{
	static const char *const sinks[] = { HOLD, "--detach", TO_PEER };
	const struct way way = { .prepare = set_scene, .arg = scene };
	const char *mark = scratch_path("mark");
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(sinks); i++) {
		run(&e, &way, ARGV(spawnfd, option, sinks[i], actor, "mark",
				   mark));
		expect_refusal(&e, 125);
		expect_begun(&e, "spawnfd: --status-fd: ");
		cr_expect_not(exists(mark), "%s ran it", e.words);
	}
	run(&e, &way, ARGV(spawnfd, option, "--receive=/none/socket"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --status-fd: ");
}

SystemTest(usage, refuses_a_status_fd_that_cannot_be_written)
{
	static const int flags[] = { O_RDONLY, O_PATH,
				     O_RDONLY | O_NONBLOCK };
	struct scene scene = { 0 };
	int ours;

	open_far_pair(SOCK_STREAM, &ours, &scene.peer);
	expect_unusable(&scene, STATUS);		/* not open */
	expect_unusable(&scene, "--status-fd=2147483647");
	expect_unusable(&scene, "--status-fd=0");	/* read end of a pipe */
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		scene.status = far(open("/dev/null", flags[i] | O_CLOEXEC));
		expect_unusable(&scene, STATUS);
		close(scene.status);
	}
	close(scene.peer);
	close(ours);
}

/* What a command sees; FD must not be there, all else must. */
EVERY_WAY(the_command_does_not_have_the_status_fd)
{
	struct scene scene = { 0 };
	const struct way way = { .prepare = set_scene, .arg = &scene };
	int ours;
	struct ended e;

	open_packets(&ours, &scene.status);
	scene.other = scene.status;
	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "show", "1"));
	expect_exit(&e, 0);
	cr_expect_null(strstr(e.out, "fd 5 is"), "%s", e.out);
	cr_expect_null(strstr(e.out, "pidfd"), "%s", e.out);
	for (const char *has = "0127"; *has; has++) {
		const char wanted[] = { 'f', 'd', ' ', *has, ' ', 'i', 's', 0 };

		cr_expect_not_null(strstr(e.out, wanted), "no %s", wanted);
	}
	close(scene.status);
	close(ours);
}

EVERY_WAY(the_command_shares_a_standard_descriptor)
{
	static const char *const options[] = { "--status-fd=1",
					       "--status-fd=2" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct ended e;
		const char *told;

		run(&e, NULL, ARGV(spawnfd, options[i], with, actor, "show",
				   i ? "1" : "2"));
		expect_exit(&e, 0);
		told = i ? e.err : e.out;
		cr_expect_eq(strncmp(told, "{\"child-pid\":", 13), 0, "%s",
			     told);
		cr_expect_not_null(strstr(told, "}\n{\"exit-code\":0}\n"),
				   "%s", told);
		for (const char *has = "012"; *has; has++) {
			const char wanted[] = { 'f', 'd', ' ', *has, ' ', 'i',
						's', 0 };

			cr_expect_not_null(strstr(i ? e.out : e.err, wanted),
					   "%s: no %s", options[i], wanted);
		}
	}
}

/* ---- never costs anything ---- */

static void open_plain_pipe(int *ours, int *theirs)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	*ours = far(fds[0]);
	*theirs = far(fds[1]);
}

static void open_fifo(int *ours, int *theirs)
{
	const char *path = scratch_path("fifo");

	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	*ours = far(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	*theirs = far(open(path, O_WRONLY | O_CLOEXEC));
}

static void open_stream(int *ours, int *theirs)
{
	open_far_pair(SOCK_STREAM, ours, theirs);
}

static void open_seqpacket(int *ours, int *theirs)
{
	open_far_pair(SOCK_SEQPACKET, ours, theirs);
}

static void open_datagram(int *ours, int *theirs)
{
	open_far_pair(SOCK_DGRAM, ours, theirs);
}

static void open_terminal(int *ours, int *theirs)
{
	struct termios raw;
	char name[64];

	*ours = far(open_pty(name, sizeof(name)));
	*theirs = far(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
	cr_assert_eq(tcgetattr(*theirs, &raw), 0);
	cfmakeraw(&raw);
	cr_assert_eq(tcsetattr(*theirs, TCSANOW, &raw), 0);
}

static const struct outlet {
	const char *name;
	void (*open)(int *ours, int *theirs);
} outlets[] = {
	{ "pipe", open_plain_pipe },
	{ "packet pipe", open_packets },
	{ "FIFO", open_fifo },
	{ "stream socket", open_stream },
	{ "seqpacket socket", open_seqpacket },
	{ "datagram socket", open_datagram },
	{ "terminal", open_terminal },
};

/* All that is there, without waiting for more; FILLING is left out. */
static size_t drain(int ours, char *text, size_t size)
{
	char bytes[8192];
	size_t length = 0, filling = 0;
	ssize_t n;

	cr_assert_eq(fcntl(ours, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(ours, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == FILLING)
				filling++;
			else if (length < size - 1)
				text[length++] = bytes[i];
		}
	text[length] = '\0';
	return filling;
}

/* Any number of objects without objects inside, one a line, and no piece. */
static void expect_whole_lines(const char *text, const char *what)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		cr_expect(line[length] == '\n' && length > 2 &&
			  strncmp(line, "{\"", 2) == 0 &&
			  strcspn(line + 1, "{}") == length - 2,
			  "%s: half a line: %s", what, text);
		line += length + (line[length] == '\n');
	}
}

/* Runs it with theirs as FD, whose flags must stay. */
static void run_with(int theirs, uid_t uid, const char *with, const char *what)
{
	struct scene scene = { .status = theirs };
	const struct way way = { .uid = uid, .prepare = set_scene,
				 .arg = &scene };
	int flags = fcntl(theirs, F_GETFL);
	struct ended e;

	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
	cr_expect_null(not_exited(&e, 42), "%s: %s", what, not_exited(&e, 42));
	cr_expect_str_eq(e.err, "", "%s", what);
	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "die", "15"));
	cr_expect_null(not_killed(&e, 15), "%s: %s", what, not_killed(&e, 15));
	cr_expect_eq(fcntl(theirs, F_GETFL), flags, "%s: other flags", what);
}

/* The same once, so that the two lines of one hold are all that can come. */
static void run_once_with(int theirs, uid_t uid, const char *with,
			  const char *what)
{
	struct scene scene = { .status = theirs };
	const struct way way = { .uid = uid, .prepare = set_scene,
				 .arg = &scene };
	int flags = fcntl(theirs, F_GETFL);
	struct ended e;

	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
	cr_expect_null(not_exited(&e, 42), "%s: %s", what, not_exited(&e, 42));
	cr_expect_eq(fcntl(theirs, F_GETFL), flags, "%s: other flags", what);
}

static void try_full(const struct outlet *outlet, const char *with, uid_t uid,
		     int flags)
{
	int ours, theirs, size;
	char text[4096];
	size_t before;

	outlet->open(&ours, &theirs);
	fill(theirs);
	before = 0;
	cr_assert_eq(fcntl(theirs, F_SETFL, flags | (fcntl(theirs, F_GETFL) &
		     (O_ACCMODE | O_DIRECT))), 0);
	size = (int)sizeof(text);
	run_with(theirs, uid, with, outlet->name);
	close(theirs);
	before = drain(ours, text, (size_t)size);
	cr_expect_gt(before, 0, "%s: it was not full", outlet->name);
	cr_expect_str_eq(text, "", "%s: full, but there is %s", outlet->name,
			 text);
	close(ours);
}

/* What cannot be written is lost, and nothing else is. */
EVERY_WAY(a_full_status_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++) {
		try_full(&outlets[i], with, 0, 0);
		try_full(&outlets[i], with, 0, O_NONBLOCK);
		try_full(&outlets[i], with, NOBODY, 0);
	}
}

static void try_nearly_full(const struct outlet *outlet, size_t room,
			    uid_t uid, int flags)
{
	int ours, theirs;
	char what[64], text[8192];

	outlet->open(&ours, &theirs);
	if (outlet->open == open_plain_pipe || outlet->open == open_fifo)
		fcntl(theirs, F_SETPIPE_SZ, 4096);
	fill(theirs);
	cr_assert_gt(read(ours, text, room), 0);
	cr_assert_eq(fcntl(theirs, F_SETFL, flags | (fcntl(theirs, F_GETFL) &
		     (O_ACCMODE | O_DIRECT))), 0);
	snprintf(what, sizeof(what), "%s with room for %zu, uid %u",
		 outlet->name, room, uid);
	run_once_with(theirs, uid, "--", what);
	close(theirs);
	drain(ours, text, sizeof(text));
	expect_whole_lines(text, what);
	close(ours);
}

/* A line and a bit, less than a line, a byte: whole lines come or none. */
SystemTest(plain, a_nearly_full_status_fd)
{
	static const size_t rooms[] = { 1, 10, 16, 17, 40, 60, 100, 255, 256,
					300, 1000, 4095, 4096, 8000 };

	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rooms); j++) {
			try_nearly_full(&outlets[i], rooms[j], 0, 0);
			try_nearly_full(&outlets[i], rooms[j], 0, O_NONBLOCK);
			try_nearly_full(&outlets[i], rooms[j], NOBODY, 0);
		}
}

/* One page, of which the last bytes are free, though no further slot is. */
SystemTest(plain, a_pipe_with_less_than_a_line_of_room)
{
	static const size_t rooms[] = { 1, 5, 15, 16, 17, 30, 41, 60 };
	char bytes[4096], text[4096];

	memset(bytes, FILLING, sizeof(bytes));
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
		for (int fifo = 0; fifo < 2; fifo++) {
			size_t filling = sizeof(bytes) - rooms[i];
			int ours, theirs;

			(fifo ? open_fifo : open_plain_pipe)(&ours, &theirs);
			cr_assert_eq(fcntl(theirs, F_SETPIPE_SZ, 4096), 4096);
			cr_assert_eq(write(theirs, bytes, filling),
				     (ssize_t)filling);
			run_once_with(theirs, 0, "--", "nearly full pipe");
			close(theirs);
			cr_expect_eq(drain(ours, text, sizeof(text)), filling);
			expect_whole_lines(text, "nearly full pipe");
			close(ours);
		}
}

/* The longest line there is: the address takes 3000 bytes of it. */
static void try_long_line(const struct outlet *outlet, size_t room)
{
	char option[4096] = "--receive=", text[16384];
	struct scene scene = { 0 };
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = &scene };
	const int tiny = 1;
	int ours;
	struct ended e;

	for (int i = 0; i < 1500; i++)
		strcat(option, "./");
	strcat(option, "socket");
	outlet->open(&ours, &scene.status);
	setsockopt(scene.status, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof(tiny));
	if (room) {
		fill(scene.status);
		cr_assert_gt(read(ours, text, room), 0);
	}
	run(&e, &way, ARGV(spawnfd, STATUS, "--wait=1ms", option));
	expect_refusal(&e, 125);
	close(scene.status);
	drain(ours, text, sizeof(text));
	expect_whole_lines(text, outlet->name);
	close(ours);
}

SystemTest(plain, a_long_line)
{
	static const size_t rooms[] = { 0, 1, 100, 300, 2000, 2500, 4000 };

	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rooms); j++)
			try_long_line(&outlets[i], rooms[j]);
}

/* The lines come where there is room for them: the test can tell. */
EVERY_WAY(an_empty_status_fd)
{
	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++)
		for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
			int ours, theirs, all;
			char text[4096];

			outlets[i].open(&ours, &theirs);
			all = fcntl(theirs, F_GETFL);
			fcntl(theirs, F_SETFL, all | flags);
			run_once_with(theirs, 0, with, outlets[i].name);
			close(theirs);
			cr_expect_eq(drain(ours, text, sizeof(text)), 0);
			expect_whole_lines(text, outlets[i].name);
			cr_expect_not_null(strstr(text, "}\n{\"exit-code\""),
					   "%s: %s", outlets[i].name, text);
			close(ours);
		}
}

EVERY_WAY(a_status_fd_whose_reader_is_gone)
{
	for (size_t i = 0; i < ARRAY_SIZE(outlets); i++) {
		int ours, theirs;

		outlets[i].open(&ours, &theirs);
		close(ours);
		run_with(theirs, 0, with, outlets[i].name);
		fcntl(theirs, F_SETFL, fcntl(theirs, F_GETFL) | O_NONBLOCK);
		run_with(theirs, NOBODY, with, outlets[i].name);
		close(theirs);
	}
}

/* As by Ctrl-S. */
EVERY_WAY(a_terminal_whose_output_is_stopped)
{
	static const uid_t users[] = { 0, NOBODY };

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		int ours, theirs;
		char text[4096];

		open_terminal(&ours, &theirs);
		cr_assert_eq(tcflow(theirs, TCOOFF), 0);
		run_with(theirs, users[i], with, "stopped terminal");
		cr_assert_eq(tcflow(theirs, TCOON), 0);
		cr_expect_eq(drain(ours, text, sizeof(text)), 0);
		cr_expect_str_eq(text, "", "came later: %s", text);
		close(theirs);
		close(ours);
	}
}

/* The terminal is FD, and the one that controls a session of its own. */
static void lead_session_of_fd(const void *arg)
{
	const struct scene *scene = arg;

	set_scene(scene);
	if (setsid() < 0 || ioctl(FD, TIOCSCTTY, 0))
		_exit(96);
}

#define JOB "stty -F /dev/tty tostop; set -m; \"$@\" & wait $!"

/* stty(1), tostop: who writes there in the background is stopped. */
EVERY_WAY(a_terminal_that_stops_jobs_in_the_background)
{
	struct scene scene = { 0 };
	const struct way way = { .prepare = lead_session_of_fd, .arg = &scene };
	struct ended e;
	int ours;

	open_terminal(&ours, &scene.status);
	run(&e, &way, ARGV("/bin/bash", "-c", JOB, "bash", spawnfd, STATUS,
			   with, actor, "exit", "42"));
	expect_exit(&e, 42);
	close(scene.status);
	close(ours);
}

EVERY_WAY(devices_as_a_status_fd)
{
	static const char *const paths[] = { "/dev/full", "/dev/null",
					     "/dev/zero" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd = far(open(paths[i], O_WRONLY | O_CLOEXEC));

		run_with(fd, 0, with, paths[i]);
		run_with(fd, NOBODY, with, paths[i]);
		close(fd);
	}
}

/* ---- regular files ---- */

static void expect_appended(const char *with, int flags)
{
	const char *path = scratch_path("log");
	char text[4096], wanted[4096];
	int pids[2], theirs, length = 0;
	unsigned long inodes[2];

	unlink(path);
	write_file(path, "before\n", 0600);
	theirs = far(open(path, O_WRONLY | flags | O_CLOEXEC));
	cr_assert_eq(lseek(theirs, 0, SEEK_END), 7);
	run_once_with(theirs, 0, with, "file");
	run_once_with(theirs, NOBODY, with, "file");
	close(theirs);
	read_file(path, text, sizeof(text));
	cr_assert_eq(sscanf(text, "before\n{\"child-pid\":%d,\"pidfd-inode\":"
			    "%lu}\n{\"exit-code\":42}\n{\"child-pid\":%d,"
			    "\"pidfd-inode\":%lu}\n", &pids[0], &inodes[0],
			    &pids[1], &inodes[1]), 4, "%s", text);
	for (int i = 0; i < 2; i++)
		length += snprintf(wanted + length, sizeof(wanted) -
				   (size_t)length, "%s{\"child-pid\":%d,"
				   "\"pidfd-inode\":%lu}\n{\"exit-code\":42}\n",
				   i ? "" : "before\n", pids[i], inodes[i]);
	cr_expect_str_eq(text, wanted);
}

EVERY_WAY(a_file_gets_the_lines_in_order)
{
	expect_appended(with, 0);
	expect_appended(with, O_APPEND);
	expect_appended(with, O_APPEND | O_NONBLOCK);
}

/* Of a file that may not grow further: SIGXFSZ is not what spawnfd dies of. */
EVERY_WAY(a_file_at_its_limit)
{
	struct scene scene = { .limited = true };
	const struct way way = { .prepare = set_scene, .arg = &scene };
	const char *path = scratch_path("log");
	struct stat st;
	struct ended e;

	write_file(path, "", 0600);
	scene.status = far(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
	run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
	expect_exit(&e, 42);
	run(&e, &way, ARGV(spawnfd, STATUS, with, "/none"));
	expect_refusal(&e, 127);
	close(scene.status);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_size, 0);
}

EVERY_WAY(a_file_with_less_than_a_line_to_its_limit)
{
	static const rlim_t sizes[] = { 1, 10, 16, 17, 40, 50, 60, 70 };
	const char *path = scratch_path("log");

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct scene scene = { .limited = true, .size = sizes[i] };
		const struct way way = { .prepare = set_scene, .arg = &scene };
		struct ended e;
		char text[4096], what[64];

		unlink(path);
		write_file(path, "", 0600);
		scene.status = far(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
		run(&e, &way, ARGV(spawnfd, STATUS, with, actor, "exit", "42"));
		expect_exit(&e, 42);
		close(scene.status);
		read_file(path, text, sizeof(text));
		snprintf(what, sizeof(what), "a file of %d bytes",
			 (int)sizes[i]);
		expect_whole_lines(text, what);
	}
}

/* ---- how long it stays open ---- */

static void expect_open(int fd, const char *what)
{
	struct pollfd p = { fd, POLLIN, 0 };

	cr_expect_eq(poll(&p, 1, 0), 0, "%s: end of file too early", what);
}

static void expect_end_of_file(int fd)
{
	char byte;

	await_events(fd, POLLIN);
	cr_expect_eq(read(fd, &byte, 1), 0);
}

/* FD is all that spawnfd keeps of what it was given. */
EVERY_WAY(holds_the_status_fd_and_nothing_else)
{
	struct scene scene = { 0 };
	struct lines lines = { 0 };
	struct running r;
	struct ended e;
	int ours, other;
	pid_t command;

	open_plain_pipe(&other, &scene.other);
	start_told(&r, &scene, &ours, ARGV(spawnfd, STATUS, with, actor,
					   "let-go", "7", "1"));
	close(scene.other);
	take_line(ours, &lines);
	command = expect_some_running(&lines, 0);
	expect_end_of_file(other);
	expect_end_of_file(r.out);
	expect_open(ours, "spawnfd holds");
	cr_expect_eq(child_of(r.pid), command);
	kill(command, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	take_lines(ours, &lines);
	cr_expect_eq(lines.count, 2);
	close(other);
	close(ours);
}

/* The same of a standard descriptor, which the command has let go. */
EVERY_WAY(holds_a_standard_descriptor_that_is_the_status_fd)
{
	struct running r;
	struct ended e;
	char line[256];
	pid_t command = 0;

	start(&r, NULL, ARGV(spawnfd, "--status-fd=1", with, actor, "let-go",
			     "1", "0"));
	read_line(r.out, line, sizeof(line));
	sscanf(line, "{\"child-pid\":%d", &command);
	await_events(r.in, 0);	/* POLLERR: all read ends are closed */
	expect_open(r.out, "spawnfd holds");
	cr_assert_gt(command, 0);
	kill(command, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGTERM);
	cr_expect_str_eq(e.out, "{\"exit-code\":143,\"signal\":15,"
			 "\"core-dumped\":false}\n");
}

/* ---- the pid file ---- */

static void expect_content(const char *path, const char *wanted)
{
	char text[64];

	read_file(path, text, sizeof(text));
	cr_expect_str_eq(text, wanted, "%s: wanted %s, saw %s", path, wanted,
			 text);
}

static void expect_pid(const char *path, pid_t pid)
{
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "%d\n", pid);
	expect_content(path, wanted);
}

/* A hold of "let-go 7", known to be under way; its status pipe is *ours. */
static pid_t start_held(struct running *r, struct scene *scene,
			const char *option, const char *with, int *ours)
{
	struct lines lines = { 0 };

	start_told(r, scene, ours, ARGV(spawnfd, STATUS, option, with, actor,
					"let-go", "7"));
	take_line(*ours, &lines);
	return expect_some_running(&lines, 0);
}

static void end_held(struct running *r, int ours, pid_t command)
{
	struct ended e;

	kill(command, SIGTERM);
	finish(r, &e);
	expect_signal(&e, SIGTERM);
	close(ours);
}

EVERY_WAY(pid_file_is_there_while_it_holds)
{
	static const mode_t masks[] = { 022, 077, 0137, 0777 };
	const char *path = scratch_path("pid");
	int entries = count_files(scratch(), "");

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		struct scene scene = { .mask = masks[i] };
		struct running r;
		struct stat st;
		pid_t command;
		int ours;

		command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
		expect_pid(path, command);
		cr_assert_eq(stat(path, &st), 0);
		cr_expect_eq(st.st_mode & 07777, 0644 & ~masks[i], "%o",
			     st.st_mode);
		cr_expect_eq(count_files(scratch(), ""), entries + 1);
		end_held(&r, ours, command);
		cr_expect_not(exists(path), "it is still there");
		cr_expect_eq(count_files(scratch(), ""), entries);
	}
}

/* By rename: who has the older one open or linked keeps it as it is. */
EVERY_WAY(pid_file_replaces_an_older_one)
{
	const char *path = scratch_path("pid"), *old = scratch_path("old");
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours;

	write_file(path, "older and longer than a pid\n", 0400);
	cr_assert_eq(link(path, old), 0);
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	expect_pid(path, command);
	expect_content(old, "older and longer than a pid\n");
	end_held(&r, ours, command);
	cr_expect_not(exists(path));
	expect_content(old, "older and longer than a pid\n");
}

EVERY_WAY(pid_file_of_somebody_else_is_not_removed)
{
	const char *path = scratch_path("pid"), *other = scratch_path("other");
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours;

	/* renamed over it */
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	write_file(other, "1\n", 0644);
	cr_assert_eq(rename(other, path), 0);
	end_held(&r, ours, command);
	expect_content(path, "1\n");

	/* made anew */
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	cr_assert_eq(link(path, other), 0);
	cr_assert_eq(unlink(path), 0);
	write_file(path, "2\n", 0644);
	end_held(&r, ours, command);
	expect_content(path, "2\n");

	/* gone, and nothing in its place */
	command = start_held(&r, &scene, "--pid-file=pid", with, &ours);
	cr_assert_eq(unlink(path), 0);
	end_held(&r, ours, command);
	cr_expect_not(exists(path));
}

/* It is the directory that was opened which counts, wherever it went. */
EVERY_WAY(pid_file_is_removed_from_a_directory_that_moved)
{
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours;

	cr_assert_eq(mkdir(scratch_path("here"), 0755), 0);
	command = start_held(&r, &scene, "--pid-file=here/pid", with, &ours);
	cr_assert_eq(rename(scratch_path("here"), scratch_path("there")), 0);
	expect_pid(scratch_path("there/pid"), command);
	end_held(&r, ours, command);
	cr_expect_not(exists(scratch_path("there/pid")));
}

static void expect_left(const char *sink, const char *with)
{
	const char *path = scratch_path("pid");
	struct scene scene = { 0 };
	const struct way way = { .dir = scratch(), .prepare = set_scene,
				 .arg = &scene };
	int entries = count_files(scratch(), ""), ours;
	struct running r;
	pid_t pid;

	open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
	start(&r, &way, ARGV(spawnfd, "--pid-file=pid", sink, with, actor,
			     "echo"));
	close(scene.peer);
	pid = read_pid(r.out);
	cr_expect_eq(await_end(&r), 0);
	ping(&r);
	expect_pid(path, pid);
	cr_expect_eq(count_files(scratch(), ""), entries + 1);
	close(r.in);
	expect_end_of_file(r.out);
	close(r.out);
	close(r.err);
	close(r.pidfd);
	close(ours);
	reap_orphans();
	expect_pid(path, pid);
	unlink(path);
}

EVERY_WAY(pid_file_stays_after_a_pass)
{
	expect_left(TO_PEER, with);
}

SystemTest(plain, pid_file_stays_when_detached)
{
	expect_left("--detach", "--");
}

SystemTest(flags, pid_file_stays_when_detached)
{
	expect_left("--detach", "--autoreap");
}

SystemTest(flags, pid_file_of_a_received_process)
{
	const char *path = scratch_path("pid");
	struct scene scene = { 0 };
	struct lines lines = { 0 };
	struct running sender, r;
	struct ended e;
	int ours, status;
	pid_t pid;

	open_far_pair(SOCK_STREAM, &ours, &scene.peer);
	start_told(&r, &scene, &status, ARGV(spawnfd, STATUS, FROM_PEER,
					     "--pid-file=pid"));
	close(scene.peer);
	take_line(status, &lines);
	cr_expect_not(exists(path), "it is there too early");
	send_to(ours, &sender, "--autokill", "echo", NULL);
	close(ours);
	pid = read_pid(sender.out);
	take_line(status, &lines);
	expect_pid(path, pid);
	end_input(&sender);
	finish(&sender, &e);
	end_input(&r);
	finish(&r, &e);
	expect_exit(&e, 0);
	cr_expect_not(exists(path));
	close(status);
}

/* ---- never half there ---- */

/* What happens to the name "pid" in the scratch directory. */
static int watch(void)
{
	int fd = far(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));

	cr_assert_geq(inotify_add_watch(fd, scratch(), IN_CREATE | IN_MODIFY |
					IN_ATTRIB | IN_MOVE | IN_DELETE), 0);
	return fd;
}

static uint32_t events_of(int fd, const char *name)
{
	_Alignas(struct inotify_event) char bytes[16384];
	uint32_t seen = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (char *at = bytes; at < bytes + n;) {
			struct inotify_event *event = (void *)at;

			if (event->len && strcmp(event->name, name) == 0)
				seen |= event->mask;
			at += sizeof(*event) + event->len;
		}
	return seen;
}

/* The name is given to what is whole: no write, no change of mode after it. */
EVERY_WAY(pid_file_appears_by_rename)
{
	static const struct { const char *verb, *number; } ends[] = {
		{ "exit", "42" }, { "die", "9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct scene scene = { 0 };
		struct lines lines;
		struct ended e;
		int fd = watch();

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "--pid-file=pid", with, actor,
			      ends[i].verb, ends[i].number));
		cr_expect_eq(events_of(fd, "pid"), IN_MOVED_TO | IN_DELETE);
		close(fd);
	}
}

/* One that was there before is not touched either. */
EVERY_WAY(pid_file_is_not_there_for_what_was_not_executed)
{
	static const struct { const char *command; int code; } commands[] = {
		{ "/none", 127 }, { "/", 126 }, { "none", 127 },
	};
	const char *path = scratch_path("pid");

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		for (int old = 0; old < 2; old++) {
			struct scene scene = { 0 };
			struct lines lines;
			struct ended e;
			int fd, entries;

			if (old)
				write_file(path, "old\n", 0644);
			entries = count_files(scratch(), "");
			fd = watch();
			run_told(&e, &lines, &scene,
				 ARGV(spawnfd, STATUS, "--pid-file=pid", with,
				      commands[i].command));
			expect_refusal(&e, commands[i].code);
			cr_expect_eq(events_of(fd, "pid"), 0);
			cr_expect_eq(count_files(scratch(), ""), entries);
			if (old)
				expect_content(path, "old\n");
			unlink(path);
			close(fd);
		}
}

/* It was there before the message, which could not be sent. */
EVERY_WAY(pid_file_is_taken_back_when_the_send_fails)
{
	for (int full = 0; full < 2; full++) {
		struct scene scene = { 0 };
		struct lines lines;
		struct ended e;
		int ours, fd = watch(), entries = count_files(scratch(), "");

		open_far_pair(SOCK_STREAM, &ours, &scene.peer);
		if (full)
			fill(scene.peer);
		else
			close(ours);
		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "--pid-file=pid", TO_PEER, with,
			      actor, "let-go"));
		expect_refusal(&e, 125);
		cr_expect_eq(lines.count, 1, "%zu lines", lines.count);
		cr_expect_eq(events_of(fd, "pid"), IN_MOVED_TO | IN_DELETE);
		cr_expect_eq(count_files(scratch(), ""), entries);
		nothing_left();
		close(scene.peer);
		if (full)
			close(ours);
		close(fd);
	}
}

/* Reads what is under the name until the wanted text is; never another one. */
static void read_until(const char *path, const char *old, const char *wanted)
{
	char text[64];
	int fd;

	do {
		ssize_t n;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		cr_assert_geq(fd, 0, "not there: %s", strerror(errno));
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		close(fd);
		cr_assert(!strcmp(text, old) || !strcmp(text, wanted),
			  "neither %s nor %s: %s", old, wanted, text);
	} while (strcmp(text, wanted) != 0);
}

/* Whenever it is opened and read it is whole: the older or the new one. */
EVERY_WAY(pid_file_is_whole_for_a_reader_that_looks_all_the_time)
{
	const char *path = scratch_path("pid");
	const struct way way = { .dir = scratch() };

	for (int i = 0; i < often(200); i++) {
		struct running r;
		struct ended e;
		char wanted[32];

		write_file(path, "old\n", 0644);
		start(&r, &way, ARGV(spawnfd, "--pid-file=pid", with, actor,
				     "echo"));
		snprintf(wanted, sizeof(wanted), "%d\n", read_pid(r.out));
		read_until(path, "old\n", wanted);
		end_input(&r);
		finish(&r, &e);
		expect_exit(&e, 0);
		cr_expect_not(exists(path));
	}
}

/* ---- where no pid file can be ---- */

static const char long_name[] =
	"--pid-file="
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

static const struct misplaced {
	const char *option;
	const char *error;
} misplaced[] = {
	{ "--pid-file=", "EISDIR" },
	{ "--pid-file=.", "EISDIR" },
	{ "--pid-file=..", "EISDIR" },
	{ "--pid-file=/", "EISDIR" },
	{ "--pid-file=dir/", "EISDIR" },
	{ "--pid-file=file/", "EISDIR" },
	{ "--pid-file=dir/..", "EISDIR" },
	{ "--pid-file=none/pid", "ENOENT" },
	{ "--pid-file=file/pid", "ENOTDIR" },
	{ "--pid-file=loop/pid", "ELOOP" },
	{ "--pid-file=dir", "EEXIST" },
	{ "--pid-file=device", "EEXIST" },
	{ "--pid-file=fifo", "EEXIST" },
	{ "--pid-file=socket", "EEXIST" },
	{ "--pid-file=link", "EEXIST" },
	{ "--pid-file=dangling", "EEXIST" },
	{ "--pid-file=loop", "EEXIST" },
	{ "--pid-file=way", "EEXIST" },
	{ long_name, "ENAMETOOLONG" },
};

static void furnish(void)
{
	cr_assert_eq(mkdir(scratch_path("dir"), 0755), 0);
	write_file(scratch_path("file"), "content\n", 0644);
	cr_assert_eq(mknod(scratch_path("device"), S_IFCHR | 0666, 0x103), 0);
	cr_assert_eq(mkfifo(scratch_path("fifo"), 0666), 0);
	close(bind_to(scratch_path("socket"), SOCK_STREAM));
	cr_assert_eq(symlink("file", scratch_path("link")), 0);
	cr_assert_eq(symlink("none", scratch_path("dangling")), 0);
	cr_assert_eq(symlink("loop", scratch_path("loop")), 0);
	cr_assert_eq(symlink("dir", scratch_path("way")), 0);
}

/* What a reader of the directory sees: names, types and targets. */
static void list_names(char *text, size_t size)
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "cd \"$0\" && ls -lAR .",
			   scratch()));
	expect_exit(&e, 0);
	snprintf(text, size, "%s", e.out);
}

static void expect_misplaced(const char *option, const char *error,
			     const char *sink, const char *with, uid_t uid)
{
	struct scene scene = { 0 };
	const struct way way = { .uid = uid, .dir = scratch(),
				 .prepare = set_scene, .arg = &scene };
	struct lines lines = { 0 };
	struct ended e;
	int peer, ours;
	char byte;

	open_far_pair(SOCK_SEQPACKET, &peer, &scene.peer);
	open_packets(&ours, &scene.status);
	run(&e, &way, ARGV(spawnfd, STATUS, option, sink, with, actor,
			   "let-go"));
	close(scene.peer);
	close(scene.status);
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --pid-file: ");
	nothing_left();
	cr_expect_eq(recv(peer, &byte, 1, 0), 0, "%s: a message", e.words);
	take_lines(ours, &lines);
	cr_expect_eq(lines.count, 1);
	expect_line(&lines, 0, "{\"exit-code\":125,\"error\":\"hold\","
		    "\"errno\":\"%s\"}\n", error);
	close(peer);
	close(ours);
}

/* No command is left then, no name has changed, and none is new. */
EVERY_WAY(pid_file_where_none_can_be)
{
	static char before[16384], after[16384];

	furnish();
	list_names(before, sizeof(before));
	for (size_t i = 0; i < ARRAY_SIZE(misplaced); i++) {
		const struct misplaced *m = &misplaced[i];

		expect_misplaced(m->option, m->error, HOLD, with, 0);
		expect_misplaced(m->option, m->error, TO_PEER, with, 0);
		if (strcmp(with, "--autokill") != 0)
			expect_misplaced(m->option, m->error, "--detach", with,
					 0);
		list_names(after, sizeof(after));
		cr_expect_str_eq(after, before, "%s", m->option);
	}
}

EVERY_WAY(pid_file_where_one_may_not_write)
{
	expect_misplaced("--pid-file=pid", "EACCES", HOLD, with, NOBODY);
	expect_misplaced("--pid-file=pid", "EACCES", TO_PEER, with, NOBODY);
	cr_assert_eq(mkdir(scratch_path("closed"), 0700), 0);
	expect_misplaced("--pid-file=closed/pid", "EACCES", HOLD, with, NOBODY);
}

/* A sticky directory: somebody else's file cannot be replaced. */
EVERY_WAY(pid_file_in_place_of_a_file_that_one_may_not_replace)
{
	cr_assert_eq(chmod(scratch(), 01777), 0);
	write_file(scratch_path("pid"), "root's\n", 0666);
	expect_misplaced("--pid-file=pid", "EPERM", HOLD, with, NOBODY);
	expect_misplaced("--pid-file=pid", "EPERM", TO_PEER, with, NOBODY);
	expect_content(scratch_path("pid"), "root's\n");
	cr_expect_eq(count_files(scratch(), ""), 1);
}

/* As full as a disk: no half of a file, and no command. */
EVERY_WAY(pid_file_that_cannot_be_written)
{
	struct scene scene = { .limited = true };
	struct lines lines;
	struct ended e;
	int entries = count_files(scratch(), "");

	for (scene.size = 0; scene.size < 2; scene.size++) {
		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "--pid-file=pid", with, actor,
			      "let-go"));
		expect_refusal(&e, 125);
		expect_line(&lines, 0, "{\"exit-code\":125,\"error\":\"hold\","
			    "\"errno\":\"EFBIG\"}\n");
		cr_expect_eq(count_files(scratch(), ""), entries);
		nothing_left();
	}
}

static void expect_fits(const char *with, const char *path)
{
	char option[PATH_MAX + 32];
	struct scene scene = { 0 };
	struct running r;
	pid_t command;
	int ours, dir = open(scratch(), O_PATH | O_CLOEXEC), fd;
	char text[64] = "", wanted[64];

	snprintf(option, sizeof(option), "--pid-file=%s", path);
	command = start_held(&r, &scene, option, with, &ours);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	snprintf(wanted, sizeof(wanted), "%d\n", command);
	cr_expect_str_eq(text, wanted);
	close(fd);
	end_held(&r, ours, command);
	cr_expect_eq(faccessat(dir, path, F_OK, 0), -1);
	close(dir);
}

EVERY_WAY(pid_file_with_a_long_name_and_a_long_path)
{
	char path[PATH_MAX] = "";
	size_t length = 0;

	memset(path, 'n', NAME_MAX);
	path[NAME_MAX] = '\0';
	expect_fits(with, path);
	/* "./" until one name of 200 bytes is left of what a path may have */
	while (length + 202 < PATH_MAX) {
		memcpy(path + length, "./", 2);
		length += 2;
	}
	memset(path + length, 'n', 200);
	path[length + 200] = '\0';
	expect_fits(with, path);
}

/* ---- closed standard descriptors ---- */

/* Whatever is opened takes their numbers, and must not get what is theirs. */
EVERY_WAY(reports_with_standard_descriptors_closed)
{
	const char *path = scratch_path("pid");

	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines = { 0 };
		struct running r;
		struct ended e;
		pid_t pid;
		int ours;

		start_told(&r, &scene, &ours,
			   ARGV(spawnfd, STATUS, "-v", "--pid-file=pid", with,
				actor, "let-go"));
		take_line(ours, &lines);
		pid = expect_some_running(&lines, 0);
		expect_pid(path, pid);
		kill(pid, SIGTERM);
		finish(&r, &e);
		expect_signal(&e, SIGTERM);
		cr_expect_str_eq(e.out, "");
		cr_expect(closed & 4 ? !*e.err : !!strstr(e.err, "clone3({"));
		take_lines(ours, &lines);
		cr_expect_eq(lines.count, 2);
		expect_line(&lines, 1, "{\"exit-code\":143,\"signal\":15,"
			    "\"core-dumped\":false}\n");
		cr_expect_not(exists(path));
		close(ours);
	}
}

EVERY_WAY(failures_with_standard_descriptors_closed)
{
	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines;
		struct ended e;
		int entries = count_files(scratch(), "");

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=pid", with,
			      "/none"));
		expect_exit(&e, 127);
		cr_expect_eq(lines.count, 1);
		expect_line(&lines, 0, "{\"exit-code\":127,\"error\":\"exec\","
			    "\"errno\":\"ENOENT\"}\n");
		cr_expect_eq(count_files(scratch(), ""), entries);

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=none/pid",
			      with, actor, "let-go"));
		expect_exit(&e, 125);
		cr_expect_eq(lines.count, 1);
		nothing_left();
	}
}

/* Takes all messages up to the end of file; there must be that one. */
static void expect_one_message(int socket)
{
	char bytes[4096];
	ssize_t n = read(socket, bytes, sizeof(bytes) - 1);

	cr_assert_gt(n, 0, "no message");
	bytes[n] = '\0';
	cr_expect_eq(strncmp(bytes, "{\"pid\":", 7), 0, "%s", bytes);
	cr_expect_eq(strchr(bytes, '\n'), bytes + n - 1, "%s", bytes);
	await_events(socket, POLLIN);
	cr_expect_eq(read(socket, bytes, sizeof(bytes)), 0, "one more");
}

/* Given, or connected to by name: the socket gets the message alone. */
EVERY_WAY(passes_nothing_else_with_standard_descriptors_closed)
{
	int listener = far(listen_at(scratch_path("listener"),
				     SOCK_SEQPACKET));

	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines;
		struct ended e;
		int ours;

		open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=pid", TO_PEER,
			      with, actor, "exit", "0"));
		expect_exit(&e, 0);
		cr_expect_eq(lines.count, 1);
		close(scene.peer);
		scene.peer = 0;
		expect_one_message(ours);
		close(ours);

		run_told(&e, &lines, &scene,
			 ARGV(spawnfd, STATUS, "-v", "--pid-file=pid",
			      "--pass=listener", with, actor, "exit", "0"));
		expect_exit(&e, 0);
		expect_pid(scratch_path("pid"),
			   expect_some_running(&lines, 0));
		ours = far(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		expect_one_message(ours);
		close(ours);
		reap_orphans();
	}
	close(listener);
}

/* Who sends to --receive hears nothing back but the end. */
SystemTest(flags, receives_in_silence_with_standard_descriptors_closed)
{
	const char *path = scratch_path("pid");

	for (unsigned int closed = 0; closed < 8; closed++) {
		struct scene scene = { .closed = closed };
		struct lines lines = { 0 };
		struct running sender, r;
		struct ended e;
		int ours, status;
		pid_t pid;

		open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
		start_told(&r, &scene, &status,
			   ARGV(spawnfd, STATUS, "-v", "--pid-file=pid",
				FROM_PEER));
		close(scene.peer);
		take_line(status, &lines);
		send_to(ours, &sender, "--autokill", "let-go", NULL);
		take_line(status, &lines);
		pid = expect_some_running(&lines, 1);
		expect_pid(path, pid);
		expect_end_of_file(ours);
		close(ours);
		kill(pid, SIGTERM);
		finish(&sender, &e);
		expect_exit(&e, 0);
		finish(&r, &e);
		expect_signal(&e, SIGTERM);
		cr_expect_str_eq(e.out, "");
		take_lines(status, &lines);
		cr_expect_eq(lines.count, 3);
		cr_expect_not(exists(path));
		close(status);
	}
}
