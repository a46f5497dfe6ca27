/* SPDX-License-Identifier: MIT */
/*
 * guard - keeps the pidfd of COMMAND in this process alone.
 *
 * A copy of an autokill pidfd keeps COMMAND alive. A process that may trace
 * this one can make such a copy: pidfd_getfd(2).
 */
#ifndef GUARD_H
#define GUARD_H

/*
 * Makes this process undumpable (PR_SET_DUMPABLE in prctl(2)): only a process
 * with CAP_SYS_PTRACE can trace it then. Processes that fork(2) makes from it
 * inherit that, and an exec ends it. Its files in /proc belong to root
 * afterwards, but it may use them as before.
 *
 * -errno if a seccomp filter or an emulator refuses the call.
 */
int guard_self(void);

#endif
