/* SPDX-License-Identifier: MIT */
/*
 * vfork - a child that shares this process's memory until it executes a
 * program.
 *
 * A new processor needs:
 * 1. In vfork.c, clone3 in assembler, and tests of a stop before the exec.
 * 2. In vfork_catch_signal, a look at the kernel's sigaction: on riscv64 its
 *    third word is the mask, not a restorer.
 * 3. Its name in VFORK_WORKS. Elsewhere spawnfd makes an ordinary child.
 */
#ifndef VFORK_H
#define VFORK_H

#include "sys.h"

/* AddressSanitizer loses track of the stack when a child uses it as well */
#ifdef __has_feature
#define VFORK_HAS_FEATURE(feature) __has_feature(feature)
#else
#define VFORK_HAS_FEATURE(feature) 0
#endif
#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__LP64__) && \
	!defined(__SANITIZE_ADDRESS__) && !VFORK_HAS_FEATURE(address_sanitizer)
#define VFORK_WORKS 1
#else
#define VFORK_WORKS 0
#endif

/*
 * clone3(2) with CLONE_VM and CLONE_VFORK added to the flags of args. The
 * caller has one thread, and args names no stack. The child calls run(context)
 * on this stack, below the part in use; run must not return. The kernel
 * suspends the caller until the child has executed a program or has ended:
 * until then only SIGKILL ends the caller (vfork(2)).
 *
 * Gives the child's pid, or -errno as clone3(2) does. -ENOSYS without
 * VFORK_WORKS.
 */
int vfork_clone3(const struct sys_clone_args *args,
		 void (*run)(const void *context), const void *context);

/*
 * For a child of vfork_clone3: makes handler, which must not return, catch the
 * signal. A signal that is ignored stays ignored. A failure leaves the action
 * of the signal as it was. sigaction(3) cannot do this: it would also write
 * into the libc's memory, which belongs to the parent too.
 *
 * Does nothing without VFORK_WORKS.
 */
void vfork_catch_signal(int signal, void (*handler)(int signal));

#endif
