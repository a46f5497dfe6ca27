/* SPDX-License-Identifier: MIT */
/*
 * message - what comes to --receive over a socket. The input is a program, in
 * which each letter does something to a pair of connected sockets, and a digit
 * or any other byte after it is its number, counted from '0':
 *
 *	s q d	first letter: a stream, seqpacket or datagram socket
 *	t N	chooses what is sent as a descriptor, of enum thing
 *	r N	puts N descriptors into the next message
 *	c	puts the sender's credentials into it
 *	w L T N	puts a control message of level L, type T and length N into it
 *	m N	sends the message, with lengths[N] bytes
 *	p N	sends lengths[N] bytes and a descriptor with pass_send
 *	o	sends a byte out of band
 *	C P S R	sets an option of the receiving socket: see set_option
 *	x N	shuts down the sending socket: N of shutdown(2)
 *	y N	shuts down the receiving one
 *	l N	lets the receiver have N more descriptors
 *	e	closes the sending socket
 *
 * Then pass_receive takes the message, and no descriptor may be left.
 */
#include "pass.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "fuzz.h"

/* asm-generic/socket.h, since Linux 6.5 and 6.16 */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

enum { STEPS_MAX = 64, PAYLOAD_MAX = 4096 };

static const size_t lengths[] = { 0, 1, 2, 100, 4095, 4096, 4097, 8192 };

enum thing {
	THING_FILE, THING_PIPE, THING_SELF, THING_ENDED, THING_MEMORY,
	THING_SENDER, THING_RECEIVER, THINGS
};

/* The descriptors that can be sent; opened once */
static int things[THINGS];

static struct text payload;
static char pattern[8192];

/* The state of one run */
struct run {
	const uint8_t *data;	/* the rest of the program */
	size_t size;
	int type, sender, receiver;
	enum thing thing;
	/* the control part of the next message */
	_Alignas(struct cmsghdr) char control[4096];
	size_t control_length;
	int rights;		/* the descriptors in it */
	enum thing added;	/* the first of them */
	/* what has been sent, as far as a payload can hold it */
	char sent[PAYLOAD_MAX];
	size_t sent_length;
	int messages;		/* how many */
	int first_rights;	/* the descriptors in the first of them */
	int first_thing;	/* the first descriptor ever sent; or -1 */
	bool is_odd;		/* the payload cannot be foretold */
	int room;		/* descriptors that the receiver may have */
};

/* A pidfd of a process that has ended and is reaped */
static int open_ended(void)
{
	pid_t pid = fork();
	int fd;

	if (!pid)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	MUST(waitpid(pid, NULL, 0) == pid);
	return fd;
}

static void open_things(void)
{
	int ends[2];

	if (things[THING_FILE])
		return;
	MUST(pipe2(ends, O_CLOEXEC) == 0);
	things[THING_FILE] = open("/dev/null", O_RDWR | O_CLOEXEC);
	things[THING_PIPE] = ends[0];
	things[THING_SELF] = (int)syscall(SYS_pidfd_open, getpid(), 0);
	things[THING_ENDED] = open_ended();
	things[THING_MEMORY] = memfd_create("x", MFD_CLOEXEC);
	for (int i = 0; i < THING_SENDER; i++)
		MUST(things[i] > 0);
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)('a' + i % 23);
}

/* The next byte of the program, counted from '0' */
static unsigned int number(struct run *run)
{
	if (!run->size)
		return 0;
	run->size--;
	return (unsigned char)(*run->data++ - '0');
}

/* ---- what the letters do ---- */

/* Adds a control message with length bytes of data, and gives the data */
static void *add_part(struct run *run, int level, int type, size_t length)
{
	struct cmsghdr *part = (void *)(run->control + run->control_length);

	if (run->control_length + CMSG_SPACE(length) > sizeof(run->control))
		return NULL;
	memset(part, 0, CMSG_SPACE(length));
	part->cmsg_level = level;
	part->cmsg_type = type;
	part->cmsg_len = CMSG_LEN(length);
	run->control_length += CMSG_SPACE(length);
	return CMSG_DATA(part);
}

