/* SPDX-License-Identifier: MIT */
/* clone_args - see clone_args.h. It must never ask the kernel anything. */
#include "clone_args.h"

#include <errno.h>
#include <signal.h>

#include "explain.h"
#include "names.h"

uint64_t clone_args_requested(const struct options *options)
{
	uint64_t flags = options_flags(options);

	for (uint64_t left = options->given; left; left &= left - 1)
		flags |= table[__builtin_ctzll(left)].flag;
	return flags;
}

/* The flags that spawnfd adds without --exact */
static uint64_t added_flags(const struct options *options, bool needs_id_map)
{
	uint64_t flags = CLONE_PIDFD;

	if (options_has(options, OPT_KILL_TREE))
		flags |= CLONE_NEWPID | (needs_id_map ? CLONE_NEWUSER : 0);
	if (!options_has(options, OPT_AUTOKILL))
		return flags;
	flags |= CLONE_AUTOREAP;
	/* Root gets it too, so that a script does the same for every user. */
	if (!options_has(options, OPT_ALLOW_NEW_PRIVS))
		flags |= CLONE_NNP;
	return flags;
}

void clone_args_fill(const struct options *options, bool needs_id_map,
		     struct sys_clone_args *ret_args)
{
	bool exact = options_has(options, OPT_EXACT);
	bool autoreap = options_has(options, OPT_AUTOKILL) ||
			options_has(options, OPT_AUTOREAP);

	*ret_args = (struct sys_clone_args){
		.flags = clone_args_requested(options),
		.exit_signal = autoreap && !exact ? 0 : SIGCHLD,
	};
	if (!exact)
		ret_args->flags |= added_flags(options, needs_id_map);
	if (options_has(options, OPT_EXIT_SIGNAL))
		ret_args->exit_signal =
			options->values[OPT_EXIT_SIGNAL].number;
}

/* A call breaks a rule if every field but why matches it */
static const struct {
	uint64_t flags;		/* the call has all of these flags */
	uint64_t without;	/* the call has none of these flags */
	bool signal;		/* true: the call has an exit signal */
	const char *why;	/* the rule, in words */
} rules[] = {
	{ CLONE_PIDFD_AUTOKILL, CLONE_PIDFD, false,
	  "CLONE_PIDFD_AUTOKILL needs CLONE_PIDFD" },
	{ CLONE_PIDFD_AUTOKILL, CLONE_AUTOREAP, false,
	  "CLONE_PIDFD_AUTOKILL needs CLONE_AUTOREAP" },
	{ CLONE_AUTOREAP, 0, true,
	  "CLONE_AUTOREAP takes no exit signal: give --exit-signal=0" },
	{ CLONE_AUTOREAP | CLONE_PARENT, 0, false,
	  "CLONE_AUTOREAP cannot be combined with CLONE_PARENT" },
	{ CLONE_PARENT, 0, true,
	  "CLONE_PARENT takes no exit signal: give --exit-signal=0" },
	{ CLONE_DETACHED, 0, false, "CLONE_DETACHED means nothing to clone3" },
	{ CLONE_NEWIPC | CLONE_SYSVSEM, 0, false,
	  "CLONE_NEWIPC cannot be combined with CLONE_SYSVSEM" },
};

const char *clone_args_rule(const struct sys_clone_args *args)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((args->flags & rules[i].flags) == rules[i].flags &&
		    !(args->flags & rules[i].without) &&
		    (!rules[i].signal || args->exit_signal))
			return rules[i].why;
	return NULL;
}

/* The given options that cannot work without a pidfd */
static uint64_t options_needing_pidfd(const struct options *options,
				      const struct sys_clone_args *args)
{
	uint64_t needing = OPTIONS_NEEDING_PIDFD;

	/*
	 * If the PID file cannot be written, spawnfd kills COMMAND. An
	 * autoreaped COMMAND may be gone by then, and its pid in use again.
	 */
	if (args->flags & CLONE_AUTOREAP)
		needing |= OPTION_BIT(OPT_PID_FILE);
	return options->given & needing;
}

int clone_args_check(const struct options *options,
		     const struct sys_clone_args *args,
		     struct mistake *ret_mistake)
{
	const char *rule = clone_args_rule(args);
	uint64_t needing = options_needing_pidfd(options, args);

	if (needing && !(args->flags & CLONE_PIDFD)) {
		*ret_mistake = (struct mistake){
			.kind = MISTAKE_NEEDS,
			.row = &table[__builtin_ctzll(needing)],
			.others = OPTION_BIT(OPT_PIDFD),
		};
		return -EINVAL;
	}
	if (!rule || options_has(options, OPT_EXACT))
		return 0;
	*ret_mistake = (struct mistake){ .kind = MISTAKE_FLAGS, .word = rule };
	return -EINVAL;
}

void clone_args_print(const struct sys_clone_args *args, const char *cgroup,
		      bool use_old_clone, struct text *text)
{
	const char *signal = name_signal((int)args->exit_signal);

	text_add(text, use_old_clone ? "clone(flags=" : "clone3({flags=");
	explain_flags(args->flags, text);
	if (signal)
		text_add(text, ", exit_signal=%s", signal);
	else
		text_add(text, ", exit_signal=%d", (int)args->exit_signal);
	if (cgroup && args->flags & CLONE_INTO_CGROUP) {
		text_add(text, ", cgroup=");
		text_add_word(text, cgroup);
	}
	if (use_old_clone)
		text_add(text, ")");
	else
		text_add(text, "}, %zu)", sizeof(*args));
}
