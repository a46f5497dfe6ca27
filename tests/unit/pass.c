/* SPDX-License-Identifier: MIT */
/* pass: sends one message over a socketpair, and finds every fault in one */
#include "pass.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76		/* Linux 6.5 */
#endif

static struct signals signals;	/* for pass_identify */
static struct text payload;

static void block(void)
{
	cr_assert_eq(signals_block(0, false, &signals), 0);
}

TestSuite(pass, .init = block);

static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };

#define EVERY(i, array) \
	size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++

static void pair(int type, int *fds)
{
	cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Sends length bytes and count copies of fd, in parts control messages */
static void send_any(int socket, size_t length, size_t count, size_t parts,
		     int fd)
{
	static char bytes[8192];
	_Alignas(struct cmsghdr) char control[1024] = { 0 };
	struct iovec line = { bytes, length };
	struct msghdr message = { .msg_iov = &line, .msg_iovlen = 1 };
	size_t size = count * sizeof(int);

	memset(bytes, 'p', sizeof(bytes));
	for (size_t part = 0; part < parts; part++) {
		struct cmsghdr *rights = (struct cmsghdr *)
			(control + message.msg_controllen);

		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(size);
		for (size_t i = 0; i < count; i++)
			memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd,
			       sizeof(int));
		message.msg_controllen += CMSG_SPACE(size);
	}
	if (parts)
		message.msg_control = control;
	cr_assert_eq(sendmsg(socket, &message, 0), (ssize_t)length, "%s",
		     strerror(errno));
}

static int receive(int socket, int *ret_fd)
{
	payload = (struct text){ 0 };
	return pass_receive(socket, &payload, ret_fd);
}

Test(pass, there_and_back)
{
	static const char *const payloads[] = { "{\"pid\":1}\n", "x", "" };

	for (EVERY(i, types))
		for (EVERY(j, payloads)) {
			struct text text = { 0 };
			struct stat sent, came;
			int fds[2], fd = -1, flags;

			pair(types[i], fds);
			flags = fcntl(fds[0], F_GETFL);
			text_add(&text, "%s", payloads[j]);
			cr_assert_eq(pass_send(fds[0], &text, 0), 0);
			cr_assert_eq(receive(fds[1], &fd), 0);
			/* An empty payload would look like end of file. */
			cr_expect_str_eq(payload.bytes,
					 *payloads[j] ? payloads[j] : " ");
			cr_expect_eq(payload.length, strlen(payload.bytes));
			cr_assert_eq(fstat(0, &sent) | fstat(fd, &came), 0);
			cr_expect_eq(sent.st_ino, came.st_ino);
			cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
			cr_expect_eq(fcntl(fds[0], F_GETFL), flags);
			close(fd);
			close(fds[0]);
			close(fds[1]);
		}
}

Test(pass, the_longest_payload)
{
	for (EVERY(i, types)) {
		int fds[2], fd = -1;

		pair(types[i], fds);
		send_any(fds[0], 4096, 1, 1, 0);
		cr_expect_eq(receive(fds[1], &fd), 0, "type %d", types[i]);
		cr_expect_eq(payload.length, 4096);
		close(fd);
		send_any(fds[0], 4097, 1, 1, 0);
		cr_expect_eq(receive(fds[1], &fd), -EMSGSIZE);
	}
}

Test(pass, bad_messages_leave_no_descriptor)
{
	static const struct {
		size_t length, count, parts;
		int error;
	} cases[] = {
		{ 10, 0, 0, -EBADMSG }, { 10, 2, 1, -E2BIG },
		{ 10, 100, 1, -E2BIG }, { 10, 1, 2, -E2BIG },
		{ 10, 20, 3, -E2BIG }, { 4097, 1, 1, -EMSGSIZE },
		{ 8192, 1, 1, -EMSGSIZE }, { 8192, 2, 1, -E2BIG },
		{ 5000, 0, 0, -EBADMSG },
	};

	for (EVERY(i, types))
		for (EVERY(j, cases)) {
			int fds[2], fd = -1, before;

			pair(types[i], fds);
			before = count_descriptors();
			send_any(fds[0], cases[j].length, cases[j].count,
				 cases[j].parts, 0);
			cr_expect_eq(receive(fds[1], &fd), cases[j].error,
				     "type %d, case %zu", types[i], j);
			cr_expect_eq(count_descriptors(), before);
			close(fds[0]);
			close(fds[1]);
		}
}

