/* SPDX-License-Identifier: MIT */
/*
 * --wait-tree in a terminal: Ctrl-C and Ctrl-Z reach what COMMAND has left. The
 * leader of its process group, which spawnfd has made, counts for nothing.
 */
#include "harness.h"
#include "terminal.h"

static void open_tree_shell(struct terminal *t)
{
	open_shell(t, "--kill-tree --wait-tree --autokill");
}

SystemTest(flags, wait_tree_lets_control_c_reach_a_daemon)
{
	struct terminal t;
	struct player p;

	open_tree_shell(&t);
	type(&t, "$S $A daemonize 7 session tally $E $O 2 64\r");
	p = meet(&t);
	type(&t, CONTROL_C);
	expect_event(&t, SIGINT, "user");
	expect_silence(&t, &p);
	order(&t, "4");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=7");
	prompt(&t);
	close_shell(&t);
}

/* A process in the group of COMMAND gets Ctrl-C once, from the kernel. */
SystemTest(flags, wait_tree_sends_control_c_to_its_group_once)
{
	struct terminal t;
	struct player p;

	open_tree_shell(&t);
	type(&t, "$S $A daemonize 7 group tally $E $O 2 64\r");
	p = meet(&t);
	for (int i = 0; i < 20; i++) {
		type(&t, CONTROL_C);
		expect_event(&t, SIGINT, "kernel");
		expect_silence(&t, &p);
	}
	order(&t, "4");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=7");
	prompt(&t);
	close_shell(&t);
}

SystemTest(flags, wait_tree_stops_and_goes_on_with_its_group)
{
	struct terminal t;
	struct player p;

	open_tree_shell(&t);
	type(&t, "$S $A daemonize 7 group tally $E $O 18 64\r");
	p = meet(&t);
	for (int i = 0; i < 5; i++) {
		type(&t, CONTROL_Z);
		await_text(&t, "Stopped");
		prompt(&t);
		cr_expect_eq(state_of(p.pid), 'T');
		cr_expect_eq(state_of(p.holder), 'T');
		type(&t, "fg\r");
		expect_event(&t, SIGCONT, "user");
		expect_silence(&t, &p);
	}
	order(&t, "4");
	prompt(&t);
	type(&t, STATUS);
	await_text(&t, "=7");
	prompt(&t);
	close_shell(&t);
}
