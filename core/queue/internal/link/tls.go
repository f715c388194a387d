package link

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// ExplainTLS says what to do about an error of TLS. Other errors it returns as they are.
func ExplainTLS(err error) error {
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
	return err
}

// IsTLS reports whether an error of TLS is for somebody to repair: the server is there, and
// the next attempt has no better chance than this one.
func IsTLS(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	return certificate || plain
}
