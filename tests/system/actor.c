/* SPDX-License-Identifier: MIT */
/*
 * actor: plays the COMMAND in the system tests.
 *
 *	actor VERB [ARG]...
 *
 * Each verb has a function; the table of verbs is at the end, and the verbs
 * that make trees are in actor_tree.c. Most verbs that stay first write a line
 * with their pid, so that the test knows that they run. An actor that a failed
 * test forgets ends by itself: at the end of its input, or after LIFETIME
 * seconds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

#define FUTEX_WAIT 0		/* musl-gcc sees no kernel headers */

extern char **environ;

_Noreturn void fail(const char *what)
{
	fprintf(stderr, "actor: %s: %s\n", what, strerror(errno));
	_exit(99);
}

/*
 * The pid of this process as the test sees it, and below that of its parent.
 * Inside the PID namespace of --kill-tree, getpid() gives another number. The
 * test kernel therefore mounts the /proc of the outer namespace at OUTSIDE.
 */
#define OUTSIDE "/run/outside/"

pid_t pid_outside(void)
{
	char number[16] = "";

	if (readlink(OUTSIDE "self", number, sizeof(number) - 1) < 0)
		return getpid();
	return atoi(number);
}

static pid_t parent_outside(pid_t pid)
{
	char path[64], line[256];
	pid_t parent = 0;
	FILE *status;

	snprintf(path, sizeof(path), OUTSIDE "%d/status", pid);
	status = fopen(path, "r");
	if (!status)
		fail(path);
	while (!parent && fgets(line, sizeof(line), status))
		sscanf(line, "PPid: %d", &parent);
	fclose(status);
	return parent;
}

/* Gives the pid of spawnfd, which is the parent of the init if there is one. */
static pid_t holder(void)
{
	pid_t pid = pid_outside(), parent;

	if (pid == getpid())
		return getppid();
	parent = parent_outside(pid);
	return getppid() == 1 ? parent_outside(parent) : parent;
}

/* The kernel's own struct: libc refuses signals 32 and 33, which it uses. */
struct kernel_sigaction {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

static void set_default(int sig)
{
	const struct kernel_sigaction dfl = { 0 };
	const uint64_t one = UINT64_C(1) << (sig - 1);

	syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(one));
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &one, NULL, sizeof(one));
}

void die_in_time(void)
{
	set_default(SIGALRM);
	alarm(LIFETIME);
}

_Noreturn void stay(void)
{
	die_in_time();
	for (;;)
		pause();
}

int number(const char *word)
{
	return word ? atoi(word) : 0;
}

/* exit N */
static int do_exit(char **args)
{
	return number(args[0]);
}

/* die N: dies by the default action of signal N */
static int do_die(char **args)
{
	int sig = number(args[0]);

	set_default(sig);
	syscall(SYS_kill, getpid(), sig);
	return 98;
}

/* say [WORD]...: writes the words, one a line */
static int do_say(char **args)
{
	while (*args)
		puts(*args++);
	return 0;
}

/* mark FILE: makes the file, which proves that the actor was started */
static int do_mark(char **args)
{
	int fd = open(args[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		fail(args[0]);
	return 0;
}

static void copy_file(FILE *to, const char *path)
{
	FILE *from = fopen(path, "re");
	char line[4096];

	if (!from)
		fail(path);
	while (fgets(line, sizeof(line), from))
		fputs(line, to);
	fclose(from);
}

/* cat FILE: writes the content of the file */
static int do_cat(char **args)
{
	copy_file(stdout, args[0]);
	return 0;
}

/* hang: says its pid, and does nothing more */
static int do_hang(char **args)
{
	(void)args;
	dprintf(1, "%d\n", pid_outside());
	stay();
}

/* echo: says its pid, then answers each byte, which proves that it is alive */
static int do_echo(char **args)
{
	char byte;

	(void)args;
	die_in_time();
	dprintf(1, "%d\n", pid_outside());
	while (read(0, &byte, 1) == 1)
		if (write(1, &byte, 1) != 1)
			fail("write");
	return 0;
}

/* let-go FD...: closes these descriptors, and stays */
static int do_let_go(char **args)
{
	while (*args)
		close(number(*args++));
	stay();
}

/*
 * family exit|stay: starts a child that echoes, and exits or stays. Both say
 * their pids, the parent first.
 */
static int do_family(char **args)
{
	char *none[] = { NULL };
	pid_t child;

	dprintf(1, "%d\n", pid_outside());
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0)
		_exit(do_echo(none));
	if (strcmp(args[0], "stay") == 0)
		stay();
	return 0;
}

/* orphan: hangs, and leaves to the next reaper a grandchild that echoes */
static int do_orphan(char **args)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child > 0) {
		waitpid(child, NULL, 0);
		return do_hang(args);
	}
	child = fork();
	if (child != 0)
		_exit(0);
	_exit(do_echo(args));
}

