// Package listen opens sockets that records come in by: on this computer alone
// unless it is said otherwise, and with errors that tell what to do.
package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// Options say who may reach a socket.
type Options struct {
	// Public allows addresses that other computers can reach.
	Public bool
	// Mode is the mode of a Unix socket; 0 means 0600, the owner alone.
	Mode fs.FileMode
}

// Stream listens on network "tcp" or "unix".
func Stream(ctx context.Context, network, address string, o Options) (net.Listener, error) {
	if err := prepare(ctx, network, address, o); err != nil {
		return nil, fmt.Errorf("listen on %s %s: %w", network, address, err)
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, network, address)
	if err != nil {
		return nil, explain(network, address, err)
	}
	if err := protect(network, address, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Packet listens on network "udp" or "unixgram". The file of a unixgram
// socket is the caller's to remove.
func Packet(ctx context.Context, network, address string, o Options) (net.PacketConn, error) {
	if err := prepare(ctx, network, address, o); err != nil {
		return nil, fmt.Errorf("listen on %s %s: %w", network, address, err)
	}
	var c net.ListenConfig
	p, err := c.ListenPacket(ctx, network, address)
	if err != nil {
		return nil, explain(network, address, err)
	}
	if err := protect(network, address, o); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func isUnix(network string) bool { return strings.HasPrefix(network, "unix") }

// isFile reports whether a Unix socket has a file; it has none in the abstract
// namespace of Linux.
func isFile(network, address string) bool {
	return isUnix(network) && !strings.HasPrefix(address, "@")
}

// errPublic is returned for addresses that others can reach.
var errPublic = errors.New("other computers can reach this address: set up TLS or allow plain text, or use 127.0.0.1")

// prepare checks who could reach the address, and removes the socket of a program
// that has died.
func prepare(ctx context.Context, network, address string, o Options) error {
	if !isUnix(network) {
		if !o.Public && !loopback(ctx, address) {
			return errPublic
		}
		return nil
	}
	if !isFile(network, address) {
		return nil
	}
	info, err := os.Lstat(address)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to remove
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return errors.New("a file that is no socket is in the way")
	}
	if inUse(ctx, network, address) {
		return fmt.Errorf("%w; find the program with: ss -lxp src %s", syscall.EADDRINUSE, address)
	}
	return os.Remove(address)
}

func inUse(ctx context.Context, network, address string) bool {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return errors.Is(err, os.ErrPermission) // somebody else's: not ours to judge
	}
	_ = c.Close()
	return true
}

func loopback(ctx context.Context, address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // listening says what is wrong
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	if host == "" {
		return false
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return true // as above
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() {
			return false
		}
	}
	return true
}

// protect sets the mode of a Unix socket.
func protect(network, address string, o Options) error {
	if !isFile(network, address) {
		return nil
	}
	mode := o.Mode
	if mode == 0 {
		mode = 0o600
	}
	if err := os.Chmod(address, mode); err != nil {
		return fmt.Errorf("listen on %s %s: %w", network, address, err)
	}
	return nil
}

// explain adds to an error of listening what the user can do about it.
func explain(network, address string, err error) error {
	cause := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		cause = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](cause); ok {
		cause = call.Err
	}
	hint := ""
	_, port, _ := net.SplitHostPort(address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && !isUnix(network):
		hint = fmt.Sprintf("; find the program with: ss -ln%sp 'sport = :%s'", network[:1], port)
	case errors.Is(err, syscall.EACCES) && !isUnix(network):
		hint = "; ports below 1024 are for the administrator"
	case errors.Is(err, syscall.ENOENT):
		hint = "; the directory must exist"
	case isUnix(network) && errors.Is(err, syscall.EINVAL):
		hint = "; the path of a socket has 107 bytes at most"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = "; this computer has no such address"
	}
	return fmt.Errorf("listen on %s %s: %w%s", network, address, cause, hint)
}
