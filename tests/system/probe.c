/* SPDX-License-Identifier: MIT */
/*
 * --probe gives for every flag the answer of clone3 itself: for root, for an
 * ordinary user, and under a filter. --probe=FLAG gives it to a script.
 */
#include "harness.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#define BIT(n) (UINT64_C(1) << (n))

static const struct probed {
	const char *flag, *option, *name, *since;
	int bit;
	uint64_t with;		/* flags that this one needs beside it */
} probed[] = {
	{ "CLONE_PIDFD", "--pidfd", "pidfd", "5.2", 12, 0 },
	{ "CLONE_CLEAR_SIGHAND", "--clear-sighand", "clear-sighand", "5.5", 32,
	  0 },
	{ "CLONE_INTO_CGROUP", "--cgroup", "cgroup", "5.7", 33, 0 },
	{ "CLONE_AUTOREAP", "--autoreap", "autoreap", "7.1", 34, 0 },
	{ "CLONE_NNP", "--nnp", "no-new-privs", "7.1", 35, 0 },
	{ "CLONE_PIDFD_AUTOKILL", "--autokill", "autokill", "7.1", 36,
	  BIT(12) | BIT(34) | BIT(35) },
	{ "CLONE_EMPTY_MNTNS", "--empty-mntns", "empty-mntns", "7.1", 37, 0 },
};

/*
 * Gives the support that a real clone3 with the flag shows. The cgroup is bad,
 * so CLONE_INTO_CGROUP fails with another error if the kernel knows it.
 */
static const char *truth(const struct probed *p)
{
	int pidfd = -1;
	uint64_t args[11] = { BIT(p->bit) | p->with, (uintptr_t)&pidfd };
	long pid;

	args[10] = 0x7fffffff;		/* cgroup */
	pid = syscall(SYS_clone3, args, sizeof(args));
	if (pid == 0)
		_exit(0);
	if (pid < 0 && errno == EINVAL)
		return "no";
	if (pid < 0 && errno == EPERM)
		return "denied";
	if (pid > 0)
		waitpid((pid_t)pid, NULL, __WALL);
	if (pidfd >= 0 && pid > 0)
		close(pidfd);
	return "yes";
}

static void expect_in_table(const struct ended *e, const struct probed *p,
			    const char *support, const char *why)
{
	char line[256];

	snprintf(line, sizeof(line), "\n%-22s %2d  %-5s  %-19s %s%s%s\n",
		 p->flag, p->bit, p->since, p->option, support,
		 why ? ": " : "", why ? why : "");
	cr_expect_not_null(strstr(e->out, line), "%s: wanted %s, saw %s",
			   e->words, line, e->out);
}

static void expect_in_json(const struct ended *e, const struct probed *p,
			   const char *support)
{
	char object[256];

	snprintf(object, sizeof(object), "{\"flag\":\"%s\",\"bit\":%d,"
		 "\"since\":\"%s\",\"option\":\"%s\",\"support\":\"%s\"}",
		 p->flag, p->bit, p->since, p->option, support);
	cr_expect_not_null(strstr(e->out, object), "%s: wanted %s, saw %s",
			   e->words, object, e->out);
}

static void expect_answer(const struct way *way, const char *name,
			  const char *support)
{
	char option[64];
	struct ended e;

	snprintf(option, sizeof(option), "--probe=%s", name);
	run(&e, way, ARGV(spawnfd, option));
	expect_exit(&e, strcmp(support, "yes") == 0 ? 0 : 1);
	cr_expect_str_eq(e.out, "");
	cr_expect_str_eq(e.err, "");
}

