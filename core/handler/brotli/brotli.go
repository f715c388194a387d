// Package brotli has the Brotli format for compressed log files. It is apart
// from the other handlers because it needs github.com/andybalholm/brotli.
package brotli

import (
	"io"

	"github.com/andybalholm/brotli"

	"github.com/logbook-tray/logbook-tray/core/handler"
)

// DefaultQuality is the quality that Codec uses for 0. Logbook uses 11;
// this is the default of the library, which is many times faster.
const DefaultQuality = brotli.DefaultCompression

// Codec returns the Brotli format for [handler.NewCompressedFile], at a quality
// from 1, fast, to 11, small; 0 is [DefaultQuality]. Together they are Logbook's
// BrotliCompressionHandler.
//
// Brotli files cannot be put behind each other: a file that is appended to is
// compressed anew when it is opened.
func Codec(quality int) handler.Codec {
	if quality == 0 {
		quality = DefaultQuality
	}
	return handler.Codec{
		Name:   "brotli",
		Writer: func(w io.Writer) (handler.CodecWriter, error) { return brotli.NewWriterLevel(w, quality), nil },
		Reader: func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	}
}
