/* SPDX-License-Identifier: MIT */
/* pid_variables - see pid_variables.h. It must never allocate memory. */
#include "pid_variables.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

/* The value that names this process in that variable */
static void print_value(enum pid_variable i, char *text, size_t size)
{
	snprintf(text, size, "%" PRIu64,
		 i == VARIABLE_LISTEN_PIDFDID ? sys_own_inode()
					      : (uint64_t)getpid());
}

/*
 * The variable is NAME=NUMBER and names this process: by its pid, or for
 * LISTEN_PIDFDID by the inode of its pidfd.
 */
static bool names_this_process(const char *variable, enum pid_variable name)
{
	static const char *const names[] = {
		[VARIABLE_LISTEN_PID] = "LISTEN_PID=",
		[VARIABLE_WATCHDOG_PID] = "WATCHDOG_PID=",
		[VARIABLE_LISTEN_PIDFDID] = "LISTEN_PIDFDID=",
	};
	const char *wanted = names[name];
	char number[24];

	for (; *wanted && *wanted == *variable; wanted++)
		variable++;
	if (*wanted)
		return false;
	print_value(name, number, sizeof(number));
	return !strcmp(variable, number);
}

void pid_variables_find(char **environment, char ***found)
{
	for (char **variable = environment; *variable; variable++)
		for (enum pid_variable i = 0; i < PID_VARIABLES; i++)
			if (!found[i] && names_this_process(*variable, i))
				found[i] = variable;
}

void pid_variables_retarget(char **const *found)
{
	static char variables[PID_VARIABLES][40];

	for (enum pid_variable i = 0; i < PID_VARIABLES; i++) {
		char **variable = found[i];
		size_t length;

		if (!variable)
			continue;
		length = strcspn(*variable, "=") + 1;
		/*
		 * *variable is variables[i] already if an earlier child, which
		 * shared this memory, has been here: hence memmove.
		 */
		memmove(variables[i], *variable, length);
		print_value(i, variables[i] + length,
			    sizeof(variables[i]) - length);
		*variable = variables[i];
	}
}
