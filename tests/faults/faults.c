/* SPDX-License-Identifier: MIT */
/*
 * The two matrices: every mode, every call of it, and every error of the call;
 * or every signal after the call, to every process there is by then.
 *
 *	faults [OPTION]...				tries them
 *	faults --list MODE				lists the calls
 *	faults MODE ROLE CALL OCCURRENCE ERROR		tries one, and tells all
 *	faults MODE ROLE CALL OCCURRENCE SIGNAL TARGET	the same for a moment
 *
 *	--kind=faults, --kind=moments	one of the matrices; both by default
 *	--modes=GLOB			these modes
 *	--part=K/N			part K of N of the modes
 *	--limit=N --seed=S		N of each matrix, chosen by the seed
 *
 * It runs as root on a kernel that has the flags: tests/kernel/run.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
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
#include "number.h"

/* One cell of the matrix */
struct cell {
	const struct mode *mode;
	struct fault fault;
};

enum kind { FAULTS, MOMENTS, KINDS };

static const char *const kind_names[KINDS] = { "faults", "moments" };

struct matrix {
	enum kind kind;
	struct cell *cells;
	size_t count, room;
	size_t failed, excused, missed;
};

/* The choices of the command line */
struct wish {
	const char *modes;		/* a glob */
	bool kinds[KINDS];
	size_t part, parts;
	unsigned long limit;		/* 0: all */
	unsigned long seed;		/* as srandom(3) takes it */
};

/* For each mode, the run to compare with; or NULL */
static struct run *without[64];

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

