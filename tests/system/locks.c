/* SPDX-License-Identifier: MIT */
/*
 * A program takes a lock on a file and then executes spawnfd. A record lock,
 * fcntl(2), is kept until COMMAND has ended. A lock of the open file, flock(2),
 * is free as soon as COMMAND lets go of it.
 */
#include "harness.h"

#include <fcntl.h>
#include <sys/file.h>

/* Files with a record lock on each, and the numbers of their descriptors. */
struct locked {
	const char *paths[3];	/* ends in NULL */
	int as[2];
};

/* For way->prepare: arg is a struct locked. */
static void take_locks(const void *arg)
{
	const struct locked *locked = arg;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (int i = 0; locked->paths[i]; i++) {
		int fd = open(locked->paths[i], O_RDWR | O_CREAT, 0600);

		if (fd < 0)
			_exit(96);
		/* Closing any descriptor would release the lock. */
		if (fd != locked->as[i]) {
			dup2(fd, locked->as[i]);
			close(fd);
		}
		if (fcntl(locked->as[i], F_SETLK, &lock))
			_exit(96);
	}
}

/* Returns the process that has a record lock on the file, or 0. */
static pid_t holder_of_lock(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fcntl(fd, F_GETLK, &lock), 0);
	close(fd);
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

static void expect_locked(const struct locked *locked, pid_t holder)
{
	for (int i = 0; locked->paths[i]; i++)
		cr_expect_eq(holder_of_lock(locked->paths[i]), holder, "%s: %d",
			     locked->paths[i],
			     holder_of_lock(locked->paths[i]));
}

/* Checks the locks while spawnfd is in its loop, and again after its end. */
static void hold_locked(const struct locked *locked, const char *with)
{
	const struct way way = { .prepare = take_locks, .arg = locked };
	struct running r;

	start(&r, &way, ARGV(spawnfd, "--verbose", "--die-with-parent", with,
			     actor, "echo"));
	if (locked->as[0] != 1)
		read_pid(r.out);
	await_said(&r, "executed");
	/* The loop forwards signals, and comes after the closing. */
	kill(r.pid, SIGWINCH);
	await_said(&r, "passed on");
	expect_locked(locked, r.pid);
	end_input(&r);
	expect_exits(&r, 0);
	expect_locked(locked, 0);
}

EVERY_WAY(a_record_lock_is_kept_until_the_command_has_ended)
{
	const struct locked locked = {
		.paths = { scratch_path("a") }, .as = { 70 },
	};

	hold_locked(&locked, with);
}

EVERY_WAY(two_record_locks_are_kept)
{
	const struct locked locked = {
		.paths = { scratch_path("a"), scratch_path("b") },
		.as = { 70, 5 },
	};

	hold_locked(&locked, with);
}

EVERY_WAY(a_record_lock_on_standard_output_is_kept)
{
	const struct locked locked = {
		.paths = { scratch_path("a") }, .as = { 1 },
	};

	hold_locked(&locked, with);
}

/* Closing any descriptor of the file would release the lock. */
EVERY_WAY(two_descriptors_of_one_locked_file_are_kept)
{
	const struct locked locked = {
		.paths = { scratch_path("a"), scratch_path("a") },
		.as = { 70, 71 },
	};

	hold_locked(&locked, with);
}

SystemTest(flags, a_receiver_keeps_a_record_lock)
{
	const struct locked locked = {
		.paths = { scratch_path("a") }, .as = { 70 },
	};
	const struct way way = { .prepare = take_locks, .arg = &locked };
	struct running holder, passer;
	struct ended e;

	start(&holder, &way, ARGV(spawnfd, "--verbose",
				  joined("--receive=", scratch_path("s"))));
	await_said(&holder, "listening");
	start(&passer, NULL, ARGV(spawnfd, "--autokill",
				  joined("--pass=", scratch_path("s")), actor,
				  "echo"));
	await_said(&holder, "received");
	kill(holder.pid, SIGWINCH);
	await_said(&holder, "passed on");
	expect_locked(&locked, holder.pid);
	end_input(&passer);
	finish(&passer, &e);
	expect_exit(&e, 0);
	expect_exits(&holder, 0);
	expect_locked(&locked, 0);
}

/* For way->prepare: arg is a path. */
static void take_flock(const void *arg)
{
	int fd = open(arg, O_RDWR | O_CREAT, 0600);

	if (fd < 0 || dup2(fd, 9) != 9 || close(fd) ||
	    flock(9, LOCK_EX | LOCK_NB))
		_exit(96);
}

/* COMMAND shares the lock, and releases it before it ends. */
EVERY_WAY(a_flock_is_free_when_the_command_lets_go_of_it)
{
	const struct way way = {
		.prepare = take_flock, .arg = scratch_path("a"),
	};
	struct running r;
	int fd;

	start(&r, &way, ARGV(spawnfd, "--verbose", with, "/bin/sh", "-c",
			     "read -r go; exec 9>&-; exec \"$0\" echo",
			     actor));
	await_said(&r, "executed");
	kill(r.pid, SIGWINCH);
	await_said(&r, "passed on");
	fd = open(way.arg, O_RDWR | O_CLOEXEC);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), -1, "nobody has the lock");
	cr_assert_eq(write(r.in, "\n", 1), 1);
	read_pid(r.out);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), 0, "somebody has the lock");
	close(fd);
	end_input(&r);
	expect_exits(&r, 0);
}