struct second {
	pid_t leader;
	int tid_word;		/* the kernel clears it when the leader exits */
	const char *way;
	int status;
};

/* Waits for the zombie: the kernel clears tid_word long before that. */
static void await_zombie(pid_t thread)
{
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
	while (!strstr(line, ") Z ")) {
		FILE *from = fopen(path, "re");

		if (!from || !fgets(line, sizeof(line), from))
			fail(path);
		fclose(from);
	}
}

static void *second_thread(void *arg)
{
	struct second *second = arg;

	while (__atomic_load_n(&second->tid_word, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &second->tid_word, FUTEX_WAIT,
			second->leader, NULL, NULL, 0);
	await_zombie(second->leader);
	dprintf(1, "%d\n", second->leader);
	if (strcmp(second->way, "stay") == 0)
		stay();
	if (strcmp(second->way, "exit") == 0)
		_exit(second->status);
	syscall(SYS_exit, second->status);
	return NULL;
}

/*
 * leaderless exit|last|stay [N]: the leader exits with status 5. Then a second
 * thread says the pid, and ends the process by exit_group(N), or exits with N
 * as the last thread, or stays.
 */
static int do_leaderless(char **args)
{
	static struct second second;
	pthread_t thread;

	second.leader = getpid();
	second.tid_word = second.leader;
	second.way = args[0];
	second.status = number(args[1]);
	syscall(SYS_set_tid_address, &second.tid_word);
	if (pthread_create(&thread, NULL, second_thread, &second))
		fail("pthread_create");
	syscall(SYS_exit, 5);
	return 98;
}

static void show_status(FILE *out)
{
	static const char *const fields[] = {
		"Umask", "Uid", "Gid", "Groups", "NSpgid", "NSsid", "SigPnd",
		"ShdPnd", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm",
		"CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
		"Threads",
	};
	FILE *from = fopen("/proc/self/status", "re");
	char line[1024];

	if (!from)
		fail("/proc/self/status");
	while (fgets(line, sizeof(line), from))
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			if (strncmp(line, fields[i], strlen(fields[i])) == 0 &&
			    line[strlen(fields[i])] == ':')
				fputs(line, out);
	fclose(from);
}

static void show_fdinfo(FILE *out, int fd)
{
	char path[64], line[256];
	FILE *from;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	from = fopen(path, "re");
	if (!from)
		fail(path);
	while (fgets(line, sizeof(line), from))
		if (!strncmp(line, "pos:", 4) || !strncmp(line, "flags:", 6))
			fprintf(out, "fd %d %s", fd, line);
	fclose(from);
}

/* Lists the open descriptors first: looking at one of them opens others. */
static void show_descriptors(FILE *out)
{
	char path[64], target[4096];
	int fds[256], n = 0;
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		fail("/proc/self/fd");
	while ((entry = readdir(dir)) && n < 256)
		if (entry->d_name[0] != '.' &&
		    atoi(entry->d_name) != dirfd(dir))
			fds[n++] = atoi(entry->d_name);
	closedir(dir);
	for (int i = 0; i < n; i++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		fprintf(out, "fd %d is %s\n", fds[i], target);
		show_fdinfo(out, fds[i]);
	}
}

static void show_process(FILE *out)
{
	char cwd[4096];

	fprintf(out, "cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "none");
	fprintf(out, "session %d, group %d, terminal's %d\n",
		getsid(0), getpgrp(), tcgetpgrp(0));
	fprintf(out, "nice %d, dumpable %d, timer slack %d\n",
		getpriority(PRIO_PROCESS, 0), prctl(PR_GET_DUMPABLE),
		prctl(PR_GET_TIMERSLACK));
	copy_file(out, "/proc/self/limits");
	copy_file(out, "/proc/self/oom_score_adj");
	copy_file(out, "/proc/self/cgroup");
}

/* show FD [ARG]...: writes all that a program sees around itself to FD */
static int do_show(char **args)
{
	char *text;
	size_t length;
	int fd = number(args[0]);
	FILE *out = open_memstream(&text, &length);

	show_descriptors(out);
	show_status(out);
	show_process(out);
	for (int i = 0; args[i]; i++)
		fprintf(out, "argument %d %s\n", i, args[i]);
	for (char **variable = environ; *variable; variable++)
		fprintf(out, "variable %s\n", *variable);
	fclose(out);
	if (write(fd, text, length) != (ssize_t)length)
		fail("write");
	return 0;
}

/* look: says what it sees without the help of /proc, and its user and group */
static int do_look(char **args)
{
	DIR *root = opendir("/");
	struct dirent *entry;
	char cwd[4096];

	(void)args;
	if (!root)
		fail("/");
	while ((entry = readdir(root)))
		if (entry->d_name[0] != '.')
			printf("/%s\n", entry->d_name);
	closedir(root);
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "none");
	printf("/proc: %s\n", strerror(access("/proc", F_OK) ? errno : 0));
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("fd %d\n", fd);
	printf("uid %d, gid %d, euid %d\n", (int)getuid(), (int)getgid(),
	       (int)geteuid());
	return 0;
}

/* ---- signals ---- */

void block_all(void)
{
	const uint64_t all = ~UINT64_C(0);

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
}

/* Makes the raw call, as libc hides 32 and 33. Returns a signal, or -1. */
static int take_signal(uint64_t set, siginfo_t *info, long ms)
{
	const long time[2] = { ms / 1000, ms % 1000 * 1000000 };

	return (int)syscall(SYS_rt_sigtimedwait, &set, info, time,
			    sizeof(set));
}

/* Says number, code, sender and value of each pending signal. */
static void say_signals(void)
{
	siginfo_t info;
	int sig;

	while ((sig = take_signal(~UINT64_C(0), &info, 0)) > 0)
		dprintf(1, "%d %d %d %d\n", sig, info.si_code, info.si_pid,
			info.si_value.sival_int);
}

/*
 * hear [group|session]: says its pid, then every signal that it gets, until its
 * input ends; in a process group or session of its own if the word is given
 */
static int do_hear(char **args)
{
	const uint64_t all = ~UINT64_C(0);
	struct pollfd p[2] = { { 0, POLLIN, 0 }, { -1, POLLIN, 0 } };

	block_all();
	if (args[0] && strcmp(args[0], "group") == 0)
		setpgid(0, 0);
	if (args[0] && strcmp(args[0], "session") == 0)
		setsid();
	p[1].fd = (int)syscall(SYS_signalfd4, -1, &all, sizeof(all), 0);
	if (p[1].fd < 0)
		fail("signalfd");
	dprintf(1, "%d\n", pid_outside());
	while (poll(p, 2, -1) < 0 || !p[0].revents)
		say_signals();
	say_signals();
	return 0;
}

/* hear-late: says "here", reads a line, and only then acts as hear */
static int do_hear_late(char **args)
{
	char byte = 0;

	dprintf(1, "here\n");
	while (byte != '\n')
		if (read(0, &byte, 1) != 1)
			return 1;
	return do_hear(args);
}

/* nag SIGNAL...: sends the signals to its parent, then acts as hear */
static int do_nag(char **args)
{
	char *none[] = { NULL };

	while (*args)
		syscall(SYS_kill, getppid(), number(*args++));
	return do_hear(none);
}

/* await SIGNAL: says H when it is ready for the signal, and G when it has it */
static int do_await(char **args)
{
	const uint64_t set = UINT64_C(1) << (number(args[0]) - 1);
	siginfo_t info;

	block_all();
	if (write(1, "H", 1) != 1)
		fail("write");
	if (take_signal(set, &info, LIFETIME * 1000L) < 0)
		fail("no signal");
	return write(1, "G", 1) != 1;
}

/* stop SIGNAL [group]: stops itself by SIGNAL; exits with 7 when continued */
static int do_stop(char **args)
{
	die_in_time();
	if (args[1])
		setpgid(0, 0);
	dprintf(1, "%d\n", pid_outside());
	kill(getpid(), number(args[0]));
	return 7;
}

/* restop N: stops itself N times, again when it is continued; then echoes */
static int do_restop(char **args)
{
	die_in_time();
	for (int n = number(args[0]); n > 0; n--)
		kill(getpid(), SIGSTOP);
	return do_echo(args);
}

/*
 * flood N: N children send signals to its parent without end. It exits with 7
 * when 2,000 of them have been forwarded to it.
 */
static int do_flood(char **args)
{
	const pid_t holder = getppid();
	siginfo_t info = { .si_signo = 40, .si_code = SI_QUEUE };

	block_all();
	for (int n = number(args[0]); n > 0; n--) {
		if (fork())
			continue;
		/* A test that reads these to their end must not wait. */
		close(0);
		close(1);
		close(2);
		die_in_time();
		while (syscall(SYS_rt_sigqueueinfo, holder, 40, &info) == 0 ||
		       errno == EAGAIN)
			;
		_exit(0);
	}
	for (int n = 0; n < 2000; n++)
		take_signal(UINT64_C(1) << 39, &info, LIFETIME * 1000L);
	return 7;
}

/* await-gone PID: waits until the process has ended and has been reaped */
static int do_await_gone(char **args)
{
	die_in_time();
	while (kill(number(args[0]), 0) == 0)
		sched_yield();
	return 0;
}

static void litter(int hundreds)
{
	for (int n = hundreds; n > 0; n--) {
		pid_t child = fork(), grandchild = 1;

		for (int i = 0; child == 0 && grandchild && i < 100; i++)
			grandchild = fork();
		if (child < 0 || grandchild < 0)
			fail("fork");
		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

/*
 * litter N [M]: leaves N hundred orphaned grandchildren that exit, and echoes.
 * With M it first says its pid, reads a byte, and leaves M hundred more.
 */
static int do_litter(char **args)
{
	char byte;

	litter(number(args[0]));
	if (args[1]) {
		dprintf(1, "%d\n", pid_outside());
		if (read(0, &byte, 1) != 1)
			fail("read");
		litter(number(args[1]));
	}
	return do_echo(args);
}

/* ---- ends ---- */

/*
 * witness LAST CODE [stop]: says its pid, and stops itself if told so. Then it
 * says the number of each signal that it gets. After signal LAST it exits with
 * CODE, or dies by signal -CODE if CODE is negative.
 */
static int do_witness(char **args)
{
	sigset_t all;
	int sig = 0;

	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	sigprocmask(SIG_SETMASK, &all, NULL);
	die_in_time();
	dprintf(1, "%d\n", pid_outside());
	if (args[2] && strcmp(args[2], "stop") == 0)
		raise(SIGSTOP);
	do {
		sigwait(&all, &sig);
		dprintf(1, "%d\n", sig);
	} while (sig != number(args[0]));
	if (number(args[1]) < 0)
		set_default(-number(args[1]));
	if (number(args[1]) < 0)
		kill(getpid(), -number(args[1]));
	return number(args[1]);
}

/* away: says its pid as another user; given a byte, says it again as root */
static int do_away(char **args)
{
	char byte;

	(void)args;
	die_in_time();
	/* kill(2) looks at real and saved uid; the effective one leads back. */
	if (setresuid(65534, 0, 65534))
		fail("setresuid");
	dprintf(1, "%d\n", pid_outside());
	if (read(0, &byte, 1) != 1 || setresuid(0, 0, 0))
		fail("back");
	dprintf(1, "%d\n", pid_outside());
	stay();
}

/* let-live: switches off its parent-death signal, and echoes */
static int do_let_live(char **args)
{
	prctl(PR_SET_PDEATHSIG, 0);
	return do_echo(args);
}

/*
 * grab [PID]: tries to copy the descriptors 0 to 20 of its parent, or of PID,
 * and says how many it got and how many were refused (EPERM). Then it echoes,
 * and keeps the copies open.
 */
static int do_grab(char **args)
{
	enum { MOST = 20 };
	pid_t pid = args[0] ? number(args[0]) : getppid();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int copied = 0, refused = 0;
	char *none[] = { NULL };

	if (pidfd < 0)
		fail("pidfd_open");
	for (int fd = 0; fd <= MOST; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			copied++;
		else if (errno == EPERM)
			refused++;
		else if (errno != EBADF)
			fail("pidfd_getfd");
	dprintf(1, "copied %d, refused %d\n", copied, refused);
	return do_echo(none);
}

static void *start_it(void *arg)
{
	char **args = arg, byte;

	if (fork() == 0) {
		execv(args[0], args);
		fail(args[0]);
	}
	if (read(0, &byte, 1) != 1)
		fail("read");
	return NULL;
}

/*
 * by-thread COMMAND...: a thread starts the command, and ends after it has read
 * a byte. The actor then says "joined", and stays.
 */
static int do_by_thread(char **args)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, start_it, args))
		fail("pthread_create");
	pthread_join(thread, NULL);
	dprintf(1, "joined\n");
	stay();
}

/* ---- terminals and activation ---- */

/* Writes the signal, its sender, and for SIGWINCH the size of the window. */
static void tell_signal(int events, const struct signalfd_siginfo *info)
{
	int code = info->ssi_code;
	const char *from = code == SI_KERNEL ? "kernel" :
		code == SI_USER ? "user" : "other";
	struct winsize size;

	if (info->ssi_signo == SIGWINCH && !ioctl(0, TIOCGWINSZ, &size))
		dprintf(events, "%d %s %dx%d\n", SIGWINCH, from, size.ws_col,
			size.ws_row);
	else
		dprintf(events, "%d %s\n", (int)info->ssi_signo, from);
}

static int catch_signals(char **numbers)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *numbers; numbers++)
		sigaddset(&set, number(*numbers));
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		fail("signalfd");
	return fd;
}

