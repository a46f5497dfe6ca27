/* SPDX-License-Identifier: MIT */
/* --die-with-fd over ssh: the command ends with the connection. */
#include "ending.h"
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SSHD "/usr/sbin/sshd"
#define SSHD_RUN "/run/sshd"	/* sshd needs this directory */

static void make_key(const char *path)
{
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "ssh-keygen", "-q", "-t", "ed25519",
			   "-N", "", "-f", path));
	expect_exit(&e, 0);
}

static void set_up_sshd(void)
{
	char config[4096];

	cr_assert(!mkdir(SSHD_RUN, 0755) || errno == EEXIST);
	make_key(scratch_path("host"));
	make_key(scratch_path("user"));
	snprintf(config, sizeof(config), "HostKey %s\nAuthorizedKeysFile %s\n"
		 "PidFile none\nStrictModes no\nUsePAM no\nLogLevel ERROR\n"
		 "PermitRootLogin yes\n", scratch_path("host"),
		 scratch_path("user.pub"));
	write_file(scratch_path("config"), config, 0600);
}

/* Listens on the loopback interface, which may be down in a test kernel. */
static int listen_on_loopback(char *port, size_t size)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, length), 0);
	cr_assert_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&name, &length);
	snprintf(port, size, "%d", ntohs(name.sin_port));
	return fd;
}

static void have_connection(const void *arg)
{
	const int *connection = arg;

	inherit_as(*connection, 0);
	inherit_as(*connection, 1);
}

static void start_ssh(struct running *ssh, const char *port, const char *with)
{
	/* Input and output of COMMAND both hang up with the connection. */
	int fd = strcmp(with, "--autoreap") == 0;
	char command[2048];

	snprintf(command, sizeof(command), "exec '%s' --die-with-fd=%d %s sh "
		 "-c 'read -r line; echo \"$line\"; exec \"%s\" hang'",
		 spawnfd, fd, with, actor);
	start(ssh, NULL, ARGV("/usr/bin/env", "ssh", "-F", "none",
			      "-p", port, "-i", scratch_path("user"),
			      "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
			      "-o", "StrictHostKeyChecking=no",
			      "-o", "UserKnownHostsFile=/dev/null",
			      "-o", "IdentitiesOnly=yes",
			      "-o", "KexAlgorithms=curve25519-sha256",
			      "root@127.0.0.1", command));
}

static void cut_connection(const char *with)
{
	struct running ssh, sshd;
	char line[256] = "", port[8];
	int listener = listen_on_loopback(port, sizeof(port));
	int connection, command;
	const struct way way = { .prepare = have_connection,
				 .arg = &connection };

	start_ssh(&ssh, port, with);
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	start(&sshd, &way, ARGV(SSHD, "-i", "-e", "-f",
				scratch_path("config")));
	close(connection);
	close(listener);
	cr_assert_eq(write(ssh.in, "hello\n", 6), 6);
	/* The user's shell can read a file that prints other lines first. */
	while (strcmp(line, "hello") != 0)
		read_line(ssh.out, line, sizeof(line));
	command = open_pidfd(read_pid(ssh.out));
	kill(ssh.pid, SIGKILL);
	await_end(&ssh);
	expect_gone(command);
	await_end(&sshd);
	close_running(&ssh);
	close_running(&sshd);
	reap_orphans();
	nothing_left();
}

SystemTestWith(flags, dies_with_the_ssh_connection,
	       ALSO_UNDER(FALLBACK | FILTERED))
{
	size_t first = is_slow() ? ARRAY_SIZE(ways) - 1 : 0;

	if (!exists(SSHD)) {
		not_tested("the end of an ssh connection", SSHD " is missing");
		return;
	}
	set_up_sshd();
	for (size_t i = first; i < ARRAY_SIZE(ways); i++)
		cut_connection(ways[i]);
}
