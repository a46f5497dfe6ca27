/* SPDX-License-Identifier: MIT */
/* value - see value.h. It must never look at what the text names. */
#include "value.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "names.h"

/* The value of a decimal or hexadecimal digit; 16 for any other character */
static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

/*
 * Reads length digits of base. Refuses signs, spaces and numbers of more than
 * 64 bits, which strtoull(3) accepts or clamps.
 */
static int parse_digits(const char *text, size_t length, unsigned int base,
			uint64_t *ret)
{
	uint64_t value = 0;

	if (!length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = digit_of(text[i]);

		if (digit >= base ||
		    __builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* Reads one term of clone flags: see value_flags */
static int parse_term(const char *text, size_t length, uint64_t *ret)
{
	uint64_t shift;

	*ret = table_flag_named(text, length);
	if (*ret)
		return 0;
	if (length > 2 && !strncasecmp(text, "0x", 2))
		return parse_digits(text + 2, length - 2, 16, ret);
	if (length <= 3 || memcmp(text, "1<<", 3) != 0)
		return parse_digits(text, length, 10, ret);
	if (parse_digits(text + 3, length - 3, 10, &shift) < 0 || shift > 63)
		return -EINVAL;
	*ret = UINT64_C(1) << shift;
	return 0;
}

int value_flags(const char *text, uint64_t *ret_flags)
{
	uint64_t flags = 0, term;

	for (;; text++) {
		size_t length = strcspn(text, "|");

		if (parse_term(text, length, &term) < 0)
			return -EINVAL;
		flags |= term;
		text += length;
		if (!*text)
			break;
	}
	*ret_flags = flags;
	return 0;
}

/* The nanoseconds of a unit; 0 if text is not a unit */
static uint64_t unit_of(const char *text)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000 }, { "ms", 1000000 }, { "s", 1000000000 },
		{ "m", 60000000000 }, { "h", 3600000000000 },
		{ "d", 86400000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i].name))
			return units[i].ns;
	return 0;
}

/*
 * The nanoseconds of the digits after the decimal point. If one of the digits
 * is not 0, the result is at least 1: a DURATION of 0 has another meaning.
 */
static uint64_t fraction_of(const char *digits, size_t length, uint64_t unit)
{
	uint64_t ns = 0;
	bool some = false;

	for (size_t i = 0; i < length; i++) {
		unit /= 10;
		ns += digit_of(digits[i]) * unit;
		some |= digits[i] != '0';
	}
	return ns || !some ? ns : 1;
}

int value_duration(const char *text, uint64_t *ret_ns)
{
	size_t whole = strspn(text, "0123456789");
	const char *point = text + whole + (text[whole] == '.');
	size_t fraction = point > text + whole ? strspn(point, "0123456789")
					       : 0;
	uint64_t unit = unit_of(point + fraction), ns = 0;

	if (whole + fraction == 0 || !unit)
		return -EINVAL;
	if ((whole && (parse_digits(text, whole, 10, &ns) < 0 ||
		       __builtin_mul_overflow(ns, unit, &ns))) ||
	    __builtin_add_overflow(ns, fraction_of(point, fraction, unit),
				   &ns))
		ns = UINT64_MAX;
	*ret_ns = ns;
	return 0;
}

static int parse_number(const char *text, uint64_t most, uint64_t *ret)
{
	uint64_t number;

	if (parse_digits(text, strlen(text), 10, &number) < 0 || number > most)
		return -EINVAL;
	*ret = number;
	return 0;
}

static int parse_signal(const char *text, bool may_be_none, uint64_t *ret)
{
	bool none = !strcmp(text, "0") || !strcasecmp(text, "none");
	int signal = may_be_none && none ? 0 : name_to_signal(text);

	if (signal < 0)
		return signal;
	*ret = (uint64_t)signal;
	return 0;
}

/* The option with this name, with or without its two dashes; or NULL */
static const struct option_row *find_option(const char *name)
{
	if (!strncmp(name, "--", 2))
		name += 2;
	for (size_t id = 0; id < OPTIONS; id++)
		if (!strcmp(table[id].name, name) ||
		    (table[id].alias && !strcmp(table[id].alias, name)))
			return &table[id];
	return NULL;
}

/*
 * Reads the name of a clone flag, or of an option that sets one, or of an
 * option that takes several.
 */
static int parse_probed(const char *text, union value *ret)
{
	const struct option_row *row = find_option(text);
	uint64_t flag = row ? row->flag : table_flag_named(text, strlen(text));

	if (!flag && (!row || !row->probed))
		return -EINVAL;
	ret->probed.flag = flag;
	ret->probed.option = flag ? NULL : row;
	return 0;
}

static int parse_address(const char *text, struct address *ret)
{
	struct address address = { .kind = ADDRESS_PATH, .text = text };
	uint64_t fd;

	if (!*text)
		return -EINVAL;
	if (text[0] == '@') {
		address.kind = ADDRESS_ABSTRACT;
		/* unix(7): in sun_path a NUL takes the place of the '@'. */
		if (!text[1] || strlen(text) > sizeof((struct sockaddr_un){ 0 }
						      .sun_path))
			return -EINVAL;
	} else if (!strncmp(text, "fd:", 3)) {
		address.kind = ADDRESS_FD;
		if (parse_number(text + 3, INT_MAX, &fd) < 0)
			return -EINVAL;
		address.fd = (int)fd;
	}
	*ret = address;
	return 0;
}

/* Reads PID, or PID:INODE as in util-linux */
static int parse_process(const char *text, union value *ret)
{
	size_t length = strcspn(text, ":");
	uint64_t pid, inode = 0;

	if (parse_digits(text, length, 10, &pid) < 0 || !pid || pid > INT_MAX)
		return -EINVAL;
	if (text[length] &&
	    (parse_number(text + length + 1, UINT64_MAX, &inode) < 0 || !inode))
		return -EINVAL;
	ret->process.pid = (pid_t)pid;
	ret->process.inode = inode;
	return 0;
}

int value_parse(enum kind kind, const char *text, union value *ret)
{
	switch (kind) {
	case KIND_SIGNAL:
	case KIND_NO_SIGNAL:
		return parse_signal(text, kind == KIND_NO_SIGNAL,
				    &ret->number);
	case KIND_FLAGS:
		return value_flags(text, &ret->number);
	case KIND_PROBED:
		return parse_probed(text, ret);
	case KIND_DURATION:
		return value_duration(text, &ret->number);
	case KIND_ADDRESS:
		return parse_address(text, &ret->address);
	case KIND_FD:
		return parse_number(text, INT_MAX, &ret->number);
	case KIND_PID:
		return parse_process(text, ret);
	case KIND_UID:
		/* chown(2): the id -1, UINT32_MAX, stands for no user. */
		return parse_number(text, UINT32_MAX - 1, &ret->number);
	case KIND_SWITCH:
	case KIND_TEXT:
		break;
	}
	ret->text = text;
	return *text ? 0 : -EINVAL;
}
