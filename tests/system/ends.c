/* SPDX-License-Identifier: MIT */
/*
 * Every cause for which spawnfd ends COMMAND, with different first signals and
 * time limits. COMMAND runs or is stopped; spawnfd started or received it.
 */
#include "ending.h"
#include "harness.h"
#include "pty.h"

#include <sys/socket.h>

#define FROM_SH_WORDS 4

/* ---- every cause, in every manner ---- */

static const struct manner {
	const char *first, *second;
	const char *signals;	/* as COMMAND prints them */
	bool killed;		/* SIGKILL comes after these */
} manners[] = {
	{ "-sUSR1", NOTHING, "10\n18\n", false },
	{ "-sSIGQUIT", NOTHING, "3\n18\n", false },
	{ "-sKILL", NOTHING, "", true },
	{ A_WHILE, NOTHING, "15\n18\n", true },
	{ "--kill-after=0", NOTHING, "15\n18\n", false },
	{ "-sint", "--kill-after=2000ms", "2\n18\n", true },
	{ "-s1", "--kill-after=0", "1\n18\n", false },
	{ "-s9", "--kill-after=1d", "", true },
	/* The last manner has no option at all. */
	{ NOTHING, NOTHING, "", true },
};

#define MANNERS ARRAY_SIZE(manners)

static struct manner manner_of(enum cause cause, size_t i)
{
	struct manner manner = manners[i];

	if (cause == TIMEOUT && i == MANNERS - 1)
		manner = (struct manner){ NOTHING, NOTHING, "15\n18\n", false };
	return manner;
}

/* Starts spawnfd, from a shell if the test kills the parent. */
static void start_as(struct stage *stage, struct running *r,
		     const char *const argv[])
{
	const struct way way = { .prepare = set_stage, .arg = stage };

	start(r, &way, argv + (stage->cause == PARENT ? 0 : FROM_SH_WORDS));
}

static void start_here(struct stage *stage, struct running *r,
		       const struct manner *m)
{
	start_as(stage, r, ARGV(FROM_SH, spawnfd, stage->option,
				m->first, m->second, NOTHING,
				stage->stopped ? "--new-session" : NOTHING,
				stage->with, actor, "witness",
				m->killed ? "0" : "18", "3",
				stage->stopped ? "stop" : "go"));
}

/* Passes a command to a receiver; r->out is then the output of the command. */
static void start_there(struct stage *stage, struct running *r,
			const struct manner *m)
{
	const struct way way = { .prepare = set_stage, .arg = stage };
	struct running sender;
	char line[64];
	int sockets[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				sockets), 0);
	stage->socket = sockets[0];
	start_as(stage, r, ARGV(FROM_SH, spawnfd, stage->option,
				m->first, m->second, NOTHING,
				"--receive=fd:8"));
	stage->socket = sockets[1];
	start(&sender, &way, ARGV(spawnfd, "--pass=fd:8", stage->with, actor,
				  "witness", m->killed ? "0" : "18", "3",
				  stage->stopped ? "stop" : "go"));
	close(sockets[0]);
	close(sockets[1]);
	cr_expect_eq(await_end(&sender), 0);
	close(r->out);
	r->out = sender.out;
	close(sender.in);
	close(sender.err);
	close(sender.pidfd);
	read_line(r->err, line, sizeof(line));
	cr_expect_str_eq(line, "{\"listening\":\"fd:8\"}");
	read_running(r->err);
}

static void judge(struct running *r, enum cause cause, const struct manner *m)
{
	int code = cause == TIMEOUT ? 124 : 3;
	struct ended e;

	finish(r, &e);
	cr_expect_str_eq(e.out, m->signals, "%s: wanted \"%s\", saw \"%s\"",
			 e.words, m->signals, e.out);
	if (!m->killed)
		expect_exit(&e, code);
	else if (cause == TIMEOUT)
		expect_exit(&e, 137);
	else
		expect_signal(&e, SIGKILL);
	expect_status_line(&e, cause, m->killed, code);
}

static void start_all(struct stage *stage, struct running runs[])
{
	open_stage(stage);
	for (size_t i = 0; i < MANNERS; i++) {
		struct manner m = manner_of(stage->cause, i);
		pid_t command;

		if (stage->received)
			start_there(stage, &runs[i], &m);
		else
			start_here(stage, &runs[i], &m);
		command = read_pid(runs[i].out);
		if (stage->stopped)
			await_state(command, 'T');
	}
}

