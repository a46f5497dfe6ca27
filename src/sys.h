/* SPDX-License-Identifier: MIT */
/*
 * sys - the system calls that no libc wraps, and what old headers lack.
 *
 * The only place with #if and syscall(). Every function gives a value >= 0
 * or -errno. Nothing here knows what spawnfd is for.
 */
#ifndef SYS_H
#define SYS_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* clone(2); the last four came with Linux 7.1 (include/uapi/linux/sched.h) */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME		0x00000080
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD		0x00001000
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND	(UINT64_C(1) << 32)
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP	(UINT64_C(1) << 33)
#endif
#ifndef CLONE_AUTOREAP
#define CLONE_AUTOREAP		(UINT64_C(1) << 34)
#endif
#ifndef CLONE_NNP
#define CLONE_NNP		(UINT64_C(1) << 35)
#endif
#ifndef CLONE_PIDFD_AUTOKILL
#define CLONE_PIDFD_AUTOKILL	(UINT64_C(1) << 36)
#endif
#ifndef CLONE_EMPTY_MNTNS
#define CLONE_EMPTY_MNTNS	(UINT64_C(1) << 37)
#endif

/*
 * Whether the kernel's struct sigaction has a word for a restorer: Linux 7.1
 * has one where asm/signal.h defines SA_RESTORER (linux/signal_types.h).
 */
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || \
	defined(__arm__) || defined(__powerpc64__) || defined(__s390x__) || \
	defined(__sh__) || defined(__arc__) || defined(__xtensa__)
#define SYS_HAS_RESTORER 1
#elif defined(__riscv) || defined(__loongarch__) || defined(__csky__) || \
	defined(__nios2__) || defined(__hexagon__)
#define SYS_HAS_RESTORER 0
#endif

/*
 * Processors that sys.c does not serve, and what a port to them needs:
 * - MIPS: sa_flags before sa_handler in struct sys_sigaction, and a struct
 *   sys_sigset of 128 bits;
 * - alpha and sparc: a fifth argument of rt_sigaction, and on alpha other
 *   numbers of the system calls;
 * - microblaze: clone with a stack size as its third argument;
 * - 32 bits, big endian: a struct sys_sigset of two words, for the kernel keeps
 *   signals 1 to 32 in the first one;
 * - x32: pwritev2 with its offset in one argument.
 */
