/* SPDX-License-Identifier: MIT */
/*
 * --fallback: it changes nothing where the kernel lacks nothing. It says which
 * flags it emulates, and refuses a call that it cannot emulate. Tests here also
 * show where its promise is weaker than the kernel's. The other tests show that
 * the promise is the same otherwise, because variants of them run spawnfd with
 * --fallback: see wrapper.c. Without --fallback no flag is ever left out.
 */
#include "harness.h"
#include "hearing.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ALL_OF_AUTOKILL \
	"\"emulated\":[\"CLONE_AUTOREAP\",\"CLONE_NNP\"," \
	"\"CLONE_PIDFD_AUTOKILL\"]}"

static const unsigned int enosys = ENOSYS, eperm = EPERM;
static const struct way filtered[] = {
	{ .prepare = filter_clone3, .arg = &enosys },
	{ .prepare = filter_clone3, .arg = &eperm },
};

/* ---- flags that the kernel has ---- */

/* Gives the line of -v that shows the call, without the result of the call. */
static void call_of(const char *with, const char *option, char *line,
		    size_t size)
{
	const char *begin;
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "-v", with, option, "--status-fd=1", actor,
			   "exit", "3"));
	expect_exit(&e, 3);
	cr_expect_null(strstr(e.out, "emulated"), "%s", e.out);
	cr_expect_null(strstr(e.err, "emulated"), "%s", e.err);
	begin = strstr(e.err, "clone3(");
	cr_assert_not_null(begin, "%s", e.err);
	cr_expect_null(strstr(begin + 1, "clone"), "%s", e.err);
	snprintf(line, size, "%.*s", (int)strcspn(begin, "="), begin);
}

SystemTest(flags, fallback_changes_nothing_where_nothing_is_lacking)
{
	static const char *const options[] = {
		"--autokill", "--autoreap", "--nnp", "--clear-sighand",
		"--raw-flags=CLONE_NEWUTS", "--verbose", "--empty-mntns",
	};
	char with[256], without[256];

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		call_of("--fallback", options[i], with, sizeof(with));
		call_of("--verbose", options[i], without, sizeof(without));
		cr_expect_str_eq(with, without);
	}
}

/* ---- without --fallback no flag is left out ---- */

static const struct asked {
	const char *option;
	uint64_t flags;
} asked[] = {
	{ "--verbose", UINT64_C(1) << 12 },
	{ "--autoreap", UINT64_C(0x400001000) },
	{ "--nnp", UINT64_C(0x800001000) },
	{ "--autokill", UINT64_C(0x1c00001000) },
	{ "--clear-sighand", UINT64_C(0x100001000) },
	{ "--raw-flags=1<<62", UINT64_C(0x4000000000001000) },
	{ "--raw-flags=CLONE_NEWUTS", UINT64_C(0x4001000) },
	{ "--empty-mntns", UINT64_C(0x2000001000) },
};

/* CLONE_VM and CLONE_VFORK: spawnfd adds them, but not to --raw-flags. */
#define WAITING UINT64_C(0x4100)

/* strace shows the real call, and need not believe what spawnfd says. */
SystemTestWith(plain, without_fallback_the_call_is_the_one_asked_for,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	unsigned long long flags;
	const char *call;
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		run(&e, NULL, ARGV("/usr/bin/env", "strace", "-X", "raw", "-e",
				   "trace=clone,clone3,fork,vfork", "-e",
				   "signal=none", spawnfd, asked[i].option,
				   actor, "exit", "0"));
		call = strstr(e.err, "clone");
		cr_assert_not_null(call, "%s", e.err);
		cr_assert_eq(sscanf(call, "clone3({flags=%llx,", &flags), 1,
			     "%s", e.err);
		if (!strstr(asked[i].option, "raw-flags"))
			flags &= ~WAITING;
		cr_expect_eq(flags, asked[i].flags, "%s", e.err);
		cr_expect_null(strstr(e.err, "fork("), "%s", e.err);
		cr_expect_null(strstr(e.err, "clone("), "%s", e.err);
	}
}

static void expect_no_command(const struct way *way, const char *option)
{
	const char *mark = scratch_path("mark");
	struct ended e;

	run(&e, way, ARGV(spawnfd, option, actor, "mark", mark));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: E");
	expect_said(&e, "--fallback");
	cr_expect(!exists(mark), "%s", e.words);
}

