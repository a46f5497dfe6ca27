/* SPDX-License-Identifier: MIT */
/*
 * tests/kernel/rules: this kernel keeps all rules, and the script notices a
 * kernel that does not. Such a kernel is this one behind a seccomp filter: the
 * filter has each clone3 call wait, while a process takes a flag out of the
 * memory of the caller.
 */
#include "harness.h"
#include "message.h"
#include "sockets.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#ifndef CLONE_AUTOREAP
#define CLONE_AUTOREAP (UINT64_C(1) << 34)
#endif
#ifndef CLONE_NNP
#define CLONE_NNP (UINT64_C(1) << 35)
#endif
#ifndef CLONE_PIDFD_AUTOKILL
#define CLONE_PIDFD_AUTOKILL (UINT64_C(1) << 36)
#endif

#define NEEDS_NO_OTHER_SPAWNFD NOT_UNDER(SANITIZED | KERNEL, \
	"are about a script, and not about spawnfd")

/* ---- a kernel that lacks a flag and does not say so ---- */

/* The first members of struct clone_args of clone3(2) */
struct clone_call {
	uint64_t flags;
	uint64_t pidfd;
};

/*
 * clone3(NULL, 0) has no flags. A call that has no place for a pidfd makes no
 * process, and asks only which flags there are.
 */
static void drop_flag(const struct seccomp_notif *notif, uint64_t flag)
{
	off_t at = (off_t)notif->data.args[0];
	struct clone_call call;
	char path[64];
	int memory;

	snprintf(path, sizeof(path), "/proc/%u/mem", notif->pid);
	memory = open(path, O_RDWR | O_CLOEXEC);
	if (pread(memory, &call, sizeof(call), at) == sizeof(call) &&
	    call.pidfd != UINT64_MAX) {
		call.flags &= ~flag;
		if (pwrite(memory, &call, sizeof(call), at) < 0)
			abort();
	}
	close(memory);
}

/* Until the last process with the filter has ended: seccomp_unotify(2) */
static void drop_from_all(int listener, uint64_t flag)
{
	struct pollfd p = { listener, POLLIN, 0 };

	while (poll(&p, 1, -1) == 1 && p.revents & POLLIN) {
		struct seccomp_notif notif = { 0 };
		struct seccomp_notif_resp answer = {
			.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
		};

		/* A caller that was killed meanwhile wants no answer. */
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif))
			continue;
		drop_flag(&notif, flag);
		answer.id = notif.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	_exit(0);
}

