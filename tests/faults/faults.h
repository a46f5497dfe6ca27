/* SPDX-License-Identifier: MIT */
/*
 * faults - runs spawnfd once for every system call that it makes, and judges
 * each run. A fault is a call that fails. A moment is a signal that is sent to
 * one of the processes when a call has just been made. README.md in tests/ says
 * how to use it.
 *
 *	calls.c		the errors of each system call, from its manual page
 *	modes.c		the modes of spawnfd that are tried
 *	peers.c		who sends to spawnfd, or receives from it
 *	tracer.c	runs one mode under ptrace(2), with one fault or moment
 *	start.c		starts spawnfd, at a terminal if the mode has one
 *	look.c		looks at a process in /proc
 *	judge.c		says what was wrong with a run
 *	excuses.c	what is accepted although it is wrong, with the reasons
 *	command.c	what COMMAND does
 *	faults.c	the matrix
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- calls ---- */

/* An "error" of struct fault: the call reads or writes a part only */
#define SHORT 4096
/* ... spawnfd has no descriptor free while it makes the call */
#define FULL 4097

#define ERRORS 20

struct call_errors {
	int number;
	const char *name;
	/* The call is made, and fails afterwards, as close(2) does. */
	bool has_effect;
	int errors[ERRORS];	/* ends in 0 */
};

/* Gives NULL for a call that is not in the table. */
const struct call_errors *call_find(int number);

/* Gives the errors to try; *ret_known says whether the call has its own. */
const int *call_errors(int number, bool *ret_known);

/* Whether that call can have that error at all, as it was made. */
struct call;
bool call_fits(const struct call *call, int error);

/* Writes a name for the call, and gives it. */
const char *call_name(int number, char name[32]);
int call_number(const char *name);

const char *error_name(int error);
int error_number(const char *name);

/* ---- modes ---- */

enum {
	AUTOKILL = 1 << 0,	/* no COMMAND may be left */
	HOLDS = 1 << 1,		/* ends as COMMAND does */
	PASSES = 1 << 2,	/* a peer is to get the message */
	RECEIVES = 1 << 3,	/* a peer sends a process */
	DETACHES = 1 << 4,	/* COMMAND lives on */
	BECOMES = 1 << 5,	/* spawnfd becomes COMMAND: --exec-fd */
	PROBES = 1 << 6,	/* there is no COMMAND */
	AS_USER = 1 << 7,
	FILTERED = 1 << 8,	/* seccomp answers clone3 with ENOSYS */
	TREE = 1 << 9,		/* --kill-tree */
	FIRES = 1 << 10,	/* --timeout ends COMMAND: exit status 137 */
	PID_FILE = 1 << 11,
	CGROUP = 1 << 12,
	TERMINAL = 1 << 13,	/* a job of a shell; COMMAND stops once */
	NO_FILE = 1 << 14,	/* there is no file of COMMAND */
};

enum address { NO_ADDRESS, AT_PATH, AT_NAME, AT_FD };

struct mode {
	const char *name;
	unsigned int traits;
	enum address to, from;		/* of --pass, of --receive */
	const char *command;		/* what COMMAND does: command.c */
	const char *options[14];
};

#define COMMAND_CODE 7
#define FD_TO 5			/* --pass=fd:5 */
#define FD_FROM 6		/* --receive=fd:6 */
#define FD_WATCH 8		/* --die-with-fd=8 */
#define FD_STATUS 9		/* --status-fd=9 */
#define FD_EXEC 10		/* --exec-fd=10 */
#define CGROUP_PATH "/sys/fs/cgroup/faults"

extern const struct mode modes[];
extern const size_t modes_count;

/* The child's side: never returns. */
void command_run(const char *what) __attribute__((noreturn));

/* ---- a run ---- */

/*
 * ROLE_CHILD is the process of COMMAND before its exec. ROLE_RECEIVER is the
 * other end of --pass, which this program plays: peers.c. It makes no calls,
 * and SIGKILL to it is the end of its sockets.
 */
enum role {
	ROLE_SPAWNFD, ROLE_CHILD, ROLE_INIT, ROLE_COMMAND, ROLE_RECEIVER, ROLES
};

extern const char *const role_names[ROLES];

struct fault {
	enum role role;
	int number;		/* of the system call */
	int occurrence;		/* from 1, for the role and the number */
	int error;		/* 0: none */
	int signal;		/* a moment: is sent after the call; else 0 */
	enum role target;	/* ... to this role */
};

/* A call of the recording */
struct call {
	enum role role;
	int number;
	int occurrence;
	long command;		/* its second argument */
	long count;		/* its third argument */
	long result;
	unsigned int living;	/* roles at its exit, 1 << role; 0: none came */
};

