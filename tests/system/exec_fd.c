/* SPDX-License-Identifier: MIT */
/*
 * --exec-fd: spawnfd receives a process, and then executes COMMAND in its own
 * place. COMMAND holds the pidfd as descriptor FD.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ENDED "; the received process has ended too\n"

static const char *exec_fd(int fd)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	return joined("--exec-fd=", number);
}

/* Nobody reads the input of the passed command any more: it has ended. */
static void expect_gone(struct running *p)
{
	await_events(p->in, 0);
	close_running(p);
	nothing_left();
}

/* Passes a command that may be killed before it has begun. */
static void pass_hanging(struct running *p)
{
	start(p, NULL, ARGV(spawnfd, "--autokill", PASS(sock()), actor,
			    "hang"));
	expect_passed(p);
}

/* ---- the holder ---- */

SystemTest(flags, exec_fd_kills_when_the_holder_exits)
{
	static const char *const codes[] = { "0", "42" };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct receiver v;
		struct running p;
		struct ended e;

		start_receiver(&v, &nothing_special,
			       ARGV(spawnfd, STATUS, RECEIVE(sock()),
				    exec_fd(3), actor, "exit", codes[i]));
		await_listening(&v);
		pass_hanging(&p);
		await_received(&v);
		finish_receiver(&v, &e);
		expect_exit(&e, atoi(codes[i]));
		cr_expect_str_eq(e.err, "");
		/* Nothing more is written once COMMAND has been executed. */
		cr_expect_str_eq(v.rest, "");
		expect_home(0);
		expect_gone(&p);
	}
}

/* COMMAND has the pid of spawnfd. */
SystemTest(flags, exec_fd_keeps_the_pid_of_spawnfd)
{
	struct receiver v;
	struct running p;
	char line[64];

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(3),
			    "/bin/sh", "-c", "echo $$; read line"));
	await_listening(&v);
	pass_echo(&p, 0, sock());
	cr_expect_eq(read_pid(v.r.out), v.r.pid);
	ping(&p);
	read_line(v.status, line, sizeof(line));
	end_with(&v, SIGKILL);
	expect_gone(&p);
}

SystemTest(flags, exec_fd_kills_when_a_bash_closes_it)
{
	struct receiver v;
	struct running p;
	char line[64];

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(3), "--",
			    "bash", "-c", "read line; exec 3>&-; echo closed; "
			    "read line; exit 7"));
	await_listening(&v);
	pass_echo(&p, 0, sock());
	await_received(&v);
	ping(&p);
	cr_assert_eq(write(v.r.in, "\n", 1), 1);
	read_line(v.r.out, line, sizeof(line));
	cr_expect_str_eq(line, "closed");
	await_events(p.in, 0);
	cr_expect_not(has_ended(&v.r));
	end_input(&v.r);
	expect_quiet_end(&v, 7);
	expect_gone(&p);
}

/* The manual names this trap. */
SystemTest(flags, exec_fd_is_inherited_by_children_of_the_holder)
{
	struct receiver v;
	struct running p;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(3),
			    "/bin/sh", "-c", "exec 4<&0; cat <&4 &"));
	await_listening(&v);
	pass_echo(&p, 0, sock());
	await_received(&v);
	cr_expect_eq(await_end(&v.r), 0);
	ping(&p);
	end_input(&v.r);
	close_running(&v.r);
	read_rest(&v);
	reap_orphans();
	expect_gone(&p);
}

SystemTest(flags, exec_fd_warns_of_what_is_not_autokill)
{
	static const char *const commands[] = { "true", "/none/true" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct receiver v;
		struct running p;
		struct ended e;

		start_receiver(&v, &nothing_special,
			       ARGV(spawnfd, STATUS, RECEIVE(sock()),
				    exec_fd(3), commands[i]));
		await_listening(&v);
		start(&p, NULL, ARGV(spawnfd, "--autoreap", PASS(sock()), actor,
				     "echo"));
		expect_passed(&p);
		read_pid(p.out);
		finish_receiver(&v, &e);
		expect_exit(&e, i ? 127 : 0);
		expect_begun(&e, "spawnfd: the received pidfd is not an "
				 "autokill pidfd");
		cr_expect_null(strstr(e.err, "has ended"), "%s", e.err);
		ping(&p);
		close_running(&p);
	}
}

/* ---- a COMMAND that cannot be executed ---- */