/* Runs all causes and manners at the same time, for the limits take long. */
static void end_in_every_manner(const char *with, bool stopped, bool received)
{
	struct running runs[CAUSES][MANNERS];
	struct stage stages[CAUSES];

	for (enum cause cause = 0; cause < CAUSES; cause++) {
		stages[cause] = (struct stage){ .cause = cause, .with = with,
						.stopped = stopped,
						.received = received };
		start_all(&stages[cause], runs[cause]);
	}
	for (enum cause cause = 0; cause < CAUSES; cause++)
		strike(&stages[cause], runs[cause], MANNERS);
	for (enum cause cause = 0; cause < CAUSES; cause++) {
		for (size_t i = 0; i < MANNERS; i++) {
			struct manner m = manner_of(cause, i);

			judge(&runs[cause][i], cause, &m);
		}
		close_stage(&stages[cause]);
	}
}

EVERY_WAY_WITH(every_end_in_every_manner, ALSO_UNDER(TREE_OF_USER))
{
	end_in_every_manner(with, false, false);
}

EVERY_WAY_WITH(every_end_of_a_stopped_command, PLAIN_IS_ENOUGH,
	       ALSO_UNDER(TREE_OF_USER))
{
	end_in_every_manner(with, true, false);
}

SystemTest(flags, every_end_of_a_received_command)
{
	end_in_every_manner("--autokill", false, true);
}

SystemTestWith(flags, every_end_of_a_received_command_that_is_stopped,
	       PLAIN_IS_ENOUGH)
{
	end_in_every_manner("--autokill", true, true);
}

SystemTest(flags, a_received_command_gets_signals_and_is_killed_with_spawnfd)
{
	struct stage stage = { .cause = PID, .with = "--autokill" };
	struct running r;
	pid_t command;

	open_stage(&stage);
	start_there(&stage, &r, &manners[MANNERS - 1]);
	command = open_pidfd(read_pid(r.out));
	ping_twice(&r, r.pid);
	kill(r.pid, SIGKILL);
	await_end(&r);
	expect_gone(command);
	close_running(&r);
	close(stage.given);
	close_stage(&stage);
}

/*
 * spawnfd stops with COMMAND, because both are in one process group. It ends
 * COMMAND when it is continued.
 */
EVERY_WAY_WITH(late_while_spawnfd_is_stopped_too, ALSO_UNDER(TREE_OF_USER))
{
	struct stage stage = { .cause = PID, .with = with, .stopped = true };
	struct own_terminal terminal;
	struct running r;
	struct ended e;

	open_own_terminal(&terminal);
	open_stage(&stage);
	start(&r, &(struct way){ .prepare = lead_group },
	      ARGV(spawnfd, stage.option, NOTHING, with, actor, "witness", "0",
		   "3", "stop"));
	await_state(read_pid(r.out), 'T');
	await_state(r.pid, 'T');
	strike(&stage, &r, 1);
	cr_expect_eq(poll(&(struct pollfd){ r.pidfd, POLLIN, 0 }, 1, 0), 0);
	kill(r.pid, SIGCONT);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	expect_status_line(&e, PID, true, 0);
	close_stage(&stage);
	close_own_terminal(&terminal);
}

/* ---- more than one cause ---- */

/*
 * COMMAND outlives the SIGTERM of the time limit. When the parent ends, spawnfd
 * sends the SIGKILL of --die-with-parent.
 */
EVERY_WAY(a_second_end_is_one_of_its_own)
{
	struct running r;
	struct ended e;
	char line[16];

	start(&r, NULL, ARGV(FROM_SH, spawnfd, "-t", ENOUGH,
			     "--die-with-parent", NOTHING, with, actor,
			     "witness", "0", "0"));
	read_pid(r.out);
	read_line(r.out, line, sizeof(line));
	cr_expect_str_eq(line, "15");
	read_line(r.out, line, sizeof(line));
	cr_expect_str_eq(line, "18");
	kill_parent(&r);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, "");
	expect_status_line(&e, PARENT, true, 0);
}

/* The --kill-after of the first cause goes on, and no signal is sent again. */
EVERY_WAY(a_second_end_does_not_set_the_clock_back)
{
	struct stage stage = { .cause = PID, .with = with };
	const struct way way = { .prepare = set_stage, .arg = &stage };
	struct running r;
	struct ended e;
	char line[16];

	open_stage(&stage);
	start(&r, &way, ARGV(spawnfd, stage.option, "--die-with-fd=7",
			     A_WHILE, NOTHING, with,
			     actor, "witness", "0", "0"));
	read_pid(r.out);
	strike(&stage, &r, 1);
	for (int i = 0; i < 2; i++)
		read_line(r.out, line, sizeof(line));
	close(stage.ours);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, "");
	expect_status_line(&e, PID, true, 0);
	kill_and_close(&stage.bystander);
}

