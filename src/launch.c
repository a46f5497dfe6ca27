/* SPDX-License-Identifier: MIT */
/* launch - see launch.h. It must never open or make anything. */
#include "launch.h"

#include <stdlib.h>

#include "clone_args.h"
#include "init.h"
#include "search.h"

void launch_name_command(const struct options *options, char **environment,
			 struct launch *launch)
{
	launch->command = options->command;
	launch->environment = environment;
	if (search_uses_path(*launch->command))
		launch->path = getenv("PATH");
}

int launch_from_options(const struct options *options, char **environment,
			struct launch *launch, struct mistake *ret_mistake)
{
	bool has_pidfd;
	int r;

	if (options_has(options, OPT_KILL_TREE)) {
		launch->init = init_run;
		launch->init_triggers = triggers_of_end(options);
		launch->waits_for_tree = options_has(options, OPT_WAIT_TREE);
		launch->needs_id_map = !sys_is_admin();
	}
	clone_args_fill(options, launch->needs_id_map, &launch->args);
	r = clone_args_check(options, &launch->args, ret_mistake);
	if (r < 0)
		return r;
	launch->cgroup = options_text(options, OPT_CGROUP);
	launch_name_command(options, environment, launch);
	launch->exec_by_fd = options_has(options, OPT_EMPTY_MNTNS);
	launch->new_session = options_has(options, OPT_NEW_SESSION);
	launch->fallback = options_has(options, OPT_FALLBACK);
	has_pidfd = launch->args.flags & CLONE_PIDFD;
	launch->job_control =
		has_pidfd && !(options->given & OPTIONS_WITHOUT_HOLD);
	/* --exact and --raw-flags make a call that nothing is added to. */
	launch->checks_exec = has_pidfd && !launch->job_control &&
			      !options_has(options, OPT_EXACT) &&
			      !options_has(options, OPT_RAW_FLAGS);
	if (launch->checks_exec && !options_has(options, OPT_EXIT_SIGNAL))
		launch->args.exit_signal = 0;
	launch->tells_left = launch->job_control &&
			     (options_has(options, OPT_VERBOSE) ||
			      options_has(options, OPT_STATUS_FD));
	launch->may_vfork =
		has_pidfd && !(options->given & OPTIONS_WITHOUT_VFORK);
	return 0;
}
