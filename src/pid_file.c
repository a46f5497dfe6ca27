/* SPDX-License-Identifier: MIT */
/* pid_file - see pid_file.h. It must never replace what is no file. */
#include "pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

/*
 * Makes a file under a new temporary name, and gives a file descriptor for it.
 * Temporary names that exist already are left alone.
 */
static int create_temporary(struct atomic_name *name)
{
	enum { ATTEMPTS = 100 };
	int fd = -1;

	for (unsigned int i = 0; fd < 0 && i < ATTEMPTS; i++) {
		atomic_name_pick_temporary(name, i);
		fd = openat(name->directory, name->temporary,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/* Makes the file with its content, and gives it its final name */
static int create_and_commit(struct atomic_name *name, pid_t pid)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)pid);
	auto_close fd = create_temporary(name);
	int r;

	if (fd < 0)
		return fd;
	r = sys_write(fd, text, (size_t)length);
	if (r >= 0)
		r = atomic_name_record(name);
	if (r >= 0)
		r = atomic_name_commit(name, 0);
	if (r < 0)
		atomic_name_discard(name);
	return r;
}

/*
 * Whether something in the way of the file may be replaced. The rename would
 * replace a device, or a link such as /dev/stdout, by a file. In a sticky
 * directory only the owner of the file, or of the directory, may replace it
 * (rename(2)).
 */
static int check_existing(const struct atomic_name *name)
{
	struct stat st, directory;

	if (fstatat(name->directory, name->final, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISREG(st.st_mode))
		return -EEXIST;
	if (geteuid() == 0 || st.st_uid == geteuid() ||
	    fstat(name->directory, &directory) < 0)
		return 0;
	return directory.st_mode & S_ISVTX && directory.st_uid != geteuid()
		       ? -EPERM
		       : 0;
}

int pid_file_check(const char *path)
{
	struct atomic_name name;
	int r = atomic_name_open(path, &name);

	if (r < 0)
		return r;
	r = check_existing(&name);
	if (r >= 0 &&
	    faccessat(name.directory, ".", W_OK | X_OK, 0) < 0)
		r = -errno;
	fd_close(&name.directory);
	return r;
}

int pid_file_put(const char *path, pid_t pid, struct atomic_name *ret_name)
{
	struct atomic_name name;
	int r = atomic_name_open(path, &name);

	if (r < 0)
		return r;
	r = check_existing(&name);
	if (r >= 0)
		r = create_and_commit(&name, pid);
	if (r < 0)
		fd_close(&name.directory);
	else
		*ret_name = name;
	return r;
}
