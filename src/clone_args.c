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

/* What an option brings with it, unless --exact */
static uint64_t added_flags(const struct options *options, bool mapped)
{
	uint64_t flags = CLONE_PIDFD;

	if (options_has(options, OPT_KILL_TREE))
		flags |= CLONE_NEWPID | (mapped ? CLONE_NEWUSER : 0);
	if (!options_has(options, OPT_AUTOKILL))
		return flags;
	flags |= CLONE_AUTOREAP;
	/* for root too, so that a script means the same for everybody */
	if (!options_has(options, OPT_ALLOW_NEW_PRIVS))
		flags |= CLONE_NNP;
	return flags;
}

void clone_args_fill(const struct options *options, bool mapped,
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
		ret_args->flags |= added_flags(options, mapped);
	if (options_has(options, OPT_EXIT_SIGNAL))
		ret_args->exit_signal =
			options->values[OPT_EXIT_SIGNAL].number;
}

static const struct {
	uint64_t flags;		/* all of them, */
	uint64_t without;	/* none of these, */
	bool signal;		/* and perhaps an exit signal */
	const char *why;
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

/* The options given that cannot do their work without a pidfd */
static uint64_t wants_pidfd(const struct options *options,
			    const struct sys_clone_args *args)
{
	uint64_t wants = OPTIONS_NEEDING_PIDFD;

	/* where it fails, the process is to be killed; its pid may be reused */
	if (args->flags & CLONE_AUTOREAP)
		wants |= OPTION_BIT(OPT_PID_FILE);
	return options->given & wants;
}

int clone_args_check(const struct options *options,
		     const struct sys_clone_args *args,
		     struct mistake *ret_mistake)
{
	const char *rule = clone_args_rule(args);
	uint64_t wants = wants_pidfd(options, args);

	if (wants && !(args->flags & CLONE_PIDFD)) {
		*ret_mistake = (struct mistake){
			.kind = MISTAKE_NEEDS,
			.row = &table[__builtin_ctzll(wants)],
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
		      bool by_clone, struct text *text)
{
	const char *signal = name_signal((int)args->exit_signal);

	text_add(text, by_clone ? "clone(flags=" : "clone3({flags=");
	explain_flags(args->flags, text);
	if (signal)
		text_add(text, ", exit_signal=%s", signal);
	else
		text_add(text, ", exit_signal=%d", (int)args->exit_signal);
	if (cgroup && args->flags & CLONE_INTO_CGROUP) {
		text_add(text, ", cgroup=");
		text_add_word(text, cgroup);
	}
	if (by_clone)
		text_add(text, ")");
	else
		text_add(text, "}, %zu)", sizeof(*args));
}
