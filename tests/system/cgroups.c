/* SPDX-License-Identifier: MIT */
#include "cgroups.h"

#include <errno.h>
#include <sys/stat.h>

#include "harness.h"

void write_group(const char *group, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	write_file(path, text, 0);
}

const char *make_frozen_group(void)
{
	static char group[128];

	snprintf(group, sizeof(group), CGROUPS "/spawnfd-test-%d", getpid());
	cr_assert_eq(mkdir(group, 0755), 0, "%s: %s", group, strerror(errno));
	write_group(group, "cgroup.freeze", "1");
	return group;
}

void await_member(const char *group)
{
	char path[256], procs[64] = "";

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	while (!procs[0])
		read_file(path, procs, sizeof(procs));
}