SystemTestWith(plain, without_fallback_a_filter_is_a_refusal,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	for (size_t i = 0; i < ARRAY_SIZE(filtered); i++) {
		expect_no_command(&filtered[i], "--pidfd");
		expect_no_command(&filtered[i], "--autokill");
	}
}

SystemTest(old, without_fallback_a_missing_flag_is_a_refusal)
{
	expect_no_command(NULL, "--autokill");
	expect_no_command(NULL, "--autoreap");
	expect_no_command(NULL, "--nnp");
}

/* --exact excludes --fallback, so the message must not tell of it. */
SystemTest(plain, exact_is_not_told_to_fall_back)
{
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(filtered); i++) {
		run(&e, &filtered[i], ARGV(spawnfd, "--exact", "--pidfd",
					   actor, "exit", "0"));
		expect_refusal(&e, 125);
		expect_said(&e, "seccomp");
		cr_expect_null(strstr(e.err, "--fallback"), "%s", e.err);
	}
}

/* ---- spawnfd says which flags it emulates ---- */

static void expect_emulated(const struct way *way, const char *option,
			    const char *call, const char *emulated)
{
	char said[256];
	struct ended e;

	run(&e, way, ARGV(spawnfd, "--fallback", option, "-v", "--status-fd=1",
			  actor, "exit", "3"));
	expect_exit(&e, 3);
	if (*emulated) {
		snprintf(said, sizeof(said), "\"emulated\":[\"%s\"]}",
			 emulated);
		cr_expect_not_null(strstr(e.out, said), "%s", e.out);
		snprintf(said, sizeof(said), "\nspawnfd: flags emulated: %s\n",
			 emulated);
		cr_expect_not_null(strstr(e.err, said), "%s", e.err);
	} else {
		cr_expect_null(strstr(e.out, "emulated"), "%s", e.out);
		cr_expect_null(strstr(e.err, "emulated"), "%s", e.err);
	}
	snprintf(said, sizeof(said), "\n%s = ", call);
	cr_expect_not_null(strstr(e.err, said), "%s", e.err);
}

#define CLONE "clone(flags=CLONE_PIDFD, exit_signal=SIGCHLD)"
#define CLONE3 "clone3({flags=CLONE_PIDFD, exit_signal=SIGCHLD}, 88)"

SystemTestWith(plain, fallback_to_clone_says_so, ALSO_UNDER(KERNEL | REFUSALS))
{
	for (size_t i = 0; i < ARRAY_SIZE(filtered); i++) {
		const struct way *way = &filtered[i];

		expect_emulated(way, "--pidfd", CLONE, "");
		expect_emulated(way, "--nnp", CLONE, "CLONE_NNP");
		expect_emulated(way, "--autoreap", CLONE, "CLONE_AUTOREAP");
		expect_emulated(way, "--clear-sighand", CLONE,
				"CLONE_CLEAR_SIGHAND");
		expect_emulated(way, "--raw-flags=CLONE_NEWUTS",
				"clone(flags=CLONE_PIDFD|CLONE_NEWUTS, "
				"exit_signal=SIGCHLD)", "");
		expect_emulated(way, "--exit-signal=USR1",
				"clone(flags=CLONE_PIDFD, "
				"exit_signal=SIGUSR1)", "");
	}
}

SystemTest(old, fallback_leaves_out_the_flags_that_are_missing_and_says_so)
{
	expect_emulated(NULL, "--nnp", CLONE3, "CLONE_NNP");
	expect_emulated(NULL, "--autoreap", CLONE3, "CLONE_AUTOREAP");
	/* A flag that this kernel has stays in the call. */
	expect_emulated(NULL, "--raw-flags=CLONE_NNP|CLONE_CLEAR_SIGHAND",
			"clone3({flags=CLONE_PIDFD|CLONE_CLEAR_SIGHAND, "
			"exit_signal=SIGCHLD}, 88)", "CLONE_NNP");
}

static void all_of_autokill(const struct way *way)
{
	struct ended e;

	run(&e, way, ARGV(spawnfd, "--fallback", "--autokill", "--status-fd=2",
			  actor, "cat", "/proc/self/status"));
	expect_exit(&e, 0);
	expect_said(&e, ALL_OF_AUTOKILL);
	cr_expect_not_null(strstr(e.out, "NoNewPrivs:\t1\n"), "%s", e.out);
}

