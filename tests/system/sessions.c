/* SPDX-License-Identifier: MIT */
/*
 * spawnfd outside of the usual session or process group: under nohup and
 * setsid, in the background of a shell, and with --new-session.
 */
#include "harness.h"
#include "hearing.h"

/* ---- started by other programs ---- */

/* A shell looks up nohup or setsid in PATH, and executes it. */
#define WITH(script, with) \
	ARGV("/bin/sh", "-c", script, "sh", spawnfd, with, actor, "hear")

EVERY_WAY(under_nohup)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, NULL, WITH("exec nohup \"$@\" 2>/dev/null", with));
	cr_expect_eq(signals_of(h.command, "SigIgn:"), BIT(SIGHUP));
	kill(h.r.pid, SIGHUP);
	hears(&h, SIGHUP);
	hears_no_more(&h);
	kill(h.r.pid, SIGTERM);
	hears(&h, SIGTERM);
	end_hearing(&h, &e);
}

EVERY_WAY(under_setsid)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, NULL, WITH("exec setsid \"$@\"", with));
	cr_expect_eq(getsid(h.r.pid), h.r.pid);
	cr_expect_eq(getsid(h.command), h.r.pid);
	kill(h.r.pid, SIGHUP);
	hears(&h, SIGHUP);
	end_hearing(&h, &e);
}

/*
 * Without job control, sh(1) starts a background job with SIGINT and SIGQUIT
 * ignored, and with /dev/null as its input.
 */
EVERY_WAY(in_the_background)
{
	struct running r;
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "\"$@\" exit 42 & wait $!; "
			   "exit $?", "sh", spawnfd, with, actor));
	expect_exit(&e, 42);
	start(&r, NULL, ARGV("/bin/sh", "-c", "\"$@\" hang & read x; "
			     "kill -INT $!; kill -TERM $!; wait $!; exit $?",
			     "sh",
			     spawnfd, with, actor));
	read_pid(r.out);
	cr_assert_eq(write(r.in, "\n", 1), 1);
	expect_exits(&r, 128 + SIGTERM);
}

/* ---- --new-session ---- */

/* A script that sends a signal to its whole group and survives it */
#define KILL_0 "exec 8<&0; trap : 40; trap 'kill -40 0' USR1; " \
	       "\"$@\" hear <&8 & while kill -0 $! 2>/dev/null; " \
	       "do wait $!; done; exit 5"

static void kill_0(const char *with, const char *session, int times)
{
	struct hearing h;
	struct ended e;

	start_hearing(&h, &job, ARGV("/bin/sh", "-c", KILL_0, "sh", spawnfd,
				     session, with, actor));
	kill(h.r.pid, SIGUSR1);
	for (int i = 0; i < times; i++)
		hears(&h, 40);
	close(h.r.in);
	h.r.in = -1;
	finish(&h.r, &e);
	expect_exit(&e, 5);
	cr_expect_str_eq(e.out, "");
	cr_expect_eq(h.at, h.end);
}

EVERY_WAY_WITH(kill_0_of_a_script_reaches_a_session_once,
	       ALSO_UNDER(TREE_OF_USER))
{
	kill_0(with, "--new-session", 1);
}

/* The man page says so. It shows too that the test above can fail. */
EVERY_WAY_WITH(kill_0_of_a_script_reaches_its_own_group_twice, NOT_UNDER(TREE,
	"count the processes of a group, and the init of the tree is one more"))
{
	kill_0(with, NOTHING, 2);
}

static void start_family(struct running *r, const char *option,
			 const char *with)
{
	start(r, &job, ARGV(spawnfd, "--new-session", option, with, actor,
			    "family", "stay"));
	read_pid(r->out);
	read_pid(r->out);
}

/* The child of COMMAND is left to the test, or dies with the tree. */
static void finish_family(struct running *r, struct ended *e)
{
	finish(r, e);
	cr_expect(kills_tree() || wait(NULL) > 0);
}

EVERY_WAY_WITH(signals_reach_the_whole_session, ALSO_UNDER(TREE_OF_USER))
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, 40 };
	struct running r;
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		start_family(&r, NOTHING, with);
		kill(r.pid, signals[i]);
		finish_family(&r, &e);
		expect_signal(&e, signals[i]);
	}
}

EVERY_WAY_WITH(ends_reach_the_whole_session, ALSO_UNDER(TREE_OF_USER))
{
	struct running r;
	struct ended e;

	start_family(&r, "--timeout=2", with);
	finish_family(&r, &e);
	expect_exit(&e, 124);
	start(&r, &job, ARGV(spawnfd, "--new-session", "--timeout=2",
			     "-sKILL", with, actor, "family", "stay"));
	finish_family(&r, &e);
	expect_exit(&e, 137);
}

/* Before Linux 6.9, pidfd_send_signal(2) cannot send to a group. */
SystemTestWith(plain, signals_reach_a_session_without_a_flag,
	       ALSO_UNDER(REFUSALS | OLD))
{
	const struct way way = { .prepare = deny_signal_flags };
	struct running r;

	start(&r, &way, ARGV(spawnfd, "--new-session", actor, "family",
			     "stay"));
	read_pid(r.out);
	read_pid(r.out);
	kill(r.pid, SIGTERM);
	expect_dies(&r, SIGTERM);
	reap_orphans();
	start(&r, &way, ARGV(spawnfd, "--new-session", "--timeout=2", "-sKILL",
			     actor, "family", "stay"));
	expect_exits(&r, 137);
	reap_orphans();
}