/*
 * The maker of the socket of fd:N may have set SO_PASSPIDFD: the kernel adds a
 * pidfd of the sender to each message (unix(7), Linux 6.5).
 */
Test(pass, leaves_no_pidfd_of_the_sender)
{
	for (EVERY(i, types)) {
		struct text text = { 0 };
		int fds[2], fd = -1, on = 1, before;

		pair(types[i], fds);
		if (setsockopt(fds[1], SOL_SOCKET, SO_PASSPIDFD, &on,
			       sizeof(on)) < 0)
			cr_skip_test("this kernel has no SO_PASSPIDFD");
		before = count_descriptors();
		cr_assert_eq(pass_send(fds[0], &text, 0), 0);
		cr_expect_eq(receive(fds[1], &fd), 0, "type %d", types[i]);
		close(fd);
		cr_expect_eq(count_descriptors(), before, "type %d", types[i]);
		send_any(fds[0], 10, 0, 0, -1);
		cr_expect_eq(receive(fds[1], &fd), -EBADMSG);
		cr_expect_eq(count_descriptors(), before, "type %d", types[i]);
		close(fds[0]);
		close(fds[1]);
	}
}

/* The payload is a text, whatever was in the buffer before. */
Test(pass, a_payload_ends)
{
	struct text text = { 0 };
	int fds[2], fd = -1;

	pair(SOCK_STREAM, fds);
	text_add(&text, "abc");
	cr_assert_eq(pass_send(fds[0], &text, 0), 0);
	memset(payload.bytes, 'x', sizeof(payload.bytes));
	cr_assert_eq(pass_receive(fds[1], &payload, &fd), 0);
	cr_expect_eq(payload.length, 3);
	cr_expect_arr_eq(payload.bytes, "abc", 4);
}

Test(pass, a_descriptor_that_found_no_room)
{
	struct rlimit limit;
	int fds[2], fd = -1, lowest;

	pair(SOCK_STREAM, fds);
	send_any(fds[0], 1, 1, 1, 0);
	lowest = dup(0);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)lowest;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(receive(fds[1], &fd), -EMFILE);
	/* If one of several descriptors arrives, it is closed again. */
	limit.rlim_cur = (rlim_t)lowest + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	send_any(fds[0], 1, 2, 1, 0);
	cr_expect_lt(receive(fds[1], &fd), 0);
	cr_expect_eq(dup(0), lowest);
}

Test(pass, an_end_without_a_message)
{
	static const int connected[] = { SOCK_STREAM, SOCK_SEQPACKET };

	for (EVERY(i, connected)) {
		int fds[2], fd = -1;

		pair(connected[i], fds);
		close(fds[0]);
		cr_expect_eq(receive(fds[1], &fd), -ENOMSG);
	}
}

/*
 * A datagram socket that was shut down is readable for ever, and has nothing to
 * read: its recvmsg(2) gives EAGAIN (Linux 7.2).
 */
Test(pass, a_socket_that_was_shut_down, .timeout = 10)
{
	for (EVERY(i, types))
		for (int how = SHUT_RD; how <= SHUT_RDWR; how += SHUT_RDWR) {
			int fds[2], fd = -1;

			pair(types[i], fds);
			cr_assert_eq(shutdown(fds[1], how), 0);
			cr_expect_eq(receive(fds[1], &fd), -ENOMSG,
				     "type %d, how %d", types[i], how);
		}
}

/* A message from before the shutdown is still there. */
Test(pass, a_message_before_the_shutdown)
{
	for (EVERY(i, types)) {
		struct text text = { 0 };
		int fds[2], fd = -1;

		pair(types[i], fds);
		cr_assert_eq(pass_send(fds[0], &text, 0), 0);
		cr_assert_eq(shutdown(fds[1], SHUT_RD), 0);
		cr_expect_eq(receive(fds[1], &fd), 0, "type %d", types[i]);
	}
}

