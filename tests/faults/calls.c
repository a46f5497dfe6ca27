/* SPDX-License-Identifier: MIT */
/*
 * The errors of each system call are those of its manual page, without EFAULT
 * and EBADF, which only a mistake of spawnfd's own would cause. ENOSYS and
 * EPERM stand where seccomp filters are known to deny the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "faults.h"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

#define ERR(name, ...) { SYS_##name, #name, false, { __VA_ARGS__ } }
#define AFTER(name, ...) { SYS_##name, #name, true, { __VA_ARGS__ } }
/* Such a call cannot fail, or belongs to the start of libc. */
#define NONE(name) { SYS_##name, #name, false, { 0 } }

#define CLONE_ERRORS EAGAIN, ENOMEM, EPERM, EINVAL, ENOSYS, EACCES, EBUSY, \
	ENOSPC, EUSERS, EOPNOTSUPP, E2BIG
#define OPEN_ERRORS EACCES, EINTR, EMFILE, ENFILE, ENOENT, ENOMEM, ENOTDIR, \
	ELOOP, EPERM, ENOSPC, EROFS
#define EXEC_ERRORS E2BIG, EACCES, EAGAIN, EINVAL, EIO, EISDIR, ELIBBAD, \
	ELOOP, EMFILE, ENFILE, ENOENT, ENOEXEC, ENOMEM, ENOTDIR, EPERM, ETXTBSY
#define STAT_ERRORS EACCES, ELOOP, ENOENT, ENOMEM, ENOTDIR, EOVERFLOW
#define SEND_ERRORS EACCES, EAGAIN, ECONNRESET, EINTR, EMSGSIZE, ENOBUFS, \
	ENOMEM, ENOTCONN, EPIPE, EPERM

static const struct call_errors calls[] = {
	NONE(arch_prctl), NONE(set_tid_address), NONE(exit_group), NONE(exit),
	NONE(getpid), NONE(getppid), NONE(getuid), NONE(geteuid), NONE(getgid),
	NONE(getegid), NONE(umask), NONE(rt_sigreturn), NONE(restart_syscall),
	ERR(read, EINTR, EIO, EAGAIN, EINVAL, SHORT),
	ERR(write, EINTR, EIO, EAGAIN, ENOSPC, EDQUOT, EFBIG, EPIPE, EPERM,
	    SHORT),
	ERR(writev, EINTR, EIO, EAGAIN, ENOSPC, EPIPE),
	ERR(pwritev2, EINTR, EIO, EAGAIN, ENOSPC, EPIPE, EOPNOTSUPP, ENOSYS),
	ERR(open, OPEN_ERRORS), ERR(openat, OPEN_ERRORS),
	AFTER(close, EINTR, EIO, ENOSPC),
	ERR(close_range, EINVAL, EMFILE, ENOMEM, ENOSYS, EPERM),
	ERR(stat, STAT_ERRORS), ERR(lstat, STAT_ERRORS),
	ERR(fstat, STAT_ERRORS), ERR(newfstatat, STAT_ERRORS),
	ERR(statfs, EACCES, EIO, ENOENT, ENOMEM, ENOSYS),
	ERR(fstatfs, EINTR, EIO, ENOMEM, ENOSYS, EOVERFLOW),
	ERR(statx, EACCES, ENOENT, ENOMEM, ENOSYS),
	ERR(poll, EINTR, EINVAL, ENOMEM), ERR(ppoll, EINTR, EINVAL, ENOMEM),
	ERR(lseek, EINVAL, EOVERFLOW, ESPIPE),
	ERR(ftruncate, EINTR, EIO, EPERM),
	ERR(mmap, EAGAIN, ENOMEM, EPERM), ERR(munmap, EINVAL, ENOMEM),
	ERR(mprotect, ENOMEM), ERR(brk, ENOMEM),
	ERR(rt_sigprocmask, EINVAL), ERR(rt_sigaction, EINVAL),
	ERR(rt_sigpending, ENOSYS), ERR(rt_sigtimedwait, EAGAIN, EINTR, EINVAL),
	ERR(rt_sigqueueinfo, EAGAIN, EINVAL, EPERM, ESRCH),
	ERR(signalfd4, EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM),
	ERR(ioctl, EINVAL, ENOTTY, ESRCH, EIO, EPERM, EREMOTE),
	ERR(access, EACCES, EIO, ENOENT, ENOMEM),
	ERR(faccessat, EACCES, EIO, ENOENT, ENOMEM, EROFS, EPERM),
	ERR(faccessat2, EACCES, EIO, ENOENT, ENOMEM, ENOSYS, EPERM),
	ERR(pipe2, EMFILE, ENFILE, EINVAL),
	ERR(dup2, EBUSY, EINTR, EMFILE), ERR(dup3, EBUSY, EINTR, EMFILE),
	ERR(dup, EMFILE),
	ERR(nanosleep, EINTR), ERR(clock_nanosleep, EINTR),
	/* CLOCK_MONOTONIC is always there. */
	NONE(clock_gettime),
	ERR(socket, EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM),
	ERR(socketpair, EAFNOSUPPORT, EMFILE, ENFILE, EOPNOTSUPP, ENOMEM),
	ERR(connect, EACCES, EPERM, EAGAIN, ECONNREFUSED, EINTR, ENOENT,
	    EPROTOTYPE, ENOTDIR, ETIMEDOUT),
	ERR(accept4, EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS,
	    ENOMEM, EPERM),
	ERR(bind, EACCES, EADDRINUSE, EINVAL, ELOOP, ENOENT, ENOMEM, ENOTDIR,
	    EROFS, ENOSPC),
	ERR(listen, EADDRINUSE, EOPNOTSUPP),
	ERR(getsockopt, EINVAL, ENOPROTOOPT), ERR(setsockopt, ENOPROTOOPT),
	ERR(getpeername, ENOBUFS, ENOTCONN),
	ERR(getsockname, ENOBUFS),
	ERR(sendto, SEND_ERRORS), ERR(sendmsg, SEND_ERRORS, ETOOMANYREFS),
	ERR(recvfrom, EAGAIN, ECONNREFUSED, EINTR, ENOMEM, ENOTCONN,
	    ECONNRESET),
	ERR(recvmsg, EAGAIN, ECONNREFUSED, EINTR, ENOMEM, ENOTCONN,
	    ECONNRESET, FULL),
	ERR(clone3, CLONE_ERRORS), ERR(clone, CLONE_ERRORS),
	ERR(fork, EAGAIN, ENOMEM, ENOSYS), ERR(vfork, EAGAIN, ENOMEM),
	ERR(execve, EXEC_ERRORS), ERR(execveat, EXEC_ERRORS, ENOSYS),
	ERR(waitid, ECHILD, EINTR, EINVAL), ERR(wait4, ECHILD, EINTR, EINVAL),
	ERR(kill, EPERM, ESRCH),
	ERR(pidfd_send_signal, EINVAL, EPERM, ESRCH, EACCES, ENOSYS),
	ERR(pidfd_open, EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, ESRCH),
	/* F_GETFD and the like do not fail with these: call_fits */
	ERR(fcntl, EACCES, EAGAIN, EINTR, EINVAL, EMFILE, ENOLCK, EPERM),
	ERR(getdents64, EINVAL, ENOENT, ENOTDIR, ENOMEM),
	ERR(uname, EPERM),
	ERR(setpgid, EACCES, EINVAL, EPERM, ESRCH), ERR(setsid, EPERM),
	ERR(getpgid, ESRCH, EPERM), ERR(getsid, ESRCH, EPERM),
	ERR(capget, EINVAL, EPERM, ESRCH),
	ERR(prctl, EINVAL, EPERM, EACCES),
	ERR(getrlimit, EINVAL, EPERM), ERR(prlimit64, EINVAL, EPERM),
	ERR(setrlimit, EINVAL, EPERM),
	ERR(unshare, EINVAL, ENOMEM, EPERM, ENOSPC, EUSERS),
	ERR(mount, EACCES, EBUSY, EINVAL, ELOOP, ENODEV, ENOENT, ENOMEM,
	    ENOTDIR, EPERM),
	ERR(renameat2, EACCES, EBUSY, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC,
	    EPERM, EROFS, ENOSYS, EISDIR),
	ERR(unlinkat, EACCES, EBUSY, EIO, ENOENT, ENOMEM, EPERM, EROFS),
	ERR(unlink, EACCES, EBUSY, EIO, ENOENT, ENOMEM, EPERM, EROFS),
	ERR(readlink, EACCES, EINVAL, EIO, ENOENT, ENOMEM),
	ERR(readlinkat, EACCES, EINVAL, EIO, ENOENT, ENOMEM),
};

