/* SPDX-License-Identifier: MIT */
/*
 * The harness: see harness.h. It never sleeps, and never waits for ever: what
 * takes longer than PATIENCE_MS fails the test.
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define LAST_SIGNAL 64

const char *spawnfd;
const char *actor;

static int descriptors_before;
static char scratch_dir[64];

/* ---- in the child ---- */

/* The kernel's own call and struct: libc keeps signals 32 and 33 to itself. */
static void reset_signals(void)
{
	const struct { uintptr_t words[4]; } dfl = { { 0 } };
	const uint64_t none = 0;

	for (int sig = 1; sig <= LAST_SIGNAL; sig++)
		syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(none));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

void inherit_as(int from, int to)
{
	/* dup2 of a descriptor to itself does nothing, and so keeps CLOEXEC. */
	if (from == to ? fcntl(to, F_SETFD, 0) : dup2(from, to) < 0)
		_exit(96);
}

static int become_user(uid_t uid)
{
	if (uid == 0)
		return 0;
	if (setgroups(0, NULL) || setresgid(uid, uid, uid))
		return -1;
	return setresuid(uid, uid, uid);
}

static _Noreturn void become(const struct way *way, const char *const argv[],
			     const int std[3], int errno_pipe)
{
	union { const char *const *given; char *const *wanted; } words = {
		argv
	};

	reset_signals();
	for (int fd = 0; fd < 3; fd++)
		dup2(std[fd], fd);
	syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	if (way && way->prepare)
		way->prepare(way->arg);
	if (!way || ((!way->dir || chdir(way->dir) == 0) &&
		     become_user(way->uid) == 0))
		execv(argv[0], words.wanted);
	if (write(errno_pipe, &errno, sizeof(errno)) < 0)
		abort();
	_exit(1);
}

/* ---- starting ---- */

static void join_words(char *words, size_t size, const char *const argv[])
{
	size_t n = 0;

	words[0] = '\0';
	for (; *argv && n < size; argv++)
		n += (size_t)snprintf(words + n, size - n, "%s%.80s",
				      n ? " " : "", *argv);
}

static void open_pipe(int *ours, int *theirs, int our_end)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	*ours = fds[our_end];
	/* Out of the way of 0, 1 and 2, which dup2 is about to fill. */
	*theirs = fcntl(fds[!our_end], F_DUPFD_CLOEXEC, 10);
	close(fds[!our_end]);
	cr_assert_geq(*theirs, 0);
}

void end_input(struct running *r)
{
	close(r->in);
	r->in = -1;
}

void close_running(struct running *r)
{
	if (r->in >= 0)
		close(r->in);
	close(r->out);
	close(r->err);
	close(r->pidfd);
}

int try_start(struct running *r, const struct way *way,
	      const char *const argv[])
{
	int std[3], errno_pipe[2], exec_errno = 0;

	join_words(r->words, sizeof(r->words), argv);
	open_pipe(&r->in, &std[0], 1);
	open_pipe(&r->out, &std[1], 0);
	open_pipe(&r->err, &std[2], 0);
	open_pipe(&errno_pipe[0], &errno_pipe[1], 0);

	r->pid = fork();
	cr_assert_geq(r->pid, 0);
	if (r->pid == 0)
		become(way, argv, std, errno_pipe[1]);
	for (int i = 0; i < 3; i++)
		close(std[i]);
	close(errno_pipe[1]);
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	cr_assert_geq(r->pidfd, 0, "pidfd_open: %s", strerror(errno));

	if (read(errno_pipe[0], &exec_errno, sizeof(exec_errno)) > 0) {
		await_end(r);
		close_running(r);
	}
	close(errno_pipe[0]);
	return exec_errno;
}

void start(struct running *r, const struct way *way, const char *const argv[])
{
	int exec_errno = try_start(r, way, argv);

	cr_assert_eq(exec_errno, 0, "%s: %s", r->words, strerror(exec_errno));
}

/* ---- waiting ---- */

void await_events(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };
	int n;

	do
		n = poll(&p, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	cr_assert_eq(n, 1, "nothing happened for %d s", PATIENCE_MS / 1000);
}

