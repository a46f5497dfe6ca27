/* SPDX-License-Identifier: MIT */
/*
 * Runs spawnfd under ptrace(2). All its processes are traced from their first
 * instruction on. At its exec COMMAND stops, and it goes on, without its calls
 * being traced, when spawnfd waits for its end. So the judge sees whether
 * COMMAND is left when spawnfd fails.
 *
 * A call that is to fail is not made: its number becomes -1 at its entry, and
 * its result becomes -errno at its exit. The registers are those of x86-64.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../system/hide_clone3.h"
#include "../system/patience.h"
#include "faults.h"

#ifndef __x86_64__
#error "tests/faults is for x86-64: it sets the registers of a system call"
#endif

/* linux/ptrace.h, which does not go with sys/ptrace.h */
struct call_info {
	uint8_t op;
	uint8_t pad[3];
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t stack_pointer;
	union {
		struct { uint64_t nr; uint64_t args[6]; } entry;
		struct { int64_t rval; uint8_t is_error; } exit;
		uint64_t room[8];
	};
};

enum {
	OP_ENTRY = 1,
	OP_EXIT = 2,
	NUMBERS = 1024,
	TRACEES = 64,
	SWEPT_MS = 400,
	VAIN_MOST = 30,
};

const char *const role_names[ROLES] = { "spawnfd", "child", "init", "command" };

struct tracee {
	pid_t pid;
	enum role role;
	bool known;		/* the role is */
	bool waiting;		/* in its first stop, until that is known */
	bool held;		/* COMMAND, in the stop of its exec */
	bool ended;
	bool fast;		/* is traced no more: see is_sweep */
	int call;		/* the index of its last call, or -1 */
	int inside;		/* the number of the call it is in, or -1 */
	bool failing;		/* ... and that has the fault */
};

struct trace {
	struct run *run;
	struct peers peers;
	struct tracee tracees[TRACEES];
	size_t count;
	int counts[ROLES][NUMBERS];
	bool fast;		/* not all calls are seen any more */
	int vain;		/* waits that ran out, and nothing happened */
	bool taken;		/* spawnfd has received something */
};

/* ---- the start of spawnfd ---- */

enum { PIPE_OUT, PIPE_ERROR, PIPE_STATUS, PIPE_WATCH, PIPE_BEGIN, PIPES };

static void put_at(int fd, int number)
{
	if (fd >= 0 && dup2(fd, number) < 0)
		_exit(99);
}

static void put_words(const struct run *run, const char *spawnfd,
		      const char **words)
{
	static char self[PATH_MAX], to[PATH_MAX + 16], from[PATH_MAX + 16];
	static char pid_file[PATH_MAX + 16], word[PATH_MAX];
	const struct mode *mode = run->mode;
	size_t n = 0;

	words[n++] = spawnfd;
	for (size_t i = 0; mode->options[i]; i++)
		words[n++] = mode->options[i];
	if (mode->to) {
		peers_address(run, true, word);
		snprintf(to, sizeof(to), "--pass=%s", word);
		words[n++] = to;
	}
	if (mode->from) {
		peers_address(run, false, word);
		snprintf(from, sizeof(from), "--receive=%s", word);
		words[n++] = from;
	}
	if (mode->traits & PID_FILE) {
		snprintf(pid_file, sizeof(pid_file), "--pid-file=%s/pid",
			 run->folder);
		words[n++] = pid_file;
	}
	if (mode->command) {
		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
			_exit(99);
		words[n++] = "--";
		words[n++] = self;
		words[n++] = "command";
		words[n++] = mode->command;
	}
	words[n] = NULL;
}

