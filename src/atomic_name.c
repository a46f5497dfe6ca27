/* SPDX-License-Identifier: MIT */
/* atomic_name - see atomic_name.h. It must never remove a file of another. */
#include "atomic_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

int atomic_name_open(const char *path, struct place *ret_place)
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
	*ret_place = (struct place){ .directory = fd, .name = name };
	return 0;
}

void atomic_name_pick_temporary(struct place *place, unsigned int attempt)
{
	snprintf(place->temporary, sizeof(place->temporary),
		 ".spawnfd.%d.%u", (int)getpid(), attempt);
}

int atomic_name_record(struct place *place)
{
	struct stat st;

	if (fstatat(place->directory, place->temporary, &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	place->device = st.st_dev;
	place->inode = st.st_ino;
	return 0;
}

int atomic_name_commit(struct place *place, unsigned int kind)
{
	int r = sys_rename(place->directory, place->temporary, place->name,
			   kind);

	if (r == -EINVAL || r == -ENOSYS)
		r = sys_rename(place->directory, place->temporary, place->name,
			       0);
	return r;
}

void atomic_name_discard(const struct place *place)
{
	unlinkat(place->directory, place->temporary, 0);
}

void atomic_name_remove(struct place *place)
{
	struct stat st;

	if (place->directory < 0)
		return;
	if (!fstatat(place->directory, place->name, &st,
		     AT_SYMLINK_NOFOLLOW) &&
	    st.st_dev == place->device && st.st_ino == place->inode)
		unlinkat(place->directory, place->name, 0);
	fd_close(&place->directory);
}
