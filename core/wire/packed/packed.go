// Package packed reads log records in binary formats that hold plain data only:
// MessagePack and CBOR, which cutelog's clients may choose, and the
// serialization of execnet, over which Logbook's ExecnetChannelHandler sends.
package packed

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
)

// The errors of the readers, besides what wraps [ErrMalformed].
var (
	ErrMalformed = errors.New("malformed")
	ErrTooDeep   = errors.New("nested too deep")
	ErrTooMany   = errors.New("too many values")
	ErrNoObject  = errors.New("not a map")
)

const (
	maxDepth  = 64
	maxValues = 1 << 18
)

// buffer is the input of a reader.
type buffer struct {
	data  []byte
	i     int
	depth int
	count int
}

// take returns the next n bytes, nil if there are not as many.
func (b *buffer) take(n uint64) ([]byte, error) {
	if n > uint64(len(b.data)-b.i) {
		return nil, ErrMalformed
	}
	p := b.data[b.i : b.i+int(n)] //nolint:gosec // not above len(data)
	b.i += len(p)
	return p, nil
}

func (b *buffer) byte() (byte, error) {
	p, err := b.take(1)
	if err != nil {
		return 0, err
	}
	return p[0], nil
}

// uint reads a big-endian number of n bytes.
func (b *buffer) uint(n int) (uint64, error) {
	p, err := b.take(uint64(n)) //nolint:gosec // 1, 2, 4 or 8
	var full [8]byte
	copy(full[8-len(p):], p)
	return binary.BigEndian.Uint64(full[:]), err
}

// value counts one more value.
func (b *buffer) value() error {
	if b.count++; b.count > maxValues {
		return ErrTooMany
	}
	return nil
}

func (b *buffer) enter() error {
	if b.depth++; b.depth > maxDepth {
		return ErrTooDeep
	}
	return nil
}

func (b *buffer) text(n uint64) (string, error) {
	p, err := b.take(n)
	if utf8.Valid(p) {
		return string(p), err
	}
	return strings.ToValidUTF8(string(p), "\ufffd"), err
}

func (b *buffer) float(n int) (any, error) {
	bits, err := b.uint(n)
	if n == 4 {
		return float64(math.Float32frombits(uint32(bits))), err //nolint:gosec // four bytes
	}
	return math.Float64frombits(bits), err
}

// whole returns n as an int64, or as a json.Number if it does not fit.
func whole(n uint64) any {
	if n > math.MaxInt64 {
		return json.Number(strconv.FormatUint(n, 10))
	}
	return int64(n)
}

// list reads n values with read.
func (b *buffer) list(n uint64, read func() (any, error)) (any, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	out := []any{} // n is not to be believed
	for range n {
		v, err := read()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	b.depth--
	return out, nil
}

// object is what a map is read as; nested ones become map[string]any in the end.
type object struct{ fields core.Fields }

func (b *buffer) object(n uint64, read func() (any, error)) (any, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	var o object
	for range n {
		key, err := read()
		if err != nil {
			return nil, err
		}
		v, err := read()
		if err != nil {
			return nil, err
		}
		o.fields = append(o.fields, core.Field{Key: name(key), Value: v})
	}
	b.depth--
	return o, nil
}

// name is the text of a key.
func name(key any) string {
	if s, ok := key.(string); ok {
		return s
	}
	text, err := json.Marshal(plain(key))
	if err != nil {
		return "?"
	}
	return string(text)
}

// plain turns objects in v into maps.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		m := make(map[string]any, len(v.fields))
		for _, f := range v.fields {
			m[f.Key] = plain(f.Value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// fields returns a map at the top; of equal keys the last one wins.
func fields(v any, err error) (core.Fields, error) {
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, ErrNoObject
	}
	index := make(map[string]int, len(o.fields))
	out := make(core.Fields, 0, len(o.fields))
	for _, f := range o.fields {
		f.Value = plain(f.Value)
		if i, ok := index[f.Key]; ok {
			out[i] = f
			continue
		}
		index[f.Key] = len(out)
		out = append(out, f)
	}
	return out, nil
}

// bigInt reads a whole number of any size up to a limit.
func bigInt(p []byte, negative bool) (any, error) {
	if len(p) > 4096 {
		return nil, ErrTooMany
	}
	n := new(big.Int).SetBytes(p)
	if negative {
		n.Not(n)
	}
	if n.IsInt64() {
		return n.Int64(), nil
	}
	return json.Number(n.String()), nil
}
