/* SPDX-License-Identifier: MIT */
/*
 * sys - system calls that libcs lack or wrap in a way that does not suit
 * spawnfd, and constants that old headers lack.
 *
 * Only sys and vfork use #if and syscall(). Nothing here knows what spawnfd is
 * for. A function that gives an int or a pid_t gives a value >= 0, or -errno as
 * the manual page of its system call lists it; the comments name only errors
 * that callers tell apart.
 */
#ifndef SYS_H
#define SYS_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/*
 * Flags of clone(2) and clone3(2), for headers that are older than the flag
 * (include/uapi/linux/sched.h). CLONE_AUTOREAP and those after it came with
 * Linux 7.1.
 */
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
 * The control message of SO_PASSPIDFD (include/linux/socket.h, Linux 6.5). The
 * sys/socket.h of glibc 2.41 has it, and must not see this macro.
 */
#ifndef SCM_PIDFD
#define SCM_PIDFD		0x04
#endif

/*
 * 1 if the kernel's struct sigaction has a word for a restorer. In Linux 7.1,
 * processors whose asm/signal.h defines SA_RESTORER have one
 * (linux/signal_types.h).
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
 * These processors are not supported. A port to one of them needs:
 * - MIPS: the flags before the handler in struct sys_sigaction, and a struct
 *   sys_sigset of 128 bits;
 * - alpha and sparc: a fifth argument of rt_sigaction, and on alpha other
 *   system call numbers;
 * - microblaze: a stack size as the third argument of clone;
 * - 32-bit big endian processors: a struct sys_sigset of two words, because the
 *   kernel keeps signals 1 to 32 in the first one;
 * - x32: the offset of pwritev2 in one argument.
 */
