/* SPDX-License-Identifier: MIT */
/* ADDRESS of --receive: paths of every length, abstract names, descriptors. */
#include "harness.h"
#include "receivers.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * Receives once at the address `as`, in the directory `dir`. Expects a socket
 * at `path` meanwhile, unless that is NULL.
 */
static void works_at(const char *dir, const char *as, const char *path)
{
	const struct setup setup = { .dir = dir };
	const struct way way = { .dir = dir };
	char wanted[800], line[800];
	struct receiver v;
	struct running p;

	start_receiver(&v, &setup, ARGV(spawnfd, STATUS, RECEIVE(as)));
	read_line(v.status, line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "{\"listening\":\"%s\"}", as);
	cr_expect_str_eq(line, wanted);
	if (path)
		cr_expect(is_socket(path), "%s", path);
	start(&p, &way, ARGV(spawnfd, "--autokill", PASS(as), actor, "exit",
			     "42"));
	expect_passed(&p);
	close_running(&p);
	expect_quiet_end(&v, 42);
	cr_expect(!path || !exists(path));
}

/* Returns a path of that length whose file name has `last` bytes at most. */
static const char *long_path(size_t length, size_t last)
{
	static char path[800];
	size_t start = strlen(home()) + 1;

	memset(path, 'x', length);
	path[length] = '\0';
	memcpy(path, at_home(""), start);
	if (length - start > last) {
		path[length - last - 1] = '\0';
		cr_assert_eq(mkdir(path, 0700), 0, "%s", strerror(errno));
		path[length - last - 1] = '/';
	}
	return path;
}

static void works_at_length(size_t length, size_t last)
{
	const char *path = long_path(length, last);
	char *dir = strdup(path);

	cr_assert_eq(strlen(path), length);
	works_at(NULL, path, path);
	*strrchr(dir, '/') = '\0';
	if (strcmp(dir, home()))
		cr_expect_eq(rmdir(dir), 0, "%s is not empty", dir);
	expect_home(0);
	free(dir);
}

SystemTest(flags, receive_at_a_path)
{
	static const size_t lengths[] = { 92, 93, 106, 107, 108, 109, 255 };

	works_at(NULL, sock(), sock());
	works_at(home(), "sock", sock());
	works_at(home(), "./sock", sock());
	works_at(scratch(), "home/../home//sock", sock());
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		works_at_length(lengths[i], lengths[i]);
	works_at_length(300, 150);
	works_at_length(300, 255);
	works_at_length(500, 254);
}

/* The name has characters that JSON quotes. */
SystemTest(flags, receive_at_a_path_that_json_quotes)
{
	static const char name[] = "a\"b\\c\nd\te f";
	char wanted[800], line[800];
	struct receiver v;

	start_receiver(&v, &(struct setup){ .dir = home() },
		       ARGV(spawnfd, STATUS, RECEIVE(name)));
	read_line(v.status, line, sizeof(line));
	snprintf(wanted, sizeof(wanted), "{\"listening\":\"%s\"}",
		 "a\\\"b\\\\c\\u000ad\\u0009e f");
	cr_expect_str_eq(line, wanted);
	cr_expect(is_socket(at_home(name)));
	expect_works(&v, 0, at_home(name));
}

SystemTest(flags, receive_at_an_abstract_address)
{
	char longest[109];
	int fd;
	struct receiver v;
	struct ended e;

	works_at(NULL, abstract(), NULL);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, abstract(), strlen(abstract()));
	longest[107] = '\0';
	works_at(NULL, longest, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++) {
		fd = listen_at(abstract(), socket_types[i]);
		start_receiver(&v, &nothing_special,
			       ARGV(spawnfd, STATUS, RECEIVE(abstract())));
		/* Sockets of different types can have one abstract name. */
		if (socket_types[i] == SOCK_STREAM) {
			finish_receiver(&v, &e);
			expect_one_line(&e, busy);
		} else {
			await_listening(&v);
			end_with(&v, SIGTERM);
		}
		expect_nothing_arrived(fd);
		close(fd);
	}
}

static void socket_as_input(void)
{
	dup2(SOCKET_FD, 0);
	close(SOCKET_FD);
}

static void give_socket(const void *arg)
{
	const int *socket = arg;

	inherit_as(*socket, SOCKET_FD);
}

