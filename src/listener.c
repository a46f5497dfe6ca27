/* SPDX-License-Identifier: MIT */
/* listener - see listener.h. It must never take a live name away. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
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

/* How often others may be faster before it is their turn to be refused */
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

/* To the temporary name of a place; the directory of it may be anywhere */
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
	return r;
}

/* What has the name: 0 if it is a dead socket of one's own */
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
	/* to a stream listener this is the wrong type; it does not notice */
	socket = new_socket(SOCK_DGRAM);
	if (socket < 0)
		return socket;
	r = address_connect_file(socket, file);
	if (r == -ECONNREFUSED)
		return 0;
	/* a backlog that is full, and who may not ask, say the same */
	return r >= 0 || r == -EPROTOTYPE || r == -EAGAIN || r == -EPERM
		       ? -EADDRINUSE
		       : r;
}

/* Changes names with the dead socket, and looks again at what that was */
static int replace_dead_socket(struct atomic_name *name,
			       const struct stat *dead)
{
	struct stat st;
	int r = atomic_name_commit(name, SYS_RENAME_EXCHANGE);

	if (r < 0)
		return r;
	if (fstatat(name->directory, name->temporary, &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev == dead->st_dev && st.st_ino == dead->st_ino) {
		atomic_name_discard(name);
		return 0;
	}
	/* somebody else's came between: back with it */
	r = atomic_name_commit(name, SYS_RENAME_EXCHANGE);
	return r < 0 ? r : -EAGAIN;
}

static int commit_name(struct atomic_name *name)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < ATTEMPTS; i++) {
		struct stat st;

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

/* unix(7): an abstract name begins with a NUL, and has none at its end */
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

int listener_accept(const struct listener *listener)
{
	int fd = fd_above_standard(accept4(listener->fd, NULL, NULL,
					   SOCK_CLOEXEC | SOCK_NONBLOCK));

	return fd < 0 ? -errno : fd;
}

void listener_close(struct listener *listener)
{
	atomic_name_remove(&listener->name);
	fd_close(&listener->fd);
}
