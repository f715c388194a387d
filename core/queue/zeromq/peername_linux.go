package zeromq

import (
	"strconv"
	"syscall"
)

// processName tells which process is at the other end of a Unix socket.
func processName(fd int) string {
	cred, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil || cred.Pid == 0 { // of another namespace
		return "unix"
	}
	return "process " + strconv.Itoa(int(cred.Pid))
}
