package wire

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/logbook-tray/logbook-tray/core"
)

// stdlibPickle is a short cut for the pickle that Python's SocketHandler sends for
// almost every record: a dictionary of text and numbers. It reads that in one pass
// straight into a record and gives up, with ok false, at anything else; package pickle
// then reads it from the start. For what it accepts it makes the same record.
func (d *Decoder) stdlibPickle(data []byte) (r *core.Record, ok bool) {
	if d.family == familyLogbook || d.dialects.Forced() {
		return nil, false
	}
	p := fastPickle{data: data}
	if !p.start() {
		return nil, false
	}
	p.r = new(core.Record)
	for p.next() == '(' {
		for p.i < len(p.data) && p.data[p.i] != 'u' {
			if !p.member() {
				return nil, false
			}
		}
		if p.next() != 'u' {
			return nil, false
		}
	}
	if p.data[p.i-1] != '.' || p.seen&(seenLevelno|seenLevelname) == 0 {
		return nil, false
	}
	p.finish()
	return p.r, true
}

const (
	seenLevelno = 1 << iota
	seenLevelname
	seenMessage
	seenPath
	seenFile
)

// scalar is a value that needs no memory of its own.
type scalar struct {
	kind byte // one of the kinds below, 0 for None
	n    int64
	f    float64
	s    string
}

const (
	kindBool = iota + 1
	kindInt
	kindFloat
	kindText
)

// any returns the value as the rest of the package has it.
func (v *scalar) any() any {
	switch v.kind {
	case kindBool:
		return v.n != 0
	case kindInt:
		return v.n
	case kindFloat:
		return v.f
	case kindText:
		return v.s
	}
	return nil
}

type fastPickle struct {
	data      []byte
	i         int
	r         *core.Record
	seen      uint8
	levelno   int64
	levelname string
	message   string
	file      string // filename, which is the end of pathname
	extra     fieldList
	memoized  int
	memo      [96]string // the rest is not needed before it is asked for
	known     [96]bool
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
	at := p.memoized
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
		p.i++
	default:
		return true
	}
	p.memoized++
	if at < len(p.memo) && s != nil {
		p.memo[at], p.known[at] = *s, true
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
		if int(at) >= len(p.memo) || !p.known[at] {
			return "", false
		}
		return p.memo[at], true
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

// member reads one attribute and reports whether it was of a type that needs no
// thinking.
func (p *fastPickle) member() bool {
	key, ok := p.text(p.next())
	if !ok {
		return false
	}
	v, ok := p.value()
	if !ok || key == "" || key[0] == '_' {
		return false
	}
	r := p.r
	switch key {
	case "name":
		return v.into(&r.Channel)
	case "msg":
		return v.into(&r.Msg)
	case "pathname":
		p.seen |= seenPath
		return v.into(&r.Site.File)
	case "module":
		return v.into(&r.Site.Module)
	case "funcName":
		return v.into(&r.Site.Function)
	case "threadName":
		return v.into(&r.Thread.Name)
	case "processName":
		return v.into(&r.Process.Name)
	case "levelname":
		p.seen |= seenLevelname
		return v.kind == kindText && v.into(&p.levelname)
	case "message":
		p.seen |= seenMessage
		return v.kind == kindText && v.into(&p.message)
	case "filename":
		p.seen |= seenFile
		return v.kind == kindText && v.into(&p.file)
	}
	return p.number(key, &v)
}

// into stores text; None is "".
func (v *scalar) into(dst *string) bool {
	*dst = v.s
	return v.kind == kindText || v.kind == 0
}

func (p *fastPickle) number(key string, v *scalar) bool {
	r := p.r
	whole := v.kind == kindInt && int64(int(v.n)) == v.n
	switch key {
	case "levelno":
		p.seen |= seenLevelno
		p.levelno = v.n
		return whole
	case "lineno":
		r.Site.Line = int(v.n)
		return whole
	case "process":
		r.Process.ID = int(v.n)
		return whole || v.kind == 0
	case "thread":
		r.Thread.ID = v.n
		return whole || v.kind == 0
	case "created":
		sec := math.Floor(v.f)
		r.Time = time.Unix(int64(sec), int64(math.Round((v.f-sec)*1e6))*1000).UTC()
		return v.kind == kindFloat && v.f > 0 && v.f < 1e11
	case "msecs", "relativeCreated":
		return true
	case "args", "exc_info":
		return v.kind == 0
	case "exc_text":
		if v.kind == kindText {
			r.Exception = &core.Exception{Traceback: v.s}
		}
		return v.kind == kindText || v.kind == 0 && r.Exception == nil
	case "stack_info", "taskName":
		if v.kind == 0 {
			_, twice := p.extra.fields.Lookup(key)
			return !twice
		}
	case "heavy_initialized", "channel":
		return false
	}
	p.extra.set(key, v.any())
	return true
}

func (p *fastPickle) finish() {
	r := p.r
	if p.seen&seenFile != 0 {
		switch {
		case r.Site.File == "":
			r.Site.File = p.file
		case p.file != pythonBase(r.Site.File):
			p.extra.set("filename", p.file)
		}
	}
	r.Extra = p.extra.fields
	setStdlibLevel(r, int(p.levelno), p.seen&seenLevelno != 0, p.levelname)
	r.SetMessage(r.Msg)
	if p.seen&seenMessage != 0 {
		r.SetMessage(p.message)
	}
	stdlibException(r)
}
