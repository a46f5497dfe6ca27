/* SPDX-License-Identifier: MIT */
/*
 * The costs of a hold that do not vary: system calls by name, instructions,
 * memory and the size of the binary. "make bench" measures those that vary.
 */
#include "harness.h"
#include "message.h"
#include "receivers.h"
#include "sockets.h"
#include "trees.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *map_binary(size_t *ret_size)
{
	int fd = open(spawnfd, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const char *bytes;

	cr_assert(fd >= 0 && fstat(fd, &st) == 0);
	*ret_size = (size_t)st.st_size;
	bytes = mmap(NULL, *ret_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	cr_assert_neq((const void *)bytes, MAP_FAILED);
	return bytes;
}

/*
 * Tells whether spawnfd has glibc, and if so, says what is not tested. The
 * start-up of glibc is several times as large as all the rest.
 */
static bool is_of_glibc(const char *what)
{
	size_t size;
	const char *bytes = map_binary(&size);
	bool glibc = memmem(bytes, size, "GLIBC", 5);

	if (glibc)
		not_tested(what, "this is not the static binary of musl");
	return glibc;
}

/* ---- system calls ---- */

/* The first call counted; those of the libc come before main. */
#define FIRST "rt_sig"

/* Reads the names of the calls from a file of strace -ff: FIRST to execve. */
static void read_calls(pid_t pid, char *names, size_t size)
{
	char path[64], line[4096];
	FILE *file;
	bool begun = false;

	snprintf(path, sizeof(path), "calls.%d", pid);
	file = fopen(scratch_path(path), "r");
	cr_assert_not_null(file, "%s: %s", path, strerror(errno));
	*names = '\0';
	while (fgets(line, sizeof(line), file)) {
		size_t length = strcspn(line, "("), used = strlen(names);

		line[length] = '\0';
		begun = begun || strncmp(line, FIRST, strlen(FIRST)) == 0;
		/* These lines are signals and the exit. */
		if (!begun || strchr("-+", *line))
			continue;
		snprintf(names + used, size - used, "%s ", line);
		if (strcmp(line, "execve") == 0)
			break;
	}
	fclose(file);
}

/* Waits until spawnfd has closed standard input and output. */
static void await_release(pid_t holder)
{
	struct patience patience = { 0 };
	char path[64];

	for (int fd = 0; fd < 2; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", holder, fd);
		while (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) ==
		       0) {
			cr_assert(is_patient(&patience), "%s stays", path);
			sched_yield();
		}
	}
}

/* A change that adds a system call must change this list too, on purpose. */
SystemTestWith(flags, costs_these_system_calls, MEASURES_COST)
{
	static const struct {
		const char *flag, *calls;
	} wanted[] = {
		{ "--autoreap", "rt_sigprocmask signalfd4 rt_sigaction "
				"rt_sigpending clone3 getpid poll stat "
				"close_range close_range ppoll ioctl "
				"exit_group " },
		/* The call of prctl is for the promise: see guard.h. */
		{ "--autokill", "rt_sigprocmask signalfd4 prctl rt_sigaction "
				"rt_sigpending clone3 getpid poll stat "
				"close_range close_range ppoll ioctl "
				"exit_group " },
	};
	/* The rt_sigaction calls are for the stop signals: see child.c. */
	static const char wanted_of_child[] =
		"rt_sigaction rt_sigaction rt_sigaction rt_sigprocmask execve ";

	if (is_of_glibc("system calls"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct running r;
		struct ended e;
		char calls[4096], of_child[4096];
		pid_t holder, command;

		start(&r, NULL, ARGV("/usr/bin/env", "strace", "-ff", "-o",
				     scratch_path("calls"), spawnfd,
				     wanted[i].flag, actor, "echo"));
		command = read_pid(r.out);
		holder = child_of(r.pid);
		await_release(holder);
		end_input(&r);
		finish(&r, &e);
		expect_exit(&e, 0);
		read_calls(holder, calls, sizeof(calls));
		read_calls(command, of_child, sizeof(of_child));
		cr_expect_str_eq(calls, wanted[i].calls,
				 "%s:\n%s, not\n%s", e.words, calls,
				 wanted[i].calls);
		cr_expect_str_eq(of_child, wanted_of_child, "%s: %s", e.words,
				 of_child);
	}
}

static void remove_word(char *text, const char *word)
{
	while ((text = strstr(text, word)))
		memmove(text, text + strlen(word),
			strlen(text + strlen(word)) + 1);
}

/* A line of --status-fd, which is a pipe here */
#define LINE "rt_sigprocmask fstat pwritev2 rt_sigtimedwait rt_sigprocmask "

/*
 * A message is there when the receiver begins to listen. No call is for the
 * connections that might come besides.
 */
SystemTestWith(plain, costs_these_system_calls_to_receive, MEASURES_COST)
{
	/* The call of prctl is for the promise: see guard.h. */
	static const char wanted[] =
		"rt_sigprocmask signalfd4 rt_sigaction waitid "
		"pidfd_send_signal prctl getsockopt getpeername getsockopt "
		"fcntl fcntl fcntl " LINE "ppoll read accept4 getsockopt "
		"ppoll read recvmsg fcntl fcntl close close fstatfs ioctl "
		"poll rt_sigprocmask signalfd4 fcntl " LINE;
	struct setup setup = { 0 };
	char calls[4096];
	struct receiver v;
	struct running c;
	int socket;
	pid_t holder;

	if (is_of_glibc("system calls"))
		return;
	setup.socket = listen_at(abstract(), SOCK_STREAM);
	start_child(&c, "42");
	socket = connect_to(abstract());
	send_one(socket, "x", 1, c.pidfd);
	start_receiver(&v, &setup,
		       ARGV("/usr/bin/env", "strace", "-ff", "-o",
			    scratch_path("calls"), spawnfd, STATUS,
			    RECEIVE(SOCKET)));
	await_listening(&v);
	holder = child_of(v.r.pid);
	await_received(&v);
	end_child(&c, 42);
	expect_taken(&v, 42);
	read_calls(holder, calls, sizeof(calls));
	/* This is no system call, except in User Mode Linux: vdso(7). */
	remove_word(calls, "clock_gettime ");
	/* The calls of the hold come after these. */
	cr_expect(begins(calls, wanted), "%s, not\n%s", calls, wanted);
	close_running(&c);
	close(socket);
	close(setup.socket);
}

/* ---- instructions ---- */

/*
 * Counts the instructions that spawnfd, without its children, executes in user
 * mode, by single steps. Each letter of argv costs some: it has no path of the
 * tests.
 */
static long count_steps(const char *const argv[])
{
	union { const char *const *given; char *const *wanted; } words = {
		argv
	};
	char *none[] = { NULL };
	pid_t pid = fork();
	long steps = -1;
	int status;

	if (pid == 0) {
		/* Each inherited descriptor would cost spawnfd instructions. */
		syscall(SYS_close_range, 3U, ~0U, 0U);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execve(spawnfd, words.wanted, none);
		_exit(96);
	}
	cr_assert_gt(pid, 0);
	do {
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		steps++;
	} while (WIFSTOPPED(status) &&
		 ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x",
		  status);
	return steps;
}

#define MOST_INSTRUCTIONS 3500

/* A run has a few steps more now and then, seen in User Mode Linux. */
SystemTestWith(flags, costs_few_instructions, MEASURES_COST)
{
	long least = LONG_MAX;

	if (is_of_glibc("instructions"))
		return;
	for (int i = 0; i < 3; i++) {
		long steps = count_steps(ARGV("spawnfd", "--autokill",
					      "/bin/true"));

		least = steps < least ? steps : least;
	}
	cr_expect_leq(least, MOST_INSTRUCTIONS, "%ld instructions", least);
}

/* ---- memory ---- */

#define MOST_LOADED_KIB 128
/* On Linux 7.3 a holder has 12 or 16 KiB; one page more would make 17.8. */
#define MOST_HOLDER_KIB 16

SystemTestWith(usage, costs_little_to_load, MEASURES_COST)
{
	size_t size, loaded = 0;
	const char *bytes = map_binary(&size);
	const Elf64_Ehdr *elf = (const void *)bytes;
	const Elf64_Phdr *parts = (const void *)(bytes + elf->e_phoff);

	if (is_of_glibc("size") || sizeof(void *) != 8)
		return;
	for (int i = 0; i < elf->e_phnum; i++)
		if (parts[i].p_type == PT_LOAD)
			loaded += parts[i].p_memsz;
	cr_expect_leq(loaded, MOST_LOADED_KIB << 10, "%zu bytes", loaded);
}

/*
 * The holders run at the same time, so that pages they share count for none. A
 * holder's stack has two pages in User Mode Linux, and often three elsewhere:
 * the kernel decides.
 */
SystemTestWith(flags, costs_little_memory_each_of_1000_holders, MEASURES_COST)
{
	enum { MOST = 1000 };
	/* Each holder takes three pipes and a pidfd of the test. */
	const struct rlimit limit = { 8 * MOST, 8 * MOST };
	static struct running r[MOST];
	const int n = often(MOST);
	long all = 0;

	if (is_of_glibc("memory"))
		return;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < n; i++)
		start(&r[i], NULL, ARGV(spawnfd, "--autokill", actor, "hang"));
	for (int i = 0; i < n; i++) {
		read_pid(r[i].out);
		await_release(r[i].pid);
		all += private_kb(r[i].pid);
	}
	cr_expect_leq(all, (long)MOST_HOLDER_KIB * n, "%ld KiB of %d", all, n);
	for (int i = 0; i < n; i++) {
		kill(r[i].pid, SIGTERM);
		expect_dies(&r[i], SIGTERM);
	}
}

#define MOST_TREE_KIB 12

/* Runs several at once, so that the pages they share are nobody's own. */
SystemTestWith(flags, tree_holder_and_init_have_little_memory, MEASURES_COST)
{
	struct running r[10];

	if (is_of_glibc("memory of a tree"))
		return;
	for (EVERY(i, r)) {
		start(&r[i], NULL, ARGV(spawnfd, "--kill-tree", "--autokill",
					actor, "hang"));
		read_pid(r[i].out);
	}
	for (EVERY(i, r)) {
		int holder = private_kb(r[i].pid);
		int init = private_kb(child_of(r[i].pid));

		cr_expect_leq(holder, MOST_TREE_KIB, "spawnfd: %d KiB", holder);
		cr_expect_leq(init, MOST_TREE_KIB, "init: %d KiB", init);
	}
	for (EVERY(i, r)) {
		kill(r[i].pid, SIGTERM);
		expect_dies(&r[i], SIGTERM);
	}
}
