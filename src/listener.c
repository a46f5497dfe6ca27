/* SPDX-License-Identifier: MIT */
/* listener - see listener.h. It must never remove the name of a live socket. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "fd.h"
#include "sys.h"

/* How often spawnfd tries again after it lost a race for a name */
enum { ATTEMPTS = 100 };

static int new_socket(int type)
{
	int fd = fd_above_standard(socket(AF_UNIX, type | SOCK_CLOEXEC |
					  SOCK_NONBLOCK, 0));

	return fd < 0 ? -errno : fd;
}

static int bind_name(int socket, const struct sockaddr_un *un, size_t length)
{
	size_t size = offsetof(struct sockaddr_un, sun_path) + length;

	return bind(socket, (const void *)un, (socklen_t)size) < 0 ? -errno : 0;
}

/*
 * Binds to a temporary name. The path leads through /proc, because that of the
 * directory may be too long for sun_path (unix(7)); -ENOSYS if there is no
 * /proc. The umask gives the socket file mode 0600 from the start.
 */
static int bind_temporary(int socket, struct atomic_name *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const mode_t before = umask(0177);
	int r = -EADDRINUSE;

	for (unsigned int i = 0; r == -EADDRINUSE && i < ATTEMPTS; i++) {
		int length;

		atomic_name_pick_temporary(name, i);
		length = snprintf(un.sun_path, sizeof(un.sun_path),
				  "/proc/self/fd/%d/%s", name->directory,
				  name->temporary);
		r = bind_name(socket, &un, (size_t)length + 1);
	}
	umask(before);
	if (r == -ENOENT && access("/proc/self/fd", F_OK) < 0)
		r = -ENOSYS;
	return r;
}

/*
 * Finds out which file has the final name: 0 if it is a socket of this user on
 * which nobody listens, -ENOENT if there is none.
 */
static int classify_existing(const struct atomic_name *name,
			     struct stat *ret_st)
{
	auto_close file = -1;
	auto_close socket = -1;
	int r;

	file = fd_above_standard(openat(name->directory, name->final,
					O_PATH | O_NOFOLLOW | O_CLOEXEC));
	if (file < 0 || fstat(file, ret_st) < 0)
		return -errno;
	if (!S_ISSOCK(ret_st->st_mode) || ret_st->st_uid != geteuid())
		return -EEXIST;
	/*
	 * connect(2) with the wrong type fails before a stream listener could
	 * notice it (EPROTOTYPE).
	 */
	socket = new_socket(SOCK_DGRAM);
	if (socket < 0)
		return socket;
	r = address_connect_file(socket, file);
	if (r == -ECONNREFUSED)
		return 0;
	/*
	 * These come from live sockets only: EAGAIN says that a backlog is full
	 * (connect(2)), EPERM that a datagram socket is connected to another
	 * one.
	 */
	return r >= 0 || r == -EPROTOTYPE || r == -EAGAIN || r == -EPERM
		       ? -EADDRINUSE
		       : r;
}

/*
 * Exchanges the names of the new socket and the dead one. Another process may
 * have replaced the dead socket since the check, so the file that has the
 * temporary name now is compared with it.
 */
static int replace_dead_socket(struct atomic_name *name,
			       const struct stat *dead)
{
	struct stat st;
	int r = atomic_name_commit(name, SYS_RENAME_EXCHANGE);

	if (r < 0)
		return r;
	if (fstatat(name->directory, name->temporary, &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		/* ENOENT: without an exchange, the rename replaced it. */
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev == dead->st_dev && st.st_ino == dead->st_ino) {
		atomic_name_discard(name);
		return 0;
	}
	/* Another process was faster: its file gets its name back. */
	r = atomic_name_commit(name, SYS_RENAME_EXCHANGE);
	return r < 0 ? r : -EAGAIN;
}

/*
 * Gives the socket its final name. Each step can lose a race to another process
 * that takes or removes the name; then everything is checked again.
 */
static int commit_name(struct atomic_name *name)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < ATTEMPTS; i++) {
		struct stat st = { 0 };

		r = classify_existing(name, &st);
		if (r == 0)
			r = replace_dead_socket(name, &st);
		else if (r == -ENOENT)
			r = atomic_name_commit(name, SYS_RENAME_NOREPLACE);
		else
			return r;
		if (r == -EEXIST || r == -ENOENT)
			r = -EAGAIN;
	}
	return r;
}

static int listen_path(const char *path, struct listener *listener)
{
	int r = atomic_name_open(path, &listener->name);

	if (r < 0)
		return r;
	r = bind_temporary(listener->fd, &listener->name);
	if (r < 0)
		return r;
	r = listen(listener->fd, SOMAXCONN) < 0 ? -errno : 0;
	if (r >= 0)
		r = atomic_name_record(&listener->name);
	if (r >= 0)
		r = commit_name(&listener->name);
	if (r < 0)
		atomic_name_discard(&listener->name);
	return r;
}

/* unix(7): an abstract name begins with a NUL byte, and does not end in one. */
static int listen_abstract(const char *text, int fd)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t length = strlen(text);
	int r;

	memcpy(un.sun_path + 1, text + 1, length - 1);
	r = bind_name(fd, &un, length);
	if (r < 0)
		return r;
	return listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

int listener_open(const struct address *address, struct listener *ret_listener)
{
	struct listener listener = {
		.fd = new_socket(SOCK_STREAM),
		.name = { .directory = -1 },
	};
	int r;

	if (listener.fd < 0)
		return listener.fd;
	r = address->kind == ADDRESS_ABSTRACT
		    ? listen_abstract(address->text, listener.fd)
		    : listen_path(address->text, &listener);
	if (r < 0)
		listener_close(&listener);
	else
		*ret_listener = listener;
	return r;
}

void listener_inherit(int fd, struct listener *ret_listener)
{
	const int flags = fcntl(fd, F_GETFL);

	*ret_listener = (struct listener){
		.fd = fd,
		.name = { .directory = -1 },
		.must_block = !(flags & O_NONBLOCK),
	};
	/*
	 * Another process may take the connection that poll(2) has announced.
	 * accept(2) would then wait, while spawnfd blocks all signals.
	 */
	if (ret_listener->must_block)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int listener_accept(const struct listener *listener)
{
	int fd = fd_above_standard(accept4(listener->fd, NULL, NULL,
					   SOCK_CLOEXEC | SOCK_NONBLOCK));

	/*
	 * Nobody can connect to an inherited socket that was shut down
	 * (shutdown(2)), but poll(2) says for ever that it is readable.
	 */
	if (fd < 0 && errno == EAGAIN && fd_has_event(listener->fd, POLLRDHUP))
		return -EINVAL;
	return fd < 0 ? -errno : fd;
}

void listener_close(struct listener *listener)
{
	if (listener->must_block)
		fcntl(listener->fd, F_SETFL,
		      fcntl(listener->fd, F_GETFL) & ~O_NONBLOCK);
	atomic_name_remove(&listener->name);
	fd_close(&listener->fd);
}