/* Runs once, and judges; `compared` is NULL for the run to compare with. */
static void try_fault(struct run *run, const struct mode *mode,
		      const struct fault *fault, const struct run *compared,
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
	judge(run, compared ? compared : run, wrong);
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "SIGKILL", SIGKILL }, { "SIGTERM", SIGTERM }, { "SIGINT", SIGINT },
	{ "SIGSTOP", SIGSTOP }, { "SIGCONT", SIGCONT },
};

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static const char *signal_name(int number)
{
	for (size_t i = 0; i < SIGNALS; i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "no signal";
}

static int signal_number(const char *name)
{
	for (size_t i = 0; i < SIGNALS; i++)
		if (!strcmp(signals[i].name, name))
			return signals[i].number;
	return -1;
}

/* In the words that try it alone */
static void tell_fault(const struct mode *mode, const struct fault *fault)
{
	char name[32];

	printf("%s %s %s %d ", mode->name, role_names[fault->role],
	       call_name(fault->number, name), fault->occurrence);
	if (fault->signal)
		printf("%s %s", signal_name(fault->signal),
		       role_names[fault->target]);
	else
		printf("%s", error_name(fault->error));
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

/* ---- the matrices ---- */

static void add_cell(struct matrix *matrix, const struct mode *mode,
		     const struct call *call, struct fault fault)
{
	if (matrix->count == matrix->room) {
		matrix->room = matrix->room ? 2 * matrix->room : 1024;
		matrix->cells = realloc(matrix->cells, matrix->room *
						sizeof(*matrix->cells));
		if (!matrix->cells)
			exit(99);
	}
	fault.role = call->role;
	fault.number = call->number;
	fault.occurrence = call->occurrence;
	matrix->cells[matrix->count++] = (struct cell){ mode, fault };
}

static void add_faults(struct matrix *matrix, const struct mode *mode,
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
			add_cell(matrix, mode, call,
				 (struct fault){ .error = *errors });
}

/* A COMMAND that runs is no target: spawnfd is not in its way any more. */
static void add_moments(struct matrix *matrix, const struct mode *mode,
			const struct call *call)
{
	const enum role targets[] = { ROLE_SPAWNFD, ROLE_CHILD, ROLE_INIT };
	const size_t count = sizeof(targets) / sizeof(targets[0]);

	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < SIGNALS; i++)
			if (signals[i].number != SIGCONT &&
			    call->living & 1U << targets[t])
				add_cell(matrix, mode, call, (struct fault){
					.signal = signals[i].number,
					.target = targets[t],
				});
	/* fg(1) continues the whole group of spawnfd. */
	if (call->living & 1U << ROLE_COMMAND)
		add_cell(matrix, mode, call, (struct fault){
			.signal = SIGCONT, .target = ROLE_COMMAND,
		});
	if (call->living && mode->to)
		add_cell(matrix, mode, call, (struct fault){
			.signal = SIGKILL, .target = ROLE_RECEIVER,
		});
}

/* A call in a long loop is tried as the first few, and then now and then. */
static bool is_chosen(const struct call *call)
{
	enum { FEW = 24 };
	const int occurrence = call->occurrence;

	return occurrence <= FEW || !(occurrence & (occurrence - 1));
}

/* Records a mode. A mode that fails by itself has no cells. */
static bool record_mode(size_t i)
{
	struct run *run = malloc(sizeof(*run));
	char wrong[1024];

	if (!run)
		exit(99);
	try_fault(run, &modes[i], NULL, NULL, wrong);
	if (*wrong) {
		printf("FAIL %s without a fault: %s\n", modes[i].name, wrong);
		tell_run(run);
		free(run);
		return false;
	}
	without[i] = run;
	return true;
}

static void add_mode(struct matrix *matrix, size_t i)
{
	for (size_t n = 0; n < without[i]->count; n++) {
		const struct call *call = &without[i]->calls[n];

		if (!is_chosen(call))
			continue;
		if (matrix->kind == FAULTS)
			add_faults(matrix, &modes[i], call);
		else
			add_moments(matrix, &modes[i], call);
	}
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
static void choose(struct matrix *matrix, size_t limit, unsigned long seed)
{
	const size_t all = matrix->count;

	if (!limit || limit >= matrix->count)
		return;
	srandom((unsigned int)seed);
	for (size_t i = 0; i < limit; i++)
		swap(&matrix->cells[i],
		     &matrix->cells[i + (size_t)random() % (all - i)]);
	matrix->count = limit;
	qsort(matrix->cells, limit, sizeof(*matrix->cells), compare_cells);
	printf("%zu of %zu %s, SEED=%lu\n", limit, all,
	       kind_names[matrix->kind], seed);
}

static void try_cell(struct matrix *matrix, const struct cell *cell,
		     struct run *run)
{
	const char *reason = NULL;
	char wrong[1024];

	try_fault(run, cell->mode, &cell->fault, without[cell->mode - modes],
		  wrong);
	if (!run->reached)
		matrix->missed++;
	if (*wrong)
		reason = excuse(run, wrong);
	if (reason)
		matrix->excused++;
	if (!*wrong || reason)
		return;
	matrix->failed++;
	printf("FAIL ");
	tell_fault(cell->mode, &cell->fault);
	printf(": %s\n    $ tests/kernel/run .build/faults ", wrong);
	tell_fault(cell->mode, &cell->fault);
	printf("\n");
	tell_run(run);
}

static long now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec;
}

static void try_cells(struct matrix *matrix)
{
	const char *kind = kind_names[matrix->kind];
	struct run *run = malloc(sizeof(*run));
	const long begin = now_s();

	for (size_t i = 0; run && i < matrix->count;) {
		const struct mode *mode = matrix->cells[i].mode;
		const size_t first = i, failed = matrix->failed;
		const long from = now_s();

		for (; i < matrix->count && matrix->cells[i].mode == mode; i++)
			try_cell(matrix, &matrix->cells[i], run);
		printf("%s: %zu calls, %zu %s tried, %zu violations, %ld s\n",
		       mode->name, without[mode - modes]->count, i - first,
		       kind, matrix->failed - failed, now_s() - from);
	}
	free(run);
	printf("%zu %s tried in %ld s; in %zu the call did not come; %zu are "
	       "excused; %zu violations\n", matrix->count, kind,
	       now_s() - begin, matrix->missed, matrix->excused,
	       matrix->failed);
}

/* The share of the part in the limit */
static size_t share(const struct wish *wish)
{
	const size_t limit = wish->limit / wish->parts +
			     (wish->part <= wish->limit % wish->parts);

	/* 0 would mean all. */
	return wish->limit && !limit ? 1 : limit;
}

static int try_matrices(const struct wish *wish)
{
	bool good = true;
	size_t tried = 0;

	for (size_t i = wish->part - 1; i < modes_count; i += wish->parts)
		if (!fnmatch(wish->modes, modes[i].name, FNM_EXTMATCH))
			good = record_mode(i) && good;
	for (int kind = 0; kind < KINDS; kind++) {
		struct matrix matrix = { .kind = (enum kind)kind };

		if (!wish->kinds[kind])
			continue;
		for (size_t i = 0; i < modes_count; i++)
			if (without[i])
				add_mode(&matrix, i);
		choose(&matrix, share(wish), wish->seed);
		try_cells(&matrix);
		good = good && !matrix.failed;
		tried += matrix.count;
		free(matrix.cells);
	}
	return good && tried ? 0 : 1;
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
	for (size_t i = 0; i < run->count; i++) {
		printf("%s %s %d = %ld;", role_names[run->calls[i].role],
		       call_name(run->calls[i].number, call),
		       run->calls[i].occurrence, run->calls[i].result);
		for (int role = 0; role < ROLES; role++)
			if (run->calls[i].living & 1U << role)
				printf(" %s", role_names[role]);
		printf("\n");
	}
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

static int try_one(char **words, int count)
{
	const struct mode *mode = find_mode(words[0]);
	struct fault fault = {
		.role = find_role(words[1]),
		.number = call_number(words[2]),
		.occurrence = (int)read_number(words[3], words[3],
					       (struct range){ 1, INT_MAX }),
	};
	struct run *runs = malloc(2 * sizeof(*runs));
	const char *reason = NULL;
	char wrong[1024];

	if (count == 5)
		fault.error = error_number(words[4]);
	else
		fault.signal = signal_number(words[4]);
	if (count == 6)
		fault.target = find_role(words[5]);
	if (!runs || fault.number < 0 || fault.error < 0 || fault.signal < 0) {
		fprintf(stderr, "faults: no such call, error or signal\n");
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

static const char *value_of(const char *word, const char *option)
{
	const size_t length = strlen(option);

	return strncmp(word, option, length) ? NULL : word + length;
}

static bool have_mode(const char *glob)
{
	for (size_t i = 0; i < modes_count; i++)
		if (!fnmatch(glob, modes[i].name, FNM_EXTMATCH))
			return true;
	return false;
}

static void __attribute__((noreturn))
refuse(const char *word, const char *reason)
{
	fprintf(stderr, "faults: %s: %s\n", word, reason);
	exit(2);
}

static void read_kind(const char *word, const char *value, struct wish *wish)
{
	bool known = false;

	for (int kind = 0; kind < KINDS; kind++) {
		wish->kinds[kind] = !strcmp(kind_names[kind], value);
		known = known || wish->kinds[kind];
	}
	if (!known)
		refuse(word, "use faults or moments");
}

static void read_part(const char *word, const char *value, struct wish *wish)
{
	char more;

	if (sscanf(value, "%zu/%zu%c", &wish->part, &wish->parts, &more) != 2 ||
	    wish->part < 1 || wish->part > wish->parts)
		refuse(word, "not a part K/N");
}

/* An option with an empty value is as good as none: make gives such. */
static void read_option(const char *word, struct wish *wish)
{
	const char *value;

	if ((value = value_of(word, "--modes="))) {
		if (*value && !have_mode(value))
			refuse(word, "no mode has this name");
		if (*value)
			wish->modes = value;
	} else if ((value = value_of(word, "--kind="))) {
		read_kind(word, value, wish);
	} else if ((value = value_of(word, "--part="))) {
		read_part(word, value, wish);
	} else if (!take_number(word, "--limit=", (struct range){ 1, UINT_MAX },
				&wish->limit) &&
		   !take_number(word, "--seed=", (struct range){ 0, UINT_MAX },
				&wish->seed)) {
		refuse(word, "no such option");
	}
}

/* Gives the number of words that are options. */
static int read_options(int count, char **words, struct wish *wish,
			const char **ret_list)
{
	int i;

	for (i = 0; i < count && !strncmp(words[i], "--", 2); i++)
		if (!strcmp(words[i], "--list") && words[i + 1])
			*ret_list = words[++i];
		else
			read_option(words[i], wish);
	if (i == count || count - i == 5 || count - i == 6)
		return i;
	fprintf(stderr, "faults: use MODE ROLE CALL OCCURRENCE ERROR, "
		"or SIGNAL TARGET\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct wish wish = {
		.modes = "*",
		.kinds = { true, true },
		.part = 1, .parts = 1,
		.seed = (unsigned long)time(NULL) % 1000000,
	};
	const char *list = NULL;
	int first, code;

	if (argc == 3 && !strcmp(argv[1], "command"))
		command_run(argv[2]);
	first = 1 + read_options(argc - 1, argv + 1, &wish, &list);
	prepare();
	if (list)
		code = list_mode(list);
	else if (first < argc)
		code = try_one(argv + first, argc - first);
	else
		code = try_matrices(&wish);
	clean_up();
	return code;
}
