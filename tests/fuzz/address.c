/* SPDX-License-Identifier: MIT */
/*
 * address - an ADDRESS, as of --pass and --receive: how it is read, and that
 * both options find each other at an abstract name
 */
#include "address.h"

#include <limits.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "listener.h"

enum { NAME_MAX_LENGTH = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

/* The answer of the manual page to the text */
static bool expected(const char *text, enum address_kind *ret_kind, int *ret_fd)
{
	*ret_fd = 0;
	*ret_kind = *text == '@' ? ADDRESS_ABSTRACT
		    : strncmp(text, "fd:", 3) ? ADDRESS_PATH
					      : ADDRESS_FD;
	if (*ret_kind == ADDRESS_ABSTRACT)
		return text[1] && strlen(text) <= NAME_MAX_LENGTH;
	if (*ret_kind == ADDRESS_PATH)
		return *text;
	errno = 0;
	*ret_fd = (int)strtol(text + 3, NULL, 10);
	return fuzz_is_number(text + 3) && !errno &&
	       strtol(text + 3, NULL, 10) <= INT_MAX;
}

/* Listens at the address, and connects to it */
static void check_connection(const struct address *address)
{
	struct listener listener;
	int sender, receiver, r = listener_open(address, &listener);

	/* Another program may have the name, such as a second fuzzer. */
	MUST(r >= 0 || r == -EADDRINUSE);
	if (r < 0)
		return;
	MUST(listener_accept(&listener) == -EAGAIN);
	sender = address_connect(address, 0);
	MUST(sender > STDERR_FILENO);
	receiver = listener_accept(&listener);
	MUST(receiver > STDERR_FILENO);
	MUST(write(sender, "x", 1) == 1);
	MUST(read(receiver, &(char){ 0 }, 1) == 1);
	close(sender);
	close(receiver);
	listener_close(&listener);
	MUST(address_connect(address, 0) == -ECONNREFUSED);
}

/* Nothing is changed at a path, so this cannot listen there */
static void check_use(const struct address *address)
{
	int before = fuzz_count_descriptors(), r = 0;

	if (address->kind == ADDRESS_ABSTRACT)
		check_connection(address);
	else if (address->kind == ADDRESS_PATH)
		r = address_connect(address, 0);
	else
		address_check_source(address);
	MUST(r != -EFAULT && r != -EINVAL);
	if (r > 0)
		close(r);
	MUST(fuzz_count_descriptors() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	enum address_kind kind;
	union value value;
	int fd;
	bool is_good = expected(text, &kind, &fd);

	MUST(fuzz_value(KIND_ADDRESS, text, &value) == is_good);
	if (is_good) {
		MUST(value.address.kind == kind);
		MUST(value.address.text == text);
		MUST(value.address.fd == fd);
		check_use(&value.address);
	}
	free(text);
	return 0;
}
