/* SPDX-License-Identifier: MIT */
/* story - what main, the sources and the sinks hand on to each other. */
#ifndef STORY_H
#define STORY_H

#include "atomic_name.h"
#include "launch.h"
#include "messages.h"
#include "options.h"
#include "process.h"
#include "signals.h"
#include "text.h"
#include "triggers.h"

struct story {
	const struct options *options;
	struct audience audience;
	struct triggers triggers;	/* of a hold */
	struct launch launch;		/* of the source spawn */
	struct signals signals;
	struct process process;		/* from the source to the sink */
	struct text *payload;		/* of a pass, or received; or NULL */
	struct atomic_name pid_file;	/* of --pid-file */
};

static inline bool story_passes(const struct story *story)
{
	return options_has(story->options, OPT_PASS);
}

/*
 * The sink is a hold. A hold sees the exec from its loop; the other sinks get a
 * process whose exec is over.
 */
static inline bool story_holds(const struct story *story)
{
	return story->process.pidfd >= 0 &&
	       !(story->options->given & OPTIONS_WITHOUT_HOLD);
}

/* The user of --peer-uid, in *room; NULL without that option */
static inline const uid_t *story_allowed_peer(const struct story *story,
					      uid_t *room)
{
	*room = (uid_t)story->options->values[OPT_PEER_UID].number;
	return options_has(story->options, OPT_PEER_UID) ? room : NULL;
}

#endif