/*
 * tally EVENTS ORDERS [SIGNAL]...: writes to the FIFO EVENTS its pid, the pid
 * of spawnfd, and whether it has a controlling terminal. Then it writes a line
 * for each SIGNAL that it gets; other signals have their default effect. It
 * exits with the digit that it reads from the FIFO ORDERS.
 */
static int do_tally(char **args)
{
	int events = open(args[0], O_WRONLY | O_CLOEXEC);
	struct pollfd fds[2] = {
		{ .fd = open(args[1], O_RDONLY | O_CLOEXEC), .events = POLLIN },
		{ .fd = catch_signals(args + 2), .events = POLLIN },
	};
	struct signalfd_siginfo info;
	char order;

	die_in_time();
	dprintf(events, "%d %d %d\n", pid_outside(), holder(),
		open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents &&
		    read(fds[1].fd, &info, sizeof(info)) == sizeof(info))
			tell_signal(events, &info);
		else if (fds[0].revents && read(fds[0].fd, &order, 1) == 1)
			return order - '0';
	}
	fail("poll");
}

/* environment: says its pid, the inode of its pidfd, and its environment */
static int do_environment(char **args)
{
	struct stat st = { 0 };

	(void)args;
	if (fstat((int)syscall(SYS_pidfd_open, getpid(), 0), &st) < 0)
		fail("pidfd");
	printf("%d %llu\n", getpid(), (unsigned long long)st.st_ino);
	for (char **variable = environ; *variable; variable++)
		printf("%s\n", *variable);
	return 0;
}

