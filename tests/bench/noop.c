/* SPDX-License-Identifier: MIT */
/* noop: what the benchmark starts: it does nothing, or with a word it stays. */
#include <unistd.h>

#define LIFETIME 900		/* whoever forgets it */

int main(int argc, char **argv)
{
	(void)argv;
	if (argc < 2)
		return 0;
	alarm(LIFETIME);
	if (write(1, "", 1) == 1)
		pause();
	return 1;
}
