/* SPDX-License-Identifier: MIT */
/* tick - see tick.h. It must never let a signal come after tick_stop. */
#include "tick.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "signals.h"

/* The seconds and nanoseconds of timer_settime(2), in the kernel's size */
#ifdef SYS_timer_settime
typedef long timer_word;
#else
#define SYS_timer_settime SYS_timer_settime64
typedef int64_t timer_word;
#endif

/* Only a signal that is caught interrupts a system call: signal(7) */
static void catch(int signal)
{
	(void)signal;
}

#ifdef __x86_64__
/* SA_RESTORER of sigaction(2), which libcs keep to themselves */
#define RESTORER 0x04000000

/*
 * The handler returns to this (sigreturn(2)). The bytes are those of the libcs,
 * by which debuggers know the frame of a signal.
 */
void tick_restore(void);
__asm__(".pushsection .text\n"
	".hidden tick_restore\n"
	"tick_restore:\n\t"
	"movq $15, %rax\n\t"
	"syscall\n"
	".popsection");

/* This does what sigaction(3) does, which has 650 bytes in musl. */
static void catch_child(void)
{
	const struct sys_sigaction action = {
		.handler = (uintptr_t)catch,
		.flags = RESTORER | SA_NOCLDWAIT,
		.restorer = (uintptr_t)tick_restore,
	};

	syscall(SYS_rt_sigaction, SIGCHLD, &action, NULL,
		sizeof(struct sys_sigset));
}
#else
static void catch_child(void)
{
	const struct sigaction action = {
		.sa_handler = catch,
		.sa_flags = SA_NOCLDWAIT,
	};

	sigaction(SIGCHLD, &action, NULL);
}
#endif

/*
 * The timer goes on, because its first signal can come before the system call
 * begins to wait. These are not the libc's calls, which old glibcs have in
 * librt.
 */
static int start_timer(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGCHLD,
	};
	/* The interval, then the time of the first signal */
	const timer_word times[4] = { 0, CLOCK_MS, 0, CLOCK_MS };
	int timer;

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) < 0)
		return -1;
	syscall(SYS_timer_settime, timer, 0, times, NULL);
	return timer;
}

void tick_start(struct tick *ret_tick)
{
	const struct sys_sigset others = {
		~(SIGNALS_STOPPING | SYS_SIGBIT(SIGCHLD))
	};

	catch_child();
	ret_tick->timer = start_timer();
	sys_sigmask(&others, &ret_tick->inherited);
}

void tick_stop(const struct tick *tick)
{
	sys_sigmask(&tick->inherited, NULL);
	if (tick->timer >= 0)
		syscall(SYS_timer_delete, tick->timer);
	/* This discards a signal of the timer that is still pending. */
	sys_sigignore(SIGCHLD, true, NULL);
}
