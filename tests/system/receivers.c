/* SPDX-License-Identifier: MIT */
#include "receivers.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sockets.h"

bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* ---- names ---- */

const char *home(void)
{
	static char path[512];

	if (!path[0]) {
		snprintf(path, sizeof(path), "%s/home", scratch());
		cr_assert_eq(mkdir(path, 0755), 0, "%s", strerror(errno));
	}
	return path;
}

const char *at_home(const char *name)
{
	static char paths[4][800];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", home(), name);
	return path;
}

const char *sock(void)
{
	return at_home("sock");
}

/* ---- receivers ---- */

struct scene {
	const struct setup *setup;
	int status;
};

static void set_scene(const void *arg)
{
	const struct scene *scene = arg;

	inherit_as(scene->status, STATUS_FD);
	if (scene->setup->socket)
		inherit_as(scene->setup->socket, SOCKET_FD);
	if (scene->setup->also)
		scene->setup->also();
}

void start_receiver(struct receiver *v, const struct setup *setup,
		    const char *const argv[])
{
	struct scene scene = { .setup = setup };
	const struct way way = { .uid = setup->uid, .dir = setup->dir,
				 .prepare = set_scene, .arg = &scene };
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	scene.status = fds[1];
	start(&v->r, &way, argv);
	close(fds[1]);
	v->status = fds[0];
	v->rest[0] = '\0';
}

void read_rest(struct receiver *v)
{
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(v->rest) - 1 &&
	       (n = read(v->status, v->rest + used,
			 sizeof(v->rest) - 1 - used)) > 0)
		used += (size_t)n;
	v->rest[used] = '\0';
	close(v->status);
}

void finish_receiver(struct receiver *v, struct ended *e)
{
	finish(&v->r, e);
	read_rest(v);
}

int bury(struct receiver *v)
{
	int status = await_end(&v->r);

	close_running(&v->r);
	read_rest(v);
	return status;
}

void await_listening(struct receiver *v)
{
	char line[1024];

	read_line(v->status, line, sizeof(line));
	cr_assert(begins(line, "{\"listening\":\""), "%s: %s", v->r.words,
		  line);
}

pid_t await_received(struct receiver *v)
{
	char line[1024];
	int pid = 0;

	read_line(v->status, line, sizeof(line));
	sscanf(line, "{\"child-pid\":%d,", &pid);
	cr_assert_gt(pid, 0, "%s: %s", v->r.words, line);
	return pid;
}

void receive_at(struct receiver *v, const struct setup *setup,
		const char *address)
{
	start_receiver(v, setup, ARGV(spawnfd, STATUS, RECEIVE(address)));
	await_listening(v);
}

void receive_from(struct receiver *v, int socket)
{
	const struct setup setup = { .socket = socket };

	receive_at(v, &setup, SOCKET);
}

int open_channel(struct receiver *v, int type)
{
	int listener, pair[2];

	if (type == LISTENED) {
		receive_at(v, &nothing_special, sock());
		return connect_to(sock());
	}
	if (type == ACTIVATED) {
		listener = listen_at(abstract(), SOCK_STREAM);
		receive_from(v, listener);
		close(listener);
		return connect_to(abstract());
	}
	open_pair(type, pair);
	receive_from(v, pair[1]);
	close(pair[1]);
	return pair[0];
}

void expect_one_line(const struct ended *e, const char *text)
{
	expect_refusal(e, 125);
	expect_said(e, text);
	cr_expect_eq(strchr(e->err, '\n') - e->err,
		     (ptrdiff_t)strlen(e->err) - 1, "%s: %s", e->words, e->err);
}

void expect_not_taken(struct receiver *v, const char *text)
{
	struct ended e;

	finish_receiver(v, &e);
	expect_refusal(&e, 125);
	expect_said(&e, text);
	cr_expect(begins(v->rest, "{\"exit-code\":125,\"error\":\"receive\","
			 "\"errno\":\"E"), "%s: %s", e.words, v->rest);
	expect_home(0);
}

void expect_taken(struct receiver *v, int code)
{
	struct ended e;

	finish_receiver(v, &e);
	expect_exit(&e, code);
	expect_home(0);
}

void expect_quiet_end(struct receiver *v, int code)
{
	struct ended e;

	finish_receiver(v, &e);
	expect_exit(&e, code);
	cr_expect_str_eq(e.err, "");
}

/* ---- what is passed to them ---- */

void expect_passed(struct running *p)
{
	int status = await_end(p);
	char text[512] = "";

	if (status && read(p->err, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	cr_assert_eq(status, 0, "%s: wait status %d: %s", p->words, status,
		     text);
}

void pass_echo(struct running *p, uid_t uid, const char *address)
{
	const struct way way = { .uid = uid };

	start(p, &way, ARGV(spawnfd, "--autokill", PASS(address), actor,
			    "echo"));
	expect_passed(p);
	read_pid(p->out);
}

void expect_works(struct receiver *v, uid_t uid, const char *address)
{
	struct running p;

	pass_echo(&p, uid, address);
	await_received(v);
	ping(&p);
	end_input(&p);
	expect_taken(v, 0);
	close_running(&p);
}

void start_child(struct running *c, const char *code)
{
	start(c, NULL, ARGV("/bin/sh", "-c", "read line; exit $0", code));
}

void end_child(struct running *c, int code)
{
	int status;

	end_input(c);
	status = await_end(c);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

void start_zombie(struct running *c, const char *code)
{
	siginfo_t info;

	start_child(c, code);
	end_input(c);
	cr_assert_eq(waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT), 0);
}

/* ---- signals ---- */

void expect_died_of(int status, int sig)
{
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == sig &&
		  !WCOREDUMP(status), "signal %d: wait status %#x", sig,
		  status);
}

void end_with(struct receiver *v, int sig)
{
	cr_assert_eq(syscall(SYS_kill, v->r.pid, sig), 0);
	expect_died_of(bury(v), sig);
}

void allow_own_cores(void)
{
	allow_cores(NULL);
}

bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

void expect_nothing_arrived(int socket)
{
	struct pollfd p = { socket, POLLIN, 0 };

	cr_expect_eq(poll(&p, 1, 0), 0, "the listener noticed: %#x",
		     p.revents);
}

bool comes_to_listen(struct receiver *v)
{
	char line[1024];

	await_events(v->status, POLLIN);
	read_line(v->status, line, sizeof(line));
	return begins(line, "{\"listening\":\"");
}

void make_foreign_pair(int pair[2])
{
	cr_assert_eq(seteuid(NOBODY), 0);
	open_pair(SOCK_STREAM, pair);
	cr_assert_eq(seteuid(0), 0);
}
