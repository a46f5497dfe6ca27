/* SPDX-License-Identifier: MIT */
/*
 * --kill-tree: what spawnfd says of the processes that COMMAND has left, by -v
 * and in the last status line; and which processes count.
 */
#include "ending.h"
#include "groves.h"

#include <stdlib.h>

/* Has spawnfd say all that it knows, on standard error. */
#define TOLD "-v", "--status-fd=2"

/* Expects n lines of -v about "kind-K"; returns the last pid that one names. */
static int expect_lines(const struct ended *e, const char *verb, int kind,
			int n)
{
	char line[512], wanted[64];
	int child = 0, holder, pid = 0, seen = 0;

	cr_assert_not_null(strstr(e->err, "{\"child-pid\":"));
	sscanf(strstr(e->err, "{\"child-pid\":"), "{\"child-pid\":%d", &child);
	for (const char *at = e->err; *at; at += strcspn(at, "\n") + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"),
			 at);
		snprintf(wanted, sizeof(wanted), ": %s ", verb);
		if (!strstr(line, wanted) ||
		    sscanf(line, "spawnfd: %d", &holder) != 1)
			continue;
		snprintf(wanted, sizeof(wanted), " kind-%d", kind);
		if (!strstr(line, wanted))
			continue;
		pid = atoi(strstr(line, verb) + strlen(verb));
		snprintf(wanted, sizeof(wanted), "spawnfd: %d: %s %d kind-%d",
			 child, verb, pid, kind);
		cr_expect_str_eq(line, wanted);
		seen++;
	}
	cr_expect_eq(seen, n, "%d times %s kind-%d:\n%s", seen, verb, kind,
		     e->err);
	return pid;
}

SystemTest(flags, tree_names_what_is_left_and_killed)
{
	const char *const options[] = { "--kill-after=4", TOLD, NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;
		int pids[KINDS], killed;

		plant(&g, HELD, users[u], options, "6", "7", NULL);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		for (int kind = 0; kind < KINDS; kind++) {
			pids[kind] = expect_lines(&e, "leaves", kind, 1);
			/* They are pids inside: 1 is the init, 2 COMMAND. */
			cr_expect(pids[kind] > 2 && pids[kind] < 20, "%s",
				  e.err);
			killed = expect_lines(&e, "kills", kind,
					      kind == IGNORES);
			cr_expect(kind != IGNORES || killed == pids[kind]);
		}
		expect_said(&e, "{\"exit-code\":7,\"left\":6,\"killed\":1}\n");
	}
}

/* Without --kill-after, nobody gets time, and so "killed" says nothing. */
SystemTest(flags, tree_names_what_is_left_at_once)
{
	const char *const options[] = { TOLD, NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;

		plant(&g, HELD, users[u], options, "12", "7", NULL);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		for (int kind = 0; kind < KINDS; kind++)
			expect_lines(&e, "leaves", kind, 2);
		cr_expect_null(strstr(e.err, "kills"), "%s", e.err);
		expect_said(&e, "{\"exit-code\":7,\"left\":12}\n");
	}
}

SystemTest(flags, tree_without_a_rest_says_0)
{
	for (EVERY(u, users)) {
		const struct way way = { .uid = users[u] };
		struct ended e;

		run(&e, &way, ARGV(spawnfd, "--kill-tree", TOLD, actor, "exit",
				   "3"));
		expect_exit(&e, 3);
		expect_said(&e, "{\"exit-code\":3,\"left\":0}\n");
		run(&e, &way, ARGV(spawnfd, "--kill-tree", "--wait-tree", TOLD,
				   "--kill-after=60", actor, "exit", "3"));
		expect_exit(&e, 3);
		expect_said(&e, "{\"exit-code\":3,\"left\":0,\"killed\":0}\n");
		cr_expect_null(strstr(e.err, "leaves"), "%s", e.err);
		cr_expect_null(strstr(e.err, "kills"), "%s", e.err);
	}
}

/*
 * The processes that get the signal may run before the init goes on. Spawnfd,
 * which has a second more, must not kill the tree before that.
 */
