package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

// stdlibPickle is a short cut for the pickle that Python's SocketHandler sends for
// almost every record: a dictionary of text and numbers. It reads that in one pass
// straight into a record and gives up, with ok false, at anything else; package pickle
// then reads it from the start. For what it accepts it makes the same record.
func stdlibPickle(data []byte, m *memory) (r *core.Record, ok bool) {
	p := fastPickle{data: data}
	p.memory = m
	if r, ok = p.record(); ok || !p.wantsMemo {
		return r, ok
	}
	p = fastPickle{data: data, memo: new(memo)} // few pickles say something again
	p.memory = m
	return p.record()
}

func (p *fastPickle) record() (r *core.Record, ok bool) {
	if !p.start() {
		return nil, false
	}
	p.r = p.memory.record()
	p.extra.fields = p.memory.list()
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

// slack is how many bytes follow a name at least where values are read without looking for
// the end: two instructions that put something into the memo, and a number.
const slack = 2*5 + 9

// attributeHeads are the names of the attributes as Python pickles them.
var attributeHeads = makeHeads() //nolint:gochecknoglobals // a table, never changed

func makeHeads() (heads [len(attributeNames)]spelling) {
	for a, name := range attributeNames {
		heads[a] = spell("X" + string(rune(len(name))) + "\x00\x00\x00" + name)
	}
	return heads
}

// usual reads the attributes of a record as long as they come as Python pickles them and
// hold what they mostly hold. What it leaves is read as it comes.
func (p *fastPickle) usual() bool {
	if p.memo != nil {
		return true
	}
	for a := attrName; a <= attrProcess; a++ {
		h := &attributeHeads[a]
		d := p.data[p.i:]
		if len(d) < spellingSize+slack {
			return true // the last ones
		}
		if !h.starts(begin(d)) {
			return true // somebody else's
		}
		p.i += h.size + putLength(d[h.size])
		if !p.usualValue(a) {
			return false
		}
	}
	return true
}

// putLength returns the length of the instruction that starts with c, if that puts what
// came last into the memo.
func putLength(c byte) int {
	switch c {
	case 'q':
		return 2
	case 0x94:
		return 1
	case 'r':
		return 5
	}
	return 0
}

// usualValue reads the value of an attribute, which has slack.
func (p *fastPickle) usualValue(a attribute) bool {
	d := p.data[p.i:]
	switch d[0] {
	case 'X':
		if dst := p.usualText(a); dst != nil {
			n := uint64(binary.LittleEndian.Uint32(d[1:]))
			if uint64(len(d)) < n+10 { // five of the instruction, five to put it into the memo
				return false
			}
			b := d[5 : 5+n]
			*dst = unsafe.String(unsafe.SliceData(b), len(b))
			p.i += 5 + len(b) + putLength(d[5+n])
			return ascii(d[5:], len(b)) || utf8.Valid(b)
		}
	case 'K', 'M':
		if dst := p.usualNumber(a); dst != nil {
			*dst = int(d[1])
			p.i += 2
			if d[0] == 'M' {
				*dst |= int(d[2]) << 8
				p.i++
			}
			return true
		}
	case 'G':
		if a == attrMsecs || a == attrRelativeCreated {
			p.i += 9
			return true
		}
	}
	v, ok := p.value()
	return ok && p.store(a, attributeNames[a], &v)
}

// ascii reports whether the first n bytes of d are ASCII; if some bytes follow them,
// it may mistake these for a part of them.
func ascii(d []byte, n int) bool {
	var all uint64
	for ; n > 0 && len(d) >= 8; n -= 8 {
		w := binary.LittleEndian.Uint64(d)
		if n < 8 {
			w <<= 64 - 8*n
		}
		all |= w
		d = d[8:]
	}
	return n <= 0 && all&highs == 0
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
	const most = 18 // digits of which all numbers fit
	v.kind = kindInt
	i, negative := p.i, false
	if i < len(p.data) && p.data[i] == '-' {
		i, negative = i+1, true
	}
	first := i
	for i < len(p.data) && p.data[i]-'0' <= 9 {
		v.n = v.n*10 + int64(p.data[i]-'0')
		i++
	}
	digits := i - first
	if op == 'I' && digits == 2 && !negative && p.data[first] == '0' && v.n <= 1 {
		v.kind = kindBool
	}
	if negative {
		v.n = -v.n
	}
	if op == 'L' && i < len(p.data) && p.data[i] == 'L' {
		i++
	}
	p.i = i
	return v, digits > 0 && digits <= most && p.next() == '\n'
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
