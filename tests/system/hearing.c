/* SPDX-License-Identifier: MIT */
#include "hearing.h"

#include <errno.h>
#include <sys/syscall.h>

#include "cores.h"

#define MARK 4711

/* ---- actor hear, and what it hears ---- */

void start_hearing(struct hearing *h, const struct way *way,
		   const char *const argv[])
{
	start(&h->r, way, argv);
	h->command = read_pid(h->r.out);
	h->at = h->end = 0;
}

static char next_byte(struct hearing *h)
{
	ssize_t n;

	if (h->at == h->end) {
		await_events(h->r.out, POLLIN);
		n = read(h->r.out, h->text, sizeof(h->text));
		cr_assert_gt(n, 0, "%s: it hears no more", h->r.words);
		h->at = 0;
		h->end = (size_t)n;
	}
	return h->text[h->at++];
}

struct heard next_heard(struct hearing *h)
{
	struct heard heard = { 0 };
	char line[64];
	size_t n = 0;

	do
		line[n] = next_byte(h);
	while (line[n++] != '\n' && n < sizeof(line));
	line[n - 1] = '\0';
	cr_assert_eq(sscanf(line, "%d %d %d %d", &heard.sig, &heard.code,
			    &heard.pid, &heard.value), 4, "%s", line);
	return heard;
}

void hears(struct hearing *h, int sig)
{
	int heard = next_heard(h).sig;

	cr_assert_eq(heard, sig, "%s: heard %d, not %d", h->r.words, heard,
		     sig);
}

void hears_value(struct hearing *h, int sig, int value)
{
	struct heard heard = next_heard(h);

	cr_assert_eq(heard.sig, sig, "%s: heard %d, not %d", h->r.words,
		     heard.sig, sig);
	cr_assert_eq(heard.value, value, "%d, not %d", heard.value, value);
	cr_assert_eq(heard.code, SI_QUEUE);
	/* A sender outside the PID namespace has pid 0 inside. */
	cr_assert_eq(heard.pid, kills_tree() ? 0 : getpid());
}

void queue(const struct hearing *h, int sig, int value)
{
	const union sigval with = { .sival_int = value };
	struct patience patience = { 0 };
	int r;

	do
		r = sigqueue(h->r.pid, sig, with);
	while (r && errno == EAGAIN && is_patient(&patience));
	cr_assert_eq(r, 0, "%s", strerror(errno));
}

void hears_no_more(struct hearing *h)
{
	queue(h, LAST_SIGNAL, MARK);
	hears_value(h, LAST_SIGNAL, MARK);
}

void end_hearing(struct hearing *h, struct ended *e)
{
	hears_no_more(h);
	close(h->r.in);
	h->r.in = -1;
	finish(&h->r, e);
	expect_exit(e, 0);
	cr_expect_eq(h->at, h->end);
	cr_expect_str_eq(e->out, "");
}

/* ---- how spawnfd is started ---- */

void set_inherited(const void *arg)
{
	const struct inherited *inherited = arg;

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		if (inherited->ignored & BIT(sig))
			signal(sig, SIG_IGN);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &inherited->blocked, NULL,
		sizeof(inherited->blocked));
	lead_group(NULL);
	for (int fd = 0; inherited->closed && fd < 3; fd++)
		close(fd);
}

void lives_on(const struct running *r, int ms)
{
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	cr_assert_eq(poll(&p, 1, ms), 0, "%s: has ended", r->words);
}
