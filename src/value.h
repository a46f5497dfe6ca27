/* SPDX-License-Identifier: MIT */
/*
 * value - reads the arguments of options, from text to values.
 *
 * Nothing here looks at files, processes or anything else that an argument
 * names. Each function gives 0, or -EINVAL if the text is not such a value.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdint.h>
#include <sys/types.h>

#include "table.h"

/* An ADDRESS, as in the manual page */
enum address_kind {
	ADDRESS_PATH,		/* the path of a Unix socket */
	ADDRESS_ABSTRACT,	/* @NAME, an abstract socket (unix(7)) */
	ADDRESS_FD		/* fd:N, an inherited socket */
};

struct address {
	enum address_kind kind;
	const char *text;	/* the argument as the user gave it */
	int fd;			/* N, for ADDRESS_FD; otherwise 0 */
};

/* The value of an argument; the kind of the option says which member is used */
union value {
	const char *text;	/* KIND_TEXT */
	uint64_t number;	/* signal, flags, nanoseconds, FD or UID */
	struct address address;	/* KIND_ADDRESS */
	struct {
		pid_t pid;
		uint64_t inode;	/* of a pidfd; 0 if it was not given */
	} process;		/* KIND_PID */
	struct {
		uint64_t flag;	/* a clone flag; 0 if it is the option below */
		const struct option_row *option;	/* or NULL */
	} probed;		/* KIND_PROBED */
};

/*
 * Reads the argument of an option of this kind. A text or an address in *ret
 * points into text from then on.
 */
int value_parse(enum kind kind, const char *text, union value *ret);

/*
 * Reads clone flags as --raw-flags takes them: terms joined by '|'. A term is a
 * decimal number, a hexadecimal number with 0x, 1<<N with N up to 63, or the
 * name of a flag, such as CLONE_NNP.
 */
int value_flags(const char *text, uint64_t *ret_flags);

/*
 * Reads a DURATION, a decimal number with an optional unit: ms, s (which is the
 * default), m, h or d. *ret_ns gets nanoseconds: at least 1 for a DURATION of
 * more than 0, and UINT64_MAX for one that is too large for 64 bits.
 */
int value_duration(const char *text, uint64_t *ret_ns);

#endif
