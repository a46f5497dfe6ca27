// SPDX-License-Identifier: MIT

//! receiver_tokio SOCKET wait|close - does what receiver.rs does, in the event
//! loop of tokio: nothing blocks a thread, and the loop does not spin while the
//! command has ended but is not reaped. The command lives as long as the
//! OwnedFd, or a clone of it.

use std::io::{self, Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::{env, fs, mem, ptr};
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};

const PIDFS_MAGIC: i64 = 0x5049_4446;
const PIDFD_GET_INFO: u64 = 0xC040_FF0B; // _IOWR(0xFF, 11, 64 bytes)
const PIDFD_INFO_EXIT: u64 = 1 << 3;

/// A cmsghdr of SCM_RIGHTS, with room for one descriptor
#[repr(C)]
struct Rights {
    header: libc::cmsghdr,
    fd: libc::c_int,
}

/// The start of linux/pidfd.h's struct pidfd_info
#[repr(C)]
struct PidfdInfo {
    mask: u64,
    unused: [u32; 13],
    exit_code: i32,
}

fn fail<T>(why: &str) -> Result<T> {
    Err(Error::new(ErrorKind::Other, why))
}

fn check_call(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 {
        return Err(Error::last_os_error());
    }
    Ok(result)
}

/// Not UnixListener::bind, which listens before the mode of the socket can be
/// changed: nobody can connect before that.
fn listen_privately(path: &str) -> Result<UnixListener> {
    let mut address: libc::sockaddr_un = unsafe { mem::zeroed() };
    address.sun_family = libc::AF_UNIX as u16;
    if path.len() >= address.sun_path.len() {
        return fail("the path of the socket is too long");
    }
    for (to, from) in address.sun_path.iter_mut().zip(path.bytes()) {
        *to = from as libc::c_char;
    }
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let fd = check_call(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })?;
    let listener = unsafe { std::os::unix::net::UnixListener::from_raw_fd(fd) };
    let size = mem::size_of_val(&address) as u32;
    let address: *const libc::sockaddr_un = &address;
    check_call(unsafe { libc::bind(fd, address.cast(), size) })?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    check_call(unsafe { libc::listen(fd, 1) })?;
    UnixListener::from_std(listener)
}

async fn accept_one(path: &str) -> Result<UnixStream> {
    let listener = listen_privately(path)?;
    let (connection, _) = listener.accept().await?;
    fs::remove_file(path)?;
    Ok(connection)
}

/// Not AsyncRead, which reads with recv(2): that drops the descriptor, and so
/// kills the command.
async fn receive(connection: UnixStream) -> Result<(OwnedFd, Vec<u8>)> {
    loop {
        connection.readable().await?;
        match connection.try_io(Interest::READABLE, || receive_now(&connection)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            result => return result,
        }
    }
}

fn receive_now(connection: &UnixStream) -> Result<(OwnedFd, Vec<u8>)> {
    let mut payload = vec![0; 4096];
    let mut part = libc::iovec {
        iov_base: payload.as_mut_ptr().cast(),
        iov_len: payload.len(),
    };
    let mut rights: Rights = unsafe { mem::zeroed() };
    let rights_pointer: *mut Rights = &mut rights;
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_name = ptr::null_mut();
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = rights_pointer.cast();
    // CMSG_LEN: the size with its padding would have room for another
    message.msg_controllen = unsafe { libc::CMSG_LEN(4) } as _;
    let fd = connection.as_raw_fd();
    let length = unsafe { libc::recvmsg(fd, &mut message, libc::MSG_CMSG_CLOEXEC) };
    if length < 0 {
        return Err(Error::last_os_error());
    }
    if length == 0 {
        return fail("no command: spawnfd could not start or pass it");
    }
    if message.msg_flags & libc::MSG_CTRUNC != 0 || message.msg_controllen == 0 {
        return fail("not exactly one descriptor, or no room for it");
    }
    payload.truncate(length as usize);
    Ok((unsafe { OwnedFd::from_raw_fd(rights.fd) }, payload))
}

fn check(pidfd: &OwnedFd) -> Result<()> {
    let fd = pidfd.as_raw_fd();
    let mut statfs: libc::statfs = unsafe { mem::zeroed() };
    let failed = unsafe { libc::fstatfs(fd, &mut statfs) };
    // O_TRUNC is the mark of an autokill one
    let marked = unsafe { libc::fcntl(fd, libc::F_GETFL) } & libc::O_TRUNC != 0;
    if failed != 0 || statfs.f_type as i64 != PIDFS_MAGIC || !marked {
        return fail("not an autokill pidfd");
    }
    Ok(())
}

/// The loop of tokio is edge-triggered: it wakes this at POLLIN, when the status
/// may not be there yet, and once more at POLLHUP.
async fn wait(pidfd: OwnedFd) -> Result<ExitStatus> {
    let pidfd = AsyncFd::with_interest(pidfd, Interest::READABLE)?;
    loop {
        let mut ready = pidfd.readable().await?;
        if let Some(status) = read_status(pidfd.get_ref())? {
            return Ok(status);
        }
        ready.clear_ready();
    }
}

fn read_status(pidfd: &OwnedFd) -> Result<Option<ExitStatus>> {
    let mut info = PidfdInfo {
        mask: PIDFD_INFO_EXIT,
        unused: [0; 13],
        exit_code: 0,
    };
    let result = unsafe { libc::ioctl(pidfd.as_raw_fd(), PIDFD_GET_INFO as _, &mut info) };
    match check_call(result) {
        // The process is being reaped at this moment (Linux 7.1).
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
        Ok(_) if info.mask & PIDFD_INFO_EXIT == 0 => Ok(None),
        Ok(_) => Ok(Some(ExitStatus::from_raw(info.exit_code))),
    }
}

async fn run(path: &str, mode: &str) -> Result<()> {
    let (pidfd, payload) = receive(accept_one(path).await?).await?;
    check(&pidfd)?;
    io::stdout().write_all(&payload)?;
    io::stdout().flush()?;
    if mode == "close" {
        drop(pidfd);
        let read = || io::stdin().read_exact(&mut [0]);
        return tokio::task::spawn_blocking(read).await?;
    }
    let status = wait(pidfd).await?;
    match status.signal() {
        Some(signal) => println!("killed {signal}"),
        None => println!("exited {}", status.code().unwrap()),
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(run(&arguments[1], &arguments[2]))
}
