/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>

#include "harness.h"

const char *abstract(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "@spawnfd-test-%d", getpid());
	return name;
}

socklen_t fill_address(struct sockaddr_un *un, const char *address)
{
	size_t length = strlen(address);

	cr_assert_lt(length, sizeof(un->sun_path));
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, address, length);
	if (address[0] == '@')
		un->sun_path[0] = '\0';
	else
		length++;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int new_socket(int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	return fd;
}

void open_pair(int type, int pair[2])
{
	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0,
		     "%s", strerror(errno));
}

/* Makes a path short: it goes through a descriptor of its directory. */
static void shorten(char *address, size_t size, const char *path, int *ret_dir)
{
	const char *slash = strrchr(path, '/');
	char *directory = strndup(path, (size_t)(slash - path));

	*ret_dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(*ret_dir, 0, "%s: %s", directory, strerror(errno));
	free(directory);
	snprintf(address, size, "/proc/self/fd/%d%s", *ret_dir, slash);
}

int bind_to(const char *address, int type)
{
	struct sockaddr_un un;
	char shortened[512];
	int fd = new_socket(type), dir = -1;
	socklen_t size;

	if (address[0] != '@')
		unlink(address);
	if (strlen(address) >= sizeof(un.sun_path)) {
		shorten(shortened, sizeof(shortened), address, &dir);
		address = shortened;
	}
	size = fill_address(&un, address);
	cr_assert_eq(bind(fd, (const void *)&un, size), 0, "%s: %s", address,
		     strerror(errno));
	if (dir >= 0)
		close(dir);
	return fd;
}

int listen_at(const char *address, int type)
{
	int fd = bind_to(address, type);

	if (type != SOCK_DGRAM)
		cr_assert_eq(listen(fd, 10), 0, "%s", strerror(errno));
	return fd;
}

int try_connect(const char *address, int type)
{
	struct sockaddr_un un;
	socklen_t size = fill_address(&un, address);
	int fd = new_socket(type);

	if (connect(fd, (const void *)&un, size) == 0)
		return fd;
	close(fd);
	return -1;
}

int connect_to(const char *address)
{
	int fd = try_connect(address, SOCK_STREAM);

	cr_assert_geq(fd, 0, "connect %s: %s", address, strerror(errno));
	return fd;
}

int accept_one(int listener)
{
	int fd;

	await_events(listener, POLLIN);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_geq(fd, 0, "accept: %s", strerror(errno));
	return fd;
}

bool is_end_of_file(int socket)
{
	struct pollfd p = { socket, POLLIN, 0 };
	char byte;
	ssize_t n;

	if (poll_patiently(&p, 1) != 1)
		return false;
	n = read(socket, &byte, 1);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}
