/* SPDX-License-Identifier: MIT */
/*
 * story - all that spawnfd knows about this run. main fills it, a source adds
 * the process, and a sink uses it.
 */
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
	struct triggers triggers;	/* why spawnfd might end COMMAND */
	/* COMMAND; zero with --receive, but names that of --exec-fd */
	struct launch launch;
	struct signals signals;
	struct process process;		/* a source fills it for a sink */
	/* the message of --pass or --receive; NULL without these */
	struct text *payload;
	struct atomic_name pid_file;	/* --pid-file; not open without it */
};

/* Whether --pass was given */
static inline bool story_passes(const struct story *story)
{
	return options_has(story->options, OPT_PASS);
}

/*
 * Whether spawnfd holds the process until it ends. Needs the process. A hold
 * waits for the exec in its loop; the other sinks get a process that has been
 * executed.
 */
static inline bool story_holds(const struct story *story)
{
	return story->process.pidfd >= 0 &&
	       !(story->options->given & OPTIONS_WITHOUT_HOLD);
}

/* The uid of --peer-uid, stored in *room; NULL without that option */
static inline const uid_t *story_allowed_peer(const struct story *story,
					      uid_t *room)
{
	*room = (uid_t)story->options->values[OPT_PEER_UID].number;
	return options_has(story->options, OPT_PEER_UID) ? room : NULL;
}

#endif