static void fail_to_execute(int fd, const char *command, int code,
			    const char *said, const char *error)
{
	char wanted[128];
	struct receiver v;
	struct running p;
	struct ended e;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(fd),
			    joined("--pid-file=", at_home("pid")), command));
	await_listening(&v);
	pass_hanging(&p);
	await_received(&v);
	finish_receiver(&v, &e);
	expect_refusal(&e, code);
	expect_said(&e, said);
	expect_said(&e, ENDED);
	snprintf(wanted, sizeof(wanted), "{\"exit-code\":%d,\"error\":\"exec\","
		 "\"errno\":\"%s\"}\n", code, error);
	cr_expect_str_eq(v.rest, wanted, "--exec-fd=%d: %s", fd, v.rest);
	/* The PID file is removed. */
	expect_home(0);
	expect_gone(&p);
}

/* Messages arrive, although FD has replaced the descriptor that they go to. */
SystemTest(flags, exec_fd_ends_what_was_received_if_the_exec_fails)
{
	for (int fd = 0; fd < 12; fd++)
		fail_to_execute(fd, "nosuch", 127,
				"spawnfd: nosuch: not found in PATH" ENDED,
				"ENOENT");
	fail_to_execute(STATUS_FD, "/none/x", 127, "spawnfd: /none/x: No such "
			"file or directory" ENDED, "ENOENT");
	fail_to_execute(3, "/", 126, "spawnfd: /: Permission denied", "EACCES");
	write_file(scratch_path("script"), "#!/none/sh\n", 0755);
	fail_to_execute(3, scratch_path("script"), 126,
			": its interpreter is missing" ENDED, "ENOENT");
}

/* A descriptor that there cannot be is refused before spawnfd listens. */
SystemTest(usage, exec_fd_below_the_limit)
{
	static const struct resource_limit files = { RLIMIT_NOFILE, 64 };
	const struct way way = { .prepare = limit_resource, .arg = &files };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, RECEIVE("/none/socket"), exec_fd(63),
			   actor));
	expect_begun(&e, "spawnfd: receive: /none/socket: ");
	run(&e, &way, ARGV(spawnfd, RECEIVE("/none/socket"), exec_fd(64),
			   actor));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --exec-fd: 64: not below the limit");
}

SystemTest(usage, exec_fd_and_command_go_together)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, RECEIVE("/none/socket"), "--exec-fd=3"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: COMMAND is missing");
	run(&e, NULL, ARGV(spawnfd, RECEIVE("/none/socket"), actor));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --receive: takes COMMAND only with "
			 "--exec-fd");
	run(&e, NULL, ARGV(spawnfd, "--exec-fd=3", actor));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --exec-fd: needs --receive");
}

/* ---- what COMMAND sees ---- */

#define REPORT 9	/* the descriptor that the actor reports to */

struct scene {
	int report;		/* becomes REPORT */
	int closed;		/* a standard descriptor, or -1 */
	bool strange;		/* mask, dispositions, environment */
};

static void set_scene(const void *arg)
{
	const struct scene *scene = arg;
	const uint64_t mask = UINT64_C(1) << (SIGCHLD - 1) |
			      UINT64_C(1) << (SIGUSR1 - 1) |
			      UINT64_C(1) << (SIGTSTP - 1) |
			      UINT64_C(1) << 32;

	inherit_as(scene->report, REPORT);
	if (scene->strange) {
		signal(SIGCHLD, SIG_IGN);
		signal(SIGPIPE, SIG_IGN);
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
		setenv("SPAWNFD_PIDFD", "stale", 1);
		setenv("SPAWNFD_PROCESS", "stale", 1);
		setenv("SPAWNFD_PROCESSES", "kept", 1);
		setenv("LAST", "two\nlines", 1);
		dup2(open("/proc/self/exe", O_RDONLY), 70);
	}
	if (scene->closed >= 0)
		close(scene->closed);
}

/* Removes the lines that begin like this; returns how many there were. */
static int remove_lines(char *text, const char *with)
{
	const size_t length = strlen(with);
	int removed = 0;

	for (char *line = text; *line;) {
		char *next = strchr(line, '\n');

		cr_assert_not_null(next);
		if (strncmp(line, with, length) == 0) {
			memmove(line, next + 1, strlen(next + 1) + 1);
			removed++;
		} else {
			line = next + 1;
		}
	}
	return removed;
}