bool has_ended(const struct running *r)
{
	struct pollfd p = { r->pidfd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

int await_end(struct running *r)
{
	int status = 0;

	await_events(r->pidfd, POLLIN);
	cr_assert_eq(waitpid(r->pid, &status, 0), r->pid, "waitpid: %s",
		     strerror(errno));
	return status;
}

/* Returns false at the end of file. Text beyond size is dropped. */
static bool drain(int fd, char *text, size_t size, size_t *used)
{
	char dropped[4096];
	ssize_t n;

	if (*used < size - 1)
		n = read(fd, text + *used, size - 1 - *used);
	else
		n = read(fd, dropped, sizeof(dropped));
	if (n <= 0)
		return false;
	if (*used < size - 1)
		*used += (size_t)n;
	text[*used] = '\0';
	return true;
}

void finish(struct running *r, struct ended *e)
{
	struct pollfd p[2] = { { r->out, POLLIN, 0 }, { r->err, POLLIN, 0 } };
	size_t out_used = 0, err_used = 0;

	memcpy(e->words, r->words, sizeof(e->words));
	e->out[0] = e->err[0] = '\0';
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		cr_assert_gt(poll(p, 2, PATIENCE_MS), 0, "%s: still there "
			     "after %d s", r->words, PATIENCE_MS / 1000);
		if (p[0].revents &&
		    !drain(r->out, e->out, sizeof(e->out), &out_used))
			p[0].fd = -1;
		if (p[1].revents &&
		    !drain(r->err, e->err, sizeof(e->err), &err_used))
			p[1].fd = -1;
	}
	e->status = await_end(r);
	close_running(r);
}

void run(struct ended *e, const struct way *way, const char *const argv[])
{
	struct running r;

	start(&r, way, argv);
	end_input(&r);
	finish(&r, e);
}

unsigned int random_below(unsigned int n)
{
	unsigned int random;

	cr_assert_eq(getrandom(&random, sizeof(random), 0), sizeof(random));
	return random % n;
}

void sleep_at_random(unsigned int most_us)
{
	const struct timespec time = {
		.tv_nsec = random_below(most_us) * 1000L,
	};

	nanosleep(&time, NULL);
}

const char *far_path(void)
{
	enum { ELEMENTS = 4000 };
	static char path[3 * ELEMENTS + PATH_MAX];

	for (size_t i = 0; i < ELEMENTS; i++)
		strcpy(path + 3 * i, "/-:");
	strcat(path, actor);
	*strrchr(path, '/') = '\0';
	return path;
}

void wait_at_random(int pidfd, unsigned int most_us)
{
	const struct timespec time = {
		.tv_nsec = random_below(most_us) * 1000L,
	};
	struct pollfd p = { pidfd, POLLIN, 0 };

	cr_assert_eq(ppoll(&p, 1, &time, NULL), 0, "it ended by itself");
}

void read_line(int fd, char *line, size_t size)
{
	size_t used = 0;

	do {
		await_events(fd, POLLIN);
		cr_assert_eq(read(fd, line + used, 1), 1, "end of file");
	} while (line[used++] != '\n' && used < size);
	line[used - 1] = '\0';
}

void await_said(struct running *r, const char *text)
{
	char line[512];

	do
		read_line(r->err, line, sizeof(line));
	while (!strstr(line, text));
}

pid_t read_pid(int fd)
{
	char line[64];
	pid_t pid;

	read_line(fd, line, sizeof(line));
	pid = atoi(line);
	cr_assert_gt(pid, 0, "not a pid: %s", line);
	return pid;
}

void ping(struct running *r)
{
	char byte = 'p';

	cr_assert_eq(write(r->in, &byte, 1), 1);
	await_events(r->out, POLLIN);
	cr_assert_eq(read(r->out, &byte, 1), 1, "no answer: it is gone");
	cr_assert_eq(byte, 'p');
}

/* ---- files ---- */

const char *scratch(void)
{
	if (!scratch_dir[0]) {
		strcpy(scratch_dir, "/tmp/spawnfd-XXXXXX");
		cr_assert_not_null(mkdtemp(scratch_dir));
		chmod(scratch_dir, 0755);
	}
	return scratch_dir;
}

const char *scratch_path(const char *name)
{
	static char paths[8][512];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch(), name);
	return path;
}

void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	size_t length = strlen(text);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, text, length), (ssize_t)length, "%s: %s", path,
		     strerror(errno));
	/* The umask of who runs the tests shall not matter. */
	if (mode)
		fchmod(fd, mode);
	close(fd);
}

bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

void read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;

	text[0] = '\0';
	if (fd < 0)
		return;
	while (used < size - 1 && drain(fd, text, size, &used))
		;
	close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char buffer[65536];
	ssize_t n;

	cr_assert(in >= 0 && out >= 0, "%s: %s", from, strerror(errno));
	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		cr_assert_eq(write(out, buffer, (size_t)n), n);
	fchmod(out, 0755);
	close(in);
	close(out);
}