SystemTestWith(plain, fallback_does_all_of_autokill_under_a_filter,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	all_of_autokill(&filtered[0]);
	all_of_autokill(&filtered[1]);
}

SystemTest(old, fallback_does_all_of_autokill)
{
	all_of_autokill(NULL);
	all_of_autokill(&(struct way){ .uid = NOBODY });
}

/* ---- spawnfd refuses what it cannot emulate ---- */

static void expect_beyond(const struct way *way, const char *option,
			  const char *another, const char *name)
{
	const char *mark = scratch_path("mark");
	struct ended e;

	run(&e, way, ARGV(spawnfd, "--fallback", option, another,
			  "--status-fd=1", actor, "mark", mark));
	cr_expect(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 125, "%s",
		  e.words);
	expect_begun(&e, "spawnfd: clone3: E");
	expect_said(&e, "--fallback cannot emulate ");
	expect_said(&e, name);
	cr_expect_not_null(strstr(e.out, "\"error\":\"clone3\""), "%s", e.out);
	cr_expect(!exists(mark), "%s", e.words);
}

/* Starts the receiver, to which --pass connects before it calls clone3. */
static void listen_for(struct running *listener, const char *address)
{
	char line[128];

	start(listener, NULL, ARGV(spawnfd, "--status-fd=1", address));
	read_line(listener->out, line, sizeof(line));
}

static void refuse_what_is_beyond(const struct way *way)
{
	char receive[256], pass[256];
	struct running listener;

	expect_beyond(way, "--empty-mntns", "--pidfd", "CLONE_EMPTY_MNTNS");
	expect_beyond(way, "--empty-mntns", "--autokill", "CLONE_EMPTY_MNTNS");
	snprintf(receive, sizeof(receive), "--receive=%s",
		 scratch_path("socket"));
	snprintf(pass, sizeof(pass), "--pass=%s", scratch_path("socket"));
	listen_for(&listener, receive);
	expect_beyond(way, "--autokill", pass,
		      "CLONE_PIDFD_AUTOKILL with --pass");
	/* The receiver learns that no message will come. */
	expect_exits(&listener, 125);
}

SystemTest(old, fallback_refuses_what_is_beyond_it)
{
	refuse_what_is_beyond(NULL);
}

SystemTestWith(plain, fallback_refuses_what_is_beyond_it_under_a_filter,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	refuse_what_is_beyond(&filtered[0]);
	expect_beyond(&filtered[0], "--raw-flags=1<<62", "--pidfd",
		      "0x4000000000000000");
}

/* If clone3 refuses a call on every kernel, spawnfd tries no other call. */
SystemTestWith(plain, fallback_does_not_hide_other_errors,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	const struct way nobody = { .uid = NOBODY };
	struct ended e;

	run(&e, &nobody, ARGV(spawnfd, "--fallback", "-v",
			      "--raw-flags=CLONE_NEWUTS", actor, "exit"));
	expect_exit(&e, 125);
	expect_said(&e, "spawnfd: clone3: EPERM: ");
	cr_expect_null(strstr(e.err, "emulated"), "%s", e.err);
	run(&e, NULL, ARGV(spawnfd, "--fallback", "-v", "--raw-flags=1<<62",
			   actor, "exit"));
	expect_exit(&e, 125);
	expect_said(&e, "spawnfd: clone3: EINVAL: ");
	expect_said(&e, "has no flag 0x4000000000000000");
}

/* ---- an emulation that fails ---- */

/* Installs a seccomp filter that answers prctl and clone3 with EPERM. */
static void filter_prctl(const void *arg)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	(void)arg;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(96);
}

SystemTestWith(plain, fallback_that_is_hindered_is_a_failure,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const struct {
		const char *option, *said;
	} cases[] = {
		{ "--nnp", "spawnfd: --fallback: " },
		/* This comes first, and uses prctl(2) too. */
		{ "--autokill", "spawnfd: cannot keep others from copying the "
				"pidfd: prctl: EPERM " },
	};
	const struct way way = { .prepare = filter_prctl };
	const char *mark = scratch_path("mark");
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run(&e, &way, ARGV(spawnfd, "--fallback", cases[i].option,
				   actor, "mark", mark));
		expect_refusal(&e, 125);
		expect_begun(&e, cases[i].said);
		cr_expect(!exists(mark), "%s", cases[i].option);
	}
}