/* In the child: becomes spawnfd as soon as it is traced */
static void become_spawnfd(const struct trace *trace, const char *spawnfd,
			   int pipes[PIPES][2])
{
	const unsigned int traits = trace->run->mode->traits;
	sigset_t none;
	const char *words[32];
	char byte;

	put_words(trace->run, spawnfd, words);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (chdir(trace->run->folder))
		_exit(99);
	put_at(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	put_at(pipes[PIPE_OUT][1], 1);
	put_at(trace->peers.own[0], FD_TO);
	put_at(trace->peers.own[1], FD_FROM);
	put_at(pipes[PIPE_WATCH][0], FD_WATCH);
	put_at(pipes[PIPE_STATUS][1], FD_STATUS);
	if (traits & FILTERED && hide_clone3())
		_exit(99);
	if (traits & AS_USER && (setgid(65534) || setuid(65534)))
		_exit(99);
	/* The driver traces this process before it closes its end. */
	while (read(pipes[PIPE_BEGIN][0], &byte, 1) > 0)
		;
	put_at(pipes[PIPE_ERROR][1], 2);
	execve(spawnfd, (char **)(uintptr_t)words,
	       (char *[]){ "PATH=/usr/bin:/bin", NULL });
	_exit(99);
}

/* The numbers of spawnfd's descriptors are below these */
static void open_pipes(int pipes[PIPES][2])
{
	enum { ABOVE = 20 };

	for (int i = 0; i < PIPES; i++) {
		/* For a pipe, spawnfd would look at 4096 descriptors. */
		if (i == PIPE_WATCH ? socketpair(AF_UNIX, SOCK_STREAM |
						 SOCK_CLOEXEC, 0, pipes[i])
				    : pipe2(pipes[i], O_CLOEXEC))
			exit(99);
		for (int end = 0; end < 2; end++) {
			int fd = fcntl(pipes[i][end], F_DUPFD_CLOEXEC, ABOVE);

			close(pipes[i][end]);
			pipes[i][end] = fd;
		}
	}
}

static void raise_above(int *fd)
{
	int high = *fd < 0 ? -1 : fcntl(*fd, F_DUPFD_CLOEXEC, 20);

	if (high >= 0) {
		close(*fd);
		*fd = high;
	}
}

/* ---- COMMAND at its exec ---- */

static const char *relation(pid_t id, pid_t own, pid_t spawnfd)
{
	return id == own ? "its own" : id == spawnfd ? "spawnfd's" : "another";
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static size_t look_at_descriptors(pid_t pid, char *look)
{
	char path[64];
	int fds[256], count = 0;
	size_t length = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	while (folder && count < 256 && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			fds[count++] = atoi(entry->d_name);
	if (folder)
		closedir(folder);
	qsort(fds, (size_t)count, sizeof(fds[0]), compare_numbers);
	length += (size_t)sprintf(look, "descriptors:");
	for (int i = 0; i < count; i++)
		length += (size_t)sprintf(look + length, " %d", fds[i]);
	return length + (size_t)sprintf(look + length, "\n");
}

static size_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void add_field(const char *text, const char *name, char *look)
{
	const char *at = strstr(text, name);

	if (at)
		sprintf(look + strlen(look), "%.*s\n", (int)strcspn(at, "\n"),
			at);
}

/* Says what COMMAND has inherited, in words that are the same in each run */
static void take_look(struct trace *trace, pid_t pid)
{
	char path[64], text[8192], *look = trace->run->look;
	const pid_t spawnfd = trace->tracees[0].pid;

	look_at_descriptors(pid, look);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	add_field(text, "NoNewPrivs:", look);
	add_field(text, "SigBlk:", look);
	add_field(text, "SigIgn:", look);
	sprintf(look + strlen(look), "group: %s\nsession: %s\n",
		relation(getpgid(pid), pid, spawnfd),
		relation(getsid(pid), pid, spawnfd));
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	read_file(path, text, sizeof(text));
	sprintf(look + strlen(look), "cgroup: %.1000s", text);
}

/* Adds what the process has open, without numbers: "spawnfd: pipe pipe" */
static void take_kept(const char *who, pid_t pid, char *kept)
{
	char path[300], targets[64][64];
	size_t count = 0;
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	while (folder && count < 64 && (entry = readdir(folder))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%.200s", pid,
			 entry->d_name);
		n = readlink(path, targets[count], sizeof(targets[0]) - 1);
		if (n < 0)
			continue;
		targets[count][n] = '\0';
		/* pipe:[1234] has a number, anon_inode:[pidfd] has not. */
		if (strncmp(targets[count], "anon", 4))
			targets[count][strcspn(targets[count], ":")] = '\0';
		count++;
	}
	if (folder)
		closedir(folder);
	qsort(targets, count, sizeof(targets[0]),
	      (int (*)(const void *, const void *))strcmp);
	sprintf(kept + strlen(kept), "%s:", who);
	for (size_t i = 0; i < count && strlen(kept) < LOOK_SIZE - 200; i++)
		sprintf(kept + strlen(kept), " %s", targets[i]);
	strcat(kept, "\n");
}

/* ---- stops ---- */

static struct tracee *find(struct trace *trace, pid_t pid)
{
	for (size_t i = trace->count; i > 0; i--)
		if (trace->tracees[i - 1].pid == pid)
			return &trace->tracees[i - 1];
	return NULL;
}

static struct tracee *add(struct trace *trace, pid_t pid)
{
	struct tracee *tracee = &trace->tracees[trace->count];

	if (trace->count == TRACEES) {
		fprintf(stderr, "faults: too many processes\n");
		exit(99);
	}
	trace->count++;
	*tracee = (struct tracee){ .pid = pid, .call = -1, .inside = -1 };
	return tracee;
}

static void resume(const struct tracee *tracee, int signal)
{
	const bool calls = tracee->role != ROLE_COMMAND && !tracee->fast;

	ptrace(calls ? PTRACE_SYSCALL : PTRACE_CONT, tracee->pid, 0, signal);
}

static enum role role_of_child(const struct trace *trace, enum role parent)
{
	if (parent == ROLE_COMMAND)
		return ROLE_COMMAND;
	return parent == ROLE_SPAWNFD && trace->run->mode->traits & TREE
		       ? ROLE_INIT
		       : ROLE_CHILD;
}

static void handle_birth(struct trace *trace, struct tracee *parent)
{
	unsigned long pid = 0;
	const enum role role = role_of_child(trace, parent->role);
	struct tracee *child;

	ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid);
	child = find(trace, (pid_t)pid);
	if (!child || child->ended)
		child = add(trace, (pid_t)pid);
	child->role = role;
	child->known = true;
	if (child->waiting)
		resume(child, 0);
	child->waiting = false;
}

static void handle_exec(struct trace *trace, struct tracee *tracee)
{
	struct run *run = trace->run;

	/* The first exec is that of spawnfd. */
	if (!tracee->known) {
		tracee->known = true;
		resume(tracee, 0);
		return;
	}
	if (tracee->role != ROLE_COMMAND) {
		take_look(trace, tracee->pid);
		run->executed = true;
		run->command = tracee->pid;
		tracee->held = tracee->role != ROLE_SPAWNFD;
		tracee->role = ROLE_COMMAND;
	}
	if (!tracee->held)
		resume(tracee, 0);
}

static bool is_faulty(const struct trace *trace, const struct tracee *tracee)
{
	const struct fault *fault = &trace->run->fault;

	return fault->error && !trace->run->reached &&
	       tracee->role == fault->role && tracee->inside == fault->number &&
	       trace->counts[fault->role][fault->number] == fault->occurrence;
}

static void set_register(const struct tracee *tracee, size_t offset, long value)
{
	if (ptrace(PTRACE_POKEUSER, tracee->pid, offset, value))
		perror("faults: ptrace");
}

#define REGISTER(name) offsetof(struct user_regs_struct, name)

/*
 * After a fault, spawnfd may look at thousands of descriptors one by one. Its
 * calls are of no interest any more, and to trace them takes seconds.
 */
static bool is_sweep(const struct trace *trace, const struct tracee *tracee)
{
	enum { MANY = 64 };

	return trace->run->reached &&
	       (trace->counts[tracee->role][SYS_fcntl] > MANY ||
		trace->counts[tracee->role][SYS_close] > MANY);
}

static void handle_entry(struct trace *trace, struct tracee *tracee,
			 const struct call_info *info)
{
	struct run *run = trace->run;
	const int number = (int)info->entry.nr;
	const struct call_errors *call = call_find(number);

	tracee->inside = number;
	if (number < 0 || number >= NUMBERS)
		return;
	trace->counts[tracee->role][number]++;
	tracee->call = -1;
	tracee->fast = is_sweep(trace, tracee);
	trace->fast = trace->fast || tracee->fast;
	if (run->count < CALLS_MOST) {
		tracee->call = (int)run->count;
		run->calls[run->count++] = (struct call){
			.role = tracee->role,
			.number = number,
			.occurrence = trace->counts[tracee->role][number],
			.command = (long)info->entry.args[1],
			.count = (long)info->entry.args[2],
		};
	}
	if (!is_faulty(trace, tracee))
		return;
	run->reached = tracee->failing = true;
	if (run->fault.error == SHORT)
		set_register(tracee, REGISTER(rdx),
			     (long)info->entry.args[2] / 2);
	else if (!call || !call->has_effect)
		set_register(tracee, REGISTER(orig_rax), -1);
}

static void handle_exit(struct trace *trace, struct tracee *tracee,
			const struct call_info *info)
{
	struct run *run = trace->run;

	if (tracee->failing && run->fault.error != SHORT)
		set_register(tracee, REGISTER(rax), -run->fault.error);
	else if (tracee->inside == SYS_recvmsg && info->exit.rval > 0)
		trace->taken = true;
	/* spawnfd may look again and again for an event that never comes. */
	if (tracee->inside == SYS_ppoll && info->exit.rval == 0)
		trace->vain++;
	if (tracee->call >= 0)
		run->calls[tracee->call].result = info->exit.rval;
	tracee->failing = false;
	tracee->inside = -1;
}

static void handle_call(struct trace *trace, struct tracee *tracee)
{
	struct call_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tracee->pid, sizeof(info),
		   &info) > 0 && info.op == OP_ENTRY)
		handle_entry(trace, tracee, &info);
	else if (info.op == OP_EXIT)
		handle_exit(trace, tracee, &info);
	resume(tracee, 0);
}

