/* SPDX-License-Identifier: MIT */
#include "cores.h"

#include <signal.h>

#include "harness.h"

bool ends_a_process(int sig)
{
	static const int harmless[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH,
					SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (sig == harmless[i])
			return false;
	return true;
}

bool dumps_core(int sig)
{
	static const int dumping[] = { SIGQUIT, SIGILL, SIGTRAP, SIGABRT,
				       SIGBUS, SIGFPE, SIGSEGV, SIGXCPU,
				       SIGXFSZ, SIGSYS };

	for (size_t i = 0; i < ARRAY_SIZE(dumping); i++)
		if (sig == dumping[i])
			return true;
	return false;
}

void need_core_files(void)
{
	char pattern[128];

	read_file("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern));
	cr_assert_str_eq(pattern, "core\n", "this test counts core files: "
			 "kernel.core_pattern must be \"core\"");
}

int count_cores(const char *path)
{
	return count_files(path, "core");
}
