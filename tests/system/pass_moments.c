/* SPDX-License-Identifier: MIT */
/*
 * --pass while a signal, a stop or the death of the listener comes at any
 * moment: either spawnfd has sent the message, or no command is left.
 */
#include "harness.h"
#include "message.h"
#include "passing.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define TIMES 250
#define FIRST_DELAY_US 5000

/* Counts the runs by how far spawnfd had come when it was disturbed. */
struct tally {
	long most_us;		/* the longest delay */
	int unconnected;	/* spawnfd had not connected */
	int unsent;		/* spawnfd had connected, but sent nothing */
	int sent;		/* spawnfd had sent the message */
};

/* Waits for a random time: the delay itself is what the tests are about. */
static void wait_a_moment(const struct running *r, const struct tally *tally)
{
	const long us = random_below((unsigned int)tally->most_us + 1);
	const struct timespec time = { us / 1000000, us % 1000000 * 1000 };
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	cr_assert_geq(ppoll(&p, 1, &time, NULL), 0);
}

/*
 * Counts a run, and makes the next delays shorter if the message was sent, else
 * longer. So on any machine about half of the delays are too long.
 */
static void count_one(struct tally *tally, int *which)
{
	++*which;
	if (which == &tally->sent)
		tally->most_us -= tally->most_us / 8;
	else
		tally->most_us += tally->most_us / 8 + 8;
}

/*
 * Tells whether to go on: for that many runs, and then until at least one run
 * was disturbed before the message, and one after it.
 */
static bool goes_on(const struct tally *tally, int times)
{
	int runs = tally->unconnected + tally->unsent + tally->sent;

	if (runs < times)
		return true;
	if (tally->unsent && tally->sent)
		return false;
	cr_assert_lt(runs, 20 * times, "unsent %d, sent %d", tally->unsent,
		     tally->sent);
	return true;
}

/*
 * Checks that the message is whole and that its command was executed. The clone
 * with CLONE_VFORK returns when the exec cannot fail any more; /proc shows the
 * new program a moment later.
 */
static void check_sent(const struct message *m)
{
	struct patience patience = { 0 };
	char path[64], program[256];
	ssize_t n;

	cr_assert(is_message(m), "half a message: \"%s\"", m->text);
	snprintf(path, sizeof(path), "/proc/%d/exe",
		 atoi(m->text + strlen("{\"pid\":")));
	do {
		cr_assert(is_patient(&patience), "%s, and not %s", m->text,
			     actor);
		n = readlink(path, program, sizeof(program) - 1);
		cr_assert_gt(n, 0, "%s: %s", m->text, strerror(errno));
		program[n] = '\0';
	} while (strcmp(program, actor));
}

/* Takes the message, if any, of a sender that is gone; returns the pidfd. */
static int take_what_came(int listener, struct tally *tally)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct message m = { .pidfd = -1 };

	if (connection < 0) {
		count_one(tally, &tally->unconnected);
		return -1;
	}
	await_message(connection, &m);
	if (m.length)
		check_sent(&m);
	count_one(tally, m.length ? &tally->sent : &tally->unsent);
	close(connection);
	return m.pidfd;
}

static void lead_far_away(const void *arg)
{
	(void)arg;
	if (setpgid(0, 0))
		_exit(96);
	setenv("PATH", far_path(), 1);
}

/* Waits until spawnfd stops or ends; tells whether it has stopped. */
static bool stops(const struct running *r)
{
	struct patience patience = { 0 };
	siginfo_t info = { 0 };

	do {
		cr_assert(is_patient(&patience), "%s: goes on", r->words);
		sched_yield();
		cr_assert_eq(waitid(P_PID, (id_t)r->pid, &info, WEXITED |
				    WSTOPPED | WNOWAIT | WNOHANG), 0);
	} while (!info.si_pid);
	return info.si_code == CLD_STOPPED;
}

/* Waits until COMMAND stops too. A passed tree is not in the process group. */
static void await_stopped(pid_t command)
{
	struct patience patience = { 0 };
	char state;

	/*
	 * A child that gets the stop signal before its exec exits: it is a
	 * zombie or gone. spawnfd makes another one when it goes on.
	 */
	while ((state = state_of(command)) && !strchr("TZ", state) &&
	       !kills_tree()) {
		cr_assert(is_patient(&patience), "%d is %c", command, state);
		sched_yield();
	}
}

