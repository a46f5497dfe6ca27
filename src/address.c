/* SPDX-License-Identifier: MIT */
/* address - see address.h. It must never wait for the peer to accept. */
#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "clock.h"

static int connect_name(int socket, const char *name, size_t length)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t size = offsetof(struct sockaddr_un, sun_path) + length;

	memcpy(un.sun_path, name, length);
	return connect(socket, (const void *)&un, (socklen_t)size) < 0 ? -errno
								       : 0;
}

int address_connect_file(int socket, int file)
{
	char path[32];
	int length = snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	int r = connect_name(socket, path, (size_t)length + 1);

	/* The file is open, so its name in /proc can only lack with /proc. */
	return r == -ENOENT ? -ENOSYS : r;
}

static int connect_path(int socket, const char *path)
{
	auto_close file = -1;

	if (strlen(path) < sizeof((struct sockaddr_un){ 0 }.sun_path))
		return connect_name(socket, path, strlen(path) + 1);
	file = fd_above_standard(open(path, O_PATH | O_CLOEXEC));
	return file < 0 ? -errno : address_connect_file(socket, file);
}

/* unix(7): an abstract name begins with a NUL byte, and does not end in one. */
static int connect_abstract(int socket, const char *text)
{
	char name[sizeof((struct sockaddr_un){ 0 }.sun_path)] = { 0 };
	size_t length = strlen(text);

	memcpy(name + 1, text + 1, length - 1);
	return connect_name(socket, name, length);
}

static int connect_type(const struct address *address, int type)
{
	int r, fd = fd_above_standard(socket(AF_UNIX, type | SOCK_CLOEXEC |
					     SOCK_NONBLOCK, 0));
	struct stat st;

	if (fd < 0)
		return -errno;
	r = address->kind == ADDRESS_ABSTRACT
		    ? connect_abstract(fd, address->text)
		    : connect_path(fd, address->text);
	if (r >= 0)
		return fd;
	close(fd);
	/* connect(2) says ECONNREFUSED of a file that is not a socket too. */
	if (r == -ECONNREFUSED && address->kind == ADDRESS_PATH &&
	    stat(address->text, &st) == 0 && !S_ISSOCK(st.st_mode))
		r = -ENOTSOCK;
	return r;
}

static int connect_once(const struct address *address)
{
	int r = connect_type(address, SOCK_STREAM);

	/*
	 * Where an abstract socket of another type listens, connect(2) says
	 * ECONNREFUSED, as if there were none (Linux 7.2).
	 */
	if (r == -EPROTOTYPE ||
	    (r == -ECONNREFUSED && address->kind == ADDRESS_ABSTRACT))
		r = connect_type(address, SOCK_SEQPACKET);
	return r;
}

/* Sleeps for ns, or until the deadline; false if the deadline has passed */
static bool sleep_before(uint64_t deadline, long ns)
{
	struct timespec left;
	bool ends = clock_left(deadline, &left) != NULL;

	if (ends && !left.tv_sec && left.tv_nsec < ns)
		ns = left.tv_nsec;
	return ns && !nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

int address_connect(const struct address *address, uint64_t wait_ns)
{
	enum { FIRST_NS = 1000000, MOST_NS = 32000000 };
	const uint64_t deadline = clock_after(wait_ns);
	int r = connect_once(address);

	/* The kernel has no event for "a socket begins to listen". */
	for (long ns = FIRST_NS; r == -ENOENT || r == -ECONNREFUSED;
	     ns = ns < MOST_NS ? 2 * ns : ns) {
		if (!wait_ns || !sleep_before(deadline, ns))
			break;
		r = connect_once(address);
	}
	return r;
}

/* Whether the socket listens; socket(7) */
static bool is_listening(int fd)
{
	int listens = 0;
	socklen_t size = sizeof(listens);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) &&
	       listens;
}

/* Checks that fd is a Unix socket with a peer */
static int check_connected(int fd)
{
	struct sockaddr_un peer;
	socklen_t size = sizeof(peer);
	int domain = AF_UNSPEC;
	socklen_t domain_size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) < 0)
		return -errno;
	if (domain != AF_UNIX)
		return -EAFNOSUPPORT;
	return getpeername(fd, (void *)&peer, &size) < 0 ? -errno : 0;
}

/*
 * Checks that fd is a Unix socket with a peer, or one that listens. Only a
 * socket without a peer costs the second question.
 */
static int check_source(int fd, bool *ret_listens)
{
	int r = check_connected(fd);

	*ret_listens = r == -ENOTCONN && is_listening(fd);
	if (*ret_listens)
		return 0;
	return r == -ENOTCONN ? -EINVAL : r;
}

int address_check_source(const struct address *address)
{
	bool listens;

	return address->kind == ADDRESS_FD
		       ? check_source(address->fd, &listens)
		       : 0;
}

int address_take_fd(const struct address *address, bool *ret_listens)
{
	int fd = address->fd;
	int r = ret_listens ? check_source(fd, ret_listens)
			    : check_connected(fd);

	if (r < 0)
		return r;
	if (fd <= STDERR_FILENO)
		fd = fd_copy(fd);
	else if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		fd = -1;
	return fd < 0 ? -errno : fd;
}

static bool in_user_namespace(void)
{
	/* PROC_USER_INIT_INO of the kernel's proc_ns.h, since Linux 3.8 */
	const ino_t initial = 0xEFFFFFFD;
	struct stat st;

	/* Without /proc, the stricter answer is the safe one. */
	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino != initial;
}

int address_fail_fd(const struct address *address, enum option_id option, int r,
		    struct failure *ret_failure)
{
	step_fail(ret_failure, STEP_ADDRESS, r, address->text);
	ret_failure->number = (int)option;
	return r;
}

int address_check_peer(int socket, const struct address *address,
		       const uid_t *allowed, struct failure *ret_failure)
{
	/*
	 * The default of /proc/sys/kernel/overflowuid. To read that, each check
	 * of an ordinary user would first have to look at its user namespace.
	 */
	const uid_t overflow = 65534;
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);
	bool admitted;
	int r = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		r = -errno;
	admitted = peer.uid == 0 || peer.uid == geteuid() ||
		   (allowed && peer.uid == *allowed);
	if (peer.uid == overflow && in_user_namespace())
		admitted = false;
	if (r >= 0 && admitted)
		return 0;
	step_fail(ret_failure, STEP_PEER, r < 0 ? r : -EPERM, address->text);
	ret_failure->number = (int)peer.uid;
	return -ret_failure->error;
}
