/* SPDX-License-Identifier: MIT */
/* hold_tree: questions to the init, which another process plays here */
#include "hold_tree.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes a question; gives its number. */
static int take_question(int fd)
{
	struct notice notice = { 0 };

	if (notice_await(fd, -1, &notice) != 1 || notice.kind != ASK_CHANGED)
		_exit(1);
	return notice.value;
}

static void reply(int fd, int question, int answer)
{
	notice_send(fd, NOTICE_REPLY, STEP_NONE, question + answer);
}

/* The first reply comes when spawnfd has asked again. */
static void play_slow_init(int fd)
{
	int first = take_question(fd), second = take_question(fd);

	reply(fd, first, 1);
	reply(fd, second, 0);
	reply(fd, take_question(fd), 1);
	take_question(fd);
	_exit(0);
}

Test(hold_tree, a_late_reply_is_for_no_other_question)
{
	struct process process = { 0 };
	struct hold hold = { .process = &process, .role = ROLE_OUTER };
	int ends[2];

	cr_assert_eq(notice_open(ends), 0);
	process.pid = fork();
	if (!process.pid) {
		close(ends[0]);
		play_slow_init(ends[1]);
	}
	close(ends[1]);
	process.pidfd = sys_pidfd_open(process.pid);
	hold.notice_fd = ends[0];
	cr_expect_eq(tree_ask(&hold, ASK_CHANGED), -1, "a reply in time");
	cr_expect_eq(tree_ask(&hold, ASK_CHANGED), 0);
	cr_expect_eq(tree_ask(&hold, ASK_CHANGED), 1);
	/* The init ends. */
	cr_expect_eq(tree_ask(&hold, ASK_CHANGED), -1);
	cr_expect_eq(waitpid(process.pid, NULL, 0), process.pid);
}