#if !defined(SYS_HAS_RESTORER) || \
	(!defined(__LP64__) && \
	 (defined(__x86_64__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__))
#error "a processor that sys.c does not serve; see the list in sys.h"
#endif

/*
 * The highest signal number. Libcs keep a few signals from 32 on for themselves
 * (signal(7)); the system calls accept all of 1 to 64.
 */
enum { SYS_SIGNAL_MAX = 64 };

/*
 * struct clone_args of clone3(2). It has another name here, so that it does not
 * clash with a libc that declares the struct one day. Every kernel since Linux
 * 5.7 accepts its size, 88 bytes (CLONE_ARGS_SIZE_VER2).
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

/* A set of signals, as the kernel keeps it: bit N-1 stands for signal N */
struct sys_sigset {
	uint64_t bits;
};

#define SYS_SIGBIT(signal) (UINT64_C(1) << ((signal) - 1))

/*
 * The kernel's struct sigaction (linux/signal_types.h), which differs from the
 * libc's. With a restorer it has 32 bytes on 64-bit processors, and 20 bytes on
 * 32-bit ones. The mask is no uint64_t, because ARM would align that to 8.
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
 * clone3(2) used like fork(2): it returns twice, with the pid of the child in
 * the caller, and with 0 in the child. The caller must have only one thread,
 * and args must not name a stack.
 *
 * With args NULL it makes no process, but tells whether clone3 can be reached:
 * -EINVAL says that it can. Other errors, -ENOSYS for example, come from a
 * kernel without clone3 (before Linux 5.3) or from a seccomp filter.
 */
int sys_clone3(const struct sys_clone_args *args);

/*
 * clone(2), for use where clone3 is missing. It returns twice, like sys_clone3.
 * With CLONE_PIDFD, *ret_pidfd gets a pidfd, which is close-on-exec, and the
 * caller's. Linux before 5.2 ignores CLONE_PIDFD and does not write *ret_pidfd.
 */
int sys_clone(uint64_t flags, uint64_t exit_signal, int *ret_pidfd);

/*
 * rt_sigprocmask(2) with SIG_SETMASK: blocks the signals of set and no others.
 * *ret_old gets the mask of before; ret_old may be NULL.
 */
int sys_sigmask(const struct sys_sigset *set, struct sys_sigset *ret_old);

/*
 * rt_sigprocmask(2) with SIG_BLOCK: adds set to the signals that are blocked.
 * *ret_old gets the mask of before; ret_old may be NULL.
 */
int sys_sigblock(const struct sys_sigset *set, struct sys_sigset *ret_old);

/*
 * rt_sigtimedwait(2) without waiting: consumes one pending signal of set, which
 * the caller has blocked, and gives its number. -EAGAIN if none is pending.
 */
int sys_sigtake(const struct sys_sigset *set, siginfo_t *ret_info);

/*
 * rt_sigqueueinfo(2): sends the signal that info says, with its sender and
 * values. The kernel lets a process name any sender in a signal to itself, so
 * that what sys_sigtake consumed becomes pending again as it was.
 */
int sys_sigqueue(pid_t pid, const siginfo_t *info);

/* rt_sigpending(2): the blocked signals that are pending */
struct sys_sigset sys_sigpending(void);

/*
 * rt_sigaction(2): ignores the signal, or gives it its default action.
 * *ret_ignored, unless ret_ignored is NULL, says whether the signal was ignored
 * before; on failure it is not written. A pending signal that becomes ignored
 * is discarded. -EINVAL for SIGKILL and SIGSTOP.
 */
int sys_sigignore(int signal, bool ignore, bool *ret_ignored);

/* rt_sigaction(2): 1 if the signal is ignored, 0 if not */
int sys_sigignored(int signal);

/*
 * signalfd(2): makes a file descriptor for the signals of set, or, if fd is not
 * -1, changes the set of fd. Gives the descriptor, which is close-on-exec,
 * non-blocking, and the caller's.
 */
int sys_signalfd(int fd, const struct sys_sigset *set);

/*
 * close_range(2), Linux 5.9: closes the file descriptors from first to last.
 * -ENOSYS or another error where the call is missing or filtered.
 */
int sys_close_range(unsigned int first, unsigned int last);

/*
 * getdents64(2): reads entries of a directory into the buffer. Gives their
 * bytes, and 0 at the end.
 */
int sys_getdents(int fd, void *buffer, size_t size);

/*
 * Whether closing fd might lose a record lock of this process: fcntl(2). A lock
 * of this process conflicts with F_OFD_GETLK, which asks for an open file, as a
 * lock of any other process does (Linux 3.15, seen on 7.2). The kernel names
 * one lock only, so a record lock of another process counts as well.
 */
bool sys_has_record_lock(int fd);

/*
 * waitid(2) with P_PIDFD, Linux 5.4: reaps a child that has ended, and gives
 * its pid. *ret_status gets its wait status, encoded as by wait(2). 0 if it has
 * not ended, or if a tracer must reap it first (ptrace(2)). -ECHILD if it is
 * not a child of this process, or if the kernel reaps it. -EINVAL on older
 * kernels.
 */
int sys_wait_pidfd(int pidfd, int *ret_status);

/* Like sys_wait_pidfd, for a child whose pid is known; waits until it ends */
int sys_wait_pid(pid_t pid, int *ret_status);

/*
 * waitid(2) with P_ALL: like sys_wait_pidfd, for any child. -ECHILD if there
 * are no children.
 */
pid_t sys_wait_any(int *ret_status);

/*
 * Whether the pid is that of a child, ended or not, whose exit signal is
 * SIGCHLD; with is_clone, of one whose exit signal is another, or none.
 */
bool sys_is_child(pid_t pid, bool is_clone);

/*
 * Whether this process has a child whose exit signal is SIGCHLD, as every child
 * has that it got when the child's own parent ended (Linux 7.2, kernel/exit.c).
 */
bool sys_has_children(void);

/*
 * PIDFD_GET_INFO of ioctl_pidfd(2) with PIDFD_INFO_EXIT, Linux 6.15: the wait
 * status of a process that has been reaped. The caller waits for POLLHUP first;
 * earlier the status may be missing (seen on Linux 7.1 to 7.3). -ENODATA if the
 * kernel has no status.
 */
int sys_pidfd_status(int pidfd, int *ret_status);

/*
 * PIDFD_GET_INFO of ioctl_pidfd(2), Linux 6.13: the pid of the process in this
 * PID namespace, or 0 if the process has ended and has been reaped. -ENOTTY if
 * pidfd is not a pidfd. -EREMOTE if the process cannot be seen from this PID
 * namespace; the kernel would not tell its status either. -ESRCH while the
 * process is being reaped (seen on Linux 7.1).
 */
pid_t sys_pidfd_pid(int pidfd);

/*
 * PIDFD_GET_INFO of ioctl_pidfd(2), Linux 6.13: the pid of the parent of
 * process pid, in this PID namespace.
 */
pid_t sys_parent(pid_t pid);

/*
 * The st_ino of a pidfd, or 0 on failure. Since Linux 6.9 each process has a
 * number of its own, which no other process gets before the next boot.
 */
uint64_t sys_pidfd_inode(int pidfd);

/* The st_ino of a pidfd of this process, or 0 on failure */
uint64_t sys_own_inode(void);

/*
 * true for an autokill pidfd: the kernel kills the process when the last
 * reference to this open file is gone.
 */
bool sys_pidfd_kills(int pidfd);

/* execveat(2) of the file fd itself. Returns only on failure */
int sys_execveat(int fd, char **argv, char **envp);

/*
 * capget(2): true if CAP_SYS_ADMIN is in the effective set of this process, in
 * its own user namespace.
 */
bool sys_is_admin(void);

/* capget(2): true if CAP_SETFCAP is in the effective set of this process */
bool sys_has_setfcap(void);

/*
 * prlimit(2), Linux 2.6.36: limits the open files of this process, softly and
 * hard. -EPERM if the hard limit needs CAP_SYS_RESOURCE. The setrlimit of musl
 * brings 2 KiB of code for threads.
 */
int sys_limit_files(uint64_t soft, uint64_t hard);

/*
 * pidfd_open(2), Linux 5.3: a pidfd, which is close-on-exec, and the caller's.
 * -ESRCH if no process has this pid.
 */
int sys_pidfd_open(pid_t pid);

/*
 * pidfd_send_signal(2), Linux 5.1. With group (Linux 6.9) the signal goes to
 * the whole process group that the process leads: -ESRCH if it leads none. info
 * goes with the signal, or is NULL; the kernel accepts only the values that a
 * process may send, as with sigqueue(3). -EPERM if this user may not signal the
 * process.
 */
int sys_pidfd_kill(int pidfd, int signal, bool group, const siginfo_t *info);

/*
 * waitid(2) with WSTOPPED, without waiting: the signal that has stopped the
 * child. 0 if the child is not stopped, or if its stop has been consumed. With
 * take the stop is consumed. -ECHILD if the process is not a child of this one.
 */
int sys_stop(int pidfd, bool take);

/*
 * waitid(2) without waiting: true if the child has been stopped, continued or
 * ended since sys_stop consumed its stop, or if waitid fails. For a moment it
 * also gives false for a child that was continued and is about to exit.
 */
bool sys_changed(int pidfd);

/*
 * renameat2(2) within one directory. flags is 0 or one of SYS_RENAME_. -EINVAL
 * or -ENOSYS if the file system or the kernel does not support it.
 */
int sys_rename(int directory, const char *from, const char *to,
	       unsigned int flags);
#define SYS_RENAME_NOREPLACE	1U
#define SYS_RENAME_EXCHANGE	2U

/*
 * pwritev2(2) with RWF_NOWAIT, for a pipe, Linux 5.7: writes length bytes, at
 * most PIPE_BUF, without waiting, and gives length. -EAGAIN if there is no room
 * for all of them; nothing is written then. -EOPNOTSUPP for FIFOs and most
 * other files.
 */
int sys_write_nowait(int fd, const char *text, size_t length);

/*
 * write(2), repeated until all is written. Gives 0. On failure a part may have
 * been written.
 */
int sys_write(int fd, const char *text, size_t length);

#endif