enum { CALLS_MOST = 2000, SAID_SIZE = 8192, LOOK_SIZE = 4096 };

struct run {
	const struct mode *mode;
	struct fault fault;
	const char *folder;	/* is empty before the run */
	struct call calls[CALLS_MOST];
	size_t count;
	bool reached;		/* the fault, or moment, has happened */
	bool in_exec;		/* ... while the child was in its exec */
	bool hung;
	int status;		/* the wait status of spawnfd */
	bool executed;
	bool command_ended;
	int command_status;	/* the wait status of COMMAND, if it ended */
	pid_t command;
	pid_t process;		/* the child of spawnfd: COMMAND, or the init */
	bool born;		/* ROLE_CHILD was there */
	int stops;		/* of spawnfd at a terminal */
	int unstopped;		/* ... did not stop, but COMMAND has */
	bool stopped_late;	/* ... after the moment has continued COMMAND */
	bool left;		/* COMMAND, or what it has started, lives on */
	bool outlives;		/* ... and did when its receiver had ended */
	bool was_alive;		/* COMMAND was, before the run was cleared up */
	bool zombie;		/* spawnfd has left one */
	bool sent_late;		/* spawnfd has sent it after the moment */
	int messages;		/* how many the peer has got */
	bool message_alive;	/* its pidfd is that of a living process */
	bool received_left;	/* the process that was sent lives on */
	char said[SAID_SIZE];	/* standard error */
	char lines[SAID_SIZE];	/* of --status-fd */
	char printed[SAID_SIZE];	/* standard output */
	char look[LOOK_SIZE];	/* COMMAND at its exec: see take_look */
	char kept[LOOK_SIZE];	/* what spawnfd and the init have open */
};

/* Runs spawnfd, waits until all is over, and fills in *run. */
void run_once(struct run *run, const char *spawnfd);

/* ---- the start ---- */

enum {
	PIPE_OUT, PIPE_ERROR, PIPE_STATUS, PIPE_WATCH, PIPE_BEGIN, PIPE_PID,
	PIPE_LEADER, PIPES
};

struct start {
	int pipes[PIPES][2];
	int own[2];		/* those of struct peers */
	int master, terminal;	/* of a pty, or -1 */
	pid_t leader;		/* of the session at the terminal, or -1 */
};

/* Gives the pid of a process that becomes spawnfd at start_go. */
struct peers;
pid_t start_spawnfd(const struct run *run, const char *spawnfd,
		    struct peers *peers, struct start *ret_start);

void start_go(struct start *start);

/* Takes what spawnfd has printed, and closes all. */
void start_end(struct start *start, struct run *run);

/* Whether SIGKILL to spawnfd has ended it */
bool run_was_killed(const struct run *run);

/* Writes what COMMAND has inherited. */
void take_look(pid_t pid, pid_t spawnfd, char look[LOOK_SIZE]);

/* Adds what the process has open, "spawnfd: pipe pipe", and its signal mask. */
void take_kept(const char *who, pid_t pid, char kept[LOOK_SIZE]);

/* ---- peers ---- */

struct peers {
	int listener;		/* of --pass=PATH and --pass=@NAME */
	int receiver;		/* the peer's end of --pass=fd:N */
	int sender;		/* ... of --receive */
	int own[2];		/* spawnfd's ends: FD_TO and FD_FROM */
	int gate;		/* its end ends the process that is sent */
	int pidfd;		/* of that process, to be sent; or -1 */
	int watch;		/* the same process, not autokill */
	bool sent;
	int turns;		/* until the receiver that has ended is back */
};

void peers_open(const struct run *run, struct peers *ret_peers);

/* Is called at each step of spawnfd: connects and sends when it can. */
void peers_turn(const struct run *run, struct peers *peers);

/*
 * SIGKILL to the receiver closes its sockets, and does nothing else. For a
 * spawnfd with --wait, another receiver comes a few steps later.
 */
void peers_end_receiver(const struct run *run, struct peers *peers);

/* Whether spawnfd has closed the connection of the sender. */
bool peers_are_refused(const struct peers *peers);

/* Looks for the message when spawnfd has ended, and closes all. */
void peers_close(struct run *run, struct peers *peers);

/* The words for --pass and --receive */
void peers_address(const struct run *run, bool to, char word[PATH_MAX]);

/* ---- the judge ---- */

/* Writes what was wrong, compared with a run without a fault; "" if nothing. */
void judge(const struct run *run, const struct run *without, char wrong[1024]);

/* The reason why what is wrong is accepted, or NULL */
const char *excuse(const struct run *run, const char *wrong);

#endif
