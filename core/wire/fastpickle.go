package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

// stdlibPickle is a short cut for the pickle that Python's SocketHandler sends for
// almost every record: a dictionary of text and numbers. It reads that in one pass
// straight into a record and gives up, with ok false, at anything else; package pickle
// then reads it from the start. For what it accepts it makes the same record.
func stdlibPickle(data []byte) (r *core.Record, ok bool) {
	p := fastPickle{data: data}
	if r, ok = p.record(); ok || !p.wantsMemo {
		return r, ok
	}
	p = fastPickle{data: data, memo: new(memo)} // few pickles say something again
	return p.record()
}

func (p *fastPickle) record() (r *core.Record, ok bool) {
	if !p.start() {
		return nil, false
	}
	p.r = new(core.Record)
	for p.next() == '(' {
		if !p.usual() {
			return nil, false
		}
		for p.i < len(p.data) && p.data[p.i] != 'u' {
			if !p.member() {
				return nil, false
			}
		}
		if p.next() != 'u' { // members leaves it too
			return nil, false
		}
	}
	if p.data[p.i-1] != '.' {
		return nil, false
	}
	return p.finish()
}

type fastPickle struct {
	data []byte
	i    int
	stdlibBuilder
	memo      *memo // nil as long as nothing asks for what is in it
	wantsMemo bool
}

// memo is where a pickle puts text that it may want again.
type memo struct {
	count int
	text  [96]string // the rest is not needed before it is asked for
	known [96]bool
}

func (m *memo) put(at int, s *string) {
	if m.count++; at < len(m.text) && s != nil {
		m.text[at], m.known[at] = *s, true
	}
}

// next returns the next byte and steps over it, 0 at the end.
func (p *fastPickle) next() byte {
	if p.i >= len(p.data) {
		return 0
	}
	p.i++
	return p.data[p.i-1]
}

// start steps over what comes before the members.
func (p *fastPickle) start() bool {
	c := p.next()
	if c == 0x80 {
		if p.next() > 5 {
			return false
		}
		c = p.next()
	}
	if c == 0x95 {
		p.i += 8
		c = p.next()
	}
	return c == '}' && p.put(nil)
}

// put obeys an instruction that puts what came last into the memo, if there is one.
// s is nil for what is no text.
func (p *fastPickle) put(s *string) bool {
	if p.i >= len(p.data) {
		return false
	}
	at := 0
	switch p.data[p.i] {
	case 'q':
		if p.i+1 >= len(p.data) {
			return false
		}
		at = int(p.data[p.i+1])
		p.i += 2
	case 'r':
		if p.i+4 >= len(p.data) {
			return false
		}
		at = int(binary.LittleEndian.Uint32(p.data[p.i+1:]))
		p.i += 5
	case 0x94:
		if p.i++; p.memo != nil {
			at = p.memo.count
		}
	default:
		return true
	}
	if p.memo != nil {
		p.memo.put(at, s)
	}
	return true
}

// text reads text, from here or from the memo.
func (p *fastPickle) text(op byte) (string, bool) {
	var n int
	switch op {
	case 'X':
		if len(p.data)-p.i < 4 {
			return "", false
		}
		n = int(binary.LittleEndian.Uint32(p.data[p.i:]))
		p.i += 4
	case 'U', 0x8c:
		n = int(p.next())
	case 'h':
		at := p.next()
		if p.memo == nil {
			p.wantsMemo = true
			return "", false
		}
		if int(at) >= len(p.memo.text) || !p.memo.known[at] {
			return "", false
		}
		return p.memo.text[at], true
	default:
		return "", false
	}
	if n > len(p.data)-p.i {
		return "", false
	}
	b := p.data[p.i : p.i+n]
	p.i += n
	s := unsafe.String(unsafe.SliceData(b), len(b))
	return s, utf8.Valid(b) && p.put(&s)
}

// usual reads the attributes of a record as long as they come as Python pickles them,
// which saves looking up what they are.
func (p *fastPickle) usual() bool {
	for a := attrName; a <= attrProcess; a++ {
		name := attributeNames[a]
		d := p.data[p.i:]
		n := len(name)
		if len(d) < n+6 || d[0] != 'X' || int(binary.LittleEndian.Uint32(d[1:])) != n || string(d[5:5+n]) != name {
			return true // somebody else's: as they come
		}
		if p.i += 5 + n; !p.put(&name) {
			return false
		}
		v, ok := p.value()
		if !ok || !p.store(a, name, &v) {
			return false
		}
	}
	return true
}

// value reads a scalar.
func (p *fastPickle) value() (v scalar, ok bool) {
	switch op := p.next(); op {
	case 'N':
		return v, true
	case 'K', 'M', 'J', 'G', 0x8a:
		return p.binary(op)
	case 0x88, 0x89:
		return scalar{kind: kindBool, n: int64(0x89 - op)}, true
	case 'I', 'L':
		return p.decimal(op)
	default:
		v.kind = kindText
		v.s, ok = p.text(op)
		return v, ok
	}
}

func (p *fastPickle) binary(op byte) (v scalar, ok bool) {
	size := 1
	switch op {
	case 'M':
		size = 2
	case 'J':
		size = 4
	case 'G':
		size = 8
	case 0x8a:
		if size = int(p.next()); size > 8 || size == 0 {
			return v, false
		}
	}
	if len(p.data)-p.i < size {
		return v, false
	}
	b := p.data[p.i : p.i+size]
	p.i += size
	if op == 'G' {
		return scalar{kind: kindFloat, f: math.Float64frombits(binary.BigEndian.Uint64(b))}, true
	}
	var n uint64
	for i := size - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	v = scalar{kind: kindInt, n: int64(n)} //nolint:gosec // two's complement
	if op == 'J' || op == 0x8a {           // these have a sign
		shift := 64 - 8*size
		v.n = v.n << shift >> shift
	}
	return v, true
}

// decimal reads "L140659090288704L\n" and "I01\n".
func (p *fastPickle) decimal(op byte) (v scalar, ok bool) {
	start := p.i
	for p.i < len(p.data) && p.data[p.i] != '\n' && p.i-start < 24 {
		p.i++
	}
	end := p.i
	if p.next() != '\n' || end == start {
		return v, false
	}
	line := string(p.data[start:end])
	if op == 'I' && (line == "00" || line == "01") {
		return scalar{kind: kindBool, n: int64(line[1] - '0')}, true
	}
	if op == 'L' && line[len(line)-1] == 'L' {
		line = line[:len(line)-1]
	}
	n, err := strconv.ParseInt(line, 10, 64)
	return scalar{kind: kindInt, n: n}, err == nil
}

// member reads one attribute; or all that are left, up to the instruction that ends them, if
// its value is a list or the like.
func (p *fastPickle) member() bool {
	key, ok := p.text(p.next())
	if !ok {
		return false
	}
	if p.i < len(p.data) && container(p.data[p.i]) {
		return p.members(key)
	}
	v, ok := p.value()
	return ok && p.attribute(key, &v)
}

func (p *fastPickle) attribute(key string, v *scalar) bool {
	return key != "" && key[0] != '_' && p.set(key, v)
}
