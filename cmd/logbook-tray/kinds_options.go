package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/format/jinja"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// oneOf returns an error unless value is empty or one of those allowed.
func oneOf(field, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	if nearest, ok := config.Nearest(value, allowed); ok {
		return config.At(field, "unknown value %q, did you mean %q?", value, nearest)
	}
	return config.At(field, "unknown value %q (one of %s)", value, strings.Join(allowed, ", "))
}

// notNegative returns an error if value is less than 0.
func notNegative(field string, value int) error {
	if value < 0 {
		return config.At(field, "must not be negative")
	}
	return nil
}

// blame returns err as the mistake of an option. blames are pairs: a part of the text of
// an error and the option that it is about; the first one that fits is taken.
func blame(err error, blames ...string) error {
	if err == nil {
		return nil
	}
	for i := 0; i+1 < len(blames); i += 2 {
		if strings.Contains(err.Error(), blames[i]) {
			return config.At(blames[i+1], "%w", err)
		}
	}
	return err
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// formatting are the options of handlers that write text.
type formatting struct {
	Format       string `yaml:"format"`
	FormatString string `yaml:"format_string"`
	TimeZone     string `yaml:"time_zone"`
}

// The values of the option format.
const (
	formatText   = "text"
	formatJSON   = "json"
	formatLogfmt = "logfmt"
	formatJinja  = "jinja"
)

// formatter returns what the options ask for; nil if they ask for nothing, which means
// the handler's own default. template is that default as a format string.
func (f *formatting) formatter(template string) (format.Formatter, error) {
	if *f == (formatting{}) {
		return nil, nil //nolint:nilnil // the default
	}
	if err := oneOf("format", f.Format, formatText, formatJSON, formatLogfmt, formatJinja); err != nil {
		return nil, err
	}
	zone, err := location(f.TimeZone)
	if err != nil {
		return nil, err
	}
	switch f.Format {
	case formatJSON, formatLogfmt:
		if f.FormatString != "" {
			return nil, config.At("format_string", "has no effect with the format %s", f.Format)
		}
		if f.TimeZone != "" {
			return nil, config.At("time_zone", "has no effect with the format %s, whose times are in UTC", f.Format)
		}
		if f.Format == formatJSON {
			return format.NewJSON(), nil
		}
		return format.NewLogfmt(), nil
	case formatJinja:
		if f.FormatString == "" {
			return nil, config.At("format", "jinja needs a template as format_string")
		}
		t, err := jinja.New(f.FormatString, jinja.Options{Location: zone})
		return t, atField("format_string", err)
	}
	t, err := format.NewString(orElse(f.FormatString, template), format.Options{Location: zone})
	return t, atField("format_string", err)
}

// atField is [config.At] for an error that may be nil.
func atField(field string, err error) error {
	if err == nil {
		return nil
	}
	return config.At(field, "%w", err)
}

// location returns a time zone by its name; nil, which is UTC, for none.
func location(name string) (*time.Location, error) {
	switch name {
	case "", "utc":
		return nil, nil //nolint:nilnil // UTC
	case "local":
		return time.Local, nil //nolint:gosmopolitan // it is asked for
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, config.At("time_zone", "unknown time zone %q (utc, local, or a name such as Europe/Vienna)", name)
	}
	return zone, nil
}

// colorMode returns what an option color stands for.
func colorMode(name string) (handler.ColorMode, error) {
	switch name {
	case "always":
		return handler.ColorAlways, nil
	case "never":
		return handler.ColorNever, nil
	}
	return handler.ColorAuto, oneOf("color", name, "auto", "always", "never")
}

// checkAddress checks HOST:PORT, or the path of a Unix socket.
func checkAddress(network, address string) error {
	if strings.HasPrefix(network, "unix") {
		if !strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "@") {
			return config.At("address", "%q is not the path of a socket, which begins with /", address)
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return config.At("address", "%q is not HOST:PORT, such as 127.0.0.1:9020", address)
	}
	return nil
}

// checkListen is checkAddress for a place to listen on: unless key says that others
// are welcome and have to identify themselves, it must be on this computer. remedy
// says what would make it so. Names are left to the moment of listening.
func checkListen(network, address string, key bool, remedy string) error {
	if err := checkAddress(network, address); err != nil || key || strings.HasPrefix(network, "unix") {
		return err
	}
	host, _, _ := net.SplitHostPort(address)
	return atField("address", checkLoopback(host, remedy))
}

// onThisComputer reports whether what is sent to an address does not leave this computer.
func onThisComputer(network, address string) bool {
	if network == "unix" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	ip, perr := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || perr == nil && ip.IsLoopback())
}

func checkLoopback(host, remedy string) error {
	ip, err := netip.ParseAddr(host)
	if host == "" || host == "*" || err == nil && !ip.IsLoopback() {
		return fmt.Errorf("other computers can reach this address: %s, or use 127.0.0.1", remedy)
	}
	return nil
}
