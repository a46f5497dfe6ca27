/* SPDX-License-Identifier: MIT */
/*
 * pid_variables - environment variables that say for which process other
 * variables are meant: sd_listen_fds(3), sd_watchdog_enabled(3). A service
 * manager names spawnfd in them, and means COMMAND.
 */
#ifndef PID_VARIABLES_H
#define PID_VARIABLES_H

enum pid_variable {
	VARIABLE_LISTEN_PID,
	VARIABLE_WATCHDOG_PID,
	VARIABLE_LISTEN_PIDFDID, /* a pidfd's inode; since systemd 258 */
	PID_VARIABLES
};

/*
 * Finds the entries of environment that name this process, one for each
 * variable; NULL where there is none. found must be all NULL. The entries stay
 * the environment's.
 */
void pid_variables_find(char **environment, char ***found);

/*
 * Makes the entries that were found name this process, which is a child of the
 * process that found them. The new entries are static memory.
 */
void pid_variables_retarget(char **const *found);

#endif
