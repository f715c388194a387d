//go:build unix

package syslog

import (
	"crypto/tls"
	"net"
	"syscall"
)

// alive reports whether the other end of a stream has not hung up. Without this
// look, the first message after that would vanish: it is written to a connection that
// only the answer to it tells us is gone. Of datagrams nothing can be told.
func alive(c net.Conn) bool {
	t, encrypted := c.(*tls.Conn)
	if encrypted {
		c = t.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok || c.LocalAddr().Network() == "udp" || c.LocalAddr().Network() == "unixgram" {
		return true
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	open := true
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		// What a syslog server says over TLS may be goodbye.
		open = n > 0 && !encrypted || err == syscall.EAGAIN || err == syscall.EINTR
		return true
	})
	return err == nil && open
}
