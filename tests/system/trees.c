/* SPDX-License-Identifier: MIT */
#include "trees.h"

#include <poll.h>

bool is_at_end(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	/* The tree may have written since the last read. */
	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

#define LONGEST_US 300000

void grow(const struct running *r, int init, bool patient)
{
	char text[16];

	if (patient)
		read_line(r->out, text, sizeof(text));
	else
		wait_at_random(init, LONGEST_US);
	/* Drop what the tree has printed: the caller waits for POLLHUP. */
	while (poll(&(struct pollfd){ r->out, POLLIN, 0 }, 1, 0) == 1 &&
	       read(r->out, text, sizeof(text)) > 0)
		;
}

int fell_by_sigkill(struct running *r, const struct way *way,
		    const char *option, const char *number, bool patient,
		    pid_t *ret_init)
{
	int pidfd;

	start(r, way, ARGV(spawnfd, "--kill-tree", "--autokill", option, actor,
			   "forest", number));
	while (!(*ret_init = child_of(r->pid)))
		cr_assert_not(has_ended(r));
	pidfd = open_pidfd(*ret_init);
	grow(r, pidfd, patient);
	kill(r->pid, SIGKILL);
	await_end(r);
	return pidfd;
}
