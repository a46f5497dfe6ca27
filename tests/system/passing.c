/* SPDX-License-Identifier: MIT */
#include "passing.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "sockets.h"

const char *long_path(void)
{
	char name[301];
	size_t length = 300 - strlen(scratch()) - 1;
	const char *path;

	memset(name, 'l', sizeof(name));
	for (size_t at = 100; at < length; at += 100) {
		name[at] = '\0';
		cr_assert_eq(mkdir(scratch_path(name), 0755), 0);
		name[at] = '/';
	}
	name[length] = '\0';
	path = scratch_path(name);
	cr_assert_eq(strlen(path), 300);
	return path;
}

/* ---- messages ---- */

bool is_message(const struct message *m)
{
	return m->length > 0 && m->pidfd >= 0 && m->parts == 1 && !m->flags;
}

void expect_nothing_more(int socket, int type)
{
	struct message m;

	if (type != SOCK_DGRAM)
		await_events(socket, POLLIN);
	take_message(socket, &m, CONTROL_SIZE);
	cr_expect_eq(m.length, type == SOCK_DGRAM ? -1 : 0, "more: \"%s\"",
		     m.text);
	cr_expect_eq(m.parts, 0);
}

int expect_one_message(int socket, int type)
{
	struct message m;

	await_message(socket, &m);
	cr_assert(is_message(&m), "\"%s\", %d control messages", m.text,
		  m.parts);
	expect_nothing_more(socket, type);
	return m.pidfd;
}

int expect_one_connection(int listener)
{
	int connection = accept_one(listener);
	int pidfd = expect_one_message(connection, SOCK_STREAM);

	close(connection);
	return pidfd;
}

/* ---- commands ---- */

bool is_gone_soon(int pidfd)
{
	struct pollfd p = { pidfd, 0, 0 };

	return poll_patiently(&p, 1) == 1 && p.revents & POLLHUP;
}

void end_command(int pidfd)
{
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	close(pidfd);
	reap_orphans();
}

static void let_go(enum fate fate, int listener, int connection, int pidfd)
{
	char text[4096];

	if (fate == CLOSES_THE_PIDFD)
		close(pidfd);
	if (fate == EXITS)
		_exit(0);
	if (fate == IS_KILLED || fate == DIES_WITHOUT_ACCEPTING)
		raise(SIGKILL);
	if (fate == DROPS_IT_UNREAD)
		close(connection);
	if (fate == READS_IT_PLAINLY &&
	    read(connection, text, sizeof(text)) < 1)
		_exit(1);
	if (fate == CLOSES_ITS_LISTENER)
		close(listener);
}

/* Runs a taker: see struct taker. It stays until it is killed. */
static _Noreturn void receive(int listener, int talk, enum fate fate)
{
	struct message m = { .pidfd = -1 };
	int connection = -1;
	char byte = 'r';

	if (fate < CLOSES_ITS_LISTENER)
		connection = accept(listener, NULL, NULL);
	if (fate < DROPS_IT_UNREAD) {
		struct pollfd p = { connection, POLLIN, 0 };

		poll(&p, 1, -1);
		take_message(connection, &m, CONTROL_SIZE);
		byte = is_message(&m) ? 'r' : 'n';
	}
	if (write(talk, &byte, 1) == 1 && read(talk, &byte, 1) == 1)
		let_go(fate, listener, connection, m.pidfd);
	for (;;)
		pause();
}

void start_taker(struct taker *taker, int listener, enum fate fate)
{
	int talk[2];

	open_pair(SOCK_STREAM, talk);
	taker->pid = fork();
	cr_assert_geq(taker->pid, 0);
	if (!taker->pid) {
		close(talk[0]);
		receive(listener, talk[1], fate);
	}
	close(talk[1]);
	close(listener);
	taker->talk = talk[0];
}

void end_taker(struct taker *taker)
{
	kill(taker->pid, SIGKILL);
	waitpid(taker->pid, NULL, 0);
	close(taker->talk);
}

int listen_full(const char *address, int type, int *ret_first)
{
	int fd = bind_to(address, type);
	struct sockaddr_un un;
	socklen_t size = sizeof(un);

	cr_assert_eq(listen(fd, 0), 0);
	cr_assert_eq(getsockname(fd, (void *)&un, &size), 0);
	*ret_first = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(*ret_first, (void *)&un, size), 0);
	return fd;
}

void become_peer(uid_t uid)
{
	cr_assert_eq(seteuid(uid), 0, "%s", strerror(errno));
}

void conclude(struct running *r, struct ended *e, int status)
{
	ssize_t n = read(r->out, e->out, sizeof(e->out) - 1);

	e->out[n < 0 ? 0 : n] = '\0';
	n = read(r->err, e->err, sizeof(e->err) - 1);
	e->err[n < 0 ? 0 : n] = '\0';
	e->status = status;
	memcpy(e->words, r->words, sizeof(e->words));
	close_running(r);
}

int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

void start_traced(struct running *r, const struct way *way, const char *calls,
		  const char *option, const char *address)
{
	char trace[64];

	snprintf(trace, sizeof(trace), "trace=%s", calls);
	start(r, way, ARGV("/usr/bin/env", "strace", "-e", trace, "-e",
			   "signal=none", spawnfd, "--autokill", option,
			   PASS(address), actor, "exit"));
}

void run_traced(struct ended *e, const struct way *way, const char *calls,
		const char *option, const char *address)
{
	struct running r;

	start_traced(&r, way, calls, option, address);
	finish(&r, e);
}
