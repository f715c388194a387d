package riemann

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
)

// The fields of Riemann's messages, as proto.proto of riemann-java-client numbers
// them.
const (
	msgOK     = 2
	msgError  = 3
	msgEvents = 6

	eventTime        = 1
	eventState       = 2
	eventService     = 3
	eventHost        = 4
	eventDescription = 5
	eventTags        = 7
	eventTTL         = 8
	eventTimeMicros  = 10
	eventMetric      = 15
)

// How values are written, see https://protobuf.dev/programming-guides/encoding/.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func appendUint(b []byte, field int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(field<<3|wireVarint)), v)
}

func appendBytes(b []byte, field int, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(field<<3|wireBytes))
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// appendText leaves out what is empty and what is not UTF-8, which a server may
// refuse.
func appendText(b []byte, field int, v string) []byte {
	if v == "" {
		return b
	}
	return appendBytes(b, field, []byte(strings.ToValidUTF8(v, "\uFFFD")))
}

func appendFloat(b []byte, field int, v float32) []byte {
	b = binary.AppendUvarint(b, uint64(field<<3|wireFixed32))
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}

var errAnswer = errors.New("the answer cannot be understood")

// readAnswer returns what the server has against a message.
func readAnswer(b []byte) error {
	ok, text := false, ""
	err := fields(b, func(field int, n uint64, v []byte) {
		switch field {
		case msgOK:
			ok = n != 0
		case msgError:
			text = string(v)
		}
	})
	if err != nil {
		return err
	}
	if !ok {
		return &refusal{text}
	}
	return nil
}

// fields calls f with each field of a message: its number, and its value as an
// integer or as bytes.
func fields(b []byte, f func(field int, n uint64, v []byte)) error {
	for len(b) > 0 {
		key, k := binary.Uvarint(b)
		if k <= 0 || key>>3 > 1<<29 {
			return errAnswer
		}
		b = b[k:]
		var n uint64
		var size int
		switch key & 7 {
		case wireVarint:
			if n, size = binary.Uvarint(b); size <= 0 {
				return errAnswer
			}
			f(int(key>>3), n, nil)
			b = b[size:]
			continue
		case wireFixed64:
			size = 8
		case wireFixed32:
			size = 4
		case wireBytes:
			n, k := binary.Uvarint(b)
			if k <= 0 || n > uint64(len(b)-k) {
				return errAnswer
			}
			b, size = b[k:], int(n)
		default:
			return errAnswer
		}
		if size > len(b) {
			return errAnswer
		}
		f(int(key>>3), 0, b[:size])
		b = b[size:]
	}
	return nil
}
