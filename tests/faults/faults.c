/* SPDX-License-Identifier: MIT */
/*
 * The matrix: every mode, every call of it, every error of the call.
 *
 *	faults [--modes=GLOB] [--limit=N] [--seed=S]	tries them
 *	faults --list MODE				lists the calls
 *	faults MODE ROLE CALL OCCURRENCE ERROR		tries one, and tells all
 *
 * It runs as root on a kernel that has the flags: tests/kernel/run.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

/* One cell of the matrix */
struct cell {
	const struct mode *mode;
	struct fault fault;
};

struct matrix {
	struct cell *cells;
	size_t count, room;
	struct run *without[64];	/* for each mode, the run to compare */
	size_t passed, failed, excused, missed;
};

static char spawnfd[PATH_MAX], folder[PATH_MAX];

/* ---- runs ---- */

static void empty_folder(void)
{
	char path[PATH_MAX * 2];
	struct dirent *entry;
	DIR *names = opendir(folder);

	while (names && (entry = readdir(names))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.' || entry->d_name[1] == 's')
			unlink(path);
	}
	if (names)
		closedir(names);
}

/* Runs once, and judges; `without` is NULL for the run to compare with. */
static void try_fault(struct run *run, const struct mode *mode,
		      const struct fault *fault, const struct run *without,
		      char wrong[1024])
{
	memset(run, 0, sizeof(*run));
	run->mode = mode;
	run->folder = folder;
	if (fault)
		run->fault = *fault;
	empty_folder();
	if (mode->traits & CGROUP)
		mkdir(CGROUP_PATH, 0755);
	run_once(run, spawnfd);
	judge(run, without ? without : run, wrong);
}

static void tell_fault(const struct mode *mode, const struct fault *fault)
{
	char name[32];

	printf("%s %s %s %d %s", mode->name, role_names[fault->role],
	       call_name(fault->number, name), fault->occurrence,
	       error_name(fault->error));
}

static void tell_said(const char *said)
{
	int length;

	for (; *said; said += length + (said[length] == '\n')) {
		length = (int)strcspn(said, "\n");
		printf("    | %.*s\n", length, said);
	}
}

static void tell_run(const struct run *run)
{
	printf("    wait status 0x%x%s%s%s, messages %d\n",
	       (unsigned int)run->status,
	       run->executed ? ", executed" : ", not executed",
	       run->reached ? "" : ", call not reached",
	       run->hung ? ", hung" : "", run->messages);
	if (run->command_ended)
		printf("    wait status of COMMAND 0x%x\n",
		       (unsigned int)run->command_status);
	tell_said(run->said);
}

/* ---- the matrix ---- */

static void add_cell(struct matrix *matrix, const struct mode *mode,
		     const struct call *call, int error)
{
	if (matrix->count == matrix->room) {
		matrix->room = matrix->room ? 2 * matrix->room : 1024;
		matrix->cells = realloc(matrix->cells, matrix->room *
						sizeof(*matrix->cells));
		if (!matrix->cells)
			exit(99);
	}
	matrix->cells[matrix->count++] = (struct cell){
		mode, { call->role, call->number, call->occurrence, error },
	};
}

static void add_call(struct matrix *matrix, const struct mode *mode,
		     const struct call *call)
{
	bool known;
	const int *errors = call_errors(call->number, &known);
	char name[32];

	if (!known)
		printf("%s has no errors of its own in calls.c\n",
		       call_name(call->number, name));
	for (; *errors; errors++)
		if (call_fits(call, *errors))
			add_cell(matrix, mode, call, *errors);
}

/* A call in a long loop is tried as the first few, and then now and then. */
static bool is_chosen(const struct call *call)
{
	enum { FEW = 24 };
	const int occurrence = call->occurrence;

	return occurrence <= FEW || !(occurrence & (occurrence - 1));
}

/* Records a mode, and adds its cells. A mode that fails by itself has none. */
static void add_mode(struct matrix *matrix, size_t i)
{
	struct run *run = malloc(sizeof(*run));
	char wrong[1024];

	if (!run)
		exit(99);
	try_fault(run, &modes[i], NULL, NULL, wrong);
	matrix->without[i] = run;
	if (*wrong) {
		printf("FAIL %s without a fault: %s\n", modes[i].name, wrong);
		tell_run(run);
		matrix->failed++;
		return;
	}
	for (size_t n = 0; n < run->count; n++)
		if (is_chosen(&run->calls[n]))
			add_call(matrix, &modes[i], &run->calls[n]);
}

static void swap(struct cell *a, struct cell *b)
{
	struct cell old = *a;

	*a = *b;
	*b = old;
}

static int compare_cells(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	return x->mode < y->mode ? -1 : x->mode > y->mode;
}

/* Chooses by the seed, then puts the cells of a mode together again. */
static void choose(struct matrix *matrix, size_t limit, unsigned int seed)
{
	const size_t all = matrix->count;

	if (!limit || limit >= matrix->count)
		return;
	srandom(seed);
	for (size_t i = 0; i < limit; i++)
		swap(&matrix->cells[i],
		     &matrix->cells[i + (size_t)random() % (all - i)]);
	matrix->count = limit;
	qsort(matrix->cells, limit, sizeof(*matrix->cells), compare_cells);
	printf("%zu of %zu, LIMIT=%zu SEED=%u\n", limit, all, limit, seed);
}

static void try_cell(struct matrix *matrix, const struct cell *cell,
		     struct run *run)
{
	const size_t i = (size_t)(cell->mode - modes);
	const char *reason = NULL;
	char wrong[1024];