/* Counts the clone flags in --list-options; an alias repeats its flag. */
static size_t count_flags(void)
{
	char last[64] = "-", symbol[64];
	struct ended e;
	size_t count = 0;

	run(&e, NULL, ARGV(spawnfd, "--list-options"));
	for (const char *line = e.out; line && *line;) {
		cr_assert_eq(sscanf(line, "%*s %*s %*s %63s", symbol), 1,
			     "%s", line);
		count += strcmp(symbol, "-") != 0 && strcmp(symbol, last) != 0;
		strcpy(last, symbol);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return count;
}

/*
 * Expects two lines of headings, a line for every flag, and one for
 * --kill-tree. Other lines are about bits without a name. The headings stand
 * over the columns of expect_in_table; BIT is one wider than its numbers.
 */
static void expect_lines(const struct ended *e)
{
	char headings[256];
	size_t lines = 0;

	snprintf(headings, sizeof(headings), "\n%-21s BIT  %-5s  %-19s %s\n",
		 "FLAG", "SINCE", "OPTION", "SUPPORT");
	cr_expect_not_null(strstr(e->out, headings), "%s", e->out);
	for (const char *c = e->out; *c; c++)
		lines += *c == '\n' && strncmp(c, "\nbit ", 5);
	cr_expect_eq(lines, 2 + count_flags() + 1, "%s", e->out);
}

static const char *reason(const char *support)
{
	if (strcmp(support, "no") == 0)
		return "this kernel does not have it";
	return strcmp(support, "denied") == 0 ? "not permitted to this user"
					      : NULL;
}

static void probe_all(uid_t uid, const char *supports[])
{
	const struct way way = { .uid = uid };
	struct ended table, json;

	run(&table, &way, ARGV(spawnfd, "--probe"));
	run(&json, &way, ARGV(spawnfd, "--probe", "--json"));
	expect_exit(&table, 0);
	expect_exit(&json, 0);
	expect_lines(&table);
	for (size_t i = 0; i < ARRAY_SIZE(probed); i++) {
		expect_in_table(&table, &probed[i], supports[i],
				reason(supports[i]));
		expect_in_json(&json, &probed[i], supports[i]);
		expect_answer(&way, probed[i].name, supports[i]);
		expect_answer(&way, probed[i].option, supports[i]);
		expect_answer(&way, probed[i].flag, supports[i]);
	}
}

SystemTestWith(usage, probe_says_what_clone3_says,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	const char *supports[ARRAY_SIZE(probed)];

	for (size_t i = 0; i < ARRAY_SIZE(probed); i++)
		supports[i] = truth(&probed[i]);
	probe_all(0, supports);
}

/* An ordinary user cannot make a mount namespace, but can use all else. */
SystemTestWith(usage, probe_says_it_to_an_ordinary_user,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	const char *supports[ARRAY_SIZE(probed)];

	if (geteuid()) {
		not_tested("--probe by another user", "this is not root");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(probed); i++)
		supports[i] = truth(&probed[i]);
	if (strcmp(supports[6], "yes") == 0)
		supports[6] = "denied";
	probe_all(NOBODY, supports);
}

/* json.load accepts valid JSON only, and nothing after the one object. */
#define IS_JSON \
	"import json, sys; o = json.load(sys.stdin); " \
	"f = o['flags']; " \
	"assert list(o) == ['kernel', 'clone3', 'flags', 'options', " \
	"'unnamed']; " \
	"assert all(list(x) == ['option', 'flags', 'support', 'why'] " \
	"for x in o['options']); " \
	"assert [x['option'] for x in o['options']] == ['--kill-tree']; " \
	"assert all(31 < bit < 64 for bit in o['unnamed']); " \
	"assert all(list(x) == ['flag', 'bit', 'since', 'option', 'support'] " \
	"for x in f); " \
	"bits = [x['bit'] for x in f]; assert bits == sorted(set(bits)); " \
	"assert len(f) == int(sys.argv[2]); " \
	"assert o['kernel'] == sys.argv[1]; print(o['clone3'])"

static void parse_json(const struct way *way, const char *clone3)
{
	struct utsname system;
	char flags[32];
	struct ended e;

	uname(&system);
	snprintf(flags, sizeof(flags), "%zu", count_flags());
	run(&e, way, ARGV("/bin/sh", "-c", "\"$0\" --probe --json | "
			  "python3 -c \"$1\" \"$2\" \"$3\"", spawnfd,
			  IS_JSON, system.release, flags));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, clone3);
}

SystemTestWith(usage, probe_writes_json, ALSO_UNDER(KERNEL | REFUSALS))
{
	parse_json(NULL, "available\n");
}

SystemTestWith(usage, probe_says_that_clone3_is_filtered,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	static const unsigned int errors[] = { ENOSYS, EPERM };
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const struct way way = { .prepare = filter_clone3,
					 .arg = &errors[i] };

		run(&e, &way, ARGV(spawnfd, "--probe"));
		expect_exit(&e, 0);
		cr_expect_not_null(strstr(e.out, ": clone3 is filtered\n"));
		for (size_t n = 0; n < ARRAY_SIZE(probed); n++) {
			expect_in_table(&e, &probed[n], "denied",
					"a seccomp filter refuses clone3");
			expect_answer(&way, probed[n].name, "denied");
		}
		parse_json(&way, "filtered\n");
	}
}

