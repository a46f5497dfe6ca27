/* SPDX-License-Identifier: MIT */
#include "judging.h"

#include <string.h>
#include <sys/wait.h>

#include "harness.h"

const char *describe(const struct ended *e, const char *wanted)
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
