package main

import (
	"errors"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// decoding are the options of all sources that take JSON records.
type decoding struct {
	Dialect string            `yaml:"dialect"`
	Map     map[string]string `yaml:"map"`
}

// decoder returns what reads the records, which may have maxSize bytes; 0 is the default.
func (o *decoding) decoder(maxSize config.Size) (*wire.Decoder, error) {
	if err := oneOf("dialect", o.Dialect, wire.Dialects()...); err != nil {
		return nil, err
	}
	d, err := wire.NewDecoder(wire.Options{MaxSize: int(maxSize), Dialect: o.Dialect, Map: o.Map})
	if err != nil { // the dialect is known
		return nil, config.At("map", "%w", errors.Unwrap(err))
	}
	return d, nil
}
