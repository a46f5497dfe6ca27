// SPDX-License-Identifier: MIT

//! receiver SOCKET wait|close - takes over the command of spawnfd --autokill
//! --pass=SOCKET, and waits until it ends, or ends it. The command lives as
//! long as the OwnedFd, or a clone of it.
//!
//! With the libc crate the declarations below, which are for 64 bits, go away.

use std::io::{Error, Read, Result, Write};
use std::os::raw::{c_int, c_uint, c_ulong, c_void};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::{env, fs, io, mem, ptr};

const AF_UNIX: c_int = 1;
const SOCK_STREAM: c_int = 1;
const SOCK_CLOEXEC: c_int = 0o2000000;
const MSG_CTRUNC: c_int = 0x8;
const MSG_CMSG_CLOEXEC: c_int = 0x4000_0000;
const F_GETFL: c_int = 3;
const O_TRUNC: c_int = 0o1000;
const PIDFS_MAGIC: u64 = 0x5049_4446;
const PIDFD_GET_INFO: c_ulong = 0xC040_FF0B; // _IOWR(0xFF, 11, 64 bytes)
const PIDFD_INFO_EXIT: u64 = 1 << 3;

#[repr(C)]
struct IoVec {
    base: *mut c_void,
    length: usize,
}

#[repr(C)]
struct MsgHdr {
    name: *mut c_void,
    name_length: c_uint,
    parts: *mut IoVec,
    part_count: usize,
    control: *mut Rights,
    control_length: usize,
    flags: c_int,
}

/// A cmsghdr of SCM_RIGHTS, with room for one descriptor
#[repr(C)]
#[derive(Default)]
struct Rights {
    length: usize,
    level: c_int,
    kind: c_int,
    fd: c_int,
}

#[repr(C)]
struct SockaddrUn {
    family: u16,
    path: [u8; 108],
}

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: i16,
    revents: i16,
}

/// The start of linux/pidfd.h's struct pidfd_info
#[repr(C)]
struct PidfdInfo {
    mask: u64,
    unused: [u32; 13],
    exit_code: i32,
}

extern "C" {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn bind(socket: c_int, address: *const SockaddrUn, length: c_uint) -> c_int;
    fn listen(socket: c_int, backlog: c_int) -> c_int;
    fn recvmsg(socket: c_int, message: *mut MsgHdr, flags: c_int) -> isize;
    fn fstatfs(fd: c_int, statfs: *mut [u64; 15]) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout: c_int) -> c_int;
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
}

fn fail<T>(why: &str) -> Result<T> {
    Err(Error::new(io::ErrorKind::Other, why))
}

fn check_call(result: c_int) -> Result<c_int> {
    if result < 0 {
        return Err(Error::last_os_error());
    }
    Ok(result)
}

/// Not UnixListener::bind, which listens before the mode of the socket can be
/// changed: nobody can connect before that.
fn listen_privately(path: &str) -> Result<UnixListener> {
    let mut address = SockaddrUn {
        family: AF_UNIX as u16,
        path: [0; 108],
    };
    if path.len() >= address.path.len() {
        return fail("the path of the socket is too long");
    }
    address.path[..path.len()].copy_from_slice(path.as_bytes());
    let fd = check_call(unsafe { socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) })?;
    let listener = unsafe { UnixListener::from_raw_fd(fd) };
    check_call(unsafe { bind(fd, &address, mem::size_of::<SockaddrUn>() as c_uint) })?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    check_call(unsafe { listen(fd, 1) })?;
    Ok(listener)
}

fn accept_one(path: &str) -> Result<UnixStream> {
    let listener = listen_privately(path)?;
    let (connection, _) = listener.accept()?;
    fs::remove_file(path)?;
    Ok(connection)
}

fn receive(connection: UnixStream) -> Result<(OwnedFd, Vec<u8>)> {
    let mut payload = vec![0; 4096];
    let mut part = IoVec {
        base: payload.as_mut_ptr().cast(),
        length: payload.len(),
    };
    let mut rights = Rights::default();
    let mut message = MsgHdr {
        name: ptr::null_mut(),
        name_length: 0,
        parts: &mut part,
        part_count: 1,
        control: &mut rights,
        // CMSG_LEN: the size with its padding would have room for another
        control_length: mem::size_of::<usize>() + 3 * mem::size_of::<c_int>(),
        flags: 0,
    };
    let length = unsafe { recvmsg(connection.as_raw_fd(), &mut message, MSG_CMSG_CLOEXEC) };
    if length < 0 {
        return Err(Error::last_os_error());
    }
    if length == 0 {
        return fail("no command: spawnfd could not start or pass it");
    }
    if message.flags & MSG_CTRUNC != 0 || message.control_length == 0 {
        return fail("not exactly one descriptor, or no room for it");
    }
    payload.truncate(length as usize);
    Ok((unsafe { OwnedFd::from_raw_fd(rights.fd) }, payload))
}

fn check(pidfd: &OwnedFd) -> Result<()> {
    let fd = pidfd.as_raw_fd();
    let mut statfs = [0; 15]; // f_type comes first
    let failed = unsafe { fstatfs(fd, &mut statfs) };
    // O_TRUNC is the mark of an autokill one
    let marked = unsafe { fcntl(fd, F_GETFL) } & O_TRUNC != 0;
    if failed != 0 || statfs[0] != PIDFS_MAGIC || !marked {
        return fail("not an autokill pidfd");
    }
    Ok(())
}

/// Waits for POLLHUP; at POLLIN the status is not there yet.
fn wait(pidfd: &OwnedFd) -> Result<ExitStatus> {
    let fd = pidfd.as_raw_fd();
    let mut over = PollFd {
        fd,
        events: 0,
        revents: 0,
    };
    while unsafe { poll(&mut over, 1, -1) } < 1 {}
    let mut info = PidfdInfo {
        mask: PIDFD_INFO_EXIT,
        unused: [0; 13],
        exit_code: 0,
    };
    if unsafe { ioctl(fd, PIDFD_GET_INFO, &mut info) } < 0 {
        return Err(Error::last_os_error());
    }
    if info.mask & PIDFD_INFO_EXIT == 0 {
        return fail("PIDFD_GET_INFO: no exit status");
    }
    Ok(ExitStatus::from_raw(info.exit_code))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let (pidfd, payload) = receive(accept_one(&arguments[1])?)?;
    check(&pidfd)?;
    io::stdout().write_all(&payload)?;
    if arguments[2] == "close" {
        drop(pidfd);
        return io::stdin().read_exact(&mut [0]);
    }
    let status = wait(&pidfd)?;
    match status.signal() {
        Some(signal) => println!("killed {signal}"),
        None => println!("exited {}", status.code().unwrap()),
    }
    Ok(())
}