static int listen_to_clone3(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void name_spawnfd(const void *arg)
{
	(void)arg;
	setenv("SPAWNFD", spawnfd, 1);
}

/*
 * The process that drops the flag has no filter and none of the descriptors of
 * the program, whose ends are waited for.
 */
static void break_kernel(const void *arg)
{
	struct outgoing listener = { .text = "", .length = 1, .count = 1 };
	struct message m;
	int pair[2];

	name_spawnfd(NULL);
	setenv("SPAWNFD_RULES_LIMIT", "10", 1);
	open_pair(SOCK_SEQPACKET, pair);
	if (fork() == 0) {
		dup2(pair[0], 0);
		syscall(SYS_close_range, 1, ~0U, 0);
		await_message(0, &m);
		drop_from_all(m.pidfd, *(const uint64_t *)arg);
	}
	listener.fds[0] = listen_to_clone3();
	if (try_send(pair[1], &listener) != 1)
		_exit(96);
}

/* ---- what the script says ---- */

/* One KTAP result; `skipped` is the reason or NULL. */
struct result {
	bool kept;
	char name[64];
	const char *skipped;
};

/* Reads the next result, and cuts its line off. False at the end */
static bool next_result(char **text, struct result *ret)
{
	char *line;

	while ((line = strsep(text, "\n"))) {
		char *skipped = strstr(line, " # SKIP ");

		ret->kept = strncmp(line, "ok ", 3) == 0;
		ret->skipped = skipped ? skipped + 8 : NULL;
		if (sscanf(line, ret->kept ? "ok %*d %63s" : "not ok %*d %63s",
			   ret->name) == 1)
			return true;
	}
	return false;
}

static bool is_listed(const char *name, const char *const names[])
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static size_t length_of(const char *const names[])
{
	size_t n = 0;

	while (names[n])
		n++;
	return n;
}

/* These rules are broken and no others, and no others than these skipped. */
static void expect_results(const struct ended *e, const char *const broken[],
			   const char *const skipped[])
{
	char copy[sizeof(e->out)], *text = copy;
	struct result result;
	size_t results = 0, missed = length_of(broken), plan = 0;

	strcpy(copy, e->out);
	cr_assert_eq(sscanf(e->out, "KTAP version 1\n1..%zu\n", &plan), 1, "%s",
		     e->out);
	while (next_result(&text, &result)) {
		bool is_broken = is_listed(result.name, broken);

		results++;
		missed -= is_broken;
		cr_expect_eq(result.kept, !is_broken, "%s: %s", result.name,
			     e->out);
		cr_expect(!result.skipped || is_listed(result.name, skipped),
			  "%s is skipped: %s", result.name, result.skipped);
	}
	cr_expect_eq(results, plan);
	cr_expect_eq(missed, 0, "%zu names are no rules", missed);
	cr_expect_str_eq(e->err, "");
	expect_exit(e, *broken ? 1 : 0);
}

static const char *const none[] = { NULL };

/* Two rules are about what root may do, and Linux 7.2 has a fault. */
static const char *const skipped_by_root[] = {
	"autokill_requires_cap_despite_newuser", "cgroup_that_is_not_writable",
	"cgroup_after_cgroup_kill", NULL
};

/* `name` is of one rule; NULL means all. Zombies of the script come here. */
static void try_rules(struct ended *e, const struct way *way, const char *name)
{
	run(e, way, ARGV("/bin/sh", "tests/kernel/rules", name));
	reap_orphans();
}

SystemTestWith(flags, rules_are_kept, NEEDS_NO_OTHER_SPAWNFD)
{
	const struct way way = { .prepare = name_spawnfd };
	struct ended e;

	try_rules(&e, &way, NULL);
	expect_results(&e, none, skipped_by_root);
}

SystemTestWith(flags, rules_are_kept_for_an_ordinary_user,
	       NEEDS_NO_OTHER_SPAWNFD)
{
	static const char *const skipped[] = {
		"nnp_stops_setuid", "autokill_without_nnp_with_cap",
		"autokill_in_frozen_cgroup", "cgroup_from_the_start",
		"cgroup_is_root_of_namespace", "cgroup_that_is_removed",
		"cgroup_that_is_domain_invalid",
		"cgroup_that_gives_to_its_children", "cgroup_at_pids_max",
		"cgroup_after_cgroup_kill", NULL
	};
	const struct way way = { .uid = NOBODY, .prepare = name_spawnfd };
	struct ended e;

	try_rules(&e, &way, NULL);
	expect_results(&e, none, skipped);
}

static void expect_broken(uint64_t flag, const char *const broken[])
{
	const struct way way = { .prepare = break_kernel, .arg = &flag };
	struct ended e;

	try_rules(&e, &way, NULL);
	expect_results(&e, broken, skipped_by_root);
}

/* CLONE_PIDFD_AUTOKILL is refused without CLONE_AUTOREAP. */
SystemTestWith(flags, rules_without_autoreap, NEEDS_NO_OTHER_SPAWNFD)
{
	static const char *const broken[] = {
		"flags_have_their_bits", "autoreap_rejects_exit_signal",
		"autoreap_rejects_parent",
		"autoreap_rejects_parent_of_autoreaped", "autoreap_basic",
		"autoreap_signaled", "autoreap_reparent",
		"autoreap_status_for_a_receiver", "autokill_basic",
		"autokill_pidfd_open_no_effect",
		"autokill_requires_cap_sys_admin",
		"autokill_requires_cap_despite_no_new_privs",
		"autokill_without_nnp_with_cap", "autokill_spares_grandchild",
		"autokill_of_pid_namespace", "autokill_of_stopped_command",
		"autokill_not_by_stopped_holder", "autokill_by_receiver",
		"autokill_in_flight", "autokill_in_frozen_cgroup",
		"empty_mntns_with_autokill", NULL
	};

	expect_broken(CLONE_AUTOREAP, broken);
}

SystemTestWith(flags, rules_without_nnp, NEEDS_NO_OTHER_SPAWNFD)
{
	static const char *const broken[] = {
		"flags_have_their_bits", "nnp_sets_no_new_privs",
		"nnp_is_inherited", "nnp_stops_setuid", NULL
	};

	expect_broken(CLONE_NNP, broken);
}

SystemTestWith(flags, rules_without_autokill, NEEDS_NO_OTHER_SPAWNFD)
{
	static const char *const broken[] = {
		"flags_have_their_bits", "autokill_basic",
		"autokill_requires_pidfd", "autokill_requires_autoreap",
		"autokill_pidfd_open_no_effect",
		"autokill_requires_cap_sys_admin",
		"autokill_requires_cap_despite_no_new_privs",
		"autokill_spares_grandchild", "autokill_of_pid_namespace",
		"autokill_of_stopped_command",
		"autokill_not_by_stopped_holder", "autokill_by_receiver",
		"autokill_in_flight", "autokill_in_frozen_cgroup", NULL
	};

	expect_broken(CLONE_PIDFD_AUTOKILL, broken);
}

/* ---- a part of the rules ---- */

SystemTest(usage, rules_of_these_names)
{
	const struct way way = { .prepare = name_spawnfd };
	struct ended e;

	try_rules(&e, &way, "unknown_bit_is_refused");
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "KTAP version 1\n1..1\n"
				"ok 1 unknown_bit_is_refused\n");
	try_rules(&e, &way, "unknown");
	expect_exit(&e, 1);
	cr_expect_str_eq(e.out, "");
	cr_expect_str_eq(e.err, "rules: no rule unknown\n");
}

/* A reason for each flag, and no rule that holds for the wrong reason. */
SystemTest(old, rules_of_a_kernel_without_the_flags)
{
	const struct way way = { .prepare = name_spawnfd };
	char *text;
	struct result result;
	struct ended e;

	try_rules(&e, &way, NULL);
	expect_exit(&e, 0);
	text = e.out;
	while (next_result(&text, &result)) {
		if (strncmp(result.name, "auto", 4) == 0 ||
		    strncmp(result.name, "nnp", 3) == 0 ||
		    strncmp(result.name, "empty", 5) == 0) {
			cr_assert_not_null(result.skipped, "%s", result.name);
			cr_expect_not_null(strstr(result.skipped, "this kernel "
						  "does not have it"), "%s: %s",
					   result.name, result.skipped);
		}
	}
}
