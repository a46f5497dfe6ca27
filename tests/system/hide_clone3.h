/* SPDX-License-Identifier: MIT */
/* A seccomp filter for the programs that are not linked with the harness. */
#ifndef HIDE_CLONE3_H
#define HIDE_CLONE3_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/*
 * Makes clone3 fail with ENOSYS in this process and its children. Returns 0, or
 * -1 if the process has neither CAP_SYS_ADMIN nor no_new_privs: seccomp(2).
 */
static inline int hide_clone3(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#endif