/*
 * strace shows all calls of the probe: no clone succeeds. A static glibc reads
 * the link /proc/self/exe before main, and does without it.
 */
static void trace_probe(uid_t uid, const char *probe, size_t least, bool proc)
{
	const struct way way = { .uid = uid };
	size_t asked = 0;
	struct ended e;

	run(&e, &way, ARGV("/usr/bin/env", "strace", "-f", "-e",
			   "trace=process,file", spawnfd, probe));
	expect_exit(&e, 0);
	for (char *rest = e.err, *line; (line = strsep(&rest, "\n"));) {
		bool clone = strstr(line, "clone") == line;

		asked += clone;
		cr_expect(!clone || strstr(line, " = -1 "), "%s", line);
		cr_expect_null(strstr(line, "fork"), "%s", line);
		cr_expect(proc || !strstr(line, "/proc") ||
			  strstr(line, "\"/proc/self/exe\""), "%s", line);
	}
	cr_expect_geq(asked, least, "%s", e.err);
}

/* A user's --kill-tree needs /proc, so its probe opens a file there. */
SystemTest(plain, probe_makes_no_process_and_needs_no_proc)
{
	if (variant_is(SANITIZED)) {
		not_tested("what --probe opens", "the sanitizers do so too");
		return;
	}
	trace_probe(0, "--probe", ARRAY_SIZE(probed) + 1, false);
	trace_probe(0, "--probe=kill-tree", 1, false);
	trace_probe(NOBODY, "--probe=pidfd", 2, false);
	trace_probe(NOBODY, "--probe", ARRAY_SIZE(probed) + 1, true);
	trace_probe(NOBODY, "--probe=kill-tree", 1, true);
}

/* ---- bits that the kernel takes and spawnfd has no name for ---- */

/* Asks for the bit by a call that fails: the kernel cannot write the pidfd. */
static bool kernel_takes(int bit)
{
	uint64_t args[11] = { BIT(bit) | BIT(12), UINT64_MAX };

	return syscall(SYS_clone3, args, sizeof(args)) < 0 && errno != EINVAL;
}

/* The last flag that spawnfd names is bit 37. */
SystemTestWith(usage, probe_lists_no_bit_that_the_kernel_does_not_take,
	       ALSO_UNDER(KERNEL | REFUSALS))
{
	struct ended e;

	run(&e, NULL, ARGV(spawnfd, "--probe"));
	expect_exit(&e, 0);
	for (int bit = 32; bit < 64; bit++) {
		char line[16];

		snprintf(line, sizeof(line), "\nbit %d ", bit);
		cr_expect_eq(bit > 37 && kernel_takes(bit),
			     strstr(e.out, line) != NULL, "bit %d: %s", bit,
			     e.out);
	}
}

/* Gives the number of the call of clone3 that asks for the bit. */
static int find_call(int bit)
{
	struct ended e;
	int calls = 0;

	run(&e, NULL, ARGV("/usr/bin/env", "strace", "-X", "raw", "-e",
			   "trace=clone3", spawnfd, "--probe"));
	expect_exit(&e, 0);
	for (char *rest = e.err, *line; (line = strsep(&rest, "\n"));) {
		unsigned long long flags;

		calls += strstr(line, "clone3(") == line;
		if (sscanf(line, "clone3({flags=%llx", &flags) == 1 &&
		    flags & BIT(bit))
			return calls;
	}
	cr_assert_fail("no call asks for bit %d", bit);
	return 0;
}

/* Runs the probe; strace(1) puts the error in place of the kernel's answer. */
static void probe_with(struct ended *e, int bit, const char *error,
		       const char *json)
{
	char inject[128];

	snprintf(inject, sizeof(inject), "inject=clone3:error=%s:when=%d",
		 error, find_call(bit));
	run(e, NULL, ARGV("/usr/bin/env", "strace", "-o", "/dev/null", "-e",
			  "trace=clone3", "-e", inject, spawnfd, "--probe",
			  json));
	expect_exit(e, 0);
}

static void expect_bit(int bit, const char *error, const char *support)
{
	char wanted[128];
	struct ended e;

	probe_with(&e, bit, error, NULL);
	snprintf(wanted, sizeof(wanted), "\nbit %-22d %-5s  "
		 "--raw-flags='1<<%d' %s\n", bit, "-", bit, support);
	cr_expect_not_null(strstr(e.out, wanted), "%s", e.out);
	probe_with(&e, bit, error, "--json");
	snprintf(wanted, sizeof(wanted), "%d]}\n", bit);
	cr_expect_not_null(strstr(e.out, wanted), "%s", e.out);
	cr_expect_not_null(strstr(e.out, ",\"unnamed\":["), "%s", e.out);
}

