/* SPDX-License-Identifier: MIT */
/* names - see names.h. It must never print. */
#include "names.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "sys.h"

/* Not the libc's SIGRTMIN and SIGRTMAX: see names.h */
enum { RTMIN = 34, RTMAX = SYS_SIGNAL_MAX };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define S(name) [SIG##name] = "SIG" #name
static const char *const signals[] = {
	S(HUP), S(INT), S(QUIT), S(ILL), S(TRAP), S(ABRT), S(BUS), S(FPE),
	S(KILL), S(USR1), S(SEGV), S(USR2), S(PIPE), S(ALRM), S(TERM),
	S(STKFLT), S(CHLD), S(CONT), S(STOP), S(TSTP), S(TTIN), S(TTOU),
	S(URG), S(XCPU), S(XFSZ), S(VTALRM), S(PROF), S(WINCH), S(IO), S(PWR),
	S(SYS),
};
#undef S

/* Second names of some signals (signal(7)) */
static const struct {
	const char *name;
	int signal;
} synonyms[] = {
	{ "SIGIOT", SIGABRT }, { "SIGCLD", SIGCHLD }, { "SIGPOLL", SIGIO },
};

#define E(name) [name] = #name
static const char *const errors[] = {
	E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG),
	E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM), E(EACCES),
	E(EFAULT), E(EBUSY), E(EEXIST), E(ENODEV), E(ENOTDIR), E(EISDIR),
	E(EINVAL), E(ENFILE), E(EMFILE), E(ETXTBSY), E(EFBIG), E(ENOSPC),
	E(EROFS), E(EPIPE), E(ENAMETOOLONG), E(ENOSYS), E(ELOOP), E(ENODATA),
	E(ELIBBAD), E(EUSERS), E(EOPNOTSUPP), E(ETIMEDOUT), E(ESTALE),
	E(EREMOTE), E(EREMOTEIO), E(EDQUOT), E(ENOTTY), E(EXDEV), E(EMLINK),
	E(ENOTEMPTY), E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE),
	E(EPROTOTYPE), E(EPROTO), E(EAFNOSUPPORT), E(EADDRINUSE), E(ENOBUFS),
	E(EISCONN), E(ENOTCONN), E(ESHUTDOWN), E(ETOOMANYREFS),
	E(ECONNABORTED), E(ECONNRESET), E(ECONNREFUSED), E(ENOMSG),
	E(EBADMSG),
};
#undef E

const char *name_signal(int signal)
{
	return signal > 0 && (size_t)signal < COUNT(signals) ? signals[signal]
							      : NULL;
}

const char *name_error(int error)
{
	return error > 0 && (size_t)error < COUNT(errors) ? errors[error]
							   : NULL;
}

/*
 * A number of one or two digits, without sign or space. -EINVAL if it is larger
 * than most.
 */
static int parse_number(const char *text, int most)
{
	int value = 0;

	if (!*text || strlen(text) > 2)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (*text - '0');
	}
	return value <= most ? value : -EINVAL;
}

/* Reads RTMIN, RTMIN+N, RTMAX or RTMAX-N, without "SIG" */
static int parse_realtime(const char *text)
{
	int min = !strncasecmp(text, "RTMIN", 5);
	int offset;

	if (!min && strncasecmp(text, "RTMAX", 5) != 0)
		return -EINVAL;
	if (!text[5])
		return min ? RTMIN : RTMAX;
	if (text[5] != (min ? '+' : '-'))
		return -EINVAL;
	offset = parse_number(text + 6, RTMAX - RTMIN);
	if (offset < 0)
		return offset;
	return min ? RTMIN + offset : RTMAX - offset;
}

int name_to_signal(const char *text)
{
	const char *bare = strncasecmp(text, "SIG", 3) ? text : text + 3;
	int value = parse_number(text, RTMAX);

	if (value > 0)
		return value;
	for (size_t i = 1; i < COUNT(signals); i++)
		if (!strcasecmp(bare, signals[i] + 3))
			return (int)i;
	for (size_t i = 0; i < COUNT(synonyms); i++)
		if (!strcasecmp(bare, synonyms[i].name + 3))
			return synonyms[i].signal;
	return parse_realtime(bare);
}