/* served accept|connection: answers on fd 3, if $LISTEN_PID is its own pid */
static int do_served(char **args)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int fd = 3;

	if (!pid || !fds || number(pid) != getpid() || strcmp(fds, "1") != 0) {
		fprintf(stderr, "actor: LISTEN_PID %s is not %d\n", pid,
			getpid());
		return 96;
	}
	if (strcmp(args[0], "accept") == 0)
		fd = accept(3, NULL, NULL);
	if (dprintf(fd, "served by %d\n", getpid()) < 0)
		fail("write");
	return 0;
}

static const struct verb {
	const char *name;
	int (*act)(char **args);
} verbs[] = {
	{ "await", do_await },
	{ "await-gone", do_await_gone },
	{ "away", do_away },
	{ "by-thread", do_by_thread },
	{ "brood", do_brood },
	{ "cat", do_cat },
	{ "daemonize", do_daemonize },
	{ "die", do_die },
	{ "echo", do_echo },
	{ "environment", do_environment },
	{ "exit", do_exit },
	{ "family", do_family },
	{ "flood", do_flood },
	{ "forest", do_forest },
	{ "grab", do_grab },
	{ "grove", do_grove },
	{ "hang", do_hang },
	{ "hear", do_hear },
	{ "hear-late", do_hear_late },
	{ "leaderless", do_leaderless },
	{ "let-go", do_let_go },
	{ "let-live", do_let_live },
	{ "litter", do_litter },
	{ "look", do_look },
	{ "mark", do_mark },
	{ "nag", do_nag },
	{ "orphan", do_orphan },
	{ "restop", do_restop },
	{ "say", do_say },
	{ "served", do_served },
	{ "show", do_show },
	{ "stop", do_stop },
	{ "tally", do_tally },
	{ "traced", do_traced },
	{ "witness", do_witness },
};

int act(char **words)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (words[0] && strcmp(words[0], verbs[i].name) == 0)
			return verbs[i].act(words + 1);
	fprintf(stderr, "actor: no such verb\n");
	return 97;
}

int main(int argc, char **argv)
{
	(void)argc;
	return act(argv + 1);
}
