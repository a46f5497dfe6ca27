/* SPDX-License-Identifier: MIT */
#include "groves.h"

#include <sys/socket.h>

#include "sockets.h"

#define MOST_WORDS 24

/* Appends the words to argv, which ends with NULL. */
static void add(const char *argv[], const char *const words[])
{
	size_t n = 0;

	while (argv[n])
		n++;
	for (; *words; words++) {
		cr_assert_lt(n, MOST_WORDS - 1);
		argv[n++] = *words;
	}
	argv[n] = NULL;
}

static void start_grove_receiver(struct grove *g, uid_t uid, int socket)
{
	const struct setup setup = { .uid = uid, .socket = socket };

	start_receiver(&g->receiver, &setup,
		       ARGV(spawnfd, STATUS, joined("--receive=", SOCKET)));
	await_listening(&g->receiver);
}

void start_grove(struct grove *g, enum holding holding, uid_t uid,
		 const char *const options[], const char *const command[])
{
	const char *argv[MOST_WORDS] = { NULL };
	struct inheritance theirs = { .as = 10 };
	struct way way = { .uid = uid };
	int ends[2];

	*g = (struct grove){ .holding = holding };
	add(argv, ARGV(spawnfd, "--kill-tree"));
	add(argv, options);
	add(argv, ARGV(holding == DETACHED ? "--detach" : "--autokill"));
	if (holding == PASSED) {
		add(argv, ARGV("--pass=fd:10"));
		open_pair(SOCK_STREAM, ends);
		start_grove_receiver(g, uid, ends[0]);
		close(ends[0]);
		theirs.fd = ends[1];
		way.prepare = inherit;
		way.arg = &theirs;
	}
	add(argv, ARGV("--"));
	add(argv, command);
	start(&g->r, &way, argv);
	if (holding == PASSED) {
		close(ends[1]);
		await_received(&g->receiver);
	}
}

void plant(struct grove *g, enum holding holding, uid_t uid,
	   const char *const options[], const char *number, const char *code,
	   const char *fate)
{
	char line[16];

	start_grove(g, holding, uid, options,
		    ARGV(actor, "grove", number, code, fate));
	read_line(g->r.out, line, sizeof(line));
	cr_assert_str_eq(line, "grown");
}

void finish_grove(struct grove *g, struct ended *e)
{
	struct ended receiver;

	if (g->r.in >= 0)
		end_input(&g->r);
	finish(&g->r, e);
	if (g->holding == HELD)
		return;
	expect_exit(e, 0);
	if (g->holding == PASSED) {
		finish_receiver(&g->receiver, &receiver);
		e->status = receiver.status;
	} else {
		cr_expect_gt(waitpid(-1, &e->status, 0), 0);
	}
}

int of_kind(int number, int kind)
{
	return (number + KINDS - 1 - kind) / KINDS;
}

int count_lines(const char *text, const char *line)
{
	const size_t length = strlen(line);
	int n = 0;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		n += (size_t)(end - text) == length &&
		     strncmp(text, line, length) == 0;
	return n;
}
