package zeromq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
)

// address is a URI of ZeroMQ, taken apart.
type address struct {
	uri       string // as it was given
	transport string // tcp, ipc or inproc
	host      string // of tcp; an IPv6 address without its brackets
	port      string // of tcp
	path      string // of ipc and inproc
}

// parseAddress checks what libzmq would call "invalid argument".
func parseAddress(uri string, bind bool) (address, error) {
	a := address{uri: uri}
	var rest string
	var ok bool
	if a.transport, rest, ok = strings.Cut(uri, "://"); !ok {
		return a, fmt.Errorf("wrong address %q: it needs a transport in front, such as tcp://%s", uri, uri)
	}
	switch a.transport {
	case "tcp":
		return a, a.parseTCP(rest, bind)
	case "ipc", "inproc":
		if rest == "" {
			return a, fmt.Errorf("wrong address %q: nothing follows %s://", uri, a.transport)
		}
		a.path = rest
		return a, nil
	}
	return a, fmt.Errorf("wrong address %q: unknown transport %q (one of tcp, ipc, inproc)", uri, a.transport)
}

func (a *address) parseTCP(rest string, bind bool) error {
	var err error
	if a.host, a.port, err = net.SplitHostPort(rest); err != nil {
		return fmt.Errorf("wrong address %q: want tcp://HOST:PORT", a.uri)
	}
	if bind && a.port == "*" {
		a.port = "0"
	}
	n, err := strconv.ParseUint(a.port, 10, 16)
	switch {
	case err != nil || n == 0 && !bind:
		return fmt.Errorf("wrong address %q: the port must be a number from 1 to 65535", a.uri)
	case a.host == "":
		return fmt.Errorf("wrong address %q: no host; use 127.0.0.1 for this computer alone", a.uri)
	case a.host == "*" && !bind:
		return fmt.Errorf("wrong address %q: * is for the side that listens", a.uri)
	}
	return nil
}

// endpoint returns the URI as libzmq wants it.
func (a address) endpoint() string {
	if a.transport != "tcp" {
		return a.uri
	}
	return "tcp://" + net.JoinHostPort(a.host, a.port)
}

// loopback reports whether only this computer can reach the address.
func (a address) loopback() bool {
	if a.transport != "tcp" {
		return true
	}
	ip, err := netip.ParseAddr(a.host)
	return err == nil && ip.IsLoopback()
}

// isFile reports whether the address is a Unix socket in the file system.
func (a address) isFile() bool {
	return a.transport == "ipc" && !strings.HasPrefix(a.path, "@") && a.path != "*"
}

// family allows IPv6 on s unless a is an IPv4 address, which would be shown
// as ::ffff:127.0.0.1 otherwise. It counts for the next bind or connect.
func (a address) family(s *zmq.Socket) error {
	ip, err := netip.ParseAddr(a.host)
	if err := s.SetIpv6(a.transport == "tcp" && (err != nil || !ip.Is4())); err != nil {
		return fmt.Errorf("set ipv6: %w", err)
	}
	return nil
}

// lookupTimeout bounds how long a name may take to be resolved when binding.
const lookupTimeout = 5 * time.Second

// resolve replaces a host name, which libzmq does not accept for binding, by its
// address.
func (a address) resolve() (address, error) {
	if a.transport != "tcp" || a.host == "*" || isIP(a.host) {
		return a, nil
	}
	if _, err := net.InterfaceByName(a.host); err == nil {
		return a, nil // libzmq knows network interfaces by name
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", a.host)
	if err != nil {
		return a, fmt.Errorf("host %q cannot be resolved: %w", a.host, shortDNS(err))
	}
	best := ips[0].Unmap()
	for _, ip := range ips {
		if ip.Unmap().Is4() { // what clients try that know nothing of IPv6
			best = ip.Unmap()
			break
		}
	}
	a.host = best.String()
	return a, nil
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// shortDNS returns the reason without the name of the server that was asked.
func shortDNS(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New(dns.Err)
	}
	return err
}

// bind binds s to a.
func (a address) bind(s *zmq.Socket, allowPlain bool) error {
	resolved, err := a.resolve()
	if err != nil {
		return fmt.Errorf("listen on %s: %w", a.uri, err)
	}
	if !resolved.loopback() && !allowPlain {
		return fmt.Errorf("listen on %s: other computers can reach this address: set curve keys, or use 127.0.0.1", a.uri)
	}
	if a.isFile() { // libzmq would remove whatever is there
		release, err := listen.Claim(context.Background(), "unix", a.path)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", a.uri, err)
		}
		defer release()
	}
	if err := resolved.family(s); err != nil {
		return err
	}
	if err := s.Bind(resolved.endpoint()); err != nil {
		return a.explain(err)
	}
	return nil
}

// explain adds to an error of binding what the user can do about it.
func (a address) explain(err error) error {
	hint := ""
	switch {
	case is(err, zmq.EADDRINUSE) && a.transport == "tcp":
		hint = fmt.Sprintf("; find the program with: ss -ltnp 'sport = :%s'", a.port)
	case is(err, zmq.EADDRINUSE) && a.transport == "inproc":
		hint = "; another socket of this program has that name"
	case is(err, zmq.EADDRNOTAVAIL), is(err, zmq.Errno(syscall.ENODEV)):
		return fmt.Errorf("listen on %s: this computer has no address %s", a.uri, a.host)
	case is(err, zmq.Errno(syscall.EACCES)) && a.transport == "tcp":
		hint = "; ports below 1024 are for the administrator"
	case is(err, zmq.Errno(syscall.ENOENT)) && a.transport == "ipc":
		hint = "; the directory must exist"
	case is(err, zmq.Errno(syscall.ENAMETOOLONG)):
		hint = "; the path of a socket has 107 bytes at most"
	}
	return fmt.Errorf("listen on %s: %w%s", a.uri, err, hint)
}

func is(err error, errno zmq.Errno) bool {
	var e zmq.Errno
	return errors.As(err, &e) && e == errno
}
