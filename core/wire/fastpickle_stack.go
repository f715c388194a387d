package wire

import "sync"

// maxContainers is how many lists and dictionaries the short cut makes of one pickle; it
// bounds their depth, too.
const maxContainers = 24

// stack is that of a machine for the attributes from the first one on whose value is
// a list, a tuple or a dictionary: where such a value ends is only known when all
// of them are there.
type stack struct {
	items []item // keys and values by turns, above them what is being made
	marks []int
	made  int
}

// stacks are stacks that nobody uses.
var stacks sync.Pool //nolint:gochecknoglobals // of memory only

// release empties the stack for the next one who needs it. A large one is not worth keeping.
func (s *stack) release() {
	if cap(s.items) <= 256 {
		clear(s.items[:cap(s.items)])
		*s = stack{items: s.items[:0], marks: s.marks[:0]}
		stacks.Put(s)
	}
}

// item is a scalar, or a value of kindOther.
type item struct {
	scalar
	other any
}

const kindOther = kindText + 1 // a list or a dictionary

func other(v any) item { return item{scalar{kind: kindOther}, v} }

// any returns the value as the rest of the package has it.
func (i *item) any() any {
	if i.kind == kindOther {
		return i.other
	}
	return i.scalar.any()
}

// key returns the text that a key is.
func (i *item) key() (string, bool) { return i.s, i.kind == kindText }

func values(items []item) []any {
	list := make([]any, len(items))
	for i := range items {
		list[i] = items[i].any()
	}
	return list
}

// container reports whether an instruction begins a list, a tuple or a dictionary.
func container(op byte) bool { return op == '}' || op == ']' || op == ')' || op == '(' }

// members reads the attributes from the one of this key on.
func (p *fastPickle) members(key string) bool {
	s, _ := stacks.Get().(*stack)
	if s == nil {
		s = &stack{items: make([]item, 0, 32), marks: make([]int, 0, 4)}
	}
	defer s.release()
	s.items = append(s.items, item{scalar: scalar{kind: kindText, s: key}})
	for p.i < len(p.data) {
		if p.data[p.i] == 'u' && len(s.marks) == 0 {
			return p.take(s.items)
		}
		if !p.step(s) {
			return false
		}
	}
	return false
}

// step obeys one instruction.
func (p *fastPickle) step(s *stack) bool {
	if op := p.data[p.i]; container(op) {
		p.i++
		return p.begin(s, op)
	}
	switch op := p.data[p.i]; op {
	case 't', 'e', 'u':
		p.i++
		return len(s.marks) > 0 && p.end(s, op)
	case 0x85, 0x86, 0x87: // tuples of one, two and three
		p.i++
		n := int(op-0x85) + 1
		if len(s.items)-s.floor() < n {
			return false
		}
		s.marks = append(s.marks, len(s.items)-n)
		return s.count() && p.end(s, 't')
	case 'a', 's':
		p.i++
		n := 1
		if op == 's' {
			n = 2
		}
		if len(s.items)-s.floor() <= n {
			return false
		}
		s.marks = append(s.marks, len(s.items)-n)
		return p.end(s, map[byte]byte{'a': 'e', 's': 'u'}[op])
	}
	v, ok := p.value()
	s.items = append(s.items, item{scalar: v})
	return ok
}

// floor is where the items above the last mark start.
func (s *stack) floor() int {
	if len(s.marks) == 0 {
		return 0
	}
	return s.marks[len(s.marks)-1]
}

func (s *stack) count() bool {
	s.made++
	return s.made <= maxContainers
}

// begin makes an empty value, or marks where the items of one start.
func (p *fastPickle) begin(s *stack, op byte) bool {
	switch op {
	case '(':
		s.marks = append(s.marks, len(s.items))
		return len(s.marks) <= maxContainers
	case '}':
		s.items = append(s.items, other(map[string]any{}))
	default:
		s.items = append(s.items, other([]any{}))
	}
	return s.count() && (op == ')' || p.put(nil))
}

// end takes the items above the last mark and makes a tuple of them, or puts them into the
// list or dictionary below.
func (p *fastPickle) end(s *stack, op byte) bool {
	mark := s.floor()
	s.marks = s.marks[:len(s.marks)-1]
	above := s.items[mark:]
	s.items = s.items[:mark]
	if op == 't' {
		s.items = append(s.items, other(values(above)))
		return s.count() && p.put(nil)
	}
	if mark == s.floor() { // nothing is below
		return false
	}
	switch into := s.items[mark-1].other.(type) {
	case []any:
		for i := range above {
			into = append(into, above[i].any())
		}
		s.items[mark-1].other = into
		return op == 'e'
	case map[string]any:
		if op != 'u' || len(above)%2 != 0 {
			return false
		}
		for i := 0; i < len(above); i += 2 {
			key, ok := above[i].key()
			if !ok {
				return false
			}
			into[key] = above[i+1].any()
		}
		return true
	}
	return false
}

// take stores keys and values.
func (p *fastPickle) take(items []item) bool {
	if len(items)%2 != 0 {
		return false
	}
	for i := 0; i < len(items); i += 2 {
		key, ok := items[i].key()
		if !ok {
			return false
		}
		v := &items[i+1]
		if v.kind != kindOther {
			ok = p.attribute(key, &v.scalar)
		} else if ok = key != "" && key[0] != '_' && logbookKey(key) == "" && !stdlibOnly(key); ok {
			p.extra.set(key, v.other)
		}
		if !ok {
			return false
		}
	}
	return true
}
