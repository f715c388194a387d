// Package frame cuts streams into messages: by length, by line, by NUL.
package frame

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge is returned for a message that is larger than the limit. What follows
// it in the stream cannot be told from the rest of it where messages are cut by
// length, so that the stream is best closed.
var ErrTooLarge = errors.New("message larger than the limit")

// A Splitter finds the next message at the start of data. It is a [bufio.SplitFunc]: it
// returns how many bytes to step over and the message among them, nil if there is none
// yet. A splitter belongs to one stream: it may remember what it has searched.
type Splitter = bufio.SplitFunc

// Length splits messages behind four bytes of length, highest first, as Python's
// SocketHandler, cutelog and multiprocessing send them. Empty messages are skipped.
// A length above limit gives [ErrTooLarge]: what an HTTP client sends looks like more
// than a gigabyte. A stream that ends within a message gives
// [io.ErrUnexpectedEOF].
func Length(limit int) Splitter {
	return func(data []byte, atEOF bool) (advance int, message []byte, err error) {
		for len(data) >= 4 && binary.BigEndian.Uint32(data) == 0 {
			advance, data = advance+4, data[4:]
		}
		if len(data) < 4 {
			return advance, nil, cutShort(data, atEOF)
		}
		n := binary.BigEndian.Uint32(data)
		if uint64(n) > uint64(limit) { //nolint:gosec // a limit is not negative
			return advance, nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, n, limit)
		}
		if uint64(len(data)-4) < uint64(n) {
			return advance, nil, cutShort(data, atEOF)
		}
		return advance + 4 + int(n), data[4 : 4+n : 4+n], nil
	}
}

func cutShort(rest []byte, atEOF bool) error {
	if atEOF && len(rest) > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Lines splits at line feeds, for one JSON object a line or plain text. A carriage return
// before the line feed goes with it, and so do empty lines. A line above limit gives
// [ErrTooLarge].
func Lines(limit int) Splitter { return delimited('\n', limit) }

// NUL splits at NUL bytes, as Python's SysLogHandler does on streams. Empty
// messages are skipped.
func NUL(limit int) Splitter { return delimited(0, limit) }

func delimited(end byte, limit int) Splitter {
	searched := 0 // of the message that is coming in; a slow sender costs no more than a fast one
	return func(data []byte, atEOF bool) (advance int, message []byte, err error) {
		for {
			n := bytes.IndexByte(data[searched:], end)
			if n >= 0 {
				n += searched
			}
			next := n + 1
			switch {
			case n < 0 && len(data) > limit, n > limit:
				return advance, nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
			case n < 0 && (!atEOF || len(data) == 0):
				searched = len(data)
				return advance, nil, nil
			case n < 0: // the last one may lack its end
				n, next = len(data), len(data)
			}
			searched = 0
			message, data = data[:n:n], data[next:]
			advance += next
			if end == '\n' {
				message = bytes.TrimSuffix(message, []byte{'\r'})
			}
			if len(message) > 0 {
				return advance, message, nil
			}
		}
	}
}

// Detect tells by its first byte how a stream is cut: a length of less than 16 MiB
// starts with a NUL, which no text does.
func Detect(first byte, limit int) Splitter {
	if first == 0 {
		return Length(limit)
	}
	return Lines(limit)
}

// chunk is the size of a buffer, and fastChunk that for a stream that fills one at once.
// Messages share one, so that a record that is kept for long keeps no more than this alive.
const (
	chunk     = 8 << 10
	fastChunk = 8 * chunk
)

// Reader reads messages from a stream. It is for one goroutine at a time.
type Reader struct {
	r     io.Reader
	split Splitter
	buf   []byte // read and not given out yet; the space behind it is free
	limit int
	full  bool // the last read left no space
	err   error
}

// NewReader returns a reader of the messages of r. limit bounds what is held of one that
// is not complete yet, whatever split says. split may be nil when [Reader.Split] is called before
// the first message is read.
func NewReader(r io.Reader, split Splitter, limit int) *Reader {
	return &Reader{r: r, split: split, limit: limit + 8}
}

// First returns the first byte that is still to be read, without reading it. The error is
// that of the stream.
func (r *Reader) First() (byte, error) {
	for len(r.buf) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	return r.buf[0], nil
}

// Rest returns what was read and not given out, such as the beginning of a message that is
// cut short or too large. It is overwritten by further calls.
func (r *Reader) Rest() []byte { return r.buf }

// Split says how the messages that follow are cut, and how much is held of one that is not
// complete yet; see [NewReader].
func (r *Reader) Split(split Splitter, limit int) { r.split, r.limit = split, limit+8 }

// Next returns the next message. Its bytes belong to the caller and are never used
// again. The error is [io.EOF] at the end of the stream, that of the splitter, or
// that of the stream; it is returned again by all further calls.
func (r *Reader) Next() ([]byte, error) {
	for {
		advance, message, err := r.split(r.buf, r.err != nil)
		r.buf = r.buf[advance:]
		switch {
		case message != nil:
			return message, nil
		case r.err == nil && err != nil:
			r.err = err
			return nil, err
		case r.err != nil && err != nil && errors.Is(r.err, io.EOF):
			r.err = err
			return nil, err
		case r.err != nil:
			return nil, r.err
		case len(r.buf) > r.limit:
			r.err = ErrTooLarge
			return nil, r.err
		}
		r.fill()
	}
}

// fill reads more, into a new buffer when the old one is used up.
func (r *Reader) fill() {
	if cap(r.buf)-len(r.buf) < chunk/8 {
		size := chunk
		if r.full {
			size = fastChunk
		}
		fresh := make([]byte, len(r.buf), max(size, 2*len(r.buf)))
		copy(fresh, r.buf)
		r.buf = fresh
	}
	for range 100 {
		n, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		r.full = len(r.buf) == cap(r.buf)
		if err != nil {
			r.err = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// AppendLength appends the four bytes that [Length] expects before a message of n
// bytes.
func AppendLength(dst []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(n)) //nolint:gosec // messages are limited far below 4 GiB
}
