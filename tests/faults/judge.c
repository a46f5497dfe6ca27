/* SPDX-License-Identifier: MIT */
/* The judge says what is wrong after a run, whatever has failed in it. */
#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

/* After --timeout, the status tells whether SIGKILL was needed. */
enum {
	TIMED_OUT = 124, FAILED = 125, NOT_FOUND = 127, TIMED_OUT_KILLED = 137,
};

static void __attribute__((format(printf, 2, 3)))
add(char wrong[1024], const char *format, ...)
{
	size_t length = strlen(wrong);
	va_list words;

	if (length)
		length += (size_t)snprintf(wrong + length, 1024 - length, "; ");
	if (length >= 1024)
		return;
	va_start(words, format);
	vsnprintf(wrong + length, 1024 - length, format, words);
	va_end(words);
}

/* The exit status as a shell says it */
static int code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static bool names_a_step(const struct run *run)
{
	return !strncmp(run->said, "spawnfd: ", 9) ||
	       strstr(run->said, "\nspawnfd: ");
}

/* COMMAND has ended, and its own status is that of spawnfd */
static bool is_status_of_command(const struct run *run)
{
	if (run->mode->traits & RECEIVES && !(run->mode->traits & BECOMES))
		return WIFEXITED(run->status) &&
		       WEXITSTATUS(run->status) == COMMAND_CODE &&
		       !run->received_left;
	return run->command_ended && run->command_status == run->status;
}

static void judge_failure(const struct run *run, char wrong[1024])
{
	const int code = code_of(run->status);

	if (run->fault.error == FULL &&
	    !strstr(run->said, "the descriptor of the message is lost"))
		add(wrong, "no word about the lost descriptor");
	if (!names_a_step(run))
		add(wrong, "exit status %d without a word", code);
	if (code > FAILED && run->executed)
		add(wrong, "exit status %d, but COMMAND was executed", code);
}

/* The moment has sent a signal that ends its target, or is handed on by it */
static bool was_hit(const struct run *run, enum role target)
{
	return run->reached && run->fault.signal &&
	       run->fault.signal != SIGSTOP && run->fault.target == target;
}

static bool command_was_hit(const struct run *run)
{
	return was_hit(run, ROLE_CHILD) || was_hit(run, ROLE_INIT);
}

/*
 * The signal of the moment has ended spawnfd, and COMMAND as well if spawnfd
 * had it by then. judge_processes says what may be left.
 */
static bool has_died_of_it(const struct run *run)
{
	if (!run->reached || !run->fault.signal ||
	    run->status != run->fault.signal)
		return false;
	/* An init that is killed cannot tell how COMMAND has ended. */
	return run_was_killed(run) || !run->executed ||
	       !(run->mode->traits & HOLDS) ||
	       (run->status == SIGKILL && was_hit(run, ROLE_INIT)) ||
	       run->command_status == run->status;
}

/*
 * The moment has ended COMMAND in the midst of its exec, and the stop of the
 * exec did not come. For vfork(2) the exec is over by then.
 */
static bool was_killed_in_exec(const struct run *run)
{
	return run->in_exec && run->command_status == run->fault.signal;
}

/* Whether --timeout gives this status for a COMMAND that has ended like this */
static bool is_end_of(const struct run *run, int code)
{
	const int status = run->command_status;

	/* An init that is killed cannot tell how COMMAND has ended. */
	if (code == TIMED_OUT_KILLED)
		return status == SIGKILL || (was_hit(run, ROLE_INIT) &&
					     run->fault.signal == SIGKILL);
	/* A signal that was handed on may have come before that of --timeout */
	return status == SIGTERM ||
	       (run->reached && run->fault.signal == status &&
		status != SIGKILL);
}

static void judge_status(const struct run *run, char wrong[1024])
{
	const unsigned int traits = run->mode->traits;
	const int code = code_of(run->status);

	if (has_died_of_it(run))
		return;
	if (was_hit(run, ROLE_SPAWNFD) && run->fault.signal == SIGKILL) {
		add(wrong, "SIGKILL has not ended spawnfd");
	} else if (traits & NO_FILE && (code < FAILED || code > NOT_FOUND)) {
		add(wrong, "exit status %d, but there is no COMMAND", code);
	} else if (WIFSIGNALED(run->status)) {
		if (!is_status_of_command(run))
			add(wrong, "died of signal %d, COMMAND did not",
			    WTERMSIG(run->status));
	} else if (code >= FAILED && code < 128) {
		judge_failure(run, wrong);
	} else if (traits & PROBES) {
		if (code > 1)
			add(wrong, "exit status %d", code);
	} else if (traits & (PASSES | DETACHES)) {
		if (code)
			add(wrong, "exit status %d", code);
		else if (!run->executed && !(traits & RECEIVES) &&
			 !was_killed_in_exec(run))
			add(wrong, "exit status 0, COMMAND was not executed");
	} else if (traits & FIRES &&
		   (code == TIMED_OUT || code == TIMED_OUT_KILLED)) {
		if (!is_end_of(run, code))
			add(wrong, "exit status %d, that of COMMAND is %d",
			    code, code_of(run->command_status));
	} else if (!is_status_of_command(run)) {
		add(wrong, "exit status %d, that of COMMAND is %d", code,
		    run->command_ended ? code_of(run->command_status) : -1);
	}
}