/* Each run has pipes of its own as 0, 1 and 2. */
static void hide_pipes(char *text)
{
	for (char *at = text; (at = strstr(at, "pipe:[")); at++) {
		char *number = at + strlen("pipe:[");
		char *end = strchr(number, ']');

		memmove(number, end, strlen(end) + 1);
	}
}

static void take_report(const struct scene *scene, char *text, size_t size)
{
	ssize_t n = pread(scene->report, text, size - 1, 0);

	cr_assert_gt(n, 0, "the command reported nothing");
	text[n] = '\0';
	cr_assert_eq(ftruncate(scene->report, 0), 0);
	cr_assert_eq(lseek(scene->report, 0, SEEK_SET), 0);
	hide_pipes(text);
}

static void expect_line(const char *report, const char *line)
{
	const char *found = strstr(report, line);

	cr_expect(found && (found == report || found[-1] == '\n'),
		  "wanted '%s' in\n%s", line, report);
}

/* Expects what --exec-fd adds to the surroundings of COMMAND. */
static void expect_pidfd(const char *report, int fd, pid_t pid,
			 unsigned long inode)
{
	char line[128];

	snprintf(line, sizeof(line), "fd %d is anon_inode:[pidfd]\n", fd);
	if (!strstr(report, line))
		snprintf(line, sizeof(line), "fd %d is pidfd:[%lu]\n", fd,
			 inode);
	expect_line(report, line);
	/* O_RDWR|O_TRUNC, the mark of an autokill pidfd; no O_CLOEXEC */
	snprintf(line, sizeof(line), "fd %d flags:\t0%o\n", fd,
		 O_RDWR | O_TRUNC);
	expect_line(report, line);
	snprintf(line, sizeof(line), "variable SPAWNFD_PIDFD=%d\n", fd);
	expect_line(report, line);
	snprintf(line, sizeof(line), "variable SPAWNFD_PROCESS=%d:%lu\n", pid,
		 inode);
	expect_line(report, line);
}

static void forget_fd(char *report, int fd)
{
	char begin[16];

	snprintf(begin, sizeof(begin), "fd %d ", fd);
	remove_lines(report, begin);
}

static void expect_same(struct scene *scene, int fd)
{
	static char bare[65536], report[65536];
	const struct way way = { .prepare = set_scene, .arg = scene };
	const char *address = abstract();
	struct running p, r;
	struct ended e;
	unsigned long inode;
	char line[256];
	pid_t pid;

	scene->report = open(scratch(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	cr_assert_geq(scene->report, 0, "%s", strerror(errno));
	run(&e, &way, ARGV(actor, "show", "9", "", "two words"));
	expect_exit(&e, 0);
	take_report(scene, bare, sizeof(bare));
	start(&r, &way, ARGV(spawnfd, RECEIVE(address), exec_fd(fd), actor,
			     "show", "9", "", "two words"));
	end_input(&r);
	start(&p, NULL, ARGV(spawnfd, "--wait=600", "--autokill",
			     "--status-fd=2", PASS(address), actor, "echo"));
	read_line(p.err, line, sizeof(line));
	cr_assert_eq(sscanf(line, "{\"child-pid\":%d,\"pidfd-inode\":%lu}",
			    &pid, &inode), 2, "%s", line);
	expect_passed(&p);
	finish(&r, &e);
	expect_exit(&e, 0);
	take_report(scene, report, sizeof(report));
	close(scene->report);
	close_running(&p);
	expect_pidfd(report, fd, pid, inode);
	forget_fd(report, fd);
	forget_fd(bare, fd);
	cr_expect_eq(remove_lines(report, "variable SPAWNFD_PIDFD="), 1);
	cr_expect_eq(remove_lines(report, "variable SPAWNFD_PROCESS="), 1);
	remove_lines(bare, "variable SPAWNFD_PIDFD=");
	remove_lines(bare, "variable SPAWNFD_PROCESS=");
	cr_expect_str_eq(report, bare);
	nothing_left();
}

/* Wherever FD is: a descriptor of the caller, one of spawnfd's own, or free. */
SystemTest(flags, exec_fd_leaves_the_surroundings_as_they_were)
{
	struct scene scene = { .closed = -1 };

	for (int fd = 0; fd < 15; fd++)
		if (fd != REPORT)
			expect_same(&scene, fd);
	expect_same(&scene, 70);
}

SystemTestWith(flags, exec_fd_leaves_strange_surroundings_as_they_were,
	       PLAIN_IS_ENOUGH)
{
	for (int closed = -1; closed < 3; closed++) {
		struct scene scene = { .closed = closed, .strange = true };

		for (int fd = 0; fd < 8; fd++)
			expect_same(&scene, fd);
		expect_same(&scene, 70);
	}
}

/* A socket of fd:N, and the FD of --status-fd, may be FD too. */
static void take_fd_of_option(int fd)
{
	struct receiver v;
	struct setup setup = { 0 };
	struct running p;
	struct ended e;
	const int wanted[] = { 0, 1, 2, fd };
	char line[64];
	int listener = listen_at(abstract(), SOCK_STREAM);

	setup.socket = listener;
	start_receiver(&v, &setup,
		       ARGV(spawnfd, STATUS, RECEIVE(SOCKET), exec_fd(fd),
			    "/bin/sh", "-c", "ls -v /proc/$$/fd; cat"));
	close(listener);
	await_listening(&v);
	pass_echo(&p, 0, abstract());
	await_received(&v);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		read_line(v.r.out, line, sizeof(line));
		cr_expect_eq(atoi(line), wanted[i], "%s", line);
	}
	ping(&p);
	end_input(&v.r);
	finish_receiver(&v, &e);
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "", "another descriptor: %s", e.out);
	expect_gone(&p);
}

