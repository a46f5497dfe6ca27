#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""receiver_asyncio.py SOCKET wait|close

Does what receiver.py does, in the event loop of asyncio: nothing blocks the
loop, and the loop does not spin while the command has ended but is not reaped.
"""
import asyncio
import fcntl
import os
import select
import socket
import struct
import sys

PIDFD_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, 64 bytes), see linux/pidfd.h
PIDFD_INFO_EXIT = 1 << 3


async def readable(fd):
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(fd)


async def accept_one(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.setblocking(False)
        listener.bind(path)
        # Nobody can connect before listen.
        os.chmod(path, 0o600)
        listener.listen(1)
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(listener)
        os.unlink(path)
    return connection


async def receive(connection):
    # Not asyncio.start_unix_server and not loop.sock_recv: they read with
    # recv(2), which drops the descriptor, and so kills the command.
    await readable(connection)
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


async def wait_status(pidfd):
    # The loop asks for POLLIN, which comes before the status and stays set. An
    # epoll of its own with events 0 waits for POLLHUP, and is readable then.
    with select.epoll() as reaped:
        reaped.register(pidfd, 0)
        await readable(reaped)
    info = bytearray(struct.pack("=Q56x", PIDFD_INFO_EXIT))
    fcntl.ioctl(pidfd, PIDFD_GET_INFO, info)
    mask, status = struct.unpack("=Q52xi", info)
    if not mask & PIDFD_INFO_EXIT:
        sys.exit("PIDFD_GET_INFO: no exit status")
    return status


async def main():
    path, mode = sys.argv[1:]
    with await accept_one(path) as connection:
        pidfd, payload = await receive(connection)
    check(pidfd)
    print(payload, end="", flush=True)
    if mode == "close":
        os.close(pidfd)
        await asyncio.to_thread(sys.stdin.readline)
        return
    status = await wait_status(pidfd)
    if os.WIFEXITED(status):
        print("exited", os.WEXITSTATUS(status))
    else:
        print("killed", os.WTERMSIG(status))


asyncio.run(main())
