/* SPDX-License-Identifier: MIT */
/*
 * answers - what goes to standard output: help, version, list, dry run, probe.
 *
 * Each function returns 0, or -errno if it could not be written.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "clone_args.h"

/* What an option of GROUP_INFO asks for */
int answer_info(const struct options *options);

/* What --probe without FLAG asks for: a table, or JSON */
int answer_probe(bool json);

/* What --dry-run asks for */
int answer_dry_run(const struct sys_clone_args *args, const char *cgroup);

#endif
