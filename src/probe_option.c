/* SPDX-License-Identifier: MIT */
/* probe_option - see probe_option.h. It must never make a process. */
#include "probe_option.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "diagnose.h"
#include "id_map.h"
#include "launch.h"
#include "probe.h"

/* Cuts off the line that EXPLAIN_HINT has begun */
static void keep_first_line(struct text *text)
{
	text->length = strcspn(text->bytes, "\n");
	text->bytes[text->length] = '\0';
}

/* Says why clone3 has refused the call with this errno */
static enum support deny(const struct launch *launch, int error,
			 struct text *why)
{
	struct refusal refusal;

	diagnose_refusal(launch, false, error, &refusal);
	if (why) {
		explain_refusal(&refusal, why);
		keep_first_line(why);
	}
	if (refusal.clone3 == CLONE3_MISSING)
		return SUPPORT_NO;
	/* Under unshare --pid, EINVAL is not about the kernel. */
	return error == EINVAL && !refusal.is_unshared ? SUPPORT_NO
						       : SUPPORT_DENIED;
}

/* Gives 0 if the ids of the user namespace can be written, or an error */
static int check_id_map(void)
{
	struct utsname system = { 0 };
	int r = id_map_check();

	uname(&system);
	/* user_namespaces(7): since 5.12, to map id 0 takes CAP_SETFCAP. */
	if (r >= 0 && geteuid() == 0 && !sys_has_setfcap() &&
	    !probe_is_older(system.release, 5, 12))
		r = -EPERM;
	return r;
}

/* Says why the ids of the user namespace cannot be written */
static enum support deny_map(int r, struct text *why)
{
	const struct failure failure = { .step = STEP_MAP, .error = -r };

	if (why) {
		explain_failure(&failure, why);
		keep_first_line(why);
	}
	return SUPPORT_DENIED;
}

enum support probe_option(const struct option_row *option, uint64_t *ret_flags,
			  struct text *why)
{
	char none[] = "", *command[] = { none, NULL };
	const struct options options = {
		.given = OPTION_BIT(option - table),
		.command = command,
	};
	struct launch launch = { .needs_id_map = false };
	struct mistake mistake;
	int r;

	/* An option by itself breaks no rule. */
	launch_from_options(&options, NULL, &launch, &mistake);
	*ret_flags = launch.args.flags & ~(uint64_t)CLONE_PIDFD;
	r = probe_call(&launch.args);
	if (r != EFAULT)
		return deny(&launch, r, why);
	r = launch.needs_id_map ? check_id_map() : 0;
	return r < 0 ? deny_map(r, why) : SUPPORT_YES;
}
