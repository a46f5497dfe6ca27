/* SPDX-License-Identifier: MIT */
/*
 * value - the arguments of options, from text to values.
 *
 * Pure. Each function gives 0, or -EINVAL if the text is no such value.
 */
#ifndef VALUE_H
#define VALUE_H

#include <stdint.h>
#include <sys/types.h>

#include "table.h"

enum address_kind {
	ADDRESS_PATH,
	ADDRESS_ABSTRACT,	/* @NAME */
	ADDRESS_FD		/* fd:N */
};

struct address {
	enum address_kind kind;
	const char *text;	/* as it was given */
	int fd;			/* of ADDRESS_FD */
};

union value {
	const char *text;
	uint64_t number;	/* a signal, flags, nanoseconds, an id */
	struct address address;
	struct {
		pid_t pid;
		uint64_t inode;	/* 0: it was not given */
	} process;
};

/* What an option of that kind makes of its argument; *ret points into text */
int value_parse(enum kind kind, const char *text, union value *ret);

/*
 * Clone flags as --raw-flags takes them: terms joined by '|', each a decimal
 * or hexadecimal number, 1<<N or a name.
 */
int value_flags(const char *text, uint64_t *ret_flags);

/*
 * A decimal number and perhaps ms, s, m, h or d, to nanoseconds; what is more
 * than nothing stays so, and what is too large is UINT64_MAX.
 */
int value_duration(const char *text, uint64_t *ret_ns);

#endif
