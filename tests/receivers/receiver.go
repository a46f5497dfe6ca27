// SPDX-License-Identifier: MIT

// receiver SOCKET wait|close - takes over the command of spawnfd --autokill
// --pass=SOCKET, and waits until it ends, or ends it. The command lives as long
// as the descriptor is open somewhere.
//
// The descriptor stays an int: the garbage collector would close an os.File.
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
	pollHup       = 0x10
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

// Waits for POLLHUP; at POLLIN the status is not there yet.
func waitStatus(pidfd int) (syscall.WaitStatus, error) {
	over := struct {
		fd              int32
		events, revents int16
	}{fd: int32(pidfd)}
	for over.revents&pollHup == 0 {
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL,
			uintptr(unsafe.Pointer(&over)), 1, 0, 0, 0, 0)
		// The runtime interrupts its own threads.
		if errno != 0 && errno != syscall.EINTR {
			return 0, errno
		}
	}
	info := struct {
		mask     uint64
		unused   [13]uint32
		exitCode uint32
	}{mask: pidfdInfoExit}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(pidfd),
		pidfdGetInfo, uintptr(unsafe.Pointer(&info)))
	if errno != 0 {
		return 0, errno
	}
	if info.mask&pidfdInfoExit == 0 {
		return 0, errors.New("PIDFD_GET_INFO: no exit status")
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
	if err := check(pidfd); err != nil {
		return err
	}
	fmt.Print(payload)
	if mode == "close" {
		syscall.Close(pidfd)
		fmt.Scanln()
		return nil
	}
	status, err := waitStatus(pidfd)
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
