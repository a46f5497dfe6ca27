/* SPDX-License-Identifier: MIT */
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void inherit_as(int from, int to)
{
	/* dup2 of a descriptor to itself does nothing, so FD_CLOEXEC stays. */
	if (from == to ? fcntl(to, F_SETFD, 0) : dup2(from, to) < 0)
		_exit(96);
}

void inherit(const void *arg)
{
	const struct inheritance *inheritance = arg;

	if (inheritance->fd >= 0)
		inherit_as(inheritance->fd, inheritance->as);
	for (int fd = 0; fd < 3; fd++)
		if (inheritance->closed & (1U << fd))
			close(fd);
}

void lead_group(const void *arg)
{
	(void)arg;
	if (setpgid(0, 0))
		_exit(96);
}

void lead_session(const void *arg)
{
	(void)arg;
	if (setsid() < 0)
		_exit(96);
}

void limit_resource(const void *arg)
{
	const struct resource_limit *limit = arg;
	const struct rlimit both = { limit->value, limit->value };

	if (setrlimit(limit->resource, &both))
		_exit(96);
}

void allow_cores(const void *arg)
{
	const struct resource_limit all = { RLIMIT_CORE, RLIM_INFINITY };

	(void)arg;
	limit_resource(&all);
}

void ignore_signal(const void *arg)
{
	if (signal(*(const int *)arg, SIG_IGN) == SIG_ERR)
		_exit(96);
}

static void install_filter(struct sock_filter *code, size_t length)
{
	const struct sock_fprog program = { (unsigned short)length, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(96);
}

void deny_calls(const void *arg)
{
	const struct denial *denial = arg;
	struct sock_filter code[16] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
	};
	size_t length = 1;

	for (const int *call = denial->calls; *call; call++) {
		code[length++] = (struct sock_filter)
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				 (unsigned int)*call, 0, 1);
		code[length++] = (struct sock_filter)
			BPF_STMT(BPF_RET | BPF_K,
				 SECCOMP_RET_ERRNO | denial->error);
	}
	code[length++] = (struct sock_filter)
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	install_filter(code, length);
}

void deny_signal_flags(const void *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_send_signal, 0,
			 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[3])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	(void)arg;
	install_filter(code, sizeof(code) / sizeof(*code));
}

void filter_clone3(const void *arg)
{
	const struct denial denial = {
		.error = *(const unsigned int *)arg,
		.calls = { SYS_clone3 },
	};

	deny_calls(&denial);
}
