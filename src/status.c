/* SPDX-License-Identifier: MIT */
/* status - see status.h. It must never end anything. */
#include "status.h"

#include <stdbool.h>
#include <sys/wait.h>

#include "names.h"

int status_code(int wait_status)
{
	int signal = status_signal(wait_status);

	return signal ? 128 + signal : WEXITSTATUS(wait_status);
}

int status_signal(int wait_status)
{
	return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
}

void status_print(int wait_status, struct text *text)
{
	int signal = status_signal(wait_status);
	const char *name = name_signal(signal);

	if (!signal)
		text_add(text, "exited with %d", status_code(wait_status));
	else if (name)
		text_add(text, "killed by %s", name);
	else
		text_add(text, "killed by signal %d", signal);
	if (signal && WCOREDUMP(wait_status))
		text_add(text, " (core dumped)");
}
