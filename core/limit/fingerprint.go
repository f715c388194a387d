package limit

import (
	"crypto/sha1" //nolint:gosec // the hash of Logbook's tickets; it keeps nothing secret
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/logbook-tray/logbook-tray/core"
)

// Fingerprint returns a text that is the same for records that are the same error.
// It may be called concurrently and must not keep or change r.
type Fingerprint func(r *core.Record) string

// ErrUnknownFingerprint is wrapped by the errors of [ParseFingerprint].
var ErrUnknownFingerprint = errors.New("unknown fingerprint")

// ParseFingerprint returns the fingerprint of the given name: "location", "message"
// or "exception"; "" is "location".
func ParseFingerprint(name string) (Fingerprint, error) {
	switch name {
	case "", "location":
		return Location, nil
	case "message":
		return Message, nil
	case "exception":
		return Exception, nil
	}
	return nil, fmt.Errorf("%w %q (one of location, message, exception)", ErrUnknownFingerprint, name)
}

// Location tells records apart by level, channel and the place in the source
// that logged them. It is Logbook's hash_record, digit by digit: the SHA-1 of the
// four in hexadecimal. An unknown file is the empty text.
func Location(r *core.Record) string {
	site := r.Caller()
	return hash(r, site.File+"\x00"+strconv.Itoa(site.Line))
}

// Message tells records apart by level, channel and the message without what
// differs from one occurrence to the next: numbers, identifiers, addresses,
// quoted text. It suits programs that log everything at one place.
func Message(r *core.Record) string {
	return hash(r, "message\x00"+Mask(r.Message()))
}

// Exception tells records apart by level, channel, the type of the exception
// and the innermost frame of the traceback that belongs to the program
// itself rather than to a library. The frame counts by its file, function and the
// text of its line, so that an edit further up makes no new error of it. Records
// without an exception go by [Location].
func Exception(r *core.Record) string {
	if r.Exception == nil {
		return Location(r)
	}
	f, ok := ownFrame(r.Exception.Traceback)
	if !ok {
		site := r.Caller()
		f = frame{file: site.File, function: site.Function, code: strconv.Itoa(site.Line)}
	}
	return hash(r, "exception\x00"+r.Exception.Name+"\x00"+f.file+"\x00"+f.function+"\x00"+f.code)
}

// hash is what all fingerprints have in common.
func hash(r *core.Record, rest string) string {
	b := make([]byte, 0, 256)
	b = strconv.AppendInt(b, int64(r.Level), 10)
	b = append(b, 0)
	b = append(b, r.Channel...)
	b = append(b, 0)
	b = append(b, rest...)
	sum := sha1.Sum(b) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}
