/* SPDX-License-Identifier: MIT */
/* The default actions of signals, as signal(7) lists them, and core files. */
#ifndef CORES_H
#define CORES_H

#include <stdbool.h>

#define LAST_SIGNAL 64

bool ends_a_process(int sig);
bool dumps_core(int sig);

/* Fails the test where core files do not go to the current directory. */
void need_core_files(void);

int count_cores(const char *path);

#endif
