#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""receiver.py SOCKET wait|close

Takes over the command of spawnfd --autokill --pass=SOCKET, and waits until it
ends, or ends it. The command lives as long as the descriptor is open somewhere.
"""
import fcntl
import os
import select
import socket
import struct
import sys

PIDFD_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, 64 bytes), see linux/pidfd.h
PIDFD_INFO_EXIT = 1 << 3


def accept_one(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        # Nobody can connect before listen.
        os.chmod(path, 0o600)
        listener.listen(1)
        connection, _ = listener.accept()
        os.unlink(path)
    return connection


def receive(connection):
    # Not socket.recv_fds: what it receives, every child process inherits.
    payload, control, flags, _ = connection.recvmsg(
        4096, socket.CMSG_LEN(4), socket.MSG_CMSG_CLOEXEC)
    if not payload:
        sys.exit("no command: spawnfd could not start or pass it")
    if flags & socket.MSG_CTRUNC or not control:
        sys.exit("not exactly one descriptor, or no room for it")
    (_, _, data), = control
    return *struct.unpack("i", data), payload.decode()


def check(pidfd):
    # O_TRUNC is the mark of an autokill one.
    if (os.readlink(f"/proc/self/fd/{pidfd}") != "anon_inode:[pidfd]"
            or not fcntl.fcntl(pidfd, fcntl.F_GETFL) & os.O_TRUNC):
        sys.exit("not an autokill pidfd")


def wait_status(pidfd):
    poll = select.poll()
    poll.register(pidfd, 0)  # POLLHUP; at POLLIN the status is not there yet
    poll.poll()
    info = bytearray(struct.pack("=Q56x", PIDFD_INFO_EXIT))
    fcntl.ioctl(pidfd, PIDFD_GET_INFO, info)
    mask, status = struct.unpack("=Q52xi", info)
    if not mask & PIDFD_INFO_EXIT:
        sys.exit("PIDFD_GET_INFO: no exit status")
    return status


def main():
    path, mode = sys.argv[1:]
    with accept_one(path) as connection:
        pidfd, payload = receive(connection)
    check(pidfd)
    print(payload, end="", flush=True)
    if mode == "close":
        os.close(pidfd)
        sys.stdin.readline()
        return
    status = wait_status(pidfd)
    if os.WIFEXITED(status):
        print("exited", os.WEXITSTATUS(status))
    else:
        print("killed", os.WTERMSIG(status))


main()
