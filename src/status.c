/* SPDX-License-Identifier: MIT */
/* status - see status.h. It must never end spawnfd. */
#include "status.h"

#include <errno.h>
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

int status_of_failure(const struct failure *failure)
{
	if (!step_is_exec(failure->step))
		return EXIT_FAILED;
	return failure->step == STEP_EXEC && failure->error == ENOENT
		       ? EXIT_NOT_FOUND
		       : EXIT_CANNOT_RUN;
}

void status_print_signal(int signal, struct text *text)
{
	const char *name = name_signal(signal);

	if (name)
		text_add(text, "%s", name);
	else
		text_add(text, "signal %d", signal);
}

void status_print(int wait_status, struct text *text)
{
	int signal = status_signal(wait_status);

	if (!signal) {
		text_add(text, "exited with %d", status_code(wait_status));
		return;
	}
	text_add(text, "killed by ");
	status_print_signal(signal, text);
	if (WCOREDUMP(wait_status))
		text_add(text, " (core dumped)");
}
