package wire

// maxContainers is how many lists and dictionaries the short cut makes of one pickle; it
// bounds their depth, too.
const maxContainers = 24

// stack is that of a machine for the attributes from the first one on whose value is
// a list, a tuple or a dictionary: where such a value ends is only known when all
// of them are there.
type stack struct {
	items []any // keys and values by turns, above them what is being made
	marks []int
	made  int
}

// container reports whether an instruction begins a list, a tuple or a dictionary.
func container(op byte) bool { return op == '}' || op == ']' || op == ')' || op == '(' }

// members reads the attributes from the one of this key on.
func (p *fastPickle) members(key string) bool {
	s := stack{items: make([]any, 0, 32), marks: make([]int, 0, 4)}
	s.items = append(s.items, key)
	for p.i < len(p.data) {
		if p.data[p.i] == 'u' && len(s.marks) == 0 {
			return p.take(s.items)
		}
		if !p.step(&s) {
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
	s.items = append(s.items, v.any())
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
		s.items = append(s.items, map[string]any{})
	default:
		s.items = append(s.items, []any{})
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
		s.items = append(s.items, append(make([]any, 0, len(above)), above...))
		return s.count() && p.put(nil)
	}
	if mark == s.floor() { // nothing is below
		return false
	}
	switch into := s.items[mark-1].(type) {
	case []any:
		s.items[mark-1] = append(into, above...)
		return op == 'e'
	case map[string]any:
		if op != 'u' || len(above)%2 != 0 {
			return false
		}
		for i := 0; i < len(above); i += 2 {
			key, ok := above[i].(string)
			if !ok {
				return false
			}
			into[key] = above[i+1]
		}
		return true
	}
	return false
}

// take stores keys and values.
func (p *fastPickle) take(items []any) bool {
	if len(items)%2 != 0 {
		return false
	}
	for i := 0; i < len(items); i += 2 {
		key, ok := items[i].(string)
		if !ok {
			return false
		}
		v, ok := scalarOf(items[i+1])
		if ok {
			ok = p.attribute(key, &v)
		} else if ok = key != "" && key[0] != '_' && logbookKey(key) == "" && !stdlibOnly(key); ok {
			p.extra.set(key, items[i+1])
		}
		if !ok {
			return false
		}
	}
	return true
}

// scalarOf is the opposite of scalar.any.
func scalarOf(v any) (s scalar, ok bool) {
	switch v := v.(type) {
	case nil:
	case bool:
		s.kind = kindBool
		if v {
			s.n = 1
		}
	case int64:
		s.kind, s.n = kindInt, v
	case float64:
		s.kind, s.f = kindFloat, v
	case string:
		s.kind, s.s = kindText, v
	default:
		return s, false
	}
	return s, true
}