static void at_descriptor(int type, bool as_input)
{
	struct setup setup = { 0 };
	struct receiver v;
	struct running p;
	char line[64];
	int pair[2];

	open_pair(type, pair);
	setup.socket = pair[1];
	setup.also = as_input ? socket_as_input : NULL;
	start_receiver(&v, &setup, ARGV(spawnfd, STATUS,
					RECEIVE(as_input ? "fd:0" : SOCKET)));
	read_line(v.status, line, sizeof(line));
	cr_expect_str_eq(line, as_input ? "{\"listening\":\"fd:0\"}" :
			 "{\"listening\":\"fd:71\"}");
	start(&p, &(struct way){ .prepare = give_socket, .arg = &pair[0] },
	      ARGV(spawnfd, "--autokill", PASS(SOCKET), actor, "echo"));
	expect_passed(&p);
	close(pair[0]);
	close(pair[1]);
	await_received(&v);
	end_input(&p);
	expect_taken(&v, 0);
	close_running(&p);
}

SystemTest(flags, receive_at_a_descriptor)
{
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++) {
		at_descriptor(socket_types[i], false);
		at_descriptor(socket_types[i], true);
	}
}

static void refuses_address(const struct setup *setup, const char *address,
			    const char *text)
{
	struct receiver v;
	struct ended e;

	start_receiver(&v, setup, ARGV(spawnfd, STATUS, RECEIVE(address)));
	finish_receiver(&v, &e);
	expect_one_line(&e, text);
	cr_expect(begins(v.rest, "{\"exit-code\":125,\"error\":\""), "%s",
		  v.rest);
	expect_home(0);
}

static void refuses_descriptor(int fd, const char *text)
{
	const struct setup setup = { .socket = fd };

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	refuses_address(&setup, SOCKET, text);
	close(fd);
}

SystemTest(plain, receive_refuses_a_descriptor_that_leads_to_nobody)
{
	static const char unusable[] = "fd:71: neither a connected nor a "
		"listening socket";
	static const char no_socket[] = "fd:71: not a socket";
	const int flags = O_RDWR | O_CLOEXEC;
	int pair[2];

	refuses_address(&nothing_special, SOCKET, "--receive: fd:71: not open");
	/* spawnfd must not take a descriptor that it opens for itself. */
	refuses_address(&nothing_special, "fd:3", "fd:3: not open");
	refuses_address(&nothing_special, "fd:0", "fd:0: not a socket");
	refuses_descriptor(open(scratch(), O_TMPFILE | flags, 0600), no_socket);
	refuses_descriptor(open("/dev/null", flags), no_socket);
	refuses_descriptor(eventfd(0, EFD_CLOEXEC), no_socket);
	refuses_descriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
			   "fd:71: not a Unix socket");
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++)
		refuses_descriptor(new_socket(socket_types[i]), unusable);
	/* These sockets have a name, but do not listen. */
	for (size_t i = 0; i < ARRAY_SIZE(socket_types); i++)
		refuses_descriptor(bind_to(abstract(), socket_types[i]),
				   unusable);

	/* The connected socket is descriptor 71; 72 is not open. */
	open_pair(SOCK_STREAM, pair);
	refuses_address(&(struct setup){ .socket = pair[0] }, "fd:72",
			"fd:72: not open");
	close(pair[0]);
	close(pair[1]);
}

/* A TCP connection has another end, but is not a Unix socket. */
SystemTest(plain, receive_refuses_a_tcp_connection)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(in);

	cr_assert_eq(bind(listener, (const void *)&in, size), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (void *)&in, &size), 0);
	cr_assert_eq(connect(fd, (const void *)&in, size), 0, "%s",
		     strerror(errno));
	refuses_descriptor(fd, "fd:71: not a Unix socket");
	refuses_descriptor(listener, "fd:71: not a Unix socket");
}

SystemTest(plain, receive_refuses_a_path_that_cannot_be)
{
	const struct setup nobody = { .uid = NOBODY };
	char name[257];

	memset(name, 'x', sizeof(name));
	name[256] = '\0';
	refuses_address(&nothing_special, "/none/sock", "/none/sock: ");
	refuses_address(&nothing_special, joined(home(), "/"), "receive: ");
	refuses_address(&nothing_special, joined(home(), "/."), "receive: ");
	refuses_address(&nothing_special, joined(home(), "/.."), "receive: ");
	refuses_address(&nothing_special, "/", "receive: /: ");
	refuses_address(&nothing_special, at_home(name), "receive: ");
	refuses_address(&nobody, sock(), "receive: ");
	refuses_address(&nothing_special, "", "--receive");
}