/*
 * This end has sent what the peer does not read. When the peer closes, the
 * kernel reports that first, and only then gives what the peer has sent.
 */
Test(pass, a_message_before_a_reset)
{
	static const int connected[] = { SOCK_STREAM, SOCK_SEQPACKET };

	for (EVERY(i, connected)) {
		struct text text = { 0 };
		int fds[2], fd = -1;

		pair(connected[i], fds);
		cr_assert_eq(write(fds[1], "unread", 6), 6);
		cr_assert_eq(pass_send(fds[0], &text, 0), 0);
		close(fds[0]);
		cr_expect_eq(receive(fds[1], &fd), 0, "type %d", connected[i]);
		cr_expect_eq(receive(fds[1], &fd), -ENOMSG);
	}
}

Test(pass, a_reset_without_a_message)
{
	static const int connected[] = { SOCK_STREAM, SOCK_SEQPACKET };

	for (EVERY(i, connected)) {
		int fds[2], fd = -1;

		pair(connected[i], fds);
		cr_assert_eq(write(fds[1], "unread", 6), 6);
		close(fds[0]);
		cr_expect_eq(receive(fds[1], &fd), -ENOMSG);
	}
}

Test(pass, does_not_wait_for_a_message)
{
	for (EVERY(i, types)) {
		int fds[2], fd = -1;

		pair(types[i], fds);
		cr_expect_eq(receive(fds[1], &fd), -EAGAIN);
	}
}

Test(pass, a_receiver_that_is_gone_or_full)
{
	for (EVERY(i, types)) {
		struct text text = { 0 };
		int fds[2], sent = 0, r;

		text_add(&text, "x");
		pair(types[i], fds);
		while ((r = pass_send(fds[0], &text, 0)) == 0 && sent < 10000)
			sent++;
		/* ETOOMANYREFS: too many descriptors are in flight. */
		cr_expect(r == -EAGAIN || r == -ETOOMANYREFS, "%d", r);
		close(fds[1]);
		r = pass_send(fds[0], &text, 0);
		cr_expect(r == -EPIPE || r == -ECONNRESET ||
			  r == -ECONNREFUSED, "%d", r);
		close(fds[0]);
	}
}

/* ---- the process of a pidfd ---- */

static pid_t make_child(int *ret_pidfd)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	*ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	cr_assert_geq(*ret_pidfd, 0);
	return pid;
}

Test(pass, identifies_a_process)
{
	struct process process = { 0 };
	struct stat st;
	int pidfd;
	pid_t pid = make_child(&pidfd);

	cr_assert_eq(pass_identify(pidfd, &signals, &process), 0);
	cr_assert_eq(fstat(pidfd, &st), 0);
	cr_expect_eq(process.pid, pid);
	cr_expect_eq(process.pidfd, pidfd);
	cr_expect_eq(sys_pidfd_inode(process.pidfd), st.st_ino);
	cr_expect_eq(process.reaper, REAPER_OTHER);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A process that has been reaped has no pid any more. */
Test(pass, identifies_one_that_is_over)
{
	struct process process = { .pid = 1 };
	int pidfd;
	pid_t pid = make_child(&pidfd);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_assert_eq(pass_identify(pidfd, &signals, &process), 0);
	cr_expect_eq(process.pid, 0);
	cr_expect_neq(sys_pidfd_inode(process.pidfd), 0);
}

Test(pass, does_not_wait_for_ever_for_the_reaper)
{
	struct process process = { 0 };
	int pidfd;
	pid_t pid = make_child(&pidfd);

	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
	cr_expect_eq(pass_identify(pidfd, &signals, &process), -ECHILD);
	waitpid(pid, NULL, 0);
}

Test(pass, identifies_nothing_else)
{
	struct process process = { 0 };
	int fds[2];

	pair(SOCK_STREAM, fds);
	cr_expect_eq(pass_identify(fds[0], &signals, &process), -ENOTTY);
	cr_expect_eq(pass_identify(open("/proc/self", O_RDONLY), &signals,
				   &process), -ENOTTY);
	cr_expect_eq(pass_identify(open("/dev/null", O_RDWR), &signals,
				   &process), -ENOTTY);
}
