/* SPDX-License-Identifier: MIT */
/* proc: numbers in a directory of /proc, and the state of a process */
#include "proc.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has(const char *path, int number)
{
	struct proc_list list;
	int last = -1, found, n;

	cr_assert(proc_list_open(path, &list));
	for (found = 0; (n = proc_list_next(&list)) >= 0; last = n) {
		cr_expect_gt(n, last, "the order of %s", path);
		found += n == number;
	}
	proc_list_close(&list);
	return found == 1;
}

Test(proc, lists_processes_and_descriptors)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 200);

	cr_expect(has("/proc", getpid()));
	cr_expect(has("/proc/self/fd", fd));
	close(fd);
	cr_expect_not(has("/proc/self/fd", fd));
}

Test(proc, lists_more_than_its_buffer_holds)
{
	for (int fd = 300; fd < 500; fd++)
		cr_assert_eq(fcntl(0, F_DUPFD_CLOEXEC, fd), fd);
	for (int fd = 300; fd < 500; fd++)
		cr_expect(has("/proc/self/fd", fd), "%d", fd);
}

Test(proc, a_path_that_is_no_directory)
{
	struct proc_list list;

	cr_expect_not(proc_list_open("/proc/self/stat", &list));
	cr_expect_not(proc_list_open("/proc/no-such-entry", &list));
}

Test(proc, is_ours)
{
	cr_expect(proc_is_ours());
}

static void expect_name(const char *set, const char *wanted)
{
	char name[PROC_NAME_SIZE] = "unset";

	prctl(PR_SET_NAME, set);
	cr_expect_eq(proc_state(getpid(), name), 'R');
	cr_expect_str_eq(name, wanted);
}

Test(proc, names_of_every_kind)
{
	expect_name("a b", "a b");
	expect_name("x) R (y", "x) R (y");
	expect_name("", "");
	expect_name("())((", "())((");
	expect_name("fifteen-letters-and-more", "fifteen-letters");
	cr_expect_eq(proc_state(getpid(), NULL), 'R');
}

/* The file is read again and again, and by another process. */
Test(proc, own_state_seen_by_a_child)
{
	int fd = proc_open_own_state(), status;
	pid_t parent = getpid(), pid = fork();

	cr_assert_geq(fd, 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	if (!pid) {
		char state = proc_state_at(fd, NULL);

		while (state && state != 'T')
			state = proc_state_at(fd, NULL);
		kill(parent, SIGCONT);
		while (state == 'T')
			state = proc_state_at(fd, NULL);
		_exit(state ? 0 : 1);
	}
	raise(SIGSTOP);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	close(fd);
	cr_expect_eq(proc_state_at(fd, NULL), 0);
}

Test(proc, states)
{
	char name[PROC_NAME_SIZE];
	siginfo_t info;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (!pid) {
		raise(SIGSTOP);
		_exit(0);
	}
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	cr_expect_eq(proc_state(pid, name), 'T');
	kill(pid, SIGCONT);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_expect_eq(proc_state(pid, name), 'Z');
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_expect_eq(proc_state(pid, name), 0);
}
