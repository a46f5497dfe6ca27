/* SPDX-License-Identifier: MIT */
/*
 * hold_tree - reads what the init of --kill-tree tells spawnfd about COMMAND,
 * and asks the init questions. Both use the socket hold->notice_fd.
 */
#ifndef HOLD_TREE_H
#define HOLD_TREE_H

#include "held.h"
#include "notice.h"

/*
 * Takes the next notice from the socket without waiting; gives false if there
 * is none. Sets hold->notice_fd to -1 if the peer has ended. The hold of the
 * init uses this function too.
 */
bool tree_next_notice(struct hold *hold, struct notice *ret_notice);

/* ROLE_OUTER: takes all notices from the socket, and notes what they say */
void tree_handle_notices(struct hold *hold);

/*
 * ROLE_OUTER: whether the outcome of the exec is known. Takes the notices up
 * to that one. Also gives true if the init has ended without telling it.
 */
bool tree_exec_is_known(struct hold *hold);

/*
 * ROLE_OUTER: asks the init ASK_ENDED, ASK_STILL_STOPPED or ASK_CHANGED, and
 * waits for the reply. Gives 1 for yes, 0 for no, and -1 if the init has ended,
 * or sends nothing for CLOCK_PATIENCE_NS. A reply that comes after that counts
 * for no other question. Notes what other notices say meanwhile.
 */
int tree_ask(struct hold *hold, enum notice_kind question);

/*
 * ROLE_OUTER: whether COMMAND has ended, and with --wait-tree the rest of its
 * tree too. Asks the init unless it has told.
 */
bool tree_is_over(struct hold *hold);

#endif
