/* SPDX-License-Identifier: MIT */
/*
 * Which options go together. The list of options comes from --list-options, so
 * a new option is tried with all others without a change here. The rules are
 * written here a second time, after the manual.
 */
#include "command_lines.h"
#include "harness.h"

#include <ctype.h>

static const char *const exclusive[][2] = {
	{ "--autokill", "--detach" },
	{ "--pass", "--detach" },
	{ "--timeout", "--pass" }, { "--timeout", "--detach" },
	{ "--die-with-parent", "--pass" }, { "--die-with-parent", "--detach" },
	{ "--die-with-pid", "--pass" }, { "--die-with-pid", "--detach" },
	{ "--die-with-fd", "--pass" }, { "--die-with-fd", "--detach" },
	{ "--kill-after", "--pass" }, { "--kill-after", "--detach" },
	{ "--exec-fd", "--pass" }, { "--exec-fd", "--timeout" },
	{ "--exec-fd", "--die-with-parent" }, { "--exec-fd", "--die-with-pid" },
	{ "--exec-fd", "--die-with-fd" }, { "--exec-fd", "--kill-after" },
	{ "--nnp", "--allow-new-privs" },
	/* The sample is a signal; autoreap allows no exit signal. */
	{ "--autokill", "--exit-signal" },
	{ "--autoreap", "--exit-signal" },
};

/* The first needs one of the others. */
static const char *const needed[][6] = {
	{ "--allow-new-privs", "--autokill" },
	{ "--exec-fd", "--receive" },
	{ "--wait", "--pass", "--receive" },
	{ "--wait-tree", "--kill-tree" },
	{ "--peer-uid", "--pass", "--receive" },
	{ "--signal", "--timeout", "--die-with-parent", "--die-with-pid",
	  "--die-with-fd", "--kill-after" },
};

/* Options that need a process which spawnfd holds by a pidfd. */
static const char *const holding[] = {
	"--timeout", "--die-with-parent", "--die-with-pid", "--die-with-fd",
	"--signal", "--kill-after",
};

/* Options that do not say how COMMAND starts: --receive allows these alone. */
static const char *const sourceless[] = {
	"--receive", "--pass", "--wait", "--peer-uid", "--pid-file",
	"--status-fd", "--verbose", "--timeout", "--die-with-parent",
	"--die-with-pid", "--die-with-fd", "--signal", "--kill-after",
};

static bool either(const struct option *a, const struct option *b,
		   const char *name)
{
	return is(a, name) || is(b, name);
}

static bool is_one_of(const struct option *o, const char *const names[],
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(o, names[i]))
			return true;
	return false;
}

static bool is_sourceless(const struct option *o)
{
	return is_one_of(o, sourceless, ARRAY_SIZE(sourceless));
}

static bool is_holding(const struct option *o)
{
	return is_one_of(o, holding, ARRAY_SIZE(holding));
}

/* The rule of `exclusive`, which --exact switches off. */
static bool flags_go_together(const struct option *a, const struct option *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(exclusive); i++)
		if (either(a, b, exclusive[i][0]) &&
		    either(a, b, exclusive[i][1]))
			return false;
	return true;
}

static bool any_of(const struct option *a, const struct option *b,
		   const char *const names[], size_t n)
{
	return is_one_of(a, names, n) || is_one_of(b, names, n);
}

static bool needs_are_met(const struct option *a, const struct option *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		size_t n = 0;

		while (n < ARRAY_SIZE(needed[i]) && needed[i][n])
			n++;
		if (either(a, b, needed[i][0]) &&
		    !any_of(a, b, &needed[i][1], n - 1))
			return false;
	}
	return true;
}

static bool go_together(const struct option *a, const struct option *b)
{
	if (either(a, b, "--receive"))
		return is_sourceless(a) && is_sourceless(b) &&
		       needs_are_met(a, b);
	if (either(a, b, "--exact") &&
	    (either(a, b, "--fallback") || either(a, b, "--kill-tree")))
		return false;
	if (!either(a, b, "--exact"))
		return flags_go_together(a, b) && needs_are_met(a, b);
	/* --exact alone gives no pidfd, which --pass and a hold need. */
	return either(a, b, "--allow-new-privs") ||
	       (!either(a, b, "--pass") && !is_holding(a) && !is_holding(b) &&
		needs_are_met(a, b));
}

static bool speaks_of_address(const struct ended *e)
{
	return strncmp(e->err, "spawnfd: receive: /none/", 24) == 0 ||
	       strncmp(e->err, "spawnfd: connect: /none/", 24) == 0 ||
	       strncmp(e->err, "spawnfd: --pid-file: /none/", 27) == 0;
}

