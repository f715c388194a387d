package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/handler/eventlog"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// example is a fenced block of YAML in the documentation.
type example struct {
	file    string
	line    int
	heading string
	flags   string // what stands behind "yaml"
	source  string
}

// examples returns the fenced blocks of YAML of a file.
func examples(t *testing.T, path string) (out []example) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	heading, inside := "", false
	for i, line := range strings.Split(string(content), "\n") {
		switch {
		case inside && line == "```":
			inside = false
		case inside:
			out[len(out)-1].source += line + "\n"
		case strings.HasPrefix(line, "```yaml"):
			inside = true
			flags := strings.TrimSpace(strings.TrimPrefix(line, "```yaml"))
			out = append(out, example{file: filepath.Base(path), line: i + 1, heading: heading, flags: flags})
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return out
}

func documentation(t *testing.T) []example {
	t.Helper()
	return append(examples(t, "../../CONFIGURATION.md"), examples(t, "../../README.md")...)
}

// environmentVariable finds the variables of secrets.
var environmentVariable = regexp.MustCompile(`\{env: (\w+)\}`)

// home makes a place in which everything exists that the examples mention, and
// returns the home directory.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	settings, bin := filepath.Join(dir, ".config", "logbook-tray"), filepath.Join(dir, "bin")
	for _, d := range []string{settings, bin} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeCertificate(t, settings)
	write(t, filepath.Join(settings, "token"), "0123456789\n")
	for _, name := range []string{"kubectl", "logger", "python3", "paplay", "espeak-ng"} {
		program := filepath.Join(bin, name)
		write(t, program, "#!/bin/sh\n")
		if err := os.Chmod(program, 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	for _, e := range documentation(t) {
		for _, m := range environmentVariable.FindAllStringSubmatch(e.source, -1) {
			t.Setenv(m[1], strings.Repeat("x", 40))
		}
	}
	t.Setenv("AMQP_URI", "amqp://localhost")
	t.Setenv("REDIS_URI", "redis://localhost")
	t.Setenv("MONGODB_URI", "mongodb://localhost/logging")
	t.Setenv("NATS_URI", "nats://localhost")
	t.Setenv("MQTT_URI", "mqtt://localhost")
	t.Setenv("TELEGRAM_TOKEN", "123456:abcdef")
	for _, name := range []string{"SLACK_WEBHOOK", "DISCORD_WEBHOOK", "MATTERMOST_WEBHOOK", "TEAMS_WEBHOOK", "ALERT_WEBHOOK"} {
		t.Setenv(name, "https://hooks.example.com/services/0123456789abcdef")
	}
	t.Setenv("HOME", dir)
	t.Setenv("PATH", bin)
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeCertificate writes a certificate that signs itself, and its key.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tray"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	write(t, filepath.Join(dir, "cert.pem"), block)
	write(t, filepath.Join(dir, "ca.pem"), block)
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
}

// check runs a configuration through the check of the program.
func check(t *testing.T, source string) (pipeline.Description, config.Diagnostics) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, source)
	self := core.NewLogger("test")
	self.Disable()
	d, _, ds, err := app.Check(app.Options{Config: path, Kinds: kinds, Self: self, Stderr: new(bytes.Buffer)})
	if err != nil {
		t.Fatal(err)
	}
	return d, ds
}

func TestConfigurationExamplesHaveNoMistakes(t *testing.T) {
	dir := home(t)
	all := documentation(t)
	if len(all) < len(allKinds()) {
		t.Fatalf("%d examples for %d kinds", len(all), len(allKinds()))
	}
	for _, e := range all {
		_, ds := check(t, e.source)
		if e.flags == "windows" && runtime.GOOS != "windows" {
			if !strings.Contains(ds.Error(), eventlog.ErrUnsupported.Error()) {
				t.Errorf("%s:%d: on this system: %v", e.file, e.line, ds)
			}
			continue
		}
		for _, d := range ds {
			t.Errorf("%s:%d: %s", e.file, e.line+d.Line, d.Message)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "logs")); err == nil {
		t.Error("a check has created files")
	}
}

// documented is a kind as its documentation has to know it.
type documented struct {
	heading string
	list    string // of the file
	name    string
	options any
}

func allKinds() (out []documented) {
	k := kinds(new(app.App))
	add := func(what, list, name string, options func() any) {
		d := documented{heading: what + " `" + name + "`", list: list, name: name}
		if options != nil {
			d.options = options()
		}
		out = append(out, d)
	}
	for _, s := range k.Sources {
		add("Source", "subscribers", s.Name, s.Options)
	}
	for _, p := range k.Processors {
		add("Processor", "processors", p.Name, p.Options)
	}
	for _, h := range k.Handlers {
		add("Handler", "handlers", h.Name, h.Options)
	}
	return out
}

// sections returns the texts under the headings of a file, by their headings.
func sections(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	heading, inside := "", false
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		}
		if !inside && strings.HasPrefix(line, "#") {
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
			continue
		}
		out[heading] += line
	}
	return out
}

var link = regexp.MustCompile(`\]\(#([a-z_-]+)\)`)

// anchor returns the anchor of a heading.
func anchor(heading string) string {
	return strings.ToLower(strings.NewReplacer(" ", "-", "`", "").Replace(heading))
}

func TestKindsAreDocumentedWithAllTheirOptions(t *testing.T) {
	home(t)
	text := sections(t, "../../CONFIGURATION.md")
	anchors := map[string]string{}
	for heading, body := range text {
		anchors[anchor(heading)] = body
	}
	withExample := map[string]example{}
	for _, e := range documentation(t) {
		withExample[e.heading] = e
	}
	for _, k := range allKinds() {
		body, ok := text[k.heading]
		if !ok {
			t.Errorf("CONFIGURATION.md has no section %q", k.heading)
			continue
		}
		for _, m := range link.FindAllStringSubmatch(body, -1) {
			body += anchors[m[1]]
		}
		if k.options != nil {
			for _, key := range config.Keys(k.options) {
				if !strings.Contains(body, "`"+key+"`") {
					t.Errorf("%s: the option %q is not mentioned", k.heading, key)
				}
			}
		}
		e, ok := withExample[k.heading]
		if !ok {
			t.Errorf("%s: no example", k.heading)
			continue
		}
		if d, _ := check(t, e.source); e.flags == "" && !contains(d, k.name) {
			t.Errorf("%s: the example in line %d makes none: %+v", k.heading, e.line, d)
		}
	}
}

// contains reports whether something of that type is made.
func contains(d pipeline.Description, kind string) bool {
	found := false
	var look func([]pipeline.Part)
	look = func(parts []pipeline.Part) {
		for _, p := range parts {
			found = found || p.Type == kind
			look(p.Inside)
		}
	}
	look(d.Subscribers)
	look(d.Processors)
	look(d.Handlers)
	return found
}

func TestConfigurationLinksLeadSomewhere(t *testing.T) {
	content, err := os.ReadFile("../../CONFIGURATION.md")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for heading := range sections(t, "../../CONFIGURATION.md") {
		anchors[anchor(heading)] = true
	}
	for _, m := range link.FindAllSubmatch(content, -1) {
		if !anchors[string(m[1])] {
			t.Errorf("nothing is at #%s", m[1])
		}
	}
}
