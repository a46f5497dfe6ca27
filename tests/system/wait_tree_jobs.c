/* SPDX-License-Identifier: MIT */
/*
 * --wait-tree in a terminal: Ctrl-C and Ctrl-Z reach what COMMAND has left. The
 * leader of its process group, which spawnfd has made, counts for nothing.
 */
#include "harness.h"
#include "terminal.h"

/* COMMAND exits with 7, and leaves a process that tells of a signal. */
static struct player start_daemon(struct terminal *t, const char *where,
				  const char *signal)
{
	char line[128];

	open_shell(t, "--kill-tree --wait-tree --autokill");
	snprintf(line, sizeof(line),
		 "$S $A daemonize 7 %s tally $E $O %s 64\r", where, signal);
	type(t, line);
	return meet(t);
}

/* The process ends, and so does spawnfd, with the status of COMMAND. */
static void end_daemon(struct terminal *t)
{
	order(t, "4");
	prompt(t);
	type(t, STATUS);
	await_text(t, "=7");
	prompt(t);
	close_shell(t);
}

SystemTest(flags, wait_tree_lets_control_c_reach_a_daemon)
{
	struct terminal t;
	struct player p;

	p = start_daemon(&t, "session", "2");
	type(&t, CONTROL_C);
	expect_event(&t, SIGINT, "user");
	expect_silence(&t, &p);
	end_daemon(&t);
}

/* A process in the group of COMMAND gets Ctrl-C once, from the kernel. */
SystemTest(flags, wait_tree_sends_control_c_to_its_group_once)
{
	struct terminal t;
	struct player p;

	p = start_daemon(&t, "group", "2");
	for (int i = 0; i < 20; i++) {
		type(&t, CONTROL_C);
		expect_key(&t, &p, SIGINT);
		expect_silence(&t, &p);
	}
	end_daemon(&t);
}

SystemTest(flags, wait_tree_stops_and_goes_on_with_its_group)
{
	struct terminal t;
	struct player p;

	p = start_daemon(&t, "group", "18");
	for (int i = 0; i < 5; i++) {
		type(&t, CONTROL_Z);
		await_text(&t, "Stopped");
		prompt(&t);
		/* spawnfd does not wait for those that it did not start. */
		await_state(p.pid, 'T');
		cr_expect_eq(state_of(p.holder), 'T');
		type(&t, "fg\r");
		expect_event(&t, SIGCONT, "user");
		expect_silence(&t, &p);
	}
	end_daemon(&t);
}

/* ---- the leader of the group ---- */

static void end_at_terminal(const char *const argv[], uid_t uid,
			    const char *counted)
{
	struct terminal t;
	const struct way way = { .uid = uid, .prepare = enter, .arg = &t };

	set_up(&t, NULL);
	start(&t.r, &way, argv);
	await_text(&t, "spawnfd-group\r\n");
	await_text(&t, counted);
	expect_exits(&t.r, 3);
	cr_expect_null(strstr(t.text, "leaves"), "%s", t.text);
	tear_down(&t);
}

/* spawnfd has started the leader of COMMAND's group, which never ends. */
SystemTest(flags, wait_tree_does_not_wait_for_the_leader_of_its_group)
{
	static const uid_t users[] = { 0, NOBODY };
	/* The leader may be named after COMMAND has begun. */
	static const char script[] =
		"until grep -s spawnfd-group /proc/2/comm; do :; done; exit 3";

	for (int i = 0; i < 2; i++) {
		end_at_terminal(ARGV(spawnfd, "--kill-tree", "-v",
				     "--status-fd=2", "sh", "-c", script),
				users[i], "{\"exit-code\":3,\"left\":0}\r\n");
		end_at_terminal(ARGV(spawnfd, "--kill-tree", "-v",
				     "--status-fd=2", "--wait-tree",
				     "--timeout=60", "sh", "-c", script),
				users[i], "{\"exit-code\":3,\"left\":0}\r\n");
		end_at_terminal(ARGV(spawnfd, "--kill-tree", "-v",
				     "--status-fd=2", "--kill-after=60", "sh",
				     "-c", script),
				users[i], "{\"exit-code\":3,\"left\":0,"
				"\"killed\":0}\r\n");
	}
}

/* Nor is the leader counted where something else is left. */
SystemTest(flags, wait_tree_counts_without_the_leader_of_its_group)
{
	struct terminal t;

	set_up(&t, NULL);
	start_in(&t, ARGV(spawnfd, "--kill-tree", "-v", "--status-fd=2",
			  "--kill-after=4", actor, "grove", "6", "7"));
	await_text(&t, "grown");
	type(&t, "\r");
	await_text(&t, "{\"exit-code\":7,\"left\":6,\"killed\":1}\r\n");
	expect_exits(&t.r, 7);
	cr_expect_null(strstr(t.text, "spawnfd-group"), "%s", t.text);
	tear_down(&t);
}

/*
 * The kernel does not let Ctrl-Z stop a daemon, whose process group is
 * orphaned: setpgid(2). spawnfd stops, as the shell expects.
 */
SystemTest(flags, wait_tree_stops_and_goes_on_without_a_daemon)
{
	struct terminal t;
	struct player p;

	p = start_daemon(&t, "session", "18");
	type(&t, CONTROL_Z);
	await_text(&t, "Stopped");
	prompt(&t);
	cr_expect_eq(state_of(p.holder), 'T');
	type(&t, "fg\r");
	expect_event(&t, SIGCONT, "user");
	expect_silence(&t, &p);
	end_daemon(&t);
}

static void note_actor(pid_t child, void *arg)
{
	char name[32];

	name_of(child, name, sizeof(name));
	if (strcmp(name, "actor") == 0)
		*(pid_t *)arg = child;
}

/*
 * The init is stopped, and so learns of Ctrl-C and of the end of COMMAND at the
 * same time. --timeout ends the daemon if Ctrl-C is lost.
 */
SystemTest(flags, wait_tree_gets_control_c_that_comes_with_the_end)
{
	struct terminal t;
	pid_t init, command = 0;

	set_up(&t, NULL);
	start_in(&t, ARGV(spawnfd, "--kill-tree", "--wait-tree",
			  "--timeout=20", actor, "grove", "2", "7"));
	await_text(&t, "grown");
	init = child_of(t.r.pid);
	for_each_child(init, note_actor, &command);
	cr_assert_gt(command, 0);
	kill(init, SIGSTOP);
	await_state(init, 'T');
	type(&t, "\r");
	await_state(command, 'Z');
	kill(t.r.pid, SIGINT);
	await_handled(t.r.pid, UINT64_C(1) << (SIGINT - 1));
	kill(init, SIGCONT);
	expect_exits(&t.r, 7);
	await_text(&t, "2\r\n");
	await_text(&t, "2\r\n");
	tear_down(&t);
}