static const int unknown_errors[] = { EPERM, ENOMEM, EINVAL, EINTR, ENOSYS, 0 };

const struct call_errors *call_find(int number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

const int *call_errors(int number, bool *ret_known)
{
	const struct call_errors *call = call_find(number);

	*ret_known = call != NULL;
	return call ? call->errors : unknown_errors;
}

bool call_fits(const struct call *call, int error)
{
	if (error == FULL)
		return call->result > 0;
	if (error == SHORT)
		/* A signalfd gives whole structs of 128 bytes. */
		return call->result > 1 && call->count % 128;
	if (call->number != SYS_fcntl)
		return true;
	switch (call->command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return error == EINVAL || error == EMFILE;
	case F_GETLK:
	case F_OFD_GETLK:
		return error != EMFILE && error != EPERM;
	default:
		/* A filter or a security module; nothing else makes it fail. */
		return error == EPERM;
	}
}

const char *call_name(int number, char name[32])
{
	const struct call_errors *call = call_find(number);

	if (call)
		snprintf(name, 32, "%s", call->name);
	else
		snprintf(name, 32, "syscall_%d", number);
	return name;
}

int call_number(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	return !strncmp(name, "syscall_", 8) ? atoi(name + 8) : -1;
}

const char *error_name(int error)
{
	if (error == FULL)
		return "FULL";
	return error == SHORT ? "SHORT" : strerrorname_np(error);
}

int error_number(const char *name)
{
	const char *each;

	for (int error = 1; error < 134; error++) {
		each = strerrorname_np(error);
		if (each && !strcmp(each, name))
			return error;
	}
	if (!strcmp(name, "FULL"))
		return FULL;
	return strcmp(name, "SHORT") ? -1 : SHORT;
}