static void handle_stop(struct trace *trace, pid_t pid, int status)
{
	struct tracee *tracee = find(trace, pid);
	const int signal = WSTOPSIG(status);

	if (!tracee || tracee->ended)
		tracee = add(trace, pid);
	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		handle_birth(trace, tracee);
		resume(tracee, 0);
		return;
	case PTRACE_EVENT_EXEC:
		handle_exec(trace, tracee);
		return;
	case PTRACE_EVENT_STOP:
		if (!tracee->known)
			tracee->waiting = true;
		else if (signal != SIGTRAP)
			ptrace(PTRACE_LISTEN, pid, 0, 0);
		else
			resume(tracee, 0);
		return;
	}
	if (signal == (SIGTRAP | 0x80))
		handle_call(trace, tracee);
	else
		resume(tracee, signal);
}

static void handle_end(struct trace *trace, pid_t pid, int status)
{
	struct run *run = trace->run;
	struct tracee *tracee = find(trace, pid);

	if (!tracee)
		return;
	/* Its parent has not reaped it, and so it came to this process. */
	if (tracee->ended) {
		run->zombie = true;
		return;
	}
	trace->vain = 0;
	tracee->ended = true;
	tracee->held = tracee->waiting = false;
	if (tracee == &trace->tracees[0])
		run->status = status;
	/* Killed at its exec, it never shows the stop of the exec. */
	if (tracee->role == ROLE_CHILD && WIFSIGNALED(status))
		run->command = pid;
	if (pid == run->command) {
		run->command_ended = true;
		run->command_status = status;
	}
}

