// SPDX-License-Identifier: MIT

// receiver SOCKET wait|close - takes over the command of spawnfd --autokill
// --pass=SOCKET, and waits until it ends, or ends it. The command lives as long
// as the descriptor is open somewhere.
//
// The garbage collector closes an os.File that nothing refers to: a Close that
// is deferred keeps it.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"syscall"
	"unsafe"
)

const (
	pidfsMagic    = 0x50494446
	pidfdGetInfo  = 0xC040FF0B // _IOWR(0xFF, 11, 64 bytes), see linux/pidfd.h
	pidfdInfoExit = 1 << 3
)

// Not net.ListenUnix, which listens before the mode of the socket can be
// changed: nobody can connect before that.
func listen(path string) (net.Listener, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX,
		syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: path})
	if err == nil {
		err = os.Chmod(path, 0600)
	}
	if err == nil {
		err = syscall.Listen(fd, 1)
	}
	if err != nil {
		return nil, err
	}
	return net.FileListener(file)
}

func acceptOne(path string) (*net.UnixConn, error) {
	listener, err := listen(path)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	defer os.Remove(path)
	return listener.(*net.UnixListener).AcceptUnix()
}

func receive(connection *net.UnixConn) (pidfd int, payload string, err error) {
	data := make([]byte, 4096)
	control := make([]byte, syscall.CmsgLen(4))
	n, oobn, flags, _, err := connection.ReadMsgUnix(data, control)
	if err != nil {
		return -1, "", fmt.Errorf("no command: %w", err)
	}
	if flags&syscall.MSG_CTRUNC != 0 || oobn == 0 {
		return -1, "", errors.New("not exactly one descriptor, or no room for it")
	}
	messages, err := syscall.ParseSocketControlMessage(control[:oobn])
	if err != nil {
		return -1, "", err
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil {
		return -1, "", err
	}
	return fds[0], string(data[:n]), nil
}

func check(pidfd int) error {
	var fs syscall.Statfs_t
	err := syscall.Fstatfs(pidfd, &fs)
	flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(pidfd),
		syscall.F_GETFL, 0)
	// O_TRUNC is the mark of an autokill one.
	if err != nil || fs.Type != pidfsMagic || flags&syscall.O_TRUNC == 0 {
		return errors.New("not an autokill pidfd")
	}
	return nil
}

// Needs O_NONBLOCK for the runtime to poll it.
func pollable(pidfd int) (*os.File, error) {
	if err := syscall.SetNonblock(pidfd, true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(pidfd), "pidfd"), nil
}

// Waits in the poller of the runtime, and keeps no thread. The poller is
// edge-triggered: it wakes this at POLLIN, when the status may not be there
// yet, and once more at POLLHUP.
func waitStatus(pidfd *os.File) (status syscall.WaitStatus, err error) {
	connection, err := pidfd.SyscallConn()
	if err != nil {
		return 0, err
	}
	var refused error
	err = connection.Read(func(fd uintptr) bool {
		status, refused = readStatus(fd)
		return refused != errNoStatus
	})
	if err == nil {
		err = refused
	}
	return status, err
}

var errNoStatus = errors.New("PIDFD_GET_INFO: no exit status")

func readStatus(pidfd uintptr) (syscall.WaitStatus, error) {
	info := struct {
		mask     uint64
		unused   [13]uint32
		exitCode uint32
	}{mask: pidfdInfoExit}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, pidfd,
		pidfdGetInfo, uintptr(unsafe.Pointer(&info)))
	// ESRCH: the process is being reaped at this moment (Linux 7.1).
	if errno != 0 && errno != syscall.ESRCH {
		return 0, errno
	}
	if errno != 0 || info.mask&pidfdInfoExit == 0 {
		return 0, errNoStatus
	}
	return syscall.WaitStatus(info.exitCode), nil
}

func run(path, mode string) error {
	connection, err := acceptOne(path)
	if err != nil {
		return err
	}
	pidfd, payload, err := receive(connection)
	connection.Close()
	if err != nil {
		return err
	}
	file, err := pollable(pidfd)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := check(pidfd); err != nil {
		return err
	}
	fmt.Print(payload)
	if mode == "close" {
		file.Close()
		fmt.Scanln()
		return nil
	}
	status, err := waitStatus(file)
	if err != nil {
		return err
	}
	if status.Exited() {
		fmt.Println("exited", status.ExitStatus())
	} else {
		fmt.Println("killed", int(status.Signal()))
	}
	return nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: receiver SOCKET wait|close")
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}
