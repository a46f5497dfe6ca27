/* SPDX-License-Identifier: MIT */
/* hold_tree - see hold_tree.h. It must never wait long for the init. */
#include "hold_tree.h"

#include <errno.h>

#include "clock.h"
#include "sys.h"

bool tree_next_notice(struct hold *hold, struct notice *ret_notice)
{
	int r = notice_take(hold->notice_fd, ret_notice);

	/* No notice can come any more. */
	if (r <= 0 && r != -EAGAIN)
		hold->notice_fd = -1;
	return r > 0;
}

/* Notes what a notice says about COMMAND */
static void handle_notice(struct hold *hold, const struct notice *notice)
{
	struct hold_tree *tree = &hold->tree;

	switch (notice->kind) {
	case NOTICE_STOPPED:
	case NOTICE_STOPPED_FOREGROUND:
		hold->stop.is_shared = true;
		/* fall through */
	case NOTICE_STOPPED_ALONE:
		hold->stop.in_foreground =
			notice->kind == NOTICE_STOPPED_FOREGROUND;
		tree->reported_stop = notice->value;
		break;
	case NOTICE_GROUP_SIGNAL:
		tree->group_signals.bits |= SYS_SIGBIT(notice->value);
		break;
	case NOTICE_REPLY:
		/* The reply to an earlier question has come too late. */
		if ((notice->value & ~1) == tree->question)
			tree->reply = notice->value & 1;
		break;
	case NOTICE_EXECUTED:
	case NOTICE_FAILED:
		/* The first of these is about the exec. */
		if (tree->exec_known)
			tree->init_error = notice->value;
		else
			hold->process->exec_outcome = *notice;
		tree->exec_known = true;
		break;
	case NOTICE_ENDED:
		tree->command_ended = true;
		tree->command_status = notice->value;
		break;
	case NOTICE_LEFT:
		tree->left = notice->value;
		break;
	case NOTICE_KILLED:
		tree->killed = notice->value;
		break;
	case NOTICE_LEFT_ONE:
	case NOTICE_KILLED_ONE:
		hold->observer->left(hold->observer->context, notice->value,
				     notice->name,
				     notice->kind == NOTICE_KILLED_ONE);
		break;
	default:
		break;
	}
}

void tree_handle_notices(struct hold *hold)
{
	struct notice notice;

	while (tree_next_notice(hold, &notice))
		handle_notice(hold, &notice);
}

bool tree_exec_is_known(struct hold *hold)
{
	struct notice notice;

	/* The observer must hear of the exec before it hears of the rest. */
	while (!hold->tree.exec_known && tree_next_notice(hold, &notice))
		handle_notice(hold, &notice);
	return hold->tree.exec_known || hold->notice_fd < 0;
}

int tree_ask(struct hold *hold, enum notice_kind question)
{
	/* An even number; it never becomes too large for an int. */
	enum { NUMBERS = 1 << 20 };
	uint64_t deadline = clock_after(CLOCK_PATIENCE_NS);
	struct hold_tree *tree = &hold->tree;
	struct notice notice;

	/* An init that somebody has stopped by its pid cannot reply. */
	if (hold->notice_fd < 0 || sys_stop(hold->process->pidfd, false) > 0)
		return -1;
	tree->reply = -1;
	tree->question = tree->question % NUMBERS + 2;
	notice_send(hold->notice_fd, question, STEP_NONE, tree->question);
	/*
	 * The wait has a limit, because the init cannot reply while its cgroup
	 * is frozen.
	 */
	while (tree->reply < 0 && !clock_is_over(deadline) &&
	       notice_await(hold->notice_fd, CLOCK_PATIENCE_NS / CLOCK_MS,
			    &notice) > 0)
		handle_notice(hold, &notice);
	return tree->reply;
}

bool tree_is_over(struct hold *hold)
{
	const struct hold_tree *tree = &hold->tree;

	tree_handle_notices(hold);
	if (tree->command_ended && !hold->waits_for_tree)
		return true;
	if (tree_ask(hold, ASK_ENDED) == 1)
		return true;
	/* In place of a reply, the init may have told of the end. */
	return tree->command_ended &&
	       (!hold->waits_for_tree || hold->notice_fd < 0);
}
