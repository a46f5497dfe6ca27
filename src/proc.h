/* SPDX-License-Identifier: MIT */
/* proc - reads /proc: the numbers in a directory of it, and processes. */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <sys/types.h>

/* The entries of a directory that have a number for a name */
struct proc_list {
	int directory;		/* close-on-exec; proc_list_close closes it */
	int length, at;		/* the bytes that were read, and handled */
	char bytes[1024];	/* entries as getdents64(2) gives them */
};

/* Opens /proc, or a directory such as /proc/self/fd. Gives whether it could */
bool proc_list_open(const char *path, struct proc_list *ret_list);

/*
 * The next number, or -1 at the end. They come in ascending order, whatever
 * ends or is closed meanwhile (Linux 7.3, fs/proc/base.c and fs/proc/fd.c).
 */
int proc_list_next(struct proc_list *list);

void proc_list_close(struct proc_list *list);

/* Whether /proc is there, and shows the processes of this PID namespace */
bool proc_is_ours(void);

/* The name of a process in proc_pid_comm(5): 15 bytes, and a null byte */
enum { PROC_NAME_SIZE = 16 };

/*
 * The state of a process as in proc_pid_stat(5), and its name; 0 if there is no
 * process. ret_name may be NULL.
 */
char proc_state(pid_t pid, char ret_name[PROC_NAME_SIZE]);

/*
 * The process that traces the process, or 0 if there is none in this PID
 * namespace: TracerPid in proc_pid_status(5)
 */
pid_t proc_tracer(pid_t pid);

/*
 * Opens the file that proc_state reads, for this process. Its children can ask
 * proc_state_at for the state even where /proc hides this process from them
 * (hidepid= in proc(5)). The descriptor is close-on-exec; -1 without /proc.
 */
int proc_open_own_state(void);

/* As proc_state, for the process of that descriptor */
char proc_state_at(int fd, char ret_name[PROC_NAME_SIZE]);

#endif