/*
 * The receiver has a message exactly if the exit status is 0; but nobody can
 * know how far a spawnfd has come that SIGKILL has ended, nor what a receiver
 * has that has ended. COMMAND is alive unless the moment has killed it.
 */
static void judge_messages(const struct run *run, char wrong[1024])
{
	if (run->messages > 1)
		add(wrong, "%d messages", run->messages);
	if (run->messages && !run->message_alive &&
	    !(command_was_hit(run) &&
	      (run->executed || was_killed_in_exec(run))))
		add(wrong, "a message for a process that has ended");
	if (run_was_killed(run) || was_hit(run, ROLE_RECEIVER))
		return;
	/* The last look for signals is the read before the message. */
	if (was_hit(run, ROLE_SPAWNFD) && run->sent_late &&
	    run->fault.number != SYS_read)
		add(wrong, "the message was sent after the signal");
	if (run->messages && run->status)
		add(wrong, "a message in spite of the exit status");
	if (!run->messages && !run->status)
		add(wrong, "exit status 0 without a message");
}

/*
 * WHO KEEPS IT ALIVE in spawnfd(1), and its caveat: without --autokill COMMAND
 * outlives a spawnfd that SIGKILL has ended, and its receiver.
 */
static void judge_life(const struct run *run, char wrong[1024])
{
	const unsigned int traits = run->mode->traits;
	const bool is_let_go = traits & (PASSES | DETACHES) && !run->status;

	if (traits & AUTOKILL) {
		if (traits & PASSES && run->outlives)
			add(wrong, "COMMAND outlives its receiver");
		return;
	}
	if (!run_was_killed(run) && !is_let_go)
		return;
	if (command_was_hit(run) || run->was_alive)
		return;
	if (run_was_killed(run) && traits & HOLDS && run->command_ended &&
	    !WIFSIGNALED(run->command_status))
		return;
	if (run->born && !(traits & NO_FILE))
		add(wrong, "COMMAND has not lived on");
}

static bool has_option(const struct mode *mode, const char *option)
{
	for (size_t i = 0; mode->options[i]; i++)
		if (!strcmp(mode->options[i], option))
			return true;
	return false;
}

/* Whether the parent that spawnfd leaves it to reaps what has ended */
static bool is_left_to_parent(const struct run *run)
{
	const unsigned int traits = run->mode->traits;
	const bool is_autoreap = traits & AUTOKILL ||
				 has_option(run->mode, "--autoreap");

	/* The waker of a spawnfd that is killed. */
	if (traits & TERMINAL && run_was_killed(run))
		return true;
	return (!is_autoreap || traits & FILTERED) &&
	       (run_was_killed(run) ||
		(traits & (PASSES | DETACHES) && !run->status));
}

static void judge_processes(const struct run *run, char wrong[1024])
{
	const unsigned int traits = run->mode->traits;
	const bool killed = run_was_killed(run);
	const bool may_live = killed ? !(traits & AUTOKILL) || traits & PASSES
				     : traits & (PASSES | DETACHES) &&
					       !run->status;

	if (run->left && !may_live)
		add(wrong, "a process is left");
	if (traits & RECEIVES && run->received_left)
		add(wrong, "the received process is left");
	if (run->zombie && !is_left_to_parent(run))
		add(wrong, "a zombie is left");
	judge_life(run, wrong);
	if (traits & PASSES)
		judge_messages(run, wrong);
}

static bool is_pid_file_right(const struct run *run)
{
	char path[PATH_MAX], line[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/pid", run->folder);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return atoi(line) == run->process;
}

static void judge_files(const struct run *run, char wrong[1024])
{
	/* Only a hold removes the pid file. */
	const bool stays = run->mode->traits & (DETACHES | PASSES) &&
			   !run->status && run->mode->traits & PID_FILE;
	struct dirent *entry;
	DIR *folder = opendir(run->folder);

	if (stays && !is_pid_file_right(run))
		add(wrong, "the pid file is not right");
	while (folder && (entry = readdir(folder))) {
		const char *name = entry->d_name;

		/* The listener of --pass belongs to this program. */
		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    !strcmp(name, "to") || (stays && !strcmp(name, "pid")))
			continue;
		add(wrong, "the file %s is left", name);
		if (!strcmp(name, "pid") && !(run->mode->traits & RECEIVES) &&
		    !is_pid_file_right(run))
			add(wrong, "the pid file is not right");
	}
	if (folder)
		closedir(folder);
}