/* A receiver finds fault with its address or its pid file, not its options. */
static const char *not_a_receiver(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second));
	if (not_refused(&e, 125))
		return not_refused(&e, 125);
	if (!speaks_of_address(&e))
		return describe(&e, "the address to be refused");
	return not_refused_both(first, second);	/* with a command */
}

static const char *not_refused_receiver(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second));
	if (not_refused(&e, 125))
		return not_refused(&e, 125);
	if (speaks_of_address(&e))
		return describe(&e, "the options to be refused");
	return not_refused_both(first, second);
}

/* --exec-fd is the only option with which --receive takes a command. */
static const char *not_a_holder(const char *first, const char *second)
{
	struct ended e;

	run(&e, &usual, ARGV(spawnfd, first, second, actor));
	if (not_refused(&e, 125))
		return not_refused(&e, 125);
	if (!speaks_of_address(&e))
		return describe(&e, "the address to be refused");
	run(&e, &usual, ARGV(spawnfd, first, second));
	return not_begun(&e, "spawnfd: COMMAND is missing");
}

struct verdict {
	const char *wanted;	/* what the pair of options should do */
	const char *(*complain)(const char *first, const char *second);
};

static struct verdict verdict_on(const struct option *a, const struct option *b)
{
	if (answers(a) || answers(b))
		return (struct verdict){ "to be answered", not_answered };
	if (either(a, b, "--probe") || either(a, b, "--json"))
		return (struct verdict){ "to be refused with a command",
					 not_refused_both };
	if (either(a, b, "--receive") && either(a, b, "--exec-fd"))
		return (struct verdict){ "to receive for a command",
					 not_a_holder };
	if (either(a, b, "--receive"))
		return go_together(a, b) ?
			(struct verdict){ "to receive", not_a_receiver } :
			(struct verdict){ "to be refused with --receive",
					  not_refused_receiver };
	return go_together(a, b) ?
		(struct verdict){ "to be accepted", not_accepted } :
		(struct verdict){ "to be refused", not_refused_both };
}

static void try_pair(const struct option *a, const struct option *b)
{
	const struct verdict verdict = verdict_on(a, b);
	const char *complaint = verdict.complain(word(a), word(b));

	cr_expect_null(complaint, "%s with %s: the rules of \"what goes "
		       "together\" in option_pairs.c want them %s. %s", word(a),
		       word(b), verdict.wanted, complaint);
}

/*
 * Tries each pair in both orders, and each option with itself, which counts as
 * the option alone. A slow run tries a tenth of the pairs, with each option
 * among them.
 */
SystemTest(usage, every_pair_of_options)
{
	size_t step = 10 / (size_t)often(10);

	read_options();
	for (size_t i = 0; i < option_count; i++)
		for (size_t j = 0; j < option_count; j++)
			if ((i + j) % step == 0)
				try_pair(&options[i], &options[j]);
}

/*
 * --exec-fd goes with few options besides --receive. The manual says why: no
 * spawnfd is left to hold the process.
 */
SystemTest(usage, what_exec_fd_goes_with)
{
	static const char *const companions[] = {
		"--receive", "--exec-fd", "--wait", "--peer-uid", "--pid-file",
		"--status-fd", "--verbose",
	};
	struct ended e;

	read_options();
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &options[i];

		if (answers(o))
			continue;
		run(&e, &usual, ARGV(spawnfd, "--receive=/none/socket",
				     "--exec-fd=3", word(o), actor));
		expect_refusal(&e, 125);
		cr_expect_eq(speaks_of_address(&e),
			     is_one_of(o, companions, ARRAY_SIZE(companions)),
			     "%s: %s", o->name, e.err);
	}
}

