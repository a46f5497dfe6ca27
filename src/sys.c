/* SPDX-License-Identifier: MIT */
/* sys - see sys.h. It must never decide anything. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
/*
 * riscv32, and other 32-bit processors that Linux supports since 5.1 or later,
 * have only the call with 64-bit times.
 */
#if !defined(SYS_rt_sigtimedwait) && defined(SYS_rt_sigtimedwait_time64)
#define SYS_rt_sigtimedwait SYS_rt_sigtimedwait_time64
#endif

/*
 * struct pidfd_info of ioctl_pidfd(2), in its first size, 64 bytes. Every
 * kernel that has PIDFD_GET_INFO accepts this size.
 */
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t ids[11];	/* pid, tgid, ppid, then user and group ids */
	int32_t exit_code;
};

#define PIDFD_GET_INFO		_IOWR(0xFF, 11, struct pidfd_info)
#define PIDFD_INFO_EXIT		(UINT64_C(1) << 3)

/* The f_type of a pidfd in fstatfs(2) since Linux 6.9 (linux/magic.h) */
#define PID_FS_MAGIC		0x50494446

/* fcntl(2), since Linux 3.15 */
#ifndef F_OFD_GETLK
#define F_OFD_GETLK		36
#endif

/* pwritev2(2) */
#ifndef RWF_NOWAIT
#define RWF_NOWAIT		8
#endif

/* P_PIDFD of waitid(2), which old headers lack */
#define WAIT_PIDFD		3

/* pidfd_send_signal(2) */
#define PIDFD_SIGNAL_PROCESS_GROUP	4

/* wait(2): the bit of a wait status that WCOREDUMP tests */
#define CORE_DUMPED		0x80

static int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

int sys_clone3(const struct sys_clone_args *args)
{
	return result(syscall(SYS_clone3, args, args ? sizeof(*args) : 0));
}

int sys_clone(uint64_t flags, uint64_t exit_signal, int *ret_pidfd)
{
	unsigned long word = (unsigned long)(flags | exit_signal);

	/* clone(2): s390 takes the stack first, all others the flags. */
#ifdef __s390__
	return result(syscall(SYS_clone, 0, word, ret_pidfd, 0, 0));
#else
	return result(syscall(SYS_clone, word, 0, ret_pidfd, 0, 0));
#endif
}

int sys_sigmask(const struct sys_sigset *set, struct sys_sigset *ret_old)
{
	return result(syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, ret_old,
			      sizeof(*set)));
}

int sys_sigblock(const struct sys_sigset *set, struct sys_sigset *ret_old)
{
	return result(syscall(SYS_rt_sigprocmask, SIG_BLOCK, set, ret_old,
			      sizeof(*set)));
}

int sys_sigtake(const struct sys_sigset *set, siginfo_t *ret_info)
{
	/* The kernel's timespec has 8 or 16 bytes; this is 0 in both sizes. */
	const int64_t at_once[2] = { 0 };

	return result(syscall(SYS_rt_sigtimedwait, set, ret_info, at_once,
			      sizeof(*set)));
}

int sys_sigqueue(pid_t pid, const siginfo_t *info)
{
	return result(syscall(SYS_rt_sigqueueinfo, pid, info->si_signo, info));
}

struct sys_sigset sys_sigpending(void)
{
	struct sys_sigset set = { 0 };

	syscall(SYS_rt_sigpending, &set, sizeof(set));
	return set;
}

/* rt_sigaction(2); action and ret_old may be NULL */
static int change_action(int signal, const struct sys_sigaction *action,
			 struct sys_sigaction *ret_old)
{
	return result(syscall(SYS_rt_sigaction, signal, action, ret_old,
			      sizeof(struct sys_sigset)));
}

int sys_sigignore(int signal, bool ignore, bool *ret_ignored)
{
	const struct sys_sigaction action = {
		.handler = (uintptr_t)(ignore ? SIG_IGN : SIG_DFL),
	};
	struct sys_sigaction old = { 0 };
	int r = change_action(signal, &action, &old);

	if (r >= 0 && ret_ignored)
		*ret_ignored = old.handler == (uintptr_t)SIG_IGN;
	return r;
}

