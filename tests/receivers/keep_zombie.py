#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""keep_zombie.py PID HOLDER

Traces process PID and says "traced". When PID has ended, it stays a zombie,
because its tracer does not wait for it: its pidfd has POLLIN, but not POLLHUP.
Says "idle" then if process HOLDER sleeps meanwhile, and "spins for N ticks" if
not. Ends, and so lets the kernel reap PID, after a line of standard input.
"""
import ctypes
import sys
import time

PTRACE_SEIZE = 0x4206


def stat(pid):
    """The fields of /proc/PID/stat from the third one on, which is the state"""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


def ticks(pid):
    return sum(map(int, stat(pid)[11:13]))


def measure(holder):
    """
    The ticks that the holder uses while this process uses 30, up to ten times.
    A holder that spins gets a fair share of the processors each time, however
    slow they are. One that has been woken works for a moment.
    """
    for _ in range(10):
        before = ticks(holder)
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        spent = ticks(holder) - before
        yield spent
        if spent < 5:
            return


def main():
    pid, holder = map(int, sys.argv[1:])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(PTRACE_SEIZE, pid, None, None):
        sys.exit(f"ptrace: errno {ctypes.get_errno()}")
    print("traced", flush=True)
    while stat(pid)[0] != "Z":
        time.sleep(0)
    spent = min(measure(holder))
    print("idle" if spent < 5 else f"spins for {spent} ticks", flush=True)
    sys.stdin.readline()


main()