/* spawnfd and COMMAND stop together, or COMMAND alone, and go on together. */
EVERY_WAY_WITH(pass_stopped_at_any_moment,
	       PASSES_AUTOKILL, ALSO_UNDER(TREE_OF_USER))
{
	const struct way way = { .prepare = lead_far_away };
	int listener = listen_at(abstract(), SOCK_STREAM);

	for (int i = 0; i < often(30); i++) {
		int connection, pidfd;
		struct running r;
		pid_t command;

		start(&r, &way, ARGV(spawnfd, PASS(abstract()), with,
				     "actor", "echo"));
		sleep_at_random(10000);
		kill(-r.pid, SIGTSTP);
		command = stops(&r) ? child_of(r.pid) : 0;
		if (command)
			await_stopped(command);
		kill(-r.pid, SIGCONT);
		connection = accept_one(listener);
		pidfd = expect_one_message(connection, SOCK_STREAM);
		read_pid(r.out);
		ping(&r);
		end_input(&r);
		await_events(pidfd, POLLIN);
		expect_exits(&r, 0);
		close(pidfd);
		close(connection);
		reap_orphans();
	}
	close(listener);
}

static void disturb_once(const char *with, int sig, int listener,
			 struct tally *tally)
{
	struct running r;
	int status, pidfd;

	start(&r, NULL, ARGV(spawnfd, PASS(abstract()), with, actor,
			     "hang"));
	wait_a_moment(&r, tally);
	kill(r.pid, sig);
	status = await_end(&r);
	pidfd = take_what_came(listener, tally);
	if (status)
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == sig,
			  "%s: status %x", r.words, status);
	/* Only SIGKILL can end spawnfd after it has sent the message. */
	if (status == 0 || sig != SIGKILL)
		cr_assert_eq(pidfd >= 0, status == 0, "%s: status %x",
			     r.words, status);
	if (pidfd >= 0 && strcmp(with, "--autokill"))
		end_command(pidfd);
	else if (pidfd >= 0)
		close(pidfd);
	nothing_left();
	close_running(&r);
}

static void disturb_often(const char *with, int sig)
{
	int listener = listen_at(abstract(), SOCK_STREAM);
	struct tally tally = { .most_us = FIRST_DELAY_US };

	fcntl(listener, F_SETFL, O_NONBLOCK);
	while (goes_on(&tally, often(TIMES)))
		disturb_once(with, sig, listener, &tally);
	close(listener);
}

SystemTest(flags, pass_killed_at_any_moment_leaves_it_to_the_receiver_or_dead)
{
	disturb_often("--autokill", SIGKILL);
}

SystemTest(flags, pass_termed_at_any_moment_leaves_it_to_the_receiver_or_dead)
{
	disturb_often("--autokill", SIGTERM);
}

SystemTest(flags, pass_termed_at_any_moment_without_autokill_too)
{
	disturb_often("--", SIGTERM);
}

static void lose_once(const char *with, enum fate fate, struct tally *tally)
{
	struct taker taker;
	struct running r;
	struct ended e;
	int status;

	start_taker(&taker, listen_at(abstract(), SOCK_STREAM), fate);
	start(&r, NULL, ARGV(spawnfd, PASS(abstract()), with, actor,
			     "let-go"));
	wait_a_moment(&r, tally);
	end_taker(&taker);
	status = await_end(&r);
	if (status == 0 && strcmp(with, "--autokill"))
		end_command(open_pidfd(child_of(getpid())));
	nothing_left();
	conclude(&r, &e, status);
	if (status == 0) {
		count_one(tally, &tally->sent);
		return;
	}
	expect_refusal(&e, 125);
	count_one(tally, strncmp(e.err, "spawnfd: pass: ", 15) ?
			 &tally->unconnected : &tally->unsent);
}

/* Every second listener dies without accepting the connection. */
static void lose_often(const char *with, int times)
{
	struct tally tally = { .most_us = FIRST_DELAY_US };

	for (int n = 0; goes_on(&tally, often(times)); n++)
		lose_once(with, n % 2 ? IS_KILLED : DIES_WITHOUT_ACCEPTING,
			  &tally);
}

SystemTestWith(flags, pass_to_a_listener_that_dies_at_any_moment, REPEATS_PATHS)
{
	lose_often("--autokill", 2 * TIMES);
}

SystemTestWith(flags,
	       pass_to_a_listener_that_dies_at_any_moment_without_autokill,
	       REPEATS_PATHS)
{
	lose_often("--", TIMES);
}