/* Whether anybody may walk down to path and execute it. */
static bool open_to_all(const char *path)
{
	char part[4096];
	struct stat st;

	snprintf(part, sizeof(part), "%s", path);
	if (stat(part, &st) || (st.st_mode & 05) != 05)
		return false;
	for (char *end; (end = strrchr(part, '/')) && end != part;) {
		*end = '\0';
		if (stat(part, &st) || !(st.st_mode & 01))
			return false;
	}
	return true;
}

/* A tree below a closed home is no place for NOBODY: it gets a copy. */
static const char *find_program(const char *variable, const char *fallback,
				const char *name)
{
	const char *path = getenv(variable);
	char *absolute = realpath(path ? path : fallback, NULL);

	cr_assert_not_null(absolute, "%s, which may say otherwise: %s: %s",
			   variable, path ? path : fallback, strerror(errno));
	if (open_to_all(absolute))
		return absolute;
	copy_file(absolute, scratch_path(name));
	free(absolute);
	return strdup(scratch_path(name));
}

/* ---- processes ---- */

pid_t child_of(pid_t pid)
{
	char path[64], text[64];

	/* proc(5): not in every kernel, but distributions configure it */
	cr_assert(exists("/proc/thread-self/children"),
		  "the kernel lacks CONFIG_PROC_CHILDREN");
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_file(path, text, sizeof(text));
	return atoi(text);
}

int count_children(pid_t pid)
{
	static char text[200000];
	char path[64];
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	read_file(path, text, sizeof(text));
	for (const char *at = text; *at; at++)
		n += *at == ' ';
	return n;
}

int open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	cr_assert_geq(fd, 0, "pidfd_open %d: %s", pid, strerror(errno));
	return fd;
}

char state_of(pid_t pid)
{
	char path[64], text[1024], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, text, sizeof(text));
	end = strrchr(text, ')');
	return end ? end[2] : '\0';
}

/* /proc has nothing to poll. */
void await_state(pid_t pid, char state)
{
	time_t limit = time(NULL) + PATIENCE_MS / 1000;

	while (state_of(pid) != state) {
		cr_assert_lt(time(NULL), limit, "%d is %c", pid,
			     state_of(pid));
		sched_yield();
	}
}

int private_kb(pid_t pid)
{
	char path[64], text[8192];
	int clean = -1, dirty = -1;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	read_file(path, text, sizeof(text));
	cr_assert_not_null(strstr(text, "\nPrivate_Clean:"), "%s", text);
	sscanf(strstr(text, "\nPrivate_Clean:"), "\nPrivate_Clean: %d", &clean);
	sscanf(strstr(text, "\nPrivate_Dirty:"), "\nPrivate_Dirty: %d", &dirty);
	cr_assert(clean >= 0 && dirty >= 0, "%s", text);
	return clean + dirty;
}

long resident_kb(pid_t pid)
{
	char path[64], text[4096], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	line = strstr(text, "VmRSS:");
	cr_assert_not_null(line);
	return atol(line + strlen("VmRSS:"));
}

bool kills_tree(void)
{
	return strstr(spawnfd, "/.build/tree") != NULL;
}

pid_t command_of(pid_t pid)
{
	pid_t child = child_of(pid);

	return kills_tree() ? child_of(child) : child;
}

void name_of(pid_t pid, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_file(path, name, size);
	name[strcspn(name, "\n")] = '\0';
}

int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void reap_orphans(void)
{
	while (waitpid(-1, NULL, __WALL) > 0)
		;
}

static void wake_up(int sig)
{
	(void)sig;
}

/* Through the wrapper */
static bool falls_back(void)
{
	return strstr(spawnfd, "/fallback/") || strstr(spawnfd, "/filtered/");
}

void nothing_left(void)
{
	const struct sigaction wake = { .sa_handler = wake_up };
	siginfo_t info = { 0 };
	int found;

	/* Dying is not instant; alarm ends the wait for what does not die. */
	sigaction(SIGALRM, &wake, NULL);
	alarm(PATIENCE_MS / 1000);
	/* what init makes of a zombie is all there is without CLONE_AUTOREAP */
	do
		found = waitid(P_ALL, 0, &info, WEXITED | __WALL |
			       (falls_back() ? 0 : WNOWAIT));
	while (!found && falls_back());
	cr_assert_neq(found, 0, "a zombie is left: %d, status %d",
		      info.si_pid, info.si_status);
	cr_assert_neq(errno, EINTR, "still running: %d", child_of(getpid()));
	cr_assert_eq(errno, ECHILD);
	alarm(0);
}

