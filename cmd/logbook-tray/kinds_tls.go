package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/logbook-tray/logbook-tray/core/config"
)

// certified are the options of who shows a certificate.
type certified struct {
	TLSCert string `yaml:"tls_cert,path"`
	TLSKey  string `yaml:"tls_key,path"`
}

// keyPair reads the certificate; nil if none is given.
func (o *certified) keyPair() (*keyPair, error) {
	switch {
	case o.TLSCert == "" && o.TLSKey == "":
		return nil, nil //nolint:nilnil // none
	case o.TLSCert == "":
		return nil, config.At("tls_key", "needs tls_cert, the file of its certificate")
	case o.TLSKey == "":
		return nil, config.At("tls_cert", "needs tls_key, the file of its key")
	}
	p := &keyPair{certified: *o}
	return p, p.read()
}

// keyPair is a certificate with its key. It is read again when a file has changed, so that
// one that was renewed is shown from the next connection on.
type keyPair struct {
	certified

	mu    sync.Mutex
	files [2]os.FileInfo // as they were read
	pair  *tls.Certificate
}

// read reads the files.
func (p *keyPair) read() error {
	files := p.look()
	cert, err := os.ReadFile(p.TLSCert)
	if err != nil {
		return config.At("tls_cert", "%w", err)
	}
	key, err := os.ReadFile(p.TLSKey)
	if err != nil {
		return config.At("tls_key", "%w", err)
	}
	if strings.Contains(string(key), "ENCRYPTED") {
		return config.At("tls_key", "has a passphrase, which nobody is here to give: write it without one, for your eyes alone (openssl pkey -in FILE -out FILE)")
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return config.At("tls_cert", "%w", err)
	}
	p.files, p.pair = files, &pair
	return nil
}

// look returns what the files look like; nil for one that is not there.
func (p *keyPair) look() (files [2]os.FileInfo) {
	for i, name := range []string{p.TLSCert, p.TLSKey} {
		if info, err := os.Stat(name); err == nil {
			files[i] = info
		}
	}
	return files
}

// newest returns the certificate as it is in the files now. While they cannot be read, as
// when somebody is just writing them, it is the one from before.
func (p *keyPair) newest() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, now := range p.look() {
		was := p.files[i]
		if now != nil && (was == nil || !os.SameFile(was, now) || !was.ModTime().Equal(now.ModTime()) || was.Size() != now.Size()) {
			_ = p.read() // the one from before will do
			break
		}
	}
	return p.pair
}

// serverTLS are the options of sources that can be reached from elsewhere.
type serverTLS struct{ certified }

// config returns the settings; nil if no certificate is given.
func (o *serverTLS) config(clientCA string) (*tls.Config, error) {
	pair, err := o.keyPair()
	switch {
	case err != nil:
		return nil, err
	case pair == nil && clientCA == "":
		return nil, nil //nolint:nilnil // plain text
	case pair == nil:
		return nil, errors.New("TLS needs tls_cert, the file of the certificate")
	}
	t := &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.newest(), nil },
		MinVersion:     tls.VersionTLS12,
	}
	if clientCA != "" {
		if t.ClientCAs, err = certificates("tls_client_ca", clientCA); err != nil {
			return nil, err
		}
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return t, nil
}

// clientTLS are the options of who speaks TLS to a server.
type clientTLS struct {
	certified

	TLSCA string `yaml:"tls_ca,path"`
}

// config returns the settings; nil if the certificates of the system will do.
func (o *clientTLS) config() (*tls.Config, error) {
	pair, err := o.keyPair()
	if err != nil || pair == nil && o.TLSCA == "" {
		return nil, err
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if pair != nil {
		// Also to servers that do not say that they know its authority: they say better
		// why they do not take it than that they want one.
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.newest(), nil }
	}
	if o.TLSCA != "" {
		if t.RootCAs, err = certificates("tls_ca", o.TLSCA); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// configIf is config for who may also speak without TLS, which would go unnoticed. remedy
// says what has it spoken.
func (o *clientTLS) configIf(spoken bool, remedy string) (*tls.Config, error) {
	t, err := o.config()
	if t == nil || spoken {
		return t, err
	}
	field := "tls_ca"
	if o.TLSCA == "" {
		field = "tls_cert"
	}
	return nil, config.At(field, "has no effect without TLS: %s", remedy)
}

// configFor is configIf for a server to which TLS is spoken if its address begins with scheme.
func (o *clientTLS) configFor(address, scheme string) (*tls.Config, error) {
	return o.configIf(strings.HasPrefix(address, scheme+"://"), "let the address begin with "+scheme+"://")
}

func certificates(field, path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, config.At(field, "%w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, config.At(field, "no certificate in %q", path)
	}
	return pool, nil
}
