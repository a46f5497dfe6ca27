/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "harness.h"

static char scratch_dir[64];

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
	/* The umask of the user who runs the tests must not matter. */
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
	ssize_t n;

	text[0] = '\0';
	if (fd < 0)
		return;
	while (used < size - 1 &&
	       (n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fd);
}

int count_files(const char *path, const char *prefix)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	cr_assert_not_null(dir, "%s: %s", path, strerror(errno));
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 &&
		     strcmp(entry->d_name, "..") != 0 &&
		     strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return n;
}

int make_fifo(const char *name)
{
	const char *path = scratch_path(name);
	int fd;

	cr_assert(mkfifo(path, 0600) == 0 || errno == EEXIST);
	fd = open(path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	return fd;
}

void copy_file(const char *from, const char *to)
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

bool open_to_all(const char *path)
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

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void remove_scratch(void)
{
	if (scratch_dir[0])
		nftw(scratch_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
