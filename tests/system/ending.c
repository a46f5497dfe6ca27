/* SPDX-License-Identifier: MIT */
#include "ending.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>

#define SOCKET 8		/* a command is passed over it */

void kill_and_close(struct running *r)
{
	kill(r->pid, SIGKILL);
	await_end(r);
	close_running(r);
}

void expect_gone(int command)
{
	struct pollfd p = { command, POLLIN, 0 };

	cr_assert_eq(poll_patiently(&p, 1), 1, "the command lives on");
	close(command);
}

pid_t read_running(int fd)
{
	char line[128];
	int pid = 0;

	read_line(fd, line, sizeof(line));
	cr_assert_eq(sscanf(line, "{\"child-pid\":%d,", &pid), 1, "%s", line);
	return pid;
}

long long now_ms(clockid_t clock)
{
	struct timespec time;

	cr_assert_eq(clock_gettime(clock, &time), 0);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

bool is_slow(void)
{
	static long long took_ms = -1;
	struct ended e;

	if (took_ms < 0) {
		took_ms = -now_ms(CLOCK_MONOTONIC);
		for (int i = 0; i < 3; i++)
			run(&e, NULL, ARGV(actor, "exit", "0"));
		took_ms += now_ms(CLOCK_MONOTONIC);
	}
	return took_ms > 100 || often(10) < 10;
}

void ping_twice(struct running *r, pid_t holder)
{
	char line[64];

	for (int i = 0; i < 2; i++) {
		kill(holder, SIGUSR1);
		read_line(r->out, line, sizeof(line));
		cr_assert_str_eq(line, "10", "%s: %s", r->words, line);
	}
}

void kill_parent(struct running *r)
{
	pid_t pid = child_of(r->pid);
	int pidfd;

	cr_assert_neq(pid, 0, "%s: there is no spawnfd", r->words);
	pidfd = open_pidfd(pid);
	kill(r->pid, SIGKILL);
	await_end(r);
	close(r->pidfd);
	r->pid = pid;
	r->pidfd = pidfd;
}

static const char *const causes[] = { "timeout", "parent", "pid", "fd" };

void set_stage(const void *arg)
{
	const struct stage *stage = arg;

	inherit_as(stage->given, WATCHED);
	if (stage->socket >= 0)
		inherit_as(stage->socket, SOCKET);
}

void open_stage(struct stage *stage)
{
	int fds[2];
	char *option = stage->option;
	const size_t size = sizeof(stage->option);

	start(&stage->bystander, NULL, ARGV(actor, "hang"));
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	stage->given = fds[0];
	stage->ours = fds[1];
	stage->socket = -1;
	switch (stage->cause) {
	case TIMEOUT:
		snprintf(option, size, "--timeout=" ENOUGH);
		break;
	case PARENT:
		snprintf(option, size, "--die-with-parent");
		break;
	case PID:
		snprintf(option, size, "--die-with-pid=%d",
			 stage->bystander.pid);
		break;
	default:
		snprintf(option, size, "--die-with-fd=%d", WATCHED);
	}
}

void strike(struct stage *stage, struct running runs[], size_t n)
{
	close(stage->given);
	if (stage->cause == PID)
		kill(stage->bystander.pid, SIGKILL);
	if (stage->cause == FD)
		close(stage->ours);
	for (size_t i = 0; stage->cause == PARENT && i < n; i++)
		kill_parent(&runs[i]);
}

void close_stage(struct stage *stage)
{
	if (stage->cause != FD)
		close(stage->ours);
	kill_and_close(&stage->bystander);
}

void expect_last_line(const struct ended *e, const char *line)
{
	size_t length = strlen(e->err), wanted = strlen(line);

	cr_expect(length >= wanted &&
		  strcmp(e->err + length - wanted, line) == 0,
		  "%s: wanted %s, saw %s", e->words, line, e->err);
}

void expect_status_line(const struct ended *e, enum cause cause, bool killed,
			int code)
{
	char line[256];

	snprintf(line, sizeof(line), "{\"exit-code\":%d%s,\"ended-by\":\"%s\"}"
		 "\n", killed ? 137 : code,
		 killed ? ",\"signal\":9,\"core-dumped\":false" : "",
		 causes[cause]);
	expect_last_line(e, line);
}
