package packed

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// Execnet reads a dictionary in the serialization of execnet. Values are those of
// JSON, see [core.Fields]; bytes are text.
func Execnet(data []byte) (core.Fields, error) {
	r := execnet{buffer: buffer{data: data}}
	version, err := r.byte()
	if err == nil && (version < 1 || version > 2) {
		err = ErrMalformed
	}
	if err != nil {
		return nil, err
	}
	return fields(r.run())
}

// execnet is a stack machine, like a pickle without any way to name code. Lists and
// dictionaries are filled in place, by index and by key.
type execnet struct {
	buffer
	stack []any
}

// filled is a list or dictionary that is being built.
type filled struct {
	list   []any
	object object
	isList bool
}

func (r *execnet) run() (any, error) {
	for {
		op, err := r.byte()
		if err != nil {
			return nil, err
		}
		if op == 'Q' { // STOP
			if len(r.stack) != 1 {
				return nil, ErrMalformed
			}
			return r.finished(r.stack[0])
		}
		if err := r.value(); err != nil {
			return nil, err
		}
		if err := r.step(op); err != nil {
			return nil, err
		}
	}
}

func (r *execnet) step(op byte) error {
	var v any
	var err error
	switch op {
	case 'C', 'R':
		v = op == 'R'
	case 'L':
	case 'F', 'G':
		v, err = r.int32()
	case 'H', 'I':
		v, err = r.longText()
	case 'D':
		v, err = r.float(8)
	case 'A', 'M', 'N', 'S':
		var n uint64
		if n, err = r.uint(4); err == nil {
			v, err = r.text(n)
		}
	case 'J':
		v = new(filled)
	case 'K':
		var n uint64
		n, err = r.uint(4)
		if r.count += int(min(n, maxValues)); r.count > maxValues { //nolint:gosec // bounded
			return ErrTooMany
		}
		v = &filled{isList: true, list: make([]any, min(n, maxValues))}
	case '@', 'E', 'O':
		v, err = r.collected()
	case 'P':
		return r.setItem()
	default: // channels and what later versions may add
		return ErrMalformed
	}
	r.stack = append(r.stack, v)
	return err
}

func (r *execnet) int32() (any, error) {
	n, err := r.uint(4)
	return int64(int32(uint32(n))), err //nolint:gosec // two's complement of four bytes
}

// longText reads a whole number that is written as text.
func (r *execnet) longText() (any, error) {
	n, err := r.uint(4)
	if err != nil {
		return nil, err
	}
	s, err := r.text(n)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 10_000 || strings.Trim(digits, "0123456789") != "" || digits[0] == '0' {
		return nil, ErrMalformed
	}
	return json.Number(s), nil
}

func (r *execnet) pop(n uint64) ([]any, error) {
	if n > uint64(len(r.stack)) {
		return nil, ErrMalformed
	}
	at := len(r.stack) - int(n) //nolint:gosec // not above len(stack)
	items := r.stack[at:]
	r.stack = r.stack[:at]
	return items, nil
}

// collected makes a tuple or set of the last values.
func (r *execnet) collected() (any, error) {
	n, err := r.uint(4)
	if err != nil {
		return nil, err
	}
	items, err := r.pop(n)
	return &filled{isList: true, list: append([]any(nil), items...)}, err
}

func (r *execnet) setItem() error {
	pair, err := r.pop(2)
	if err != nil || len(r.stack) == 0 {
		return ErrMalformed
	}
	into, ok := r.stack[len(r.stack)-1].(*filled)
	if !ok {
		return ErrMalformed
	}
	if into.isList {
		i, ok := pair[0].(int64)
		if !ok || i < 0 || i >= int64(len(into.list)) {
			return ErrMalformed
		}
		into.list[i] = pair[1]
		return nil
	}
	key := pair[0]
	if _, ok := key.(*filled); ok {
		if key, err = r.finished(key); err != nil {
			return err
		}
	}
	into.object.fields = append(into.object.fields, core.Field{Key: name(key), Value: pair[1]})
	return nil
}

// finished turns what was built into values. Nothing can contain itself: a
// container leaves the stack when it is put into another one.
func (r *execnet) finished(v any) (any, error) {
	f, ok := v.(*filled)
	if !ok {
		return v, nil
	}
	if err := r.enter(); err != nil {
		return nil, err
	}
	var err error
	for i := range f.list {
		if f.list[i], err = r.finished(f.list[i]); err != nil {
			return nil, err
		}
	}
	for i := range f.object.fields {
		e := &f.object.fields[i]
		if e.Value, err = r.finished(e.Value); err != nil {
			return nil, err
		}
	}
	r.depth--
	if f.isList {
		return f.list, nil
	}
	return f.object, nil
}