SystemTest(flags, exec_fd_takes_the_descriptor_of_another_option)
{
	take_fd_of_option(STATUS_FD);
	take_fd_of_option(SOCKET_FD);
}

/* The PID file stays, because nobody is left to remove it. */
SystemTest(flags, exec_fd_leaves_the_pid_file)
{
	struct receiver v;
	struct running p;
	struct ended e;
	char text[32];
	pid_t pid;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(3),
			    joined("--pid-file=", at_home("pid")), "true"));
	await_listening(&v);
	pass_hanging(&p);
	pid = await_received(&v);
	finish_receiver(&v, &e);
	expect_exit(&e, 0);
	read_file(at_home("pid"), text, sizeof(text));
	cr_expect_eq(atoi(text), pid, "%s", text);
	expect_home(1);
	expect_gone(&p);
}

/* A process that ended before it was received has no pid any more. */
SystemTest(plain, exec_fd_of_a_process_that_is_over)
{
	struct receiver v;
	struct running c;
	struct ended e;
	int socket;

	start_child(&c, "42");
	end_child(&c, 42);
	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(3),
			    "/bin/sh", "-c", "echo $SPAWNFD_PIDFD, "
			    "${SPAWNFD_PROCESS-none}"));
	await_listening(&v);
	socket = connect_to(sock());
	send_one(socket, "x", 1, c.pidfd);
	close(socket);
	finish_receiver(&v, &e);
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "3, none\n");
	close_running(&c);
}

SystemTest(plain, exec_fd_dies_of_a_signal_while_it_waits)
{
	struct receiver v;

	start_receiver(&v, &nothing_special,
		       ARGV(spawnfd, STATUS, RECEIVE(sock()), exec_fd(3),
			    actor, "exit", "0"));
	await_listening(&v);
	end_with(&v, SIGTERM);
	expect_home(0);
}

/* Children that spawnfd has found are left for COMMAND to wait for. */
SystemTest(flags, exec_fd_does_not_reap_the_children_of_its_caller)
{
	struct receiver v;
	struct running p;
	struct ended e;
	char wanted[32];
	pid_t child;

	start_receiver(&v, &nothing_special,
		       ARGV("/bin/sh", "-c", "(exit 42) & exec \"$@\"", "sh",
			    spawnfd, STATUS, RECEIVE(sock()), exec_fd(3),
			    "/bin/sh", "-c",
			    "exec cat /proc/$$/task/$$/children"));
	await_listening(&v);
	child = child_of(v.r.pid);
	cr_assert_gt(child, 0);
	await_state(child, 'Z');
	pass_hanging(&p);
	await_received(&v);
	finish_receiver(&v, &e);
	expect_exit(&e, 0);
	snprintf(wanted, sizeof(wanted), "%d ", child);
	cr_expect_str_eq(e.out, wanted);
	reap_orphans();
	expect_gone(&p);
}
