package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// server is one of [Options].Servers.
type server struct {
	host     string
	port     int
	security Security
}

func (s server) String() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

func parseServers(o Options) ([]server, error) {
	security := o.Security
	if security == SecurityDefault {
		security = SecurityNone
		if o.Username != "" {
			security = SecuritySTARTTLS
		}
	}
	port := map[Security]int{SecurityNone: 25, SecuritySTARTTLS: 587, SecurityTLS: 465}[security]
	if port == 0 {
		return nil, fmt.Errorf("mail: security %q: want none, starttls or tls", security)
	}
	list := o.Servers
	if len(list) == 0 {
		list = []string{"localhost"}
	}
	out := make([]server, 0, len(list))
	for _, s := range list {
		srv := server{host: s, port: port, security: security}
		if host, p, err := net.SplitHostPort(s); err == nil {
			n, err := strconv.Atoi(p)
			if err != nil || n < 1 || n > 65535 {
				return nil, fmt.Errorf("mail: server %q: the port is not one", s)
			}
			srv.host, srv.port = host, n
		}
		srv.host = strings.Trim(srv.host, "[]") // an IPv6 address without a port
		if srv.host == "" {
			return nil, fmt.Errorf("mail: server %q has no host", s)
		}
		out = append(out, srv)
	}
	return out, nil
}

// send sends a mail through the first server that takes it.
func (h *Handler) send(ctx context.Context, to []*netmail.Address, text *mailText) error {
	m := h.message(to, text)
	var errs []error
	for _, s := range h.servers {
		err := h.sendThrough(ctx, s, m)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("send mail through %s: %w", s, err))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (h *Handler) message(to []*netmail.Address, text *mailText) *mail.Msg {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(h.from)
	m.ToMailAddress(to...)
	m.SetDate()
	m.SetMessageID()
	m.SetGenHeader("Auto-Submitted", "auto-generated") // so that nobody's holiday message answers
	for _, header := range text.headers {
		if header.name == "Subject" {
			m.Subject(header.value)
			continue
		}
		m.SetGenHeader(mail.Header(header.name), header.value)
	}
	m.SetBodyString(mail.TypeTextPlain, string(text.body))
	return m
}

func (h *Handler) sendThrough(ctx context.Context, s server, m *mail.Msg) error {
	ctx, cancel := context.WithTimeoutCause(ctx, h.o.Timeout, fmt.Errorf("gave up after %v", h.o.Timeout))
	defer cancel()
	hangUp := func() {}
	dial := func(_ context.Context, network, address string) (net.Conn, error) {
		c, err := h.dial(ctx, s, network, address)
		if err != nil {
			return nil, err
		}
		// The client looks at ctx only while it connects. Closing ends what it
		// waits for.
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		hangUp = func() {
			stop()
			_ = c.Close() // closed already, unless the client could not log in
		}
		return c, nil
	}
	client, err := mail.NewClient(s.host, h.clientOptions(s, dial)...)
	if err != nil {
		return err
	}
	smtp, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		err = client.SendWithSMTPClient(smtp, m)
		_ = client.CloseWithSMTPClient(smtp) // the mail is sent or not; how we part does not matter
	}
	hangUp()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (h *Handler) dial(ctx context.Context, s server, network, address string) (net.Conn, error) {
	if s.security == SecurityTLS {
		d := tls.Dialer{Config: h.tls(s)}
		return d.DialContext(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (h *Handler) tls(s server) *tls.Config {
	c := h.o.TLS.Clone()
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.ServerName == "" {
		c.ServerName = s.host
	}
	return c
}

func (h *Handler) clientOptions(s server, dial mail.DialContextFunc) []mail.Option {
	options := []mail.Option{
		mail.WithPort(s.port), mail.WithTimeout(h.o.Timeout), mail.WithDialContextFunc(dial),
		mail.WithTLSConfig(h.tls(s)), mail.WithTLSPolicy(policy(s.security)), mail.WithoutNoop(),
	}
	if h.o.Hello != "" {
		options = append(options, mail.WithHELO(h.o.Hello))
	}
	if h.o.Username != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(h.o.Username), mail.WithPassword(h.o.Password))
	}
	return options
}

// policy returns what to do once connected. With SecurityTLS the connection is
// encrypted already, which the client finds out under this policy.
func policy(s Security) mail.TLSPolicy {
	switch s {
	case SecuritySTARTTLS:
		return mail.TLSMandatory
	case SecurityTLS:
		return mail.TLSOpportunistic
	case SecurityNone, SecurityDefault:
	}
	return mail.NoTLS
}