/* Bits 62 and 63 stand for flags of a later kernel. */
SystemTestWith(plain, probe_lists_a_bit_without_a_name,
	       NOT_UNDER(SANITIZED, "are traced, as LeakSanitizer cannot be"))
{
	expect_bit(62, "EFAULT", "yes");
	expect_bit(62, "EPERM", "denied: not permitted to this user");
	expect_bit(63, "EFAULT", "yes");
}

/*
 * The call for such a bit asks for a cgroup that is not open as well, so that
 * it fails even if the flag keeps the kernel from writing the pidfd.
 */
SystemTestWith(plain, probe_of_a_bit_without_a_name_cannot_succeed,
	       NOT_UNDER(SANITIZED, "are traced, as LeakSanitizer cannot be"))
{
	char wanted[128];
	struct ended e;

	run(&e, NULL, ARGV("/usr/bin/env", "strace", "-X", "raw", "-e",
			   "trace=clone3", spawnfd, "--probe"));
	expect_exit(&e, 0);
	snprintf(wanted, sizeof(wanted), "clone3({flags=%#llx, "
		 "pidfd=0xffffffffffffffff, ",
		 (unsigned long long)(BIT(12) | BIT(33) | BIT(62)));
	cr_expect_not_null(strstr(e.err, wanted), "%s", e.err);
	cr_expect_not_null(strstr(e.err, "cgroup=2147483647}"), "%s", e.err);
}

SystemTestWith(usage, probe_decides_for_a_script, ALSO_UNDER(KERNEL | REFUSALS))
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "\"$0\" --probe=pidfd && echo yes "
			   "|| echo no", spawnfd));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, "yes\n");
	run(&e, NULL, ARGV("/bin/sh", "-c", "\"$0\" --probe=autokill && "
			   "echo yes || echo no", spawnfd));
	expect_exit(&e, 0);
	cr_expect_str_eq(e.out, strcmp(truth(&probed[5]), "yes") ? "no\n"
								 : "yes\n");
}

/* --probe answers for a flag of clone(2) that has no option of its own. */
SystemTestWith(usage, probe_knows_namespaces, ALSO_UNDER(KERNEL | REFUSALS))
{
	expect_answer(NULL, "CLONE_NEWUTS", "yes");
	expect_answer(&(struct way){ .uid = NOBODY }, "CLONE_NEWUTS", "denied");
}

SystemTestWith(usage, probe_called_wrongly, ALSO_UNDER(KERNEL | REFUSALS))
{
	static const char *const wrong[][2] = {
		{ "--probe=", "--" }, { "--probe=x", "--" },
		{ "--probe=---autokill", "--" }, { "--probe=AUTOKILL", "--" },
		{ "--probe=kill-tre", "--" }, { "--probe=--CLONE_NNP", "--" },
		{ "--probe=timeout", "--" }, { "--probe=CLONE_VM", "--" },
		{ "--probe=CLONE_THREAD", "--" }, { "--probe=36", "--" },
		{ "--probe=1<<36", "--" }, { "--probe=CLONE_NNP|CLONE_PIDFD" },
		{ "--probe", "autokill" }, { "--probe", "-v" },
		{ "--probe", "--autokill" }, { "--probe=nnp", "--json" },
		{ "--probe=kill-tree", "--json" }, { "--probe=--pass", "--" },
		{ "--json", "--" }, { "--json", "true" },
		{ "--probe", "--status-fd=1" }, { "--probe", "--dry-run" },
	};
	struct ended e;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		run(&e, NULL, ARGV(spawnfd, wrong[i][0], wrong[i][1]));
		cr_expect(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 125,
			  "%s: %x", e.words, (unsigned int)e.status);
		expect_begun(&e, "spawnfd: ");
	}
	run(&e, NULL, ARGV(spawnfd, "--pro", "--js"));
	expect_exit(&e, 0);
}

SystemTestWith(usage, probe_cannot_write, ALSO_UNDER(KERNEL | REFUSALS))
{
	struct ended e;

	run(&e, NULL, ARGV("/bin/sh", "-c", "exec \"$0\" --probe >/dev/full",
			   spawnfd));
	expect_refusal(&e, 125);
	expect_begun(&e, "spawnfd: standard output: ");
}