/* A file "cgroup.procs" does not make a directory a cgroup. */
SystemTestWith(plain, fallback_enters_no_directory_but_a_cgroup,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	char option[256];
	struct ended e;

	write_file(scratch_path("cgroup.procs"), "", 0644);
	snprintf(option, sizeof(option), "--cgroup=%s", scratch());
	run(&e, &filtered[0], ARGV(spawnfd, "--fallback", option, actor,
				   "exit", "0"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: --cgroup: ");
	expect_said(&e, "not a directory of a cgroup v2");
}

/* An error of clone(2) itself must not be blamed on the filter of clone3. */
SystemTestWith(plain, fallback_whose_clone_fails_says_why,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	const struct way way = { .uid = NOBODY, .prepare = filter_clone3,
				 .arg = &enosys };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--fallback", "--raw-flags=CLONE_NEWUTS",
			   actor, "exit", "0"));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: clone3: EPERM: not permitted here");
	cr_expect_null(strstr(e.err, "seccomp"), "%s", e.err);
}

/* ---- where --fallback is weaker ---- */

static void outlive(const char *option, const struct way *way,
		    const char *const command[])
{
	struct running r;
	pid_t pid;

	start(&r, way, ARGV(spawnfd, "--fallback", "--autokill", option,
			    command[0], command[1], command[2]));
	pid = read_pid(r.out);
	kill(r.pid, SIGKILL);
	await_end(&r);
	/* The answer of COMMAND proves that it lives. */
	ping(&r);
	kill(pid, SIGKILL);
	reap_orphans();
	close_running(&r);
}

SystemTest(old, fallback_a_command_can_switch_it_off)
{
	outlive("--status-fd=2", NULL, ARGV(actor, "let-live", NULL));
}

/*
 * The exec of a setuid program clears PR_SET_PDEATHSIG: prctl(2). With
 * no_new_privs the program is an ordinary one, and the setting stays.
 */
SystemTest(old, fallback_with_new_privileges_a_setuid_program_escapes)
{
	const struct way nobody = { .uid = NOBODY };
	const char *copy = scratch_path("setuid");
	struct running r;
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/install", "-m", "4755", actor, copy));
	expect_exit(&e, 0);
	outlive("--allow-new-privs", &nobody, ARGV(copy, "echo", NULL));
	start(&r, &nobody, ARGV(spawnfd, "--fallback", "--autokill", copy,
				"echo"));
	read_pid(r.out);
	kill(r.pid, SIGKILL);
	await_end(&r);
	await_events(r.out, POLLHUP);
	reap_orphans();
	close_running(&r);
}

/* ---- spawnfd is killed before COMMAND has set PR_SET_PDEATHSIG ---- */

/* strace delays that prctl by a second, until long after the SIGKILL. */
SystemTest(old, fallback_killed_before_the_command_is_armed)
{
	const char *mark = scratch_path("mark");
	struct running r;
	pid_t holder;

	for (int i = 0; i < 3; i++) {
		start(&r, NULL, ARGV("/usr/bin/env", "strace", "-f", "-e",
				     "trace=prctl,clone3", "-e",
				     "inject=prctl:delay_enter=1000000",
				     spawnfd, "--fallback", "--autokill", actor,
				     "mark", mark));
		for (char line[256] = ""; !strstr(line, "PR_SET_PDEATHSIG");)
			read_line(r.err, line, sizeof(line));
		holder = child_of(r.pid);
		cr_assert_gt(holder, 0);
		cr_assert_eq(kill(holder, SIGKILL), 0);
		await_end(&r);
		reap_orphans();
		cr_expect(!exists(mark), "the command was executed");
		close_running(&r);
	}
}

/*
 * Kills spawnfd in turn at a random moment and once COMMAND runs. As the first
 * process of a PID namespace, COMMAND has a getppid(2) of 0 all the time.
 */
static void kill_often(const char *option)
{
	struct running r;

	for (int i = 0; i < often(500); i++) {
		start(&r, NULL, ARGV(spawnfd, "--fallback", "--autokill",
				     option, actor, "hang"));
		if (i % 2)
			read_pid(r.out);
		else
			wait_at_random(r.pidfd, 2000);
		kill(r.pid, SIGKILL);
		await_end(&r);
		/* When nobody has the output open any more, COMMAND is gone. */
		await_events(r.out, POLLHUP);
		reap_orphans();
		close_running(&r);
	}
}

