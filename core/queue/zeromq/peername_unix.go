//go:build unix

package zeromq

import (
	"net"
	"strconv"
	"syscall"
)

// peerName returns the address of the other end of a connection of libzmq.
func peerName(fd int) string {
	sa, err := syscall.Getpeername(fd)
	if err != nil {
		return nobody
	}
	switch a := sa.(type) {
	case *syscall.SockaddrInet4:
		return net.JoinHostPort(net.IP(a.Addr[:]).String(), strconv.Itoa(a.Port))
	case *syscall.SockaddrInet6:
		return net.JoinHostPort(net.IP(a.Addr[:]).String(), strconv.Itoa(a.Port))
	case *syscall.SockaddrUnix: // the clients of a Unix socket have no name
		return processName(fd)
	}
	return nobody
}