int sys_sigignored(int signal)
{
	struct sys_sigaction old = { 0 };
	int r = change_action(signal, NULL, &old);

	return r < 0 ? r : old.handler == (uintptr_t)SIG_IGN;
}

int sys_signalfd(int fd, const struct sys_sigset *set)
{
	return result(syscall(SYS_signalfd4, fd, set, sizeof(*set),
			      O_CLOEXEC | O_NONBLOCK));
}

int sys_close_range(unsigned int first, unsigned int last)
{
	return result(syscall(SYS_close_range, first, last, 0));
}

int sys_getdents(int fd, void *buffer, size_t size)
{
	return result(syscall(SYS_getdents64, fd, buffer, size));
}

bool sys_has_record_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* The pid of a lock that belongs to an open file is -1. */
	return fcntl(fd, F_OFD_GETLK, &lock) >= 0 && lock.l_type != F_UNLCK &&
	       lock.l_pid > 0;
}

/*
 * Calls waitid(2) and turns the siginfo into a wait status. __WALL is for
 * children whose exit signal is not SIGCHLD. This is not libc's waitid, because
 * old libcs have no P_PIDFD.
 */
static int wait_for(int type, int id, int options, int *ret_status)
{
	siginfo_t info = { .si_pid = 0 };
	long r;

	do
		r = syscall(SYS_waitid, type, id, &info,
			    WEXITED | __WALL | options, NULL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	*ret_status = info.si_status;
	if (info.si_code == CLD_EXITED)
		*ret_status <<= 8;
	if (info.si_code == CLD_DUMPED)
		*ret_status |= CORE_DUMPED;
	return info.si_pid;
}

int sys_wait_pidfd(int pidfd, int *ret_status)
{
	return wait_for(WAIT_PIDFD, pidfd, WNOHANG, ret_status);
}

int sys_wait_pid(pid_t pid, int *ret_status)
{
	return wait_for(P_PID, pid, 0, ret_status);
}

pid_t sys_wait_any(int *ret_status)
{
	return wait_for(P_ALL, 0, WNOHANG, ret_status);
}

/*
 * Whether waitid(2) knows such a child, ended or not. Without __WALL it looks
 * for children of one kind only.
 */
static bool has_child(int type, int id, unsigned int kind)
{
	siginfo_t info;

	return !syscall(SYS_waitid, type, id, &info,
			WEXITED | WNOHANG | WNOWAIT | kind, NULL);
}

bool sys_is_child(pid_t pid, bool is_clone)
{
	return has_child(P_PID, pid, is_clone ? __WCLONE : 0);
}

bool sys_has_children(void)
{
	return has_child(P_ALL, 0, 0);
}

static int get_info(int pidfd, struct pidfd_info *ret_info)
{
	ret_info->mask = PIDFD_INFO_EXIT;
	/* Not musl's ioctl: its request is an int, too small for this one. */
	return result(syscall(SYS_ioctl, pidfd, PIDFD_GET_INFO, ret_info));
}

int sys_pidfd_status(int pidfd, int *ret_status)
{
	struct pidfd_info info = { 0 };
	int r = get_info(pidfd, &info);

	if (r < 0)
		return r;
	if (!(info.mask & PIDFD_INFO_EXIT))
		return -ENODATA;
	*ret_status = info.exit_code;
	return 0;
}

pid_t sys_pidfd_pid(int pidfd)
{
	struct pidfd_info info = { 0 };
	struct statfs fs;
	int r;

	/* For another file, this ioctl might mean anything. */
	if (fstatfs(pidfd, &fs) < 0 || fs.f_type != PID_FS_MAGIC)
		return -ENOTTY;
	r = get_info(pidfd, &info);
	if (r < 0)
		return r;
	return info.mask & PIDFD_INFO_EXIT ? 0 : (pid_t)info.ids[0];
}

pid_t sys_parent(pid_t pid)
{
	struct pidfd_info info = { 0 };
	int pidfd = sys_pidfd_open(pid), r;

	if (pidfd < 0)
		return pidfd;
	r = get_info(pidfd, &info);
	close(pidfd);
	return r < 0 ? r : (pid_t)info.ids[2];
}

uint64_t sys_pidfd_inode(int pidfd)
{
	struct stat st;

	return fstat(pidfd, &st) < 0 ? 0 : st.st_ino;
}

uint64_t sys_own_inode(void)
{
	int pidfd = sys_pidfd_open(getpid());
	uint64_t inode = sys_pidfd_inode(pidfd);

	if (pidfd >= 0)
		close(pidfd);
	return inode;
}

bool sys_pidfd_kills(int pidfd)
{
	int flags = fcntl(pidfd, F_GETFL);

	/*
	 * CLONE_PIDFD_AUTOKILL marks its pidfd with O_TRUNC (Linux 7.3,
	 * fs/pidfs.c). No other pidfd can have or get that flag.
	 */
	return flags >= 0 && flags & O_TRUNC;
}

int sys_execveat(int fd, char **argv, char **envp)
{
	return result(syscall(SYS_execveat, fd, "", argv, envp,
			      AT_EMPTY_PATH));
}

/* Whether one of the first 32 capabilities is effective */
static bool has_capability(int capability)
{
	/* _LINUX_CAPABILITY_VERSION_3, and pid 0 for this process */
	uint32_t header[2] = { 0x20080522, 0 };
	/*
	 * The effective, permitted and inheritable sets: first capabilities 0
	 * to 31 of each, then 32 to 63.
	 */
	uint32_t sets[2][3] = { { 0 } };

	return !syscall(SYS_capget, header, sets) &&
	       sets[0][0] & UINT32_C(1) << capability;
}

bool sys_is_admin(void)
{
	const int cap_sys_admin = 21;

	return has_capability(cap_sys_admin);
}

bool sys_has_setfcap(void)
{
	const int cap_setfcap = 31;

	return has_capability(cap_setfcap);
}

int sys_limit_files(uint64_t soft, uint64_t hard)
{
	const struct { uint64_t soft, hard; } limit = { soft, hard };

	return result(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL));
}

