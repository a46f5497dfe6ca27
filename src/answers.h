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
int report_info(const struct options *options);

/* What --probe without FLAG asks for: a table, or JSON */
int report_probe(bool json);

/* What --dry-run asks for */
int report_call(const struct sys_clone_args *args, const char *cgroup);

#endif
