/* SPDX-License-Identifier: MIT */
/* diagnose - see diagnose.h. It must never change what happens next. */
#include "diagnose.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clone_args.h"
#include "fallback.h"
#include "fd.h"
#include "id_map.h"
#include "probe.h"

/* The sysctl that denies users a user namespace, or the capabilities in it */
static enum userns_switch userns_switch(void)
{
	static const struct {
		const char *file;
		char denies;	/* the first byte of file if it denies them */
		enum userns_switch which;
	} switches[] = {
		{ "/proc/sys/kernel/unprivileged_userns_clone", '0',
		  USERNS_SWITCH_CLONE },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1',
		  USERNS_SWITCH_APPARMOR },
	};
	char value;

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		auto_close fd = open(switches[i].file, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && read(fd, &value, 1) == 1 &&
		    value == switches[i].denies)
			return switches[i].which;
	}
	return USERNS_SWITCH_NONE;
}

/*
 * namespaces(7): the limit that permits no namespace of a kind for which the
 * flags ask; NULL if there is none
 */
static const char *limit_of_zero(uint64_t flags)
{
	static const struct {
		uint64_t flags;
		const char *file;
	} limits[] = {
		{ CLONE_NEWUSER, "/proc/sys/user/max_user_namespaces" },
		{ CLONE_NEWPID, "/proc/sys/user/max_pid_namespaces" },
		{ CLONE_NEWNS | CLONE_EMPTY_MNTNS,
		  "/proc/sys/user/max_mnt_namespaces" },
		{ CLONE_NEWNET, "/proc/sys/user/max_net_namespaces" },
		{ CLONE_NEWIPC, "/proc/sys/user/max_ipc_namespaces" },
		{ CLONE_NEWUTS, "/proc/sys/user/max_uts_namespaces" },
		{ CLONE_NEWTIME, "/proc/sys/user/max_time_namespaces" },
		{ CLONE_NEWCGROUP, "/proc/sys/user/max_cgroup_namespaces" },
	};
	char value[2];

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		auto_close fd = -1;

		if (!(flags & limits[i].flags))
			continue;
		fd = open(limits[i].file, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, value, 2) == 2 &&
		    !memcmp(value, "0\n", 2))
			return limits[i].file;
	}
	return NULL;
}

/*
 * The flags that the kernel denies to this user. There is no way to ask
 * clone(2) without making a process. If clone(2) was denied, CLONE_NEWUSER is
 * the likely cause, because seccomp filters deny it.
 */
static uint64_t denied_flags(const struct launch *launch, int error)
{
	if (!probe_is_denial(error))
		return 0;
	return launch->use_old_clone
		       ? launch->args.flags & (CLONE_NEWUSER | CLONE_NEWPID)
		       : probe_denied(launch->args.flags);
}

/*
 * unshare --pid without --fork: clone3 makes no PID namespace then (Linux 7.3,
 * kernel/fork.c). The link leads nowhere until there is a first child: proc(5).
 */
static bool is_unshared(void)
{
	static const char link[] = "/proc/self/ns/pid_for_children";
	struct stat own, children;

	return !lstat(link, &children) && !stat("/proc/self/ns/pid", &own) &&
	       (stat(link, &children) < 0 || children.st_ino != own.st_ino);
}

void diagnose_refusal(const struct launch *launch, bool passes, int error,
		      struct refusal *ret_refusal)
{
	struct utsname system = { 0 };
	struct refusal refusal = {
		.error = error,
		.flags = launch->args.flags,
		/* The call was clone(2), which is always there. */
		.clone3 = launch->use_old_clone ? CLONE3_AVAILABLE
						: probe_clone3(),
		.used_clone2 = launch->use_old_clone,
		.opened_pidfd = launch->opens_pidfd,
		.fallback = launch->fallback,
		.rule = clone_args_rule(&launch->args),
		.cgroup = launch->cgroup,
		.is_root = geteuid() == 0,
		.is_admin = sys_is_admin(),
		.is_unshared = is_unshared(),
		.needs_id_map = launch->needs_id_map,
	};

	uname(&system);
	memcpy(refusal.release, system.release, sizeof(refusal.release));
	refusal.unknown =
		fallback_lacking_here(launch, refusal.clone3, error);
	refusal.not_emulable =
		fallback_not_emulable(refusal.unknown, passes);
	refusal.denied = denied_flags(launch, error);
	if (error == ENOSPC)
		refusal.limit = limit_of_zero(refusal.flags);
	if (refusal.denied && refusal.flags & CLONE_NEWUSER) {
		refusal.userns = userns_switch();
		refusal.lacks_id = id_map_lacks_us();
	}
	*ret_refusal = refusal;
}

bool diagnose_is_frozen(const char *cgroup)
{
	auto_close directory = open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close events = -1;
	char text[256];
	ssize_t length;

	if (directory < 0)
		return false;
	events = openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return false;
	length = read(events, text, sizeof(text) - 1);
	text[length < 0 ? 0 : length] = '\0';
	return strstr(text, "frozen 1");
}