SystemTest(flags, tree_that_gets_its_signal_slowly_has_its_time)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "strace", "-f", "-qq", "-o",
			   "/dev/null", "-e", "inject=kill:delay_exit=800000",
			   spawnfd, "--kill-tree", "--autokill",
			   "--kill-after=3", "--status-fd=2", "/bin/sh", "-c",
			   "trap '' TERM; sleep 1000 & exit 7"));
	expect_exit(&e, 7);
	expect_said(&e, ",\"left\":1,\"killed\":1}\n");
}

/*
 * Expects a line on standard error that begins and goes on so. What the init
 * tells may be missing from it if the init needs more than so many milliseconds
 * from `begun` on, as on a slow machine.
 */
static void expect_told(const struct ended *e, const char *line,
			const char *rest, long begun, long ms)
{
	const char *const whole = joined(line, rest);

	expect_said(e, line);
	if (!strstr(e->err, whole) && now_us() - begun >= ms * 1000)
		not_tested("what the init tells", "it has had all its time");
	else
		expect_said(e, whole);
}

/* Starts spawnfd with an option, and makes strace delay a call of the init. */
static void start_delayed(struct running *r, const char *call,
			  const char *delay, const char *option,
			  const char *script)
{
	char line[8];

	/* With --seccomp-bpf, strace stops the init in no other call. */
	start(r, NULL, ARGV("/usr/bin/env", "strace", "-f", "--seccomp-bpf",
			    "-qq", "-o", "/dev/null", "-e",
			    joined("trace=", call), "-e",
			    joined("inject=", delay), spawnfd, "--kill-tree",
			    option, "--status-fd=2", "sh", "-c", script));
	read_line(r->out, line, sizeof(line));
}

/*
 * A watch may fire when COMMAND has just ended by itself. Here it fires while
 * strace holds the init in a system call. "$$" of the script is COMMAND. Gives
 * the time before the watch fired.
 */
static long end_late(const char *call, const char *delay, const char *script,
		     struct ended *ret_ended)
{
	struct running r, watched;
	char option[32];
	pid_t init, command;
	long begun;

	start(&watched, NULL, ARGV(actor, "echo"));
	snprintf(option, sizeof(option), "--die-with-pid=%d", watched.pid);
	start_delayed(&r, call, delay, option, script);
	init = child_of(child_of(r.pid));
	command = child_of(init);
	end_input(&r);
	await_state(command, '\0');
	await_state(init, 't');
	begun = now_us();
	kill(watched.pid, SIGKILL);
	expect_dies(&watched, SIGKILL);
	finish(&r, ret_ended);
	return begun;
}

/* A watch that fires too late does not end COMMAND. */
SystemTest(flags, tree_that_is_over_is_not_ended)
{
	struct ended e;
	long begun = end_late("exit_group", "exit_group:delay_enter=400000",
			      "echo; read line; kill -INT $$", &e);

	expect_signal(&e, SIGINT);
	expect_told(&e, "\n{\"exit-code\":130,\"signal\":2,"
		    "\"core-dumped\":false", ",\"left\":0}\n", begun, 1000);
}

/* Spawnfd must not kill the init before the init has counted the rest. */
SystemTest(flags, tree_that_is_over_is_counted)
{
	struct ended e;
	long begun = end_late("getdents64",
			      "getdents64:delay_enter=400000:when=1",
			      "echo; read line; exit 7", &e);

	expect_exit(&e, 7);
	expect_told(&e, "\n{\"exit-code\":7", ",\"left\":0}\n", begun, 1000);
}

/* Ends COMMAND, and gives the time before that. */
static long count_slowly(const char *delay, struct ended *ret_ended)
{
	struct running r;
	long begun;

	start_delayed(&r, "getdents64", delay, "--kill-after=0.2",
		      "trap '' TERM; sleep 1000 & echo; read line; exit 7");
	begun = now_us();
	end_input(&r);
	finish(&r, ret_ended);
	return begun;
}