/* What a failed test left: as a subreaper this process inherits it all. */
static void kill_all(void)
{
	pid_t child;

	while ((child = child_of(getpid()))) {
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL);
	}
}

/* ---- judging ---- */

static const char *describe(const struct ended *e, const char *wanted)
{
	static char text[sizeof(e->err) + 1024];
	const char *verb = WIFEXITED(e->status) ? "exit" : "signal";
	bool core = WIFSIGNALED(e->status) && WCOREDUMP(e->status);
	int value = WIFEXITED(e->status) ? WEXITSTATUS(e->status)
					 : WTERMSIG(e->status);

	snprintf(text, sizeof(text), "%s: wanted %s; saw %s %d%s, stdout "
		 "\"%.300s\", stderr \"%s\"", e->words, wanted, verb, value,
		 core ? " (core)" : "", e->out, e->err);
	return text;
}

const char *not_exited(const struct ended *e, int code)
{
	char wanted[32];

	if (WIFEXITED(e->status) && WEXITSTATUS(e->status) == code)
		return NULL;
	snprintf(wanted, sizeof(wanted), "exit %d", code);
	return describe(e, wanted);
}

const char *not_killed(const struct ended *e, int sig)
{
	char wanted[32];

	if (WIFSIGNALED(e->status) && WTERMSIG(e->status) == sig &&
	    !WCOREDUMP(e->status))
		return NULL;
	snprintf(wanted, sizeof(wanted), "signal %d without core", sig);
	return describe(e, wanted);
}

static int count_lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

const char *not_refused(const struct ended *e, int code)
{
	size_t length = strlen(e->err);
	int lines = count_lines(e->err);

	if (not_exited(e, code))
		return not_exited(e, code);
	if (e->out[0])
		return describe(e, "nothing on stdout");
	if (not_begun(e, "spawnfd: "))
		return not_begun(e, "spawnfd: ");
	if (e->err[length - 1] != '\n' || lines < 1 || lines > 2)
		return describe(e, "one or two whole lines");
	return NULL;
}

static const char *not_text(const struct ended *e, const char *how,
			    const char *text)
{
	char wanted[300];

	snprintf(wanted, sizeof(wanted), "%s \"%s\"", how, text);
	return describe(e, wanted);
}

const char *not_said(const struct ended *e, const char *text)
{
	return strstr(e->err, text) ? NULL : not_text(e, "stderr with", text);
}

const char *not_begun(const struct ended *e, const char *text)
{
	return strncmp(e->err, text, strlen(text)) == 0 ? NULL :
		not_text(e, "stderr from", text);
}

/* ---- suites ---- */

int often(int n)
{
	return getenv("SPAWNFD_SLOW") ? n / 10 : n;
}

void filter_clone3(const void *arg)
{
	const unsigned int error = *(const unsigned int *)arg;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(96);
}

void not_tested(const char *what, const char *why)
{
	fprintf(stderr, "NOT TESTED: %s: %s\n", what, why);
}

void begin_test(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	/*
	 * A sanitized spawnfd shall treat core files as ever; and looking for
	 * leaks takes a process, which not every test leaves it.
	 */
	setenv("ASAN_OPTIONS", "disable_coredump=0:detect_leaks=0", 0);
	spawnfd = find_program("SPAWNFD", "./spawnfd", "spawnfd");
	actor = find_program("SPAWNFD_ACTOR", ".build/actor", "actor");
	descriptors_before = count_descriptors();
}

void end_test(void)
{
	nothing_left();
	cr_assert_eq(count_descriptors(), descriptors_before,
		     "the test leaks descriptors");
}

/* After every test, failed ones too. */
static void clean_up(void)
{
	kill_all();
	if (scratch_dir[0])
		nftw(scratch_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The timeouts only end what hangs in spite of PATIENCE_MS. */
TestSuite(usage, .fini = clean_up, .timeout = 240);
TestSuite(plain, .fini = clean_up, .timeout = 240);
TestSuite(flags, .fini = clean_up, .timeout = 240);
TestSuite(cgroup, .fini = clean_up, .timeout = 120);
TestSuite(old, .fini = clean_up, .timeout = 120);