/* A forwarded SIGTERM, or the signal of --signal, starts --kill-after. */
EVERY_WAY(a_signal_that_is_passed_on_starts_the_clock)
{
	struct running r;
	struct ended e;

	start(&r, NULL, ARGV(spawnfd, A_WHILE, NOTHING,
			     with, actor, "witness", "0", "0"));
	read_pid(r.out);
	read_running(r.err);
	ping_twice(&r, r.pid);
	kill(r.pid, SIGTERM);
	finish(&r, &e);
	expect_signal(&e, SIGKILL);
	cr_expect_str_eq(e.out, "15\n");
	expect_last_line(&e, "{\"exit-code\":137,\"signal\":9,\"core-dumped\":"
			 "false,\"ended-by\":\"signal\"}\n");

	/* COMMAND exits before the limit, so spawnfd has not ended it. */
	start(&r, NULL, ARGV(spawnfd, "--kill-after=1h", "-sINT", NOTHING,
			     with, actor, "witness", "2", "9"));
	read_pid(r.out);
	read_running(r.err);
	kill(r.pid, SIGINT);
	finish(&r, &e);
	expect_exit(&e, 9);
	expect_last_line(&e, "{\"exit-code\":9}\n");
}

EVERY_WAY(the_status_line_tells_of_the_signal_and_the_core)
{
	const struct way way = { .dir = scratch(), .prepare = allow_cores };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--timeout=50ms", "-sABRT", NOTHING, with,
			   actor, "hang"));
	expect_exit(&e, 124);
	expect_last_line(&e, "{\"exit-code\":124,\"signal\":6,\"core-dumped\":"
			 "true,\"ended-by\":\"timeout\"}\n");
	run(&e, &way, ARGV(spawnfd, "--timeout=50ms", NOTHING, with, actor,
			   "hang"));
	expect_exit(&e, 124);
	expect_last_line(&e, "{\"exit-code\":124,\"signal\":15,\"core-dumped\":"
			 "false,\"ended-by\":\"timeout\"}\n");
}

/* ---- called wrongly ---- */

static void expect_usage_error(const char *first, const char *second)
{
	const char *mark = scratch_path("mark");
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, first, second, actor, "mark", mark));
	expect_refusal(&e, 125);
	cr_expect(!exists(mark), "%s %s", first, second);
}

SystemTest(plain, ends_need_a_hold)
{
	static const char *const ends[] = {
		"--timeout=9", "--die-with-parent", "--die-with-pid=1",
		"--die-with-fd=0", "--kill-after=9", "-t9",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		expect_usage_error(ends[i], "--pass=/none");
		expect_usage_error(ends[i], "--pass=fd:0");
		expect_usage_error(ends[i], "--detach");
		expect_usage_error(ends[i], "--exact");
	}
	expect_usage_error("--signal=TERM", NOTHING);
	expect_usage_error("-sTERM", "--new-session");
}

SystemTest(plain, bad_values_are_refused)
{
	static const char *const values[] = {
		"--timeout=", "--timeout=-1", "--timeout=+1", "--timeout=1e1",
		"--timeout=inf", "--timeout=nan", "--timeout=0x10",
		"--timeout= 1", "--timeout=1 ", "--timeout=.",
		"--timeout=1S", "--timeout=1min", "--timeout=s",
		"--timeout=1.1.1", "--kill-after=", "--kill-after=-0",
		"--kill-after=1e1", "--kill-after=x", "--die-with-pid=",
		"--die-with-pid=0", "--die-with-pid=-1", "--die-with-pid=+1",
		"--die-with-pid=self", "--die-with-pid=1:", "--die-with-pid=:1",
		"--die-with-pid=1:0", "--die-with-pid=1:-1",
		"--die-with-pid=1:1:1", "--die-with-pid=0x1",
		"--die-with-pid=2147483648", "--die-with-pid=4294967297",
		"--die-with-fd=", "--die-with-fd=-1", "--die-with-fd=+1",
		"--die-with-fd=x", "--die-with-fd=2147483648",
		"--die-with-fd=4294967296", "--die-with-fd=0 ",
		"--signal=", "--signal=0", "--signal=none", "--signal=65",
		"--signal=-9", "--signal=NOSUCH", "--signal=SIGSIGTERM",
		"--signal=RTMIN+31", "--signal=RTMAX-31", "--signal=15 ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		expect_usage_error("--timeout=9", values[i]);
}
