/* SPDX-License-Identifier: MIT */
#include "surroundings.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "harness.h"

bool may_use_userns_switch(void)
{
	if (exists(USERNS_SWITCH) && sysconf(_SC_NPROCESSORS_ONLN) == 1)
		return true;
	not_tested(USERNS_SWITCH, exists(USERNS_SWITCH)
		   ? "other tests run at the same time, and need it"
		   : "this kernel does not have it");
	return false;
}

void share_mounts(void)
{
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL), 0);
}

/* ---- chroot ---- */

void make_jail(char *jail, size_t size)
{
	char path[4096];

	snprintf(jail, size, "%s/jail", scratch());
	cr_assert_eq(mkdir(jail, 0755), 0);
	snprintf(path, sizeof(path), "%s/proc", jail);
	cr_assert_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "cp %s %s %s", spawnfd, actor, jail);
	cr_assert_eq(system(path), 0);
}

void enter_jail(const void *arg)
{
	if (chroot(arg) || chdir("/"))
		_exit(96);
}

/* ---- limits ---- */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(96);
	close(fd);
}

void limit_namespaces(const void *arg)
{
	const struct limited *limited = arg;

	if (unshare(CLONE_NEWUSER))
		_exit(96);
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", "0 0 1");
	put("/proc/self/gid_map", "0 0 1");
	put(limited->file, "0");
	if (limited->user)
		prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN);
}

/* ---- AppArmor ---- */

#define PROFILE "spawnfd-test"
#define APPARMOR "/sys/kernel/security/apparmor/"

/*
 * The profile has the form in which apparmor_parser(8) gives it to the kernel
 * (security/apparmor/policy_unpack.c). A byte before each value says its type.
 */
enum type { U32 = 2, NAME = 4, STRING = 5, STRUCT = 7, STRUCT_END = 8 };

struct policy {
	size_t length;
	unsigned char bytes[256];
};

static void add_bytes(struct policy *policy, uint64_t value, size_t bytes)
{
	cr_assert_leq(policy->length + bytes, sizeof(policy->bytes));
	for (size_t i = 0; i < bytes; i++)
		policy->bytes[policy->length++] =
			(unsigned char)(value >> 8 * i);
}

static void add_number(struct policy *policy, uint32_t number)
{
	add_bytes(policy, U32, 1);
	add_bytes(policy, number, 4);
}

static void add_text(struct policy *policy, enum type type, const char *text)
{
	add_bytes(policy, type, 1);
	add_bytes(policy, strlen(text) + 1, 2);
	for (size_t i = 0; i <= strlen(text); i++)
		add_bytes(policy, (unsigned char)text[i], 1);
}

/* Denies 32 capabilities, and keeps their denials out of the log. */
static void add_capabilities(struct policy *policy)
{
	const uint32_t allow = 0, audit = 0, quiet = UINT32_MAX, last = 0;

	add_number(policy, allow);
	add_number(policy, audit);
	add_number(policy, quiet);
	add_number(policy, last);
}

/*
 * In complain mode the kernel allows all that a profile does not mention, so
 * the profile needs no rules for files. It still denies a capability whose
 * denial is not logged (seen on Linux 7.1 and 7.3).
 */
static void write_policy(struct policy *policy)
{
	const uint32_t hat = 0, complain = 1, audit = 0;

	add_text(policy, NAME, "version");
	add_number(policy, 5);
	add_text(policy, NAME, "profile");
	add_bytes(policy, STRUCT, 1);
	add_text(policy, STRING, PROFILE);
	add_text(policy, NAME, "flags");
	add_bytes(policy, STRUCT, 1);
	add_number(policy, hat);
	add_number(policy, complain);
	add_number(policy, audit);
	add_bytes(policy, STRUCT_END, 1);
	add_capabilities(policy);
	add_text(policy, NAME, "caps64");
	add_bytes(policy, STRUCT, 1);
	add_capabilities(policy);
	add_bytes(policy, STRUCT_END, 1);
	add_bytes(policy, STRUCT_END, 1);
}

bool load_profile(void)
{
	struct policy policy = { 0 };
	int fd;

	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	if (!exists(APPARMOR ".load") &&
	    mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL))
		return false;
	fd = open(APPARMOR ".load", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	write_policy(&policy);
	cr_assert_eq(write(fd, policy.bytes, policy.length),
		     (ssize_t)policy.length, "the profile is refused");
	close(fd);
	return true;
}

void unload_profile(void)
{
	int fd = open(APPARMOR ".remove", O_WRONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_gt(write(fd, PROFILE, strlen(PROFILE)), 0);
	close(fd);
}

void enter_profile(const void *arg)
{
	(void)arg;
	put("/proc/self/attr/apparmor/exec", "exec " PROFILE);
}