/* Says in which line two texts differ */
static void compare(const char *who, const char *is, const char *was,
		    char wrong[1024])
{
	int length, length_was;

	while (*is || *was) {
		length = (int)strcspn(is, "\n");
		length_was = (int)strcspn(was, "\n");
		if (length != length_was || strncmp(is, was, (size_t)length))
			add(wrong, "%s has \"%.*s\", not \"%.*s\"", who,
			    length, is, length_was, was);
		is += length + (is[length] == '\n');
		was += length_was + (was[length_was] == '\n');
	}
}

/*
 * There is not much to see of a process that is ending: it has closed all its
 * descriptors at once.
 */
static bool was_ending(const struct run *run)
{
	return !strncmp(run->look, "descriptors:\n", 13);
}

/* COMMAND has inherited the same, and no descriptor is open in vain. */
static void judge_look(const struct run *run, const struct run *without,
		       char wrong[1024])
{
	if (names_a_step(run) && !names_a_step(without))
		return;
	if (run->command_status == SIGKILL &&
	    (run->fault.signal == SIGKILL || was_ending(run)))
		return;
	if (run->executed)
		compare("COMMAND", run->look, without->look, wrong);
	/* command.c: it says so if it has not found what it was promised. */
	if (run->executed && run->command_ended &&
	    WIFEXITED(run->command_status) &&
	    WEXITSTATUS(run->command_status) != COMMAND_CODE)
		add(wrong, "COMMAND has exited with %d",
		    WEXITSTATUS(run->command_status));
	if (*run->kept)
		compare("the hold", run->kept, without->kept, wrong);
}

static void judge_lines(const struct run *run, char wrong[1024])
{
	const char *code = strstr(run->lines, "\"exit-code\":");
	int status = run->status;

	/* SIGKILL may come after the line. */
	if (run_was_killed(run))
		status = run->mode->traits & RECEIVES ? COMMAND_CODE << 8
						      : run->command_status;
	if (code && atoi(code + 12) != code_of(status))
		add(wrong, "the exit code of --status-fd is %d",
		    atoi(code + 12));
}

/* COMMAND has 0, 1 and 2, and of the others those that are not spawnfd's. */
static void judge_descriptors(const struct run *run, char wrong[1024])
{
	const struct mode *mode = run->mode;
	char expected[64];
	int length;

	length = sprintf(expected, "descriptors: 0 1 2%s%s%s\n",
			 has_option(mode, "--die-with-fd=8") ? "" : " 8",
			 has_option(mode, "--status-fd=9") ? "" : " 9",
			 has_option(mode, "--exec-fd=10") ? " 10" : "");
	if (run->executed && strncmp(run->look, expected, (size_t)length))
		add(wrong, "COMMAND has other %s", run->look);
}

/* Without a fault, a mode does what it is for. */
static void judge_success(const struct run *run, char wrong[1024])
{
	const unsigned int traits = run->mode->traits;
	const int code = code_of(run->status);
	int expected = 0;

	/* COMMAND may get SIGTERM before it ignores that. */
	if (traits & FIRES)
		expected = code == TIMED_OUT ? code : TIMED_OUT_KILLED;
	else if (traits & NO_FILE)
		expected = NOT_FOUND;
	else if (traits & (HOLDS | BECOMES))
		expected = COMMAND_CODE;
	if (code != expected)
		add(wrong, "exit status %d, not %d", code, expected);
	if (traits & TERMINAL && !run->stops && !run->fault.signal)
		add(wrong, "has not stopped with COMMAND");
	judge_descriptors(run, wrong);
}

/* A process that was stopped, and goes on, is as it was before. */
static void judge_stop(const struct run *run, const struct run *without,
		       char wrong[1024])
{
	judge_success(run, wrong);
	if (names_a_step(run) != names_a_step(without))
		add(wrong, "other words than without the stop");
	if (run->messages != without->messages)
		add(wrong, "%d messages, not %d", run->messages,
		    without->messages);
}

void judge(const struct run *run, const struct run *without, char wrong[1024])
{
	wrong[0] = '\0';
	if (run->hung) {
		add(wrong, "hangs");
		return;
	}
	if (run == without)
		judge_success(run, wrong);
	else if (run->reached && run->fault.signal == SIGSTOP)
		judge_stop(run, without, wrong);
	if (run->reached && run->fault.signal == SIGCONT)
		judge_stop(run, without, wrong);
	if (run->unstopped)
		add(wrong, "has not stopped with COMMAND");
	if (run->stopped_late)
		add(wrong, "stopped after COMMAND was continued");
	judge_status(run, wrong);
	judge_processes(run, wrong);
	judge_files(run, wrong);
	judge_look(run, without, wrong);
	judge_lines(run, wrong);
	if (run->mode->traits & PROBES && !run->status &&
	    strlen(run->printed) < strlen(without->printed) / 2)
		add(wrong, "exit status 0, but not all was printed");
}
