/* SPDX-License-Identifier: MIT */
/* The lines of --status-fd: for a process, for its end, and for failures. */
#include "harness.h"
#include "reports.h"
#include "sockets.h"

#include <stdlib.h>
#include <sys/socket.h>

/* ---- a process and its end ---- */

EVERY_WAY_WITH(tells_pid_and_inode_while_it_runs,
	       COMPARES_STATUS_LINES, KNOWS_PIDS)
{
	struct lines lines = { 0 };
	struct scene scene = { 0 };
	struct running r;
	pid_t pid;
	int ours;

	start_told(&r, &scene, &ours, ARGV(spawnfd, STATUS, with, actor,
					   "echo"));
	pid = read_pid(r.out);
	take_line(ours, &lines);
	expect_running(&lines, 0, pid, inode_of(pid));
	ping(&r);
	end_input(&r);
	expect_exits(&r, 0);
	take_lines(ours, &lines);
	cr_expect_eq(lines.count, 2);
	expect_line(&lines, 1, "{\"exit-code\":0}\n");
	close(ours);
}

EVERY_WAY_WITH(tells_the_exit_status, COMPARES_STATUS_LINES)
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

EVERY_WAY_WITH(tells_the_signal_and_the_core, COMPARES_STATUS_LINES)
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

/* The message and the line go to one socket, which shows their order. */
EVERY_WAY_WITH(tells_the_pid_after_it_was_passed, COMPARES_STATUS_LINES)
{
	struct scene scene = { 0 };
	const struct way way = { .prepare = set_scene, .arg = &scene };
	struct lines lines = { 0 };
	struct running r;
	char payload[4096];
	pid_t pid;
	int ours;

	open_far_pair(SOCK_SEQPACKET, &ours, &scene.peer);
	scene.status = scene.peer;
	start(&r, &way, ARGV(spawnfd, STATUS, TO_PEER, with, actor, "echo"));
	close(scene.peer);
	pid = read_pid(r.out);
	/* recv(2) drops the pidfd of the message: an autokill command dies. */
	cr_assert_gt(recv(ours, payload, sizeof(payload), MSG_PEEK), 0);
	cr_expect_eq(strncmp(payload, "{\"pid\":", 7), 0, "%s", payload);
	cr_assert_gt(recv(ours, payload, sizeof(payload), 0), 0);
	cr_assert(take_line(ours, &lines));
	sscanf(lines.text[0], "{\"child-pid\":%d", &pid);
	expect_some_running(&lines, 0);
	end_input(&r);
	expect_exits(&r, 0);
	cr_expect_not(take_line(ours, &lines));
	close(ours);
	reap_orphans();
}

SystemTest(flags, tells_of_a_received_process_as_of_its_own)
{
	struct scene scene = { 0 };
	struct lines lines = { 0 };
	struct running sender, r;
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
	expect_exits(&sender, 0);
	end_input(&r);
	expect_exits(&r, 0);
	take_lines(status, &lines);
	cr_expect_eq(lines.count, 3);
	expect_line(&lines, 2, "{\"exit-code\":0}\n");
	close(status);
}

/* The addresses have bytes that would break a line or a string of JSON. */
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
		char option[64];
		int ours;

		snprintf(option, sizeof(option), "--receive=%s",
			 addresses[i][0]);
		start_told(&r, &scene, &ours, ARGV(spawnfd, STATUS, option));
		take_line(ours, &lines);
		expect_line(&lines, 0, "{\"listening\":\"%s\"}\n",
			    addresses[i][1]);
		kill(r.pid, SIGTERM);
		expect_dies(&r, SIGTERM);
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

/* ---- failures ---- */

enum peer { PEER_NONE, PEER_GONE, PEER_FULL, PEER_FOREIGN, PEER_SILENT };

struct failure {
	const char *words[5];	/* follow STATUS */
	int code;
	const char *class;
	const char *error;	/* NULL: there is none */
	enum peer peer;
};

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
	/* Before this line, only one with "listening" may come. */
	cr_expect(lines.count == 1 || (lines.count == 2 &&
		  strstr(lines.text[0], "listening")), "%s", e.words);
	nothing_left();
}

static const struct failure plain_failures[] = {
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
	{ { FROM_PEER, "--wait=5ms" }, 125, "receive", "ETIMEDOUT",
	  PEER_SILENT },
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

SystemTest(plain, tells_the_class_and_the_error_of_a_failure)
{
	write_file(scratch_path("file"), "", 0644);
	write_file(scratch_path("text"), "echo ran\n", 0755);
	write_file(scratch_path("lost"), "#!/no/interpreter\n", 0755);
	/* A socket that is closed leaves its name behind. */
	close(listen_at(scratch_path("dead"), SOCK_STREAM));
	for (size_t i = 0; i < ARRAY_SIZE(plain_failures); i++)
		expect_failure(&plain_failures[i]);
}

/* The kernel has the flags, so EINVAL does not come from an unknown flag. */
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
	/* spawnfd finds these mistakes after it has read all options. */
	expect_unheard(ARGV(spawnfd, "--wait=1", STATUS, "x"), 1);
	expect_unheard(ARGV(spawnfd, "--detach", "--pass=x", STATUS, "x"), 1);
	/* After "--" the word is not an option of spawnfd. */
	expect_unheard(ARGV(spawnfd, "--bogus", "--", STATUS), 0);
}
