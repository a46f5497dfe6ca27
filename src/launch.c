/* SPDX-License-Identifier: MIT */
/* launch - see launch.h. It must never open or make anything. */
#include "launch.h"

#include <stdlib.h>

#include "clone_args.h"
#include "init.h"
#include "search.h"

int launch_from_options(const struct options *options, char **environment,
			struct launch *ret_launch, struct mistake *ret_mistake)
{
	const bool kills_tree = options_has(options, OPT_KILL_TREE);
	struct launch launch = {
		.cgroup = options_text(options, OPT_CGROUP),
		.command = options->command,
		.environment = environment,
		.exec_by_fd = options_has(options, OPT_EMPTY_MNTNS),
		.new_session = options_has(options, OPT_NEW_SESSION),
		.init = kills_tree ? init_run : NULL,
		.needs_id_map = kills_tree && !sys_is_admin(),
		.fallback = options_has(options, OPT_FALLBACK),
	};
	bool has_pidfd;
	int r;

	clone_args_fill(options, launch.needs_id_map, &launch.args);
	r = clone_args_check(options, &launch.args, ret_mistake);
	if (r < 0)
		return r;
	if (search_uses_path(*launch.command))
		launch.path = getenv("PATH");
	has_pidfd = launch.args.flags & CLONE_PIDFD;
	launch.job_control =
		has_pidfd && !(options->given & OPTIONS_WITHOUT_HOLD);
	launch.may_vfork =
		has_pidfd && !(options->given & OPTIONS_WITHOUT_VFORK);
	*ret_launch = launch;
	return 0;
}
