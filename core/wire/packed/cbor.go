package packed

import (
	"math"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// CBOR reads a map. Binary data is text, tags are ignored apart from those of big
// integers. Values are those of JSON, see [core.Fields].
func CBOR(data []byte) (core.Fields, error) {
	r := cbor{buffer{data: data}}
	return fields(r.read())
}

type cbor struct{ buffer }

// open is the length of a value that ends where its end is marked.
const open = math.MaxUint64

func (r *cbor) read() (any, error) {
	if err := r.value(); err != nil {
		return nil, err
	}
	c, err := r.byte()
	if err != nil {
		return nil, err
	}
	major, minor := c>>5, c&0x1f
	if major == 7 {
		return r.simple(minor)
	}
	n, err := r.argument(minor)
	if err != nil {
		return nil, err
	}
	switch major {
	case 0:
		return whole(n), nil
	case 1:
		if n > math.MaxInt64 {
			return whole(n), nil // not a number that any program logs
		}
		return -1 - int64(n), nil
	case 2, 3:
		return r.string(n)
	case 4:
		if n == open {
			return r.untilBreak(false)
		}
		return r.list(n, r.read)
	case 5:
		if n == open {
			return r.untilBreak(true)
		}
		return r.object(n, r.read)
	}
	return r.tagged(n)
}

func (r *cbor) argument(minor byte) (uint64, error) {
	switch {
	case minor < 24:
		return uint64(minor), nil
	case minor < 28:
		return r.uint(1 << (minor - 24))
	case minor == 31:
		return open, nil
	}
	return 0, ErrMalformed
}

func (r *cbor) simple(minor byte) (any, error) {
	switch minor {
	case 20, 21:
		return minor == 21, nil
	case 22, 23:
		return nil, nil
	case 25:
		n, err := r.uint(2)
		return half(uint16(n)), err //nolint:gosec // two bytes
	case 26:
		return r.float(4)
	case 27:
		return r.float(8)
	}
	return nil, ErrMalformed
}

// half reads a number of half precision.
func half(n uint16) float64 {
	exponent, fraction := int(n>>10&0x1f), float64(n&0x3ff)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 31:
		f = math.Inf(1)
		if fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(fraction+1024, exponent-25)
	}
	if n&0x8000 != 0 {
		f = -f
	}
	return f
}

// string reads text or bytes, in one piece or several.
func (r *cbor) string(n uint64) (any, error) {
	if n != open {
		return r.text(n)
	}
	var s strings.Builder
	for !r.atBreak() {
		v, err := r.read()
		if err != nil {
			return nil, err
		}
		part, ok := v.(string)
		if !ok {
			return nil, ErrMalformed
		}
		s.WriteString(part)
	}
	return s.String(), nil
}

func (r *cbor) atBreak() bool {
	if r.i < len(r.data) && r.data[r.i] == 0xff {
		r.i++
		return true
	}
	return false
}

// untilBreak reads a list or map of unknown length.
func (r *cbor) untilBreak(isMap bool) (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	list := []any{}
	for !r.atBreak() {
		v, err := r.read()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	r.depth--
	if !isMap {
		return list, nil
	}
	if len(list)%2 != 0 {
		return nil, ErrMalformed
	}
	var o object
	for i := 0; i < len(list); i += 2 {
		o.fields = append(o.fields, core.Field{Key: name(list[i]), Value: list[i+1]})
	}
	return o, nil
}

func (r *cbor) tagged(tag uint64) (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	if tag != 2 && tag != 3 || r.i >= len(r.data) || r.data[r.i]>>5 != 2 {
		return r.read()
	}
	c, err := r.byte()
	if err != nil {
		return nil, err
	}
	n, err := r.argument(c & 0x1f)
	if err != nil {
		return nil, err
	}
	p, err := r.take(n)
	if err != nil {
		return nil, err
	}
	return bigInt(p, tag == 3)
}