/* ---- the run ---- */

static struct patience patience;

/* The variable shortens the wait for what hangs, while one works on a test. */
static int silence_ms(void)
{
	const char *text = getenv("SPAWNFD_FAULTS_SILENCE");

	return text ? atoi(text) : PATIENCE_MS;
}

/* Handles one event; false after silence, or if nothing can come any more */
static bool step(struct trace *trace, int ms)
{
	int status;
	pid_t pid;

	patience = (struct patience){ .silence_ms = ms };
	is_patient(&patience);
	do
		pid = waitpid(-1, &status, __WALL);
	while (pid < 0 && errno == EINTR && is_patient(&patience));
	if (pid < 0)
		return false;
	if (WIFSTOPPED(status))
		handle_stop(trace, pid, status);
	else
		handle_end(trace, pid, status);
	return true;
}

/*
 * Whether the process waits in its loop for the end of COMMAND. It has closed
 * the descriptors that it does not need before that.
 */
static bool waits(const struct trace *trace, const struct tracee *tracee)
{
	return !tracee->ended && !tracee->fast && !tracee->failing &&
	       tracee->inside == SYS_ppoll &&
	       trace->counts[tracee->role][SYS_close_range] > 0;
}

static bool holds_any(const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->tracees[i].held)
			return true;
	return false;
}

static void take_all_kept(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct tracee *tracee = &trace->tracees[i];

		if (!tracee->ended && (tracee->role == ROLE_SPAWNFD ||
				       tracee->role == ROLE_INIT))
			take_kept(role_names[tracee->role], tracee->pid,
				  trace->run->kept);
	}
}

/* COMMAND goes on when spawnfd, and the init, wait for its end. */
static void release(struct trace *trace, bool at_once)
{
	const unsigned int traits = trace->run->mode->traits;
	bool ready = waits(trace, &trace->tracees[0]);

	if (!(traits & HOLDS))
		return;
	for (size_t i = 0; i < trace->count; i++)
		if (trace->tracees[i].role == ROLE_INIT)
			ready = ready && waits(trace, &trace->tracees[i]);
	if (!ready && !at_once)
		return;
	if (!*trace->run->kept && (holds_any(trace) || trace->taken))
		take_all_kept(trace);
	for (size_t i = 0; i < trace->count; i++)
		if (trace->tracees[i].held) {
			trace->tracees[i].held = false;
			resume(&trace->tracees[i], 0);
		}
	if ((trace->taken || at_once) && trace->peers.gate >= 0) {
		close(trace->peers.gate);
		trace->peers.gate = -1;
	}
}

static size_t count_living(const struct trace *trace)
{
	size_t count = 0;

	for (size_t i = 0; i < trace->count; i++)
		count += !trace->tracees[i].ended;
	return count;
}

static void kill_all(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		if (!trace->tracees[i].ended)
			kill(trace->tracees[i].pid, SIGKILL);
	while (count_living(trace) && step(trace, silence_ms()))
		;
}

static void run_to_end(struct trace *trace)
{
	struct run *run = trace->run;
	const struct tracee *spawnfd = &trace->tracees[0];

	while (!spawnfd->ended) {
		const bool held = run->mode->traits & HOLDS &&
				  (holds_any(trace) || trace->peers.gate >= 0);

		/* Where calls are not seen, it waits when it is silent. */
		if (trace->vain > VAIN_MOST ||
		    !step(trace, held && trace->fast ? SWEPT_MS
						     : silence_ms())) {
			if (!held) {
				run->hung = true;
				return;
			}
			release(trace, true);
			trace->vain = 0;
			continue;
		}
		peers_turn(run, &trace->peers);
		release(trace, false);
	}
	/* The exec may come to light after the end of spawnfd. */
	while (!run->status && run->mode->traits & (PASSES | DETACHES) &&
	       run->mode->command && !run->executed && count_living(trace) &&
	       step(trace, silence_ms() / 5))
		;
	/* A COMMAND that must end with spawnfd ends by itself. */
	if (run->status || run->mode->traits & HOLDS)
		while (count_living(trace) && step(trace, silence_ms() / 5))
			;
	run->left = count_living(trace) != 0;
}

static void drain(int fd, char *text)
{
	size_t length = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (length < SAID_SIZE - 1 &&
	       (n = read(fd, text + length, SAID_SIZE - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
}

static void take_rest(struct trace *trace)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		handle_end(trace, pid, status);
}

void run_once(struct run *run, const char *spawnfd)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	const unsigned int options =
		PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
		PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
		PTRACE_O_EXITKILL;
	int pipes[PIPES][2];
	pid_t pid;

	if (!trace)
		exit(99);
	trace->run = run;
	open_pipes(pipes);
	peers_open(run, &trace->peers);
	raise_above(&trace->peers.own[0]);
	raise_above(&trace->peers.own[1]);
	pid = fork();
	if (!pid) {
		close(pipes[PIPE_BEGIN][1]);
		become_spawnfd(trace, spawnfd, pipes);
	}
	add(trace, pid);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, options)) {
		perror("faults: ptrace");
		exit(99);
	}
	for (int i = 0; i < PIPES; i++)
		if (i != PIPE_WATCH)
			close(pipes[i][1]);
	run_to_end(trace);
	peers_close(run, &trace->peers);
	kill_all(trace);
	take_rest(trace);
	drain(pipes[PIPE_OUT][0], run->printed);
	drain(pipes[PIPE_ERROR][0], run->said);
	drain(pipes[PIPE_STATUS][0], run->lines);
	for (int i = 0; i < PIPES; i++)
		close(pipes[i][0]);
	close(pipes[PIPE_WATCH][1]);
	free(trace);
}