	try_fault(run, cell->mode, &cell->fault, matrix->without[i], wrong);
	if (!run->reached)
		matrix->missed++;
	if (*wrong)
		reason = excuse(run, wrong);
	if (reason)
		matrix->excused++;
	if (!*wrong || reason) {
		matrix->passed++;
		return;
	}
	matrix->failed++;
	printf("FAIL ");
	tell_fault(cell->mode, &cell->fault);
	printf(": %s\n", wrong);
	tell_run(run);
}

static void try_cells(struct matrix *matrix)
{
	struct run *run = malloc(sizeof(*run));
	struct timespec from, to;

	for (size_t i = 0; run && i < matrix->count;) {
		const struct mode *mode = matrix->cells[i].mode;
		const size_t first = i, failed = matrix->failed;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (; i < matrix->count && matrix->cells[i].mode == mode; i++)
			try_cell(matrix, &matrix->cells[i], run);
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%s: %zu calls, %zu faults tried, %zu violations, "
		       "%ld s\n", mode->name,
		       matrix->without[mode - modes]->count, i - first,
		       matrix->failed - failed,
		       (long)(to.tv_sec - from.tv_sec));
	}
	free(run);
}

static int try_matrix(const char *glob, size_t limit, unsigned int seed)
{
	struct matrix matrix = { 0 };

	for (size_t i = 0; i < modes_count; i++)
		if (!fnmatch(glob, modes[i].name, 0))
			add_mode(&matrix, i);
	choose(&matrix, limit, seed);
	try_cells(&matrix);
	printf("%zu faults tried; in %zu the call did not come; %zu are "
	       "excused\n", matrix.count, matrix.missed, matrix.excused);
	printf("%zu passed, %zu failed\n", matrix.passed, matrix.failed);
	return matrix.failed || !matrix.passed ? 1 : 0;
}

/* ---- single modes ---- */

static const struct mode *find_mode(const char *name)
{
	for (size_t i = 0; i < modes_count; i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	fprintf(stderr, "faults: no mode %s\n", name);
	exit(2);
}

static int list_mode(const char *name)
{
	struct run *run = malloc(sizeof(*run));
	char wrong[1024], call[32];

	if (!run)
		return 99;
	try_fault(run, find_mode(name), NULL, NULL, wrong);
	for (size_t i = 0; i < run->count; i++)
		printf("%s %s %d = %ld\n", role_names[run->calls[i].role],
		       call_name(run->calls[i].number, call),
		       run->calls[i].occurrence, run->calls[i].result);
	tell_run(run);
	printf("%s%s%s\n", run->look, run->kept, wrong);
	return *wrong != '\0';
}

static enum role find_role(const char *name)
{
	for (int role = 0; role < ROLES; role++)
		if (!strcmp(role_names[role], name))
			return (enum role)role;
	fprintf(stderr, "faults: no role %s\n", name);
	exit(2);
}

static int try_one(char **words)
{
	const struct mode *mode = find_mode(words[0]);
	const struct fault fault = {
		find_role(words[1]), call_number(words[2]), atoi(words[3]),
		error_number(words[4]),
	};
	struct run *runs = malloc(2 * sizeof(*runs));
	const char *reason = NULL;
	char wrong[1024];

	if (!runs || fault.number < 0 || fault.error < 0) {
		fprintf(stderr, "faults: no such call or error\n");
		return 2;
	}
	try_fault(&runs[0], mode, NULL, NULL, wrong);
	try_fault(&runs[1], mode, &fault, &runs[0], wrong);
	tell_fault(mode, &fault);
	if (*wrong)
		reason = excuse(&runs[1], wrong);
	printf(": %s%s%s\n", *wrong ? wrong : "good", reason ? ": " : "",
	       reason ? reason : "");
	tell_run(&runs[1]);
	tell_said(runs[1].look);
	tell_said(runs[1].kept);
	return *wrong && !reason;
}

/* ---- the command line ---- */

static void do_nothing(int signal)
{
	(void)signal;
}

/* Wakes the wait for an event, so that patience can be asked: tracer.c */
static void start_clock(void)
{
	const struct sigaction action = { .sa_handler = do_nothing };
	const struct itimerval each = { { 0, 200000 }, { 0, 200000 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &each, NULL);
}

static void prepare(void)
{
	const char *path = getenv("SPAWNFD");

	if (!realpath(path ? path : "spawnfd", spawnfd)) {
		perror("faults: spawnfd");
		exit(2);
	}
	strcpy(folder, "/tmp/faults.XXXXXX");
	if (!mkdtemp(folder) || chmod(folder, 0777)) {
		perror("faults: /tmp");
		exit(2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	start_clock();
}

static void clean_up(void)
{
	empty_folder();
	rmdir(folder);
	rmdir(CGROUP_PATH);
}

int main(int argc, char **argv)
{
	const char *glob = "*";
	size_t limit = 0;
	unsigned int seed = (unsigned int)time(NULL);
	int i, code;

	if (argc == 3 && !strcmp(argv[1], "command"))
		command_run(argv[2]);
	prepare();
	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strncmp(argv[i], "--modes=", 8) && argv[i][8])
			glob = argv[i] + 8;
		else if (!strncmp(argv[i], "--limit=", 8))
			limit = strtoul(argv[i] + 8, NULL, 10);
		else if (!strncmp(argv[i], "--seed=", 7) && argv[i][7])
			seed = (unsigned int)strtoul(argv[i] + 7, NULL, 10);
		else if (!strcmp(argv[i], "--list") && argv[i + 1])
			return code = list_mode(argv[i + 1]), clean_up(), code;
	}
	code = argc - i == 5 ? try_one(argv + i)
			     : try_matrix(glob, limit, seed);
	clean_up();
	return code;
}