/*
 * With --kill-after, the init counts twice. Here each count takes 0.6 seconds.
 * Spawnfd, which has the same clock, must leave it the time for both.
 */
SystemTest(flags, tree_that_is_counted_slowly_has_its_time)
{
	struct ended e;
	long begun = count_slowly("getdents64:delay_enter=300000", &e);

	expect_exit(&e, 7);
	expect_told(&e, "\n{\"exit-code\":7", ",\"left\":1,\"killed\":1}\n",
		    begun, 2200);
}

/* A number that is not known is not told. Here the first count is too slow. */
SystemTest(flags, tree_that_cannot_be_counted_is_not)
{
	struct ended e;
	long begun = count_slowly("getdents64:delay_enter=1100000:when=1", &e);

	expect_exit(&e, 7);
	cr_expect_null(strstr(e.err, "left"), "%s", e.err);
	expect_told(&e, "\n{\"exit-code\":7", ",\"killed\":1}\n", begun, 2200);
}

/* Without a /proc of the tree, the rest gets its signal, and is not counted. */
SystemTest(flags, tree_without_proc_is_not_counted)
{
	const char *const options[] = { "--empty-mntns", "--kill-after=4", TOLD,
					NULL };

	for (EVERY(u, users)) {
		struct grove g;
		struct ended e;

		plant(&g, HELD, users[u], options, "6", "7", NULL);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		cr_expect_eq(count_lines(e.out, "15"), CATCHERS, "%s", e.out);
		expect_said(&e, "{\"exit-code\":7}\n");
		cr_expect_null(strstr(e.err, "leaves"), "%s", e.err);
		cr_expect_null(strstr(e.err, "kills"), "%s", e.err);
	}
}

/* A spawnfd that nobody asks does not look for the rest in /proc. */
SystemTest(flags, tree_passed_or_detached_is_not_counted)
{
	const char *const options[] = { "--kill-after=4", TOLD, NULL };

	for (int holding = PASSED; holding < HOLDINGS; holding++) {
		struct grove g;
		struct ended e;

		plant(&g, holding, 0, options, "6", "7", NULL);
		finish_grove(&g, &e);
		expect_exit(&e, 7);
		cr_expect_eq(count_lines(e.out, "15"), CATCHERS, "%s", e.out);
		cr_expect_null(strstr(e.err, "left"), "%s", e.err);
		cr_expect_null(strstr(e.err, "leaves"), "%s", e.err);
		if (holding == PASSED)
			cr_expect_str_eq(g.receiver.rest,
					 "{\"exit-code\":7}\n");
	}
}

/* ---- which processes count ---- */

/*
 * The kernel reaps a process with CLONE_AUTOREAP, and sends the init no signal
 * for its end.
 */
SystemTest(flags, tree_waits_for_an_orphan_that_is_reaped_by_the_kernel)
{
	const char *const options[] = { "--wait-tree", TOLD, NULL };
	const char *const in_time[] = { "--wait-tree", "--kill-after=1", TOLD,
					NULL };

	for (int i = 0; i < 4; i++) {
		struct grove g;
		struct ended e;
		char line[64];

		start_grove(&g, HELD, users[i % 2], i / 2 ? in_time : options,
			    ARGV(spawnfd, "--autoreap", "--detach", actor,
				 "hear"));
		read_pid(g.r.out);
		await_said(&g.r, ": leaves ");
		kill(g.r.pid, SIGTERM);
		read_line(g.r.out, line, sizeof(line));
		cr_expect_eq(atoi(line), SIGTERM, "%s", line);
		/* Its input is open; --kill-after has to kill it. */
		if (i / 2)
			await_events(g.r.pidfd, POLLIN);
		finish_grove(&g, &e);
		expect_exit(&e, 0);
		expect_said(&e, i / 2 ? "{\"exit-code\":0,"
				"\"ended-by\":\"signal\",\"left\":1,"
				"\"killed\":1}\n" :
				"{\"exit-code\":0,\"left\":1}\n");
	}
}