SystemTest(old, fallback_killed_500_times)
{
	kill_often("--verbose");
}

SystemTest(old, fallback_killed_500_times_in_a_pid_namespace)
{
	kill_often("--raw-flags=CLONE_NEWPID");
}

/* ---- other calls that are refused ---- */

static const struct denial no_signals[] = {
	{ EPERM, { SYS_clone3, SYS_pidfd_send_signal } },
	{ ENOSYS, { SYS_clone3, SYS_pidfd_send_signal } },
};

/*
 * Without pidfd_send_signal(2), time limits and forwarded signals reach COMMAND
 * by its pid.
 */
static void signal_by_pid(const char *with, const struct denial *denial)
{
	const struct way way = { .prepare = deny_calls, .arg = denial };
	struct hearing h;
	struct running r;
	struct ended e;

	run(&e, &way, ARGV(spawnfd, "--fallback", "--timeout=50ms",
			   "--signal=KILL", "--status-fd=2", with, actor,
			   "hang"));
	expect_exit(&e, 137);
	expect_said(&e, "\"ended-by\":\"timeout\"");
	start(&r, &way, ARGV(spawnfd, "--fallback", with, actor, "hang"));
	read_pid(r.out);
	kill(r.pid, SIGTERM);
	expect_dies(&r, SIGTERM);
	start_hearing(&h, &way, ARGV(spawnfd, "--fallback", with, actor,
				     "hear"));
	queue(&h, 40, 1234);
	hears_value(&h, 40, 1234);
	end_hearing(&h, &e);
	start_hearing(&h, &way, ARGV(spawnfd, "--fallback", "--new-session",
				     with, actor, "hear"));
	kill(h.r.pid, SIGUSR1);
	hears(&h, SIGUSR1);
	/* A signal to a group carries no value, which end_hearing() needs. */
	end_input(&h.r);
	expect_exits(&h.r, 0);
	/* COMMAND must not outlive a failure: nothing_left() would see it. */
	run(&e, &way, ARGV(spawnfd, "--fallback",
			   "--pid-file=/nonexistent/x", with, actor, "hang"));
	expect_exit(&e, 125);
	expect_said(&e, "--pid-file: /nonexistent/x");
}

SystemTestWith(plain, fallback_signals_by_pid_if_it_must,
	       ALSO_UNDER(REFUSALS | OLD))
{
	for (size_t i = 0; i < ARRAY_SIZE(no_signals); i++) {
		signal_by_pid("--", &no_signals[i]);
		signal_by_pid("--autokill", &no_signals[i]);
	}
}

/*
 * Another process reaps what was received. Its pid can belong to a new process
 * at any moment, so spawnfd must not send signals by the pid.
 */
SystemTestWith(plain, receive_is_refused_if_it_could_not_signal,
	       ALSO_UNDER(REFUSALS | OLD))
{
	static const struct denial denial = {
		ENOSYS, { SYS_pidfd_send_signal },
	};
	const struct way way = { .prepare = deny_calls, .arg = &denial };
	struct ended e;

	run(&e, &way, ARGV(spawnfd, joined("--receive=", scratch_path("s"))));
	expect_refusal(&e, 125);
	expect_said(&e, "cannot send signals here: pidfd_send_signal: ENOSYS");
	cr_expect_not(exists(scratch_path("s")));
}

/* Counts the calls of close(2) in one run, with strace. */
static int count_closes(const struct way *way)
{
	const char *calls = scratch_path("calls");
	static char text[200000];
	struct ended e;
	int closes = 0;

	run(&e, way, ARGV("/usr/bin/env", "strace", "-f", "-o", calls, "-e",
			  "trace=close", spawnfd, actor, "exit", "3"));
	expect_exit(&e, 3);
	read_file(calls, text, sizeof(text));
	for (const char *at = text; (at = strstr(at, "close("));
	     at += strlen("close("))
		closes++;
	return closes;
}

/*
 * Linux before 5.9 has no close_range(2), and a filter can refuse it. 1,048,576
 * calls of close(2) take a second, so spawnfd must close open descriptors only.
 */
SystemTestWith(plain, few_descriptors_are_closed_without_close_range,
	       ALSO_UNDER(REFUSALS | OLD))
{
	static const struct denial denial = { ENOSYS, { SYS_close_range } };
	const struct way way = { .prepare = deny_calls, .arg = &denial };

	cr_expect_leq(count_closes(&way), 100);
}
