package pickle

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
)

// machine runs the instructions of one pickle. Every instruction costs time in
// proportion to the bytes it takes, apart from those that collect what others
// have pushed, so that the whole is linear in the size of the input.
type machine struct {
	data   []byte
	i      int
	stack  []any
	marks  []int
	memo   map[uint64]any
	values int
}

// Values on the stack are nil, bool, int64, bigInt, float64, string (text), pyBytes,
// py2String, and the pointers below.
type (
	bigInt    string // decimal
	pyBytes   string
	py2String string // bytes that were meant as text

	list struct {
		kind  listKind
		items []any
		busy  bool // being converted: found again, it contains itself
	}
	dict struct {
		keys, values []any
		busy         bool
	}
	// global is a name that a pickle wants to import. It stays a name.
	global struct{ module, name string }
	// object is what a class or function would have returned.
	object struct {
		of    any // *global, or whatever was called
		args  []any
		items *dict // set on it like on a dictionary
		list  *list // appended to it like to a list
		state any   // given to it by BUILD
		busy  bool
	}
)

type listKind uint8

const (
	pyList listKind = iota
	pyTuple
	pySet
)

func malformed(what string, at int) error {
	return &Error{ReasonMalformed, what + " at byte " + strconv.Itoa(at)}
}

// run executes the pickle and returns what it leaves on the stack. What
// follows its STOP is ignored, as Python does.
func run(data []byte) (any, error) {
	m := &machine{data: data, memo: make(map[uint64]any)}
	for {
		if m.i >= len(m.data) {
			return nil, malformed("no STOP", m.i)
		}
		op := m.data[m.i]
		m.i++
		if op == '.' {
			return m.pop()
		}
		if err := m.step(op); err != nil {
			return nil, err
		}
	}
}

// step executes one instruction other than STOP.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		b, err := m.take(1)
		if err == nil && b[0] > 5 {
			err = malformed("unknown protocol", m.i)
		}
		return err
	case 0x95: // FRAME, which says nothing about the data
		_, err := m.take(8)
		return err
	case '(':
		if len(m.marks) >= maxMarks {
			return &Error{ReasonTooDeep, "more than " + strconv.Itoa(maxMarks) + " open marks"}
		}
		m.marks = append(m.marks, len(m.stack))
		return nil
	case '0', '1', '2':
		return m.shuffle(op)
	case 'p', 'q', 'r', 0x94, 'g', 'h', 'j':
		return m.remember(op)
	case 'P', 'Q', 0x82, 0x83, 0x84, 0x97, 0x98:
		return &Error{ReasonForbidden, "persistent id, extension or buffer at byte " + strconv.Itoa(m.i-1)}
	case 'a', 'e', 's', 'u', 0x90, 'b':
		return m.collect(op)
	case 'c', 0x93, 'R', 0x81, 0x92, 'o', 'i':
		return m.construct(op)
	}
	v, err := m.literal(op)
	if err != nil {
		return err
	}
	return m.push(v)
}

func (m *machine) push(v any) error {
	if m.values++; m.values > MaxValues {
		return &Error{ReasonTooMany, "more than " + strconv.Itoa(MaxValues)}
	}
	m.stack = append(m.stack, v)
	return nil
}

// floor is where the stack ends that the instructions since the last mark may use.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) pop() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, malformed("nothing on the stack", m.i-1)
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark returns what was pushed since the last mark. The slice is only good until
// the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, malformed("no mark", m.i-1)
	}
	at := m.floor()
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) top() (any, error) {
	v, err := m.pop()
	if err == nil {
		m.stack = append(m.stack, v)
	}
	return v, err
}

// shuffle is POP, POP_MARK and DUP.
func (m *machine) shuffle(op byte) error {
	switch {
	case op == '0' && len(m.marks) > 0 && len(m.stack) == m.floor(), op == '1':
		_, err := m.popMark()
		return err
	case op == '0':
		_, err := m.pop()
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.push(v)
}

// remember is the instructions of the memo.
func (m *machine) remember(op byte) error {
	var key uint64
	switch op {
	case 'p', 'g':
		s, err := m.line()
		if err != nil {
			return err
		}
		if key, err = strconv.ParseUint(s, 10, 63); err != nil {
			return malformed("bad memo key", m.i)
		}
	case 'q', 'h':
		b, err := m.take(1)
		if err != nil {
			return err
		}
		key = uint64(b[0])
	case 'r', 'j':
		b, err := m.take(4)
		if err != nil {
			return err
		}
		key = uint64(binary.LittleEndian.Uint32(b))
	default:
		key = uint64(len(m.memo))
	}
	if op == 'g' || op == 'h' || op == 'j' {
		v, ok := m.memo[key]
		if !ok {
			return malformed("nothing in the memo", m.i-1)
		}
		return m.push(v)
	}
	v, err := m.top()
	if m.values++; m.values > MaxValues {
		return &Error{ReasonTooMany, "more than " + strconv.Itoa(MaxValues)}
	}
	m.memo[key] = v
	return err
}

// take returns the next n bytes.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.i) {
		return nil, malformed("cut off", m.i)
	}
	b := m.data[m.i : m.i+int(n)] //nolint:gosec // not above len(data)
	m.i += len(b)
	return b, nil
}

// line returns what comes before the next line feed.
func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.i:], '\n')
	if n < 0 {
		return "", malformed("line without end", m.i)
	}
	s := string(m.data[m.i : m.i+n])
	m.i += n + 1
	return s, nil
}

// sized returns the bytes behind a length of the given width.
func (m *machine) sized(width uint64) ([]byte, error) {
	b, err := m.take(width)
	if err != nil {
		return nil, err
	}
	var n [8]byte
	copy(n[:], b)
	return m.take(binary.LittleEndian.Uint64(n[:]))
}

func float(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }
