/* SPDX-License-Identifier: MIT */
/*
 * Runs spawnfd under ptrace(2). All its processes are traced from their first
 * instruction on. At its exec COMMAND stops, and it goes on, without its calls
 * being traced, when spawnfd waits for its end. So the judge sees whether
 * COMMAND is left when spawnfd fails.
 *
 * A call that is to fail is not made: its number becomes -1 at its entry, and
 * its result becomes -errno at its exit. The registers are those of x86-64.
 *
 * The signal of a moment is sent at the exit of a call, before the process that
 * has made the call runs on. The kernel delivers it, if it is not blocked,
 * before the next instruction of that process.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

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
	CONTINUED_MOST = 2,
};

const char *const role_names[ROLES] = {
	"spawnfd", "child", "init", "command", "receiver",
};

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
	pid_t stopping;		/* gets SIGCONT as soon as it has stopped */
	bool command_stopped;
	bool went_on;		/* the moment has continued COMMAND */
	rlim_t limit;		/* of descriptors, before the fault FULL */
};

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
	/* A child of spawnfd that comes later is the waker. */
	if (parent == ROLE_COMMAND ||
	    (parent == ROLE_SPAWNFD && trace->run->executed))
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
	trace->run->born |= role == ROLE_CHILD;
	if (parent->role == ROLE_SPAWNFD && role != ROLE_COMMAND)
		trace->run->process = child->pid;
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
		take_look(tracee->pid, trace->tracees[0].pid, run->look);
		run->executed = true;
		run->command = tracee->pid;
		tracee->held = tracee->role != ROLE_SPAWNFD;
		tracee->role = ROLE_COMMAND;
	}
	if (!tracee->held)
		resume(tracee, 0);
}

/* ---- calls ---- */

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

static void limit_descriptors(pid_t pid, rlim_t most, rlim_t *ret_before)
{
	struct rlimit limit;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit))
		perror("faults: prlimit");
	if (ret_before)
		*ret_before = limit.rlim_cur;
	limit.rlim_cur = most;
	if (prlimit(pid, RLIMIT_NOFILE, &limit, NULL))
		perror("faults: prlimit");
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
	if (run->reached && tracee->role == ROLE_SPAWNFD &&
	    number == SYS_sendmsg)
		run->sent_late = true;
	if (!is_faulty(trace, tracee))
		return;
	run->reached = tracee->failing = true;
	if (run->fault.error == FULL)
		limit_descriptors(tracee->pid, 3, &trace->limit);
	else if (run->fault.error == SHORT)
		set_register(tracee, REGISTER(rdx),
			     (long)info->entry.args[2] / 2);
	else if (!call || !call->has_effect)
		set_register(tracee, REGISTER(orig_rax), -1);
}

/* The process that has the role now, or NULL */
static struct tracee *find_role(struct trace *trace, enum role role)
{
	for (size_t i = trace->count; i > 0; i--) {
		struct tracee *tracee = &trace->tracees[i - 1];

		/* The leader of COMMAND's group has that role too, for ever. */
		if (role == ROLE_CHILD && trace->run->executed)
			return NULL;
		if (tracee->known && !tracee->ended && tracee->role == role)
			return tracee;
	}
	return NULL;
}

/* The roles that can be targets. COMMAND is one only while it is stopped. */
static unsigned int list_living(struct trace *trace)
{
	unsigned int living = 0;

	for (int role = 0; role < ROLES; role++)
		if (find_role(trace, (enum role)role))
			living |= 1U << role;
	if (!trace->command_stopped)
		living &= ~(1U << ROLE_COMMAND);
	return living;
}

/* Whether the call that has just been made is that of the moment */
static bool is_moment(const struct trace *trace, const struct tracee *tracee)
{
	const struct fault *fault = &trace->run->fault;

	return fault->signal && !trace->run->reached &&
	       tracee->role == fault->role && tracee->inside == fault->number &&
	       trace->counts[fault->role][fault->number] == fault->occurrence;
}

static void send_signal(struct trace *trace)
{
	struct run *run = trace->run;
	const struct fault *fault = &run->fault;
	const struct tracee *target = find_role(trace, fault->target);
	const struct tracee *child = find_role(trace, ROLE_CHILD);

	run->in_exec = child && (child->inside == SYS_execve ||
				 child->inside == SYS_execveat);
	if (fault->signal == SIGCONT) {
		run->reached = true;
		trace->went_on = trace->command_stopped;
		kill(-trace->tracees[0].pid, SIGCONT);
	} else if (fault->target == ROLE_RECEIVER) {
		run->reached = true;
		peers_end_receiver(run, &trace->peers);
	} else if (target) {
		run->reached = true;
		if (fault->signal == SIGSTOP)
			trace->stopping = target->pid;
		kill(target->pid, fault->signal);
	}
}

