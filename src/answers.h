/* SPDX-License-Identifier: MIT */
/*
 * answers - prints to standard output: --help, --version, --list-options,
 * --probe and --dry-run.
 *
 * Each function gives 0, or -errno if standard output cannot be written to.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "clone_args.h"

/* Prints the answer to the option in OPTIONS_INFO that was given */
int answer_info(const struct options *options);

/* Prints the answer to --probe without FLAG, as a table or as JSON */
int answer_probe(bool json);

/* Prints the clone3 call; cgroup is the directory of --cgroup, or NULL */
int answer_dry_run(const struct sys_clone_args *args, const char *cgroup);

#endif