static void add_rights(struct run *run, unsigned int count)
{
	char *data = add_part(run, SOL_SOCKET, SCM_RIGHTS,
			      count * sizeof(int));
	int fd = run->thing == THING_SENDER ? run->sender
		 : run->thing == THING_RECEIVER ? run->receiver
						: things[run->thing];

	if (!data)
		return;
	for (unsigned int i = 0; i < count; i++)
		memcpy(data + i * sizeof(fd), &fd, sizeof(fd));
	if (!run->rights)
		run->added = run->thing;
	run->rights += (int)count;
}

static void add_credentials(struct run *run)
{
	const struct ucred own = { getpid(), getuid(), getgid() };
	void *data = add_part(run, SOL_SOCKET, SCM_CREDENTIALS, sizeof(own));

	if (data)
		memcpy(data, &own, sizeof(own));
}

/* A control message that need not make sense, cut off where it says */
static void add_wild(struct run *run)
{
	int level = (int)number(run) + 1, type = (int)number(run);
	unsigned int length = number(run);
	struct cmsghdr *part = (void *)(run->control + run->control_length);

	if (!add_part(run, level, type, sizeof(int)))
		return;
	part->cmsg_len = length;
	run->is_odd = true;
}

/* Remembers what has been sent, as far as it decides what comes */
static void note_sent(struct run *run, const char *bytes, size_t length,
		      int rights, enum thing first)
{
	if (!run->messages++)
		run->first_rights = rights;
	else if (run->type != SOCK_STREAM)
		return;
	for (size_t i = 0; i < length; i++, run->sent_length++)
		if (run->sent_length < sizeof(run->sent))
			run->sent[run->sent_length] = bytes[i];
	if (rights && run->first_thing < 0)
		run->first_thing = (int)first;
}

static void send_message(struct run *run)
{
	const size_t count = sizeof(lengths) / sizeof(lengths[0]);
	size_t length = lengths[number(run) % count];
	struct iovec line = { pattern, length };
	struct msghdr message = {
		.msg_iov = &line, .msg_iovlen = 1,
		.msg_control = run->control_length ? run->control : NULL,
		.msg_controllen = run->control_length,
	};
	ssize_t sent = sendmsg(run->sender, &message,
			       MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent >= 0)
		note_sent(run, pattern, (size_t)sent, run->rights,
			  run->added);
	/* A stream does not carry an empty message. */
	if (sent == 0 && run->type == SOCK_STREAM)
		run->is_odd = true;
	run->control_length = 0;
	run->rights = 0;
}

static void send_by_pass(struct run *run)
{
	const size_t count = sizeof(lengths) / sizeof(lengths[0]);
	size_t length = lengths[number(run) % count];
	struct text text;
	int r;

	if (run->sender < 0 || run->thing >= THING_SENDER ||
	    length > PAYLOAD_MAX)
		return;
	memcpy(text.bytes, pattern, length);
	text.length = length;
	r = pass_send(run->sender, &text, things[run->thing]);
	MUST(r <= 0 && r != -EINVAL && r != -EFAULT && r != -EBADF);
	if (!r)
		note_sent(run, length ? pattern : " ", length ? length : 1, 1,
			  run->thing);
}

/* Options that the receiving socket can have had from whoever made it */
static void set_option(struct run *run, int option, int value)
{
	/* An older kernel does not have it. */
	setsockopt(run->receiver, SOL_SOCKET, option, &value, sizeof(value));
}