int sys_pidfd_open(pid_t pid)
{
	return result(syscall(SYS_pidfd_open, pid, 0));
}

int sys_pidfd_kill(int pidfd, int signal, bool group, const siginfo_t *info)
{
	return result(syscall(SYS_pidfd_send_signal, pidfd, signal, info,
			      group ? PIDFD_SIGNAL_PROCESS_GROUP : 0));
}

/*
 * Asks waitid(2) for a state change of the child; options select which. si_pid
 * is 0 if there is none.
 */
static int state_change(int pidfd, int options, siginfo_t *ret_info)
{
	*ret_info = (siginfo_t){ .si_pid = 0 };
	return result(syscall(SYS_waitid, WAIT_PIDFD, pidfd, ret_info,
			      options | WNOHANG | __WALL, NULL));
}

int sys_stop(int pidfd, bool take)
{
	siginfo_t info;
	int r = state_change(pidfd, WSTOPPED | (take ? 0 : WNOWAIT), &info);

	if (r < 0)
		return r;
	return info.si_pid ? info.si_status : 0;
}

bool sys_changed(int pidfd)
{
	siginfo_t info = { .si_pid = 0 };
	int r = 0;

	/*
	 * waitid(2) looks for a stop first, then for a continuation. It misses
	 * both if the child, continued at first, stops again between the two.
	 * The second call sees that stop.
	 */
	for (int i = 0; i < 2 && r >= 0 && !info.si_pid; i++)
		r = state_change(pidfd,
				 WEXITED | WSTOPPED | WCONTINUED | WNOWAIT,
				 &info);
	return r < 0 || info.si_pid;
}

int sys_rename(int directory, const char *from, const char *to,
	       unsigned int flags)
{
	return result(syscall(SYS_renameat2, directory, from, directory, to,
			      flags));
}

int sys_write_nowait(int fd, const char *text, size_t length)
{
	const uintptr_t vector[2] = { (uintptr_t)text, length };

	/* pwritev2(2): the offset -1 stands for the current one. */
	return result(syscall(SYS_pwritev2, fd, vector, 1, -1L, -1L,
			      RWF_NOWAIT));
}

int sys_write(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return 0;
}
