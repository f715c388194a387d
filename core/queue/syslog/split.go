package syslog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// errCount says that a stream lost its octet counts.
var errCount = errors.New("wrong octet count")

// maxDigits is how long an octet count may be.
const maxDigits = 9

// cut returns a splitter that tells by the start of each message how it is cut, as relays mix
// what they were sent: digits and a blank in front of a priority are its octet count. A
// message without a priority may begin with a digit, too.
func cut(limit int) frame.Splitter {
	octets, lines := counted(limit), separated(limit)
	var split frame.Splitter // of the message that is coming in
	wasCounted := false
	return func(data []byte, atEOF bool) (advance int, message []byte, err error) {
		if split == nil {
			for len(data) > 0 && (data[0] == '\n' || data[0] == '\r') {
				advance, data = advance+1, data[1:]
			}
			digits := 0
			for digits < len(data) && data[digits] >= '0' && data[digits] <= '9' {
				digits++
			}
			switch rest := data[digits:]; {
			case len(data) == 0,
				digits > 0 && digits <= maxDigits && len(rest) < 2 && !atEOF && !bytes.HasPrefix(rest, []byte{'\n'}):
				return advance, nil, nil
			case digits > 0 && bytes.HasPrefix(rest, []byte(" <")), wasCounted && data[0] != '<': // or it is not to be trusted any more
				split, wasCounted = octets, true
			default:
				split, wasCounted = lines, false
			}
		}
		n, message, err := split(data, atEOF)
		if message != nil {
			split = nil
		}
		return advance + n, message, err
	}
}

// counted splits messages behind their length in digits and a blank (RFC 6587, 3.4.1).
func counted(limit int) frame.Splitter {
	return func(data []byte, atEOF bool) (advance int, message []byte, err error) {
		for len(data) > 0 && (data[0] == '\n' || data[0] == '\r') { // some add a line feed nevertheless
			advance, data = advance+1, data[1:]
		}
		blank := bytes.IndexByte(data[:min(len(data), maxDigits+1)], ' ')
		if blank < 0 && len(data) <= maxDigits && !atEOF || len(data) == 0 {
			return advance, nil, nil
		}
		n, err := strconv.ParseUint(string(data[:max(blank, 0)]), 10, 31)
		switch {
		case err != nil || n == 0:
			return advance, nil, fmt.Errorf("%w %q", errCount, data[:min(len(data), maxDigits)])
		case n > uint64(limit): //nolint:gosec // a limit is not negative
			return advance, nil, fmt.Errorf("%w: %d bytes, the limit is %d", frame.ErrTooLarge, n, limit)
		}
		end := blank + 1 + int(n)
		if len(data) < end {
			if atEOF {
				return advance, nil, io.ErrUnexpectedEOF
			}
			return advance, nil, nil
		}
		return advance + end, data[blank+1 : end : end], nil
	}
}

// separated splits at NUL bytes if there are any, as Python's handler does, whose messages
// may have several lines; otherwise at line feeds. The first message decides, and a NUL
// that is seen later.
func separated(limit int) frame.Splitter {
	split := frame.Lines(limit)
	nul := false
	return func(data []byte, atEOF bool) (int, []byte, error) {
		if !nul && bytes.IndexByte(data, 0) >= 0 {
			nul, split = true, frame.NUL(limit)
		}
		return split(data, atEOF)
	}
}
