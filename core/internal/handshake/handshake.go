// Package handshake says what to do about errors of TLS, for clients.
package handshake

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// Explain says what to do about an error of TLS. Other errors it returns as they are. What
// the other end thinks of our certificate may only be heard after a handshake that looked good.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("the certificate of the server is signed by an authority that is not known here: name the file of that authority (tls_ca): %w", err)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Errorf("the certificate of the server has expired and must be renewed there, or the clock of this computer is wrong: %w", err)
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Errorf("the certificate of the server is for another name, which the address must have: %w", err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("the server does not speak TLS at this port: %w", err)
	}
	if remedy := remedy(err); remedy != "" {
		return fmt.Errorf("%s: %w", remedy, err)
	}
	return err
}

// remedies say what to do about what a server tells by an alert. It is about our certificate,
// as there is no other that a server looks at. What begins like another one comes before it.
var remedies = []struct{ alert, remedy string }{ //nolint:gochecknoglobals // it is not changed
	{"certificate required", "the server wants a certificate of ours: name the files of one that it trusts (tls_cert, tls_key)"},
	{"handshake failure", "the server wants something else of TLS, as one does that wants a certificate of ours: name the files of one that it trusts (tls_cert, tls_key)"},
	{"bad certificate", "the server does not trust our certificate, or wants one: name the files of one that it trusts (tls_cert, tls_key)"},
	{"unknown certificate authority", "our certificate (tls_cert) is signed by an authority that the server does not know"},
	{"unknown certificate", "the server does not accept our certificate: name the files of one that it trusts (tls_cert, tls_key)"},
	{"unsupported certificate", "the server does not accept our certificate: it must be one for clients (tls_cert, tls_key)"},
	{"expired certificate", "our certificate (tls_cert) has expired and must be renewed, or the clock of the server is wrong"},
	{"revoked certificate", "our certificate (tls_cert) was revoked: ask for another one"},
	{"access denied", "the server does not let in who has our certificate (tls_cert)"},
}

// remedy returns what to do about the last word of a server; "" if err is something else. The
// standard library has no type for it, and others hand on no more than its text.
func remedy(err error) string {
	_, said, ok := strings.Cut(err.Error(), "remote error: tls: ")
	if ok {
		for _, r := range remedies {
			if strings.HasPrefix(said, r.alert) {
				return r.remedy
			}
		}
	}
	return ""
}

// Refused reports whether an error of TLS is for somebody to repair: the server is there, and
// the next attempt has no better chance than this one.
func Refused(err error) bool {
	if err == nil {
		return false
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return certificate || plain || remedy(err) != ""
}

// HearOut returns a connection, to speak TLS over, that lets a server finish: what is written
// to one that has gone vanishes without an error, as what is on its way when it goes. So the
// one who reads hears first why the server has gone.
func HearOut(c net.Conn) net.Conn { return hearing{c} }

type hearing struct{ net.Conn }

// Write implements [net.Conn].
func (h hearing) Write(p []byte) (int, error) {
	n, err := h.Conn.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return len(p), nil
	}
	return n, err
}
