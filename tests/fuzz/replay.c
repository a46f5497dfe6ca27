/* SPDX-License-Identifier: MIT */
/*
 * replay - tries files with a harness, for compilers without libFuzzer. Each
 * file is tried as it is, and cut off after each of its bytes.
 */
#include <unistd.h>

#include "fuzz.h"

enum { SECONDS_MAX = 60, SIZE_MAX_READ = 1 << 16 };

static void try_input(const uint8_t *data, size_t size)
{
	/* Memory of just this size, for AddressSanitizer */
	uint8_t *copy = malloc(size ? size : 1);

	MUST(copy);
	memcpy(copy, data, size);
	MUST(LLVMFuzzerTestOneInput(copy, size) == 0);
	free(copy);
}

/* Tries the file, and gives the number of inputs; -errno if it is unreadable */
static long try_file(const char *path)
{
	static uint8_t bytes[SIZE_MAX_READ];
	FILE *file = fopen(path, "rb");
	size_t size;
	bool is_whole;

	if (!file)
		return -errno;
	errno = 0;
	size = fread(bytes, 1, sizeof(bytes), file);
	is_whole = !ferror(file) && fgetc(file) == EOF;
	fclose(file);
	if (!is_whole)
		return errno ? -errno : -EFBIG;
	for (size_t length = 0; length <= size; length++) {
		/* SIGALRM ends a run that hangs. */
		alarm(SECONDS_MAX);
		try_input(bytes, length);
	}
	return (long)size + 1;
}

int main(int argc, char **argv)
{
	long total = 0;

	for (int i = 1; i < argc; i++) {
		long inputs = try_file(argv[i]);

		if (inputs < 0) {
			fprintf(stderr, "%s: %s\n", argv[i],
				strerror((int)-inputs));
			return 1;
		}
		total += inputs;
		fprintf(stderr, "%s: %ld inputs\n", argv[i], inputs);
	}
	printf("%ld inputs of %d files\n", total, argc - 1);
	return 0;
}
