// Package listen opens sockets that records come in by: on this computer alone
// unless it is said otherwise, and with errors that tell what to do.
package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
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
	return open(ctx, network, address, o, (*net.ListenConfig).Listen)
}

// Packet listens on network "udp" or "unixgram". The file of a unixgram
// socket is the caller's to remove.
func Packet(ctx context.Context, network, address string, o Options) (net.PacketConn, error) {
	return open(ctx, network, address, o, (*net.ListenConfig).ListenPacket)
}

// Claim makes the path of a Unix socket of type network free for one that a library binds, which
// would take it away from whoever is there: that of a program that has died is removed, and
// anything else is an error. Until release is called, no other program that listens by means of
// this package looks at the directory.
func Claim(ctx context.Context, network, path string) (release func(), err error) {
	release, err = lockDir(ctx, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, network, path, Options{}); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// open listens by means of bind.
func open[S io.Closer](
	ctx context.Context, network, address string, o Options, bind func(*net.ListenConfig, context.Context, string, string) (S, error),
) (none S, err error) {
	fail := func(err error) error { return fmt.Errorf("listen on %s %s: %w", network, address, err) }
	var c net.ListenConfig
	if isFile(network, address) {
		if o.Mode == 0 {
			o.Mode = 0o600
		}
		c.Control = withMode(o.Mode)
		unlock, err := lockDir(ctx, filepath.Dir(address))
		if err != nil {
			return none, fail(err)
		}
		defer unlock()
	}
	if err := prepare(ctx, network, address, o); err != nil {
		return none, fail(err)
	}
	s, err := bind(&c, ctx, network, address)
	if err != nil {
		return none, explain(network, address, err)
	}
	if isFile(network, address) {
		if err := os.Chmod(address, o.Mode); err != nil {
			return none, errors.Join(fail(err), s.Close())
		}
	}
	return s, nil
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
	if err := abandoned(ctx, network, address); err != nil {
		return err
	}
	if err := os.Remove(address); err != nil {
		return fmt.Errorf("remove the socket of a program that has died: %w", cause(err))
	}
	return nil
}

// abandoned returns nil for a socket behind which there is no program any more, and that
// is one that refuses connections. A socket that somebody listens on has other
// errors too, such as when too many wait to be accepted.
func abandoned(ctx context.Context, network, address string) error {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, network, address)
	switch {
	case err == nil:
		_ = c.Close()
	case errors.Is(err, refused), errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; the socket that is there belongs to somebody else", cause(err))
	}
	return fmt.Errorf("%w; find the program with: ss -lxp src %s", syscall.EADDRINUSE, address)
}

// cause returns what the system says, without the function and the address.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return err
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

// explain adds to an error of listening what the user can do about it.
func explain(network, address string, err error) error {
	hint := ""
	_, port, _ := net.SplitHostPort(address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && !isUnix(network):
		hint = fmt.Sprintf("; find the program with: ss -ln%sp 'sport = :%s'", network[:1], port)
	case errors.Is(err, syscall.EACCES) && !isUnix(network):
		hint = "; ports below 1024 are for the administrator"
	case errors.Is(err, fs.ErrPermission) && isUnix(network):
		hint = "; the directory must be one that you can write to"
	case errors.Is(err, syscall.ENOENT):
		hint = "; the directory must exist"
	case isUnix(network) && errors.Is(err, syscall.EINVAL):
		hint = "; the path of a socket has 107 bytes at most"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = "; this computer has no such address"
	}
	return fmt.Errorf("listen on %s %s: %w%s", network, address, cause(err), hint)
}