static void handle_exit(struct trace *trace, struct tracee *tracee,
			const struct call_info *info)
{
	struct run *run = trace->run;

	if (tracee->failing && run->fault.error == FULL)
		limit_descriptors(tracee->pid, trace->limit, NULL);
	else if (tracee->failing && run->fault.error != SHORT)
		set_register(tracee, REGISTER(rax), -run->fault.error);
	else if (tracee->inside == SYS_recvmsg && info->exit.rval > 0)
		trace->taken = true;
	/* spawnfd may look again and again for an event that never comes. */
	if (tracee->inside == SYS_ppoll && info->exit.rval == 0)
		trace->vain++;
	if (tracee->call >= 0)
		run->calls[tracee->call].result = info->exit.rval;
	if (tracee->call >= 0)
		run->calls[tracee->call].living = list_living(trace);
	if (is_moment(trace, tracee))
		send_signal(trace);
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

/*
 * The process has stopped by a signal, and stays so until SIGCONT. If it is a
 * spawnfd at a terminal, SIGCONT goes to its process group, as from fg(1).
 */
static void handle_stopped(struct trace *trace, const struct tracee *tracee)
{
	struct run *run = trace->run;
	const bool is_job = run->mode->traits & TERMINAL &&
			    tracee->role == ROLE_SPAWNFD;

	ptrace(PTRACE_LISTEN, tracee->pid, 0, 0);
	if (tracee->pid == run->command)
		trace->command_stopped = true;
	if (is_job && trace->went_on)
		run->stopped_late = true;
	if (is_job)
		run->stops++;
	if (is_job || tracee->pid == trace->stopping)
		kill(is_job ? -tracee->pid : tracee->pid, SIGCONT);
	if (tracee->pid == trace->stopping)
		trace->stopping = 0;
}

static void handle_stop_event(struct trace *trace, struct tracee *tracee,
			      int signal)
{
	if (!tracee->known) {
		tracee->waiting = true;
	} else if (signal != SIGTRAP) {
		handle_stopped(trace, tracee);
	} else {
		if (tracee->pid == trace->run->command)
			trace->command_stopped = false;
		resume(tracee, 0);
	}
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
		handle_stop_event(trace, tracee, signal);
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
	if (tracee->role == ROLE_CHILD && WIFSIGNALED(status) && !run->executed)
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

bool run_was_killed(const struct run *run)
{
	return run->reached && run->fault.signal == SIGKILL &&
	       run->fault.target == ROLE_SPAWNFD && run->status == SIGKILL;
}

/* The exec may come to light after the end of spawnfd. */
static void await_exec(struct trace *trace)
{
	const struct run *run = trace->run;
	const unsigned int traits = run->mode->traits;

	if (run_was_killed(run) ? traits & AUTOKILL
				: run->status || traits & HOLDS)
		return;
	while (run->mode->command && !run->executed && count_living(trace) &&
	       step(trace, silence_ms() / 5))
		;
}

/* Processes that must end with spawnfd end by themselves. */
static void await_ends(struct trace *trace)
{
	while (count_living(trace) && step(trace, silence_ms() / 5))
		;
}

/* Whether nothing may be left when spawnfd has ended, whatever peers do */
static bool must_end(const struct run *run)
{
	const unsigned int traits = run->mode->traits;

	if (run_was_killed(run))
		return traits & AUTOKILL && !(traits & PASSES);
	return run->status || traits & HOLDS;
}

static void run_to_end(struct trace *trace)
{
	struct run *run = trace->run;
	const struct tracee *spawnfd = &trace->tracees[0];

	while (!spawnfd->ended) {
		const bool held = run->mode->traits & HOLDS &&
				  (holds_any(trace) || trace->peers.gate >= 0);

		/* Nobody but a spawnfd that stops too would be continued. */
		const bool idle = trace->command_stopped &&
				  waits(trace, spawnfd);

		/* Where calls are not seen, it waits when it is silent. */
		if (trace->vain > VAIN_MOST ||
		    !step(trace, (held && trace->fast) || idle
					 ? SWEPT_MS : silence_ms())) {
			if (idle && run->unstopped < CONTINUED_MOST) {
				run->unstopped++;
				kill(-spawnfd->pid, SIGCONT);
				continue;
			}
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
		/* spawnfd waits for another sender, and none comes. */
		if (!trace->taken && spawnfd->inside == SYS_ppoll &&
		    peers_are_refused(&trace->peers)) {
			run->hung = true;
			return;
		}
	}
	await_exec(trace);
	if (must_end(run))
		await_ends(trace);
	run->left = count_living(trace) != 0;
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
	struct start start;
	pid_t pid;

	if (!trace)
		exit(99);
	trace->run = run;
	peers_open(run, &trace->peers);
	pid = start_spawnfd(run, spawnfd, &trace->peers, &start);
	add(trace, pid);
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, options)) {
		perror("faults: ptrace");
		exit(99);
	}
	start_go(&start);
	run_to_end(trace);
	peers_close(run, &trace->peers);
	/* The receiver has closed the pidfd. */
	if (run->mode->traits & PASSES && run->mode->traits & AUTOKILL)
		await_ends(trace);
	run->outlives = count_living(trace) != 0;
	run->was_alive = run->executed && !run->command_ended;
	kill_all(trace);
	take_rest(trace);
	start_end(&start, run);
	free(trace);
}