#if !defined(SYS_HAS_RESTORER) || \
	(!defined(__LP64__) && \
	 (defined(__x86_64__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__))
#error "a processor that sys.c does not serve; see the list in sys.h"
#endif

/* Signals 32 and 33 are a libc's own; to the kernel all of 1 to 64 are alike */
enum { SYS_SIGNAL_MAX = 64 };

/*
 * struct clone_args of clone3(2) under a name of its own, so that a libc that
 * one day declares it does no harm. Size 88 (CLONE_ARGS_SIZE_VER2) is right
 * for every kernel since 5.7.
 */
struct sys_clone_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

/* The set of all signals, as the kernel keeps it: bit N-1 is signal N */
struct sys_sigset {
	uint64_t bits;
};

#define SYS_SIGBIT(signal) (UINT64_C(1) << ((signal) - 1))

/*
 * The kernel's struct sigaction (linux/signal_types.h), which differs from the
 * libc's. With a restorer it has 32 bytes on 64-bit processors, and 20 bytes on
 * 32-bit ones. A mask of uint64_t would be wrong on ARM, which aligns it to 8.
 */
struct sys_sigaction {
	uintptr_t handler;
	unsigned long flags;
#if SYS_HAS_RESTORER
	uintptr_t restorer;
#endif
	unsigned long mask[sizeof(struct sys_sigset) / sizeof(unsigned long)];
};

/*
 * clone3(2) as fork(2) is: returns twice, 0 in the child. The caller has one
 * thread. NULL asks whether clone3 is there: -EINVAL says that it is.
 */
int sys_clone3(const struct sys_clone_args *args);

/* clone(2), the same where there is no clone3: *ret_pidfd with CLONE_PIDFD */
int sys_clone(uint64_t flags, uint64_t exit_signal, int *ret_pidfd);

/* rt_sigprocmask(2), SIG_SETMASK; NULL for old is allowed */
int sys_sigmask(const struct sys_sigset *set, struct sys_sigset *ret_old);

/* The same with SIG_BLOCK: set is added to what is blocked */
int sys_sigblock(const struct sys_sigset *set, struct sys_sigset *ret_old);

/*
 * rt_sigtimedwait(2) without waiting: takes a blocked signal of the set;
 * -EAGAIN if none is pending. And rt_sigqueueinfo(2), which gives it back to
 * this process as it was: to itself a process may say who has sent it.
 */
int sys_sigtake(const struct sys_sigset *set, siginfo_t *ret_info);
int sys_sigput(siginfo_t *info);

/* rt_sigpending(2) */
struct sys_sigset sys_sigpending(void);

/*
 * rt_sigaction(2): ignores the signal or gives it back its default action, and
 * says whether it was ignored before; NULL for that is allowed. To ignore one
 * discards it where it is pending.
 */
int sys_sigignore(int signal, bool ignore, bool *ret_ignored);

/* Whether it is ignored: 1 or 0 */
int sys_sigignored(int signal);

/*
 * signalfd(2): close-on-exec, and read without waiting; a new one if fd is -1,
 * else fd with another set
 */
int sys_signalfd(int fd, const struct sys_sigset *set);

/* close_range(2); where that is missing or filtered, close(2) for each */
void sys_close_range(unsigned int first, unsigned int last);

/*
 * waitid(2) with P_PIDFD, Linux 5.4: waits for a child, reaps it and gives its
 * wait status as wait(2) encodes it. -ECHILD if it is not ours to wait for.
 */
int sys_wait_pidfd(int pidfd, int *ret_status);

/* The same for a child without a pidfd */
int sys_wait_pid(pid_t pid, int *ret_status);

/*
 * The same for whichever child ends next, whose pid it gives. With block false
 * only for one that has ended; 0 if there are children, but none such.
 */
pid_t sys_wait_any(bool block, int *ret_status);

/*
 * PIDFD_GET_INFO, Linux 6.13, with PIDFD_INFO_EXIT, Linux 6.15: the wait
 * status of a process that has been reaped, which POLLHUP says; any earlier it
 * may not be there. -ENODATA if the kernel kept none.
 */
int sys_pidfd_status(int pidfd, int *ret_status);

/*
 * The pid of the process, as it is here; 0 if it is over and reaped. -EREMOTE
 * if it is of a PID namespace that cannot be seen from here, whose status could
 * never be had; -ENOTTY if it is no pidfd. -ESRCH while it is being reaped
 * (Linux 7.1).
 */
pid_t sys_pidfd_pid(int pidfd);

/* Of a process, as seen here; -errno: Linux 6.13 told it first */
pid_t sys_parent(pid_t pid);

/* The st_ino, which no other process of this boot has had (Linux 6.9); or 0 */
uint64_t sys_pidfd_inode(int pidfd);

/* That of this process */
uint64_t sys_own_inode(void);

/* Whether the kernel kills the process when this open file is closed */
bool sys_pidfd_kills(int pidfd);

/* execveat(2) of the file itself; only returns with an error */
int sys_execveat(int fd, char **argv, char **envp);

/* capget(2): whether CAP_SYS_ADMIN is in effect, in this user namespace */
bool sys_is_admin(void);

/* pidfd_open(2), Linux 5.3 */
int sys_pidfd_open(pid_t pid);

/*
 * pidfd_send_signal(2), Linux 5.1; with group (6.9) to the whole process group
 * that the process leads. info, if there is one, goes with it; the kernel takes
 * only what a process may say, as with sigqueue(3).
 */
int sys_pidfd_kill(int pidfd, int signal, bool group, const siginfo_t *info);

/*
 * waitid(2): the signal that has stopped the child, 0 if it runs or that was
 * taken before; and whether anything has become of it since it was taken. But
 * of one that is about to end, it says nothing for a moment.
 */
int sys_stop(int pidfd, bool take);
bool sys_changed(int pidfd);

/* renameat2(2) inside of one directory; flags are those of the kernel */
int sys_rename(int directory, const char *from, const char *to,
	       unsigned int flags);
#define SYS_RENAME_NOREPLACE	1U
#define SYS_RENAME_EXCHANGE	2U

/*
 * pwritev2(2) with RWF_NOWAIT on a pipe, Linux 5.7: all of it or -EAGAIN, up to
 * PIPE_BUF bytes. -EOPNOTSUPP for most of what is no pipe, FIFOs among it.
 */
int sys_write_nowait(int fd, const char *text, size_t length);

/* Writes all of it; -errno if that fails halfway */
int sys_write(int fd, const char *text, size_t length);

#endif
