/* SPDX-License-Identifier: MIT */
/*
 * hold_tree - the outer hold's side of the socket to the init of --kill-tree:
 * what the init tells of COMMAND, and the questions that spawnfd asks it.
 */
#ifndef HOLD_TREE_H
#define HOLD_TREE_H

#include "held.h"
#include "notice.h"

/*
 * Takes the next notice off the socket; false if there is none. Sets
 * hold->notice_fd to -1 when the other end is gone. For both ends.
 */
bool tree_next_notice(struct hold *hold, struct notice *ret_notice);

/* ROLE_OUTER: takes all notices that are there, and notes what they say */
void tree_handle_notices(struct hold *hold);

/*
 * ROLE_OUTER: whether the init has said if COMMAND was executed; also true when
 * the init is gone and will not say it any more.
 */
bool tree_exec_is_known(struct hold *hold);

/*
 * ROLE_OUTER: asks the init ASK_STILL_STOPPED or ASK_CHANGED. 1 for yes, 0 for
 * no, -1 if the init is gone or does not reply within CLOCK_PATIENCE_NS.
 */
int tree_ask(struct hold *hold, enum notice_kind question);

#endif
