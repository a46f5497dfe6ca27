/* SPDX-License-Identifier: MIT */
/* vfork - see vfork.h. The child must never return into its parent's frames. */
#include "vfork.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#if VFORK_WORKS
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* SA_RESTORER of sigaction(2), which libcs keep to themselves */
#define RESTORER 0x04000000

/*
 * The C compiler has no way to say what this does: after clone3 the child must
 * not pop the frames that the caller still needs. The child therefore calls run
 * below them. On x86-64 it also leaves alone the 128 bytes below the stack
 * pointer, which the compiler may use without moving it (the red zone of the
 * System V ABI). The frame pointer is 0, so that debuggers see the end of the
 * child's stack there.
 */
int vfork_clone3(const struct sys_clone_args *args,
		 void (*run)(const void *context), const void *context)
{
	struct sys_clone_args shared = *args;
#ifdef __x86_64__
	register const void *r9 __asm__("r9") = context;
	long r;

	shared.flags |= CLONE_VM | CLONE_VFORK;
	__asm__ volatile("syscall\n\t"
			 "test %%eax, %%eax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "sub $128, %%rsp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%rdx\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(&shared),
			   "S"(sizeof(shared)), "d"(run), "r"(r9)
			 : "rcx", "r11", "cc", "memory");
#else
	register long r __asm__("x0") = (long)&shared;
	register size_t x1 __asm__("x1") = sizeof(shared);
	register void (*x2)(const void *) __asm__("x2") = run;
	register const void *x3 __asm__("x3") = context;
	register long x8 __asm__("x8") = SYS_clone3;

	shared.flags |= CLONE_VM | CLONE_VFORK;
	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(r)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x8)
			 : "memory");
#endif
	return (int)r;
}

void vfork_catch_signal(int signal, void (*handler)(int signal))
{
	/*
	 * The x86-64 kernel kills a process with SIGSEGV whose handler has no
	 * restorer (sigreturn(2)). The handler does not return, so that the
	 * kernel never uses this one.
	 */
	const struct sys_sigaction action = {
		.handler = (uintptr_t)handler,
		.flags = RESTORER,
		.restorer = (uintptr_t)handler,
	};
	struct sys_sigaction old = { 0 };

	syscall(SYS_rt_sigaction, signal, &action, &old,
		sizeof(struct sys_sigset));
	if (old.handler == (uintptr_t)SIG_IGN)
		sys_sigignore(signal, true, NULL);
}
#else
int vfork_clone3(const struct sys_clone_args *args,
		 void (*run)(const void *context), const void *context)
{
	(void)args;
	(void)run;
	(void)context;
	return -ENOSYS;
}

void vfork_catch_signal(int signal, void (*handler)(int signal))
{
	(void)signal;
	(void)handler;
}
#endif