static void do_step(struct run *run, int letter)
{
	switch (letter) {
	case 't':
		run->thing = (enum thing)(number(run) % THINGS);
		break;
	case 'r':
		add_rights(run, number(run));
		break;
	case 'c':
		add_credentials(run);
		break;
	case 'w':
		add_wild(run);
		break;
	case 'm':
		send_message(run);
		break;
	case 'p':
		send_by_pass(run);
		break;
	case 'o':
		send(run->sender, "!", 1,
		     MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
		run->is_odd = true;
		break;
	case 'C':
		set_option(run, SO_PASSCRED, 1);
		break;
	case 'P':
		set_option(run, SO_PASSPIDFD, 1);
		break;
	case 'S':
		set_option(run, SO_PASSSEC, 1);
		break;
	case 'R':
		set_option(run, SO_PASSRIGHTS, 0);
		break;
	case 'x':
		shutdown(run->sender, (int)number(run));
		break;
	case 'y':
		shutdown(run->receiver, (int)number(run));
		break;
	case 'l':
		run->room = (int)number(run);
		break;
	case 'e':
		fd_close(&run->sender);
		break;
	}
}

/* ---- what comes ---- */

/* The result is what pass.h says of the first message, if that can be told */
static void check_result(const struct run *run, int r)
{
	const size_t length = run->sent_length;
	const int rights = run->first_rights;
	const bool is_one = run->messages == 1 ||
			    (run->messages && run->type != SOCK_STREAM);

	if (!is_one || run->is_odd || run->room >= 0)
		return;
	MUST(r == (rights > 1 ? -E2BIG
		   : !rights ? (length ? -EBADMSG : -ENOMSG)
		   : length > PAYLOAD_MAX ? -EMSGSIZE
					  : 0));
}

/* The message is what was sent, and the descriptor what was sent first */
static void check_message(struct run *run, int fd)
{
	struct stat came, sent;

	MUST(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	MUST(payload.length <= PAYLOAD_MAX);
	MUST(!payload.bytes[payload.length]);
	if (run->is_odd)
		return;
	MUST(payload.length <= run->sent_length);
	MUST(!memcmp(payload.bytes, run->sent, payload.length));
	MUST(run->first_thing >= 0);
	if (run->first_thing >= THING_SENDER)
		return;
	MUST(fstat(fd, &came) == 0);
	MUST(fstat(things[run->first_thing], &sent) == 0);
	MUST(came.st_dev == sent.st_dev && came.st_ino == sent.st_ino);
}

/* Finds out what the descriptor is, as --receive does next */
static void check_process(const struct run *run, int fd,
			  struct signals *signals)
{
	struct process process = { .pid = -7 };
	int r = pass_identify(fd, signals, &process);

	MUST(r == 0 || (r == -ENOTTY && process.pid == -7));
	if (!r) {
		MUST(process.pid == getpid() || process.pid == 0);
		MUST(process.pidfd == fd);
	}
	if (run->is_odd || run->first_thing < 0)
		return;
	MUST((r == 0) == (run->first_thing == THING_SELF ||
			  run->first_thing == THING_ENDED));
	if (!r)
		MUST((process.pid == 0) == (run->first_thing == THING_ENDED));
}

/* Gives this process room for so many more descriptors; for -1, all it had */
static void limit_descriptors(int room)
{
	static struct rlimit all;
	struct rlimit limit;
	int lowest;

	if (!all.rlim_max)
		MUST(getrlimit(RLIMIT_NOFILE, &all) == 0);
	limit = all;
	if (room >= 0) {
		lowest = dup(things[THING_FILE]);
		MUST(lowest > 0);
		close(lowest);
		limit.rlim_cur = (rlim_t)lowest + (rlim_t)room;
	}
	MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void receive(struct run *run)
{
	/* For check_process: no signals are awaited. */
	struct signals signals = { .fd = -1 };
	int before = fuzz_count_descriptors(), fd = -7, r;

	memset(&payload, 0x5a, sizeof(payload));
	text_begin(&payload);
	if (run->room >= 0)
		limit_descriptors(run->room);
	r = pass_receive(run->receiver, &payload, &fd);
	if (run->room >= 0)
		limit_descriptors(-1);
	check_result(run, r);
	if (r == 0) {
		MUST(fuzz_count_descriptors() == before + 1);
		check_message(run, fd);
		check_process(run, fd, &signals);
		close(fd);
	} else {
		MUST(r == -ENOMSG || r == -EBADMSG || r == -E2BIG ||
		     r == -EMFILE || r == -EMSGSIZE || r == -EAGAIN);
		MUST(fd == -7);
	}
	MUST(fuzz_count_descriptors() == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char letters[] = "sqd";
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	const char *letter = size ? strchr(letters, data[0]) : NULL;
	static struct run run;
	int ends[2];

	if (!letter || !*letter)
		return 0;
	open_things();
	run.data = data + 1;
	run.size = size - 1;
	run.type = types[letter - letters];
	MUST(socketpair(AF_UNIX, run.type | SOCK_CLOEXEC, 0, ends) == 0);
	run.sender = ends[0];
	run.receiver = ends[1];
	run.thing = THING_FILE;
	run.control_length = run.sent_length = 0;
	run.rights = run.messages = run.first_rights = 0;
	run.first_thing = run.room = -1;
	run.is_odd = false;
	for (int step = 0; run.size && step < STEPS_MAX; step++)
		do_step(&run, (int)number(&run) + '0');
	receive(&run);
	fd_close(&run.sender);
	fd_close(&run.receiver);
	return 0;
}