/* The rules that take more than two options, or a value, to break or keep. */
SystemTest(usage, values_and_options_that_go_together)
{
	static const char *const accepted[][2] = {
		{ "--autoreap", "--exit-signal=0" },
		{ "--autokill", "--exit-signal=none" },
		{ "--raw-flags=CLONE_PARENT", "--exit-signal=0" },
		{ "--raw-flags=CLONE_AUTOREAP", "--exit-signal=0" },
		{ "--autokill", "--raw-flags=CLONE_NEWTIME" },
		{ "--raw-flags=1<<33", "--cgroup=/sys/fs/cgroup" },
		{ "--exact", "--raw-flags=CLONE_PARENT" },
		{ "--exact", "--raw-flags=CLONE_PIDFD_AUTOKILL" },
		{ "--pass=fd:9", "--peer-uid=7" },
		{ "--pass=@x", "--wait=0" },
		{ "--wait=99999999999999999999d", "-p/none/socket" },
		{ "--pidfd", "-p/none/socket" },
		{ "-t.5", "-sint" },
		{ "--die-with-pid=1:1", "--kill-after=0" },
		{ "--new-session", "--detach" },
		{ "--exact", "--empty-mntns" },
		{ "--die-with-fd=9", "--status-fd=9" },
	};
	static const char *const refused[][2] = {
		{ "--autoreap", "--raw-flags=CLONE_PARENT" },
		{ "--autokill", "--raw-flags=CLONE_PARENT" },
		{ "--raw-flags=CLONE_PARENT", "--exit-signal=USR1" },
		{ "--raw-flags=CLONE_AUTOREAP", "--exit-signal=CHLD" },
		{ "--raw-flags=CLONE_PIDFD_AUTOKILL", "--exit-signal=0" },
		{ "--raw-flags=CLONE_PIDFD_AUTOKILL", "--nnp" },
		{ "-v", "--raw-flags=CLONE_PARENT" },
		{ "-v", "--raw-flags=1<<33" },
		{ "-v", "--raw-flags=CLONE_INTO_CGROUP" },
		{ "--nnp", "--allow-new-privs" },
		{ "--exit-signal=TERM", "--autoreap" },
		{ "--pass=fd:9", "--wait=1" },
		{ "--pass=fd:9", "--wait=0" },
		{ "-p/none/socket", "-dv" },
		{ "-t0", "-d" },
		{ "-vsTERM", "--new-session" },
		{ "--receive=fd:9", "--die-with-fd=9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
		expect_accepted(accepted[i][0], accepted[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		expect_refused(refused[i][0], refused[i][1]);
}

/*
 * After --pass and --detach nobody holds COMMAND, but the init of --kill-tree
 * can still end what is left of its tree.
 */
SystemTest(usage, kill_after_goes_with_a_pass_of_a_tree)
{
	static const char *const sinks[] = { "--pass=/none/socket",
					     "--detach" };
	static const char *const ends[] = { "--kill-after=1", "--wait-tree" };
	struct ended e;

	for (size_t s = 0; s < ARRAY_SIZE(sinks); s++) {
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
			run(&e, &usual, ARGV(spawnfd, "--dry-run",
					     "--kill-tree", sinks[s], ends[i],
					     actor));
			expect_exit(&e, 0);
		}
		run(&e, &usual, ARGV(spawnfd, "--dry-run", "--kill-tree",
				     sinks[s], "--kill-after=1", "--signal=INT",
				     actor));
		expect_exit(&e, 0);
		run(&e, &usual, ARGV(spawnfd, "--kill-tree", sinks[s],
				     "--kill-after=1", "--timeout=1", actor));
		expect_fine(not_bad_usage(&e));
		run(&e, &usual, ARGV(spawnfd, sinks[s], "--kill-after=1",
				     actor));
		expect_fine(not_bad_usage(&e));
		expect_said(&e, " without --kill-tree: ");
		run(&e, &usual, ARGV(spawnfd, "--kill-tree", sinks[s],
				     "--signal=INT", actor));
		expect_fine(not_bad_usage(&e));
		expect_said(&e, "--signal: needs ");
	}
}

/* --wait limits --receive=fd:N too. It has no meaning for --pass=fd:N alone. */
SystemTest(usage, wait_goes_with_an_inherited_socket_of_a_receiver)
{
	static const char *const others[] = { NULL, "--pass=/none/socket" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		run(&e, &usual, ARGV(spawnfd, "--wait=1", "--receive=fd:9",
				     others[i]));
		expect_refusal(&e, 125);
		expect_begun(&e, "spawnfd: --receive: fd:9: not a socket");
	}
	run(&e, &usual, ARGV(spawnfd, "--wait=1", "--receive=/none/socket",
			     "--pass=fd:9"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --pass: fd:9: not a socket");
}

/* Under --exact there is a pidfd only if --pidfd or a raw flag asks for it. */
SystemTest(usage, exact_passes_only_a_pidfd_that_was_asked_for)
{
	static const char *const asking[] = { "--pidfd",
		"--raw-flags=CLONE_PIDFD", "--raw-flags=1<<12" };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(asking); i++) {
		run(&e, NULL, ARGV(spawnfd, "--exact", "--dry-run", asking[i],
				   "--pass=/none/socket", actor));
		expect_exit(&e, 0);
	}
	run(&e, NULL, ARGV(spawnfd, "--exact", "--autokill", "--autoreap",
			   "--nnp", "-p/none/socket", actor));
	expect_fine(not_bad_usage(&e));
	expect_said(&e, "--pidfd");
}

SystemTest(usage, a_receiver_has_no_command)
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--receive=/none/socket", "--", actor));
	expect_fine(not_bad_usage(&e));
	run(&e, NULL, ARGV(spawnfd, "--receive", "/none/socket", actor));
	expect_fine(not_bad_usage(&e));
	run(&e, NULL, ARGV(spawnfd, "--receive=/none/socket", "--"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: receive: /none/socket: ");
}
