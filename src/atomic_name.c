/* SPDX-License-Identifier: MIT */
/* atomic_name - see atomic_name.h. It must never remove another's file. */
#include "atomic_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

int atomic_name_open(const char *path, struct atomic_name *ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char directory[PATH_MAX] = ".";
	size_t length = (size_t)(name - path);
	int fd;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EISDIR;
	if (length >= sizeof(directory) || strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (length) {
		memcpy(directory, path, length);
		directory[length] = '\0';
	}
	fd = fd_above_standard(open(directory,
				    O_PATH | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return -errno;
	*ret_name = (struct atomic_name){ .directory = fd, .final = name };
	return 0;
}

void atomic_name_pick_temporary(struct atomic_name *name, unsigned int attempt)
{
	snprintf(name->temporary, sizeof(name->temporary), ".spawnfd.%d.%u",
		 (int)getpid(), attempt);
}

int atomic_name_record(struct atomic_name *name)
{
	struct stat st;

	if (fstatat(name->directory, name->temporary, &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	name->device = st.st_dev;
	name->inode = st.st_ino;
	return 0;
}

int atomic_name_commit(struct atomic_name *name, unsigned int kind)
{
	int r = sys_rename(name->directory, name->temporary, name->final, kind);

	/* rename(2): a file system that lacks the kind gives EINVAL. */
	if (r == -EINVAL || r == -ENOSYS)
		r = sys_rename(name->directory, name->temporary, name->final,
			       0);
	return r;
}

void atomic_name_discard(const struct atomic_name *name)
{
	unlinkat(name->directory, name->temporary, 0);
}

void atomic_name_remove(struct atomic_name *name)
{
	struct stat st;

	if (name->directory < 0)
		return;
	/*
	 * Between the two calls another process may still put its file there.
	 * No system call removes a name only if it stands for a certain file.
	 */
	if (!fstatat(name->directory, name->final, &st, AT_SYMLINK_NOFOLLOW) &&
	    st.st_dev == name->device && st.st_ino == name->inode)
		unlinkat(name->directory, name->final, 0);
	fd_close(&name->directory);
}
