package pickle

import "slices"

// collect is the instructions that put values into a collection, or state into
// an object.
func (m *machine) collect(op byte) error {
	var items []any
	switch op {
	case 'e', 'u', 0x90:
		var err error
		if items, err = m.popMark(); err != nil {
			return err
		}
		items = slices.Clone(items)
	default:
		n := 1
		if op == 's' {
			n = 2
		}
		items = make([]any, n)
		for i := n - 1; i >= 0; i-- {
			var err error
			if items[i], err = m.pop(); err != nil {
				return err
			}
		}
	}
	into, err := m.top()
	if err != nil {
		return err
	}
	switch op {
	case 's', 'u':
		return m.setItems(into, items)
	case 'b':
		if o, ok := into.(*object); ok {
			o.state = items[0]
		}
		return nil
	}
	switch into := into.(type) {
	case *list:
		into.items = append(into.items, items...)
	case *object:
		if into.list == nil {
			into.list = new(list)
		}
		into.list.items = append(into.list.items, items...)
	default:
		return malformed("values for what is no list", m.i-1)
	}
	return nil
}

func (m *machine) setItems(into any, items []any) error {
	switch into := into.(type) {
	case *dict:
		return into.add(items, m.i-1)
	case *object:
		if into.items == nil {
			into.items = new(dict)
		}
		return into.items.add(items, m.i-1)
	}
	return malformed("members for what is no dictionary", m.i-1)
}

// construct is the instructions that import and call. They make placeholders, or
// the data that the constructors of a few standard types stand for.
func (m *machine) construct(op byte) error {
	switch op {
	case 'c', 'i':
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		if op == 'c' {
			return m.push(&global{text([]byte(module)), text([]byte(name))})
		}
		args, err := m.popMark()
		if err != nil {
			return err
		}
		return m.push(&object{of: &global{module, name}, args: slices.Clone(args)})
	case 'o':
		args, err := m.popMark()
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return malformed("no class", m.i-1)
		}
		return m.push(&object{of: args[0], args: slices.Clone(args[1:])})
	case 0x93:
		return m.stackGlobal()
	}
	return m.call(op)
}

func (m *machine) stackGlobal() error {
	name, err := m.pop()
	if err != nil {
		return err
	}
	module, err := m.pop()
	if err != nil {
		return err
	}
	g := new(global)
	var ok1, ok2 bool
	g.module, ok1 = module.(string)
	g.name, ok2 = name.(string)
	if !ok1 || !ok2 {
		return malformed("a name that is no text", m.i-1)
	}
	return m.push(g)
}

// call is REDUCE, NEWOBJ and NEWOBJ_EX.
func (m *machine) call(op byte) error {
	if op == 0x92 { // named arguments
		if _, err := m.pop(); err != nil {
			return err
		}
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	callee, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := v.(*list)
	if !ok {
		return malformed("arguments that are no tuple", m.i-1)
	}
	if g, ok := callee.(*global); ok {
		if v, ok := m.known(g, args.items); ok {
			return m.push(v)
		}
	}
	return m.push(&object{of: callee, args: args.items})
}

// known returns what a constructor that is plain data makes of its arguments.
func (m *machine) known(g *global, args []any) (any, bool) {
	switch g.module {
	case "_codecs":
		return encoded(g.name, args)
	case "__builtin__", "builtins":
		return m.builtin(g.name, args)
	case "collections":
		return m.collection(g.name, args)
	case "datetime":
		return datetime(g.name, args)
	case "copy_reg", "copyreg":
		return reconstructed(g.name, args)
	case "decimal", "fractions":
		if len(args) == 1 {
			if s, ok := asText(args[0]); ok {
				return s, true
			}
		}
		if g.name == "Fraction" && len(args) == 2 {
			return repr(args[0], 0) + "/" + repr(args[1], 0), true
		}
	case "http":
		if g.name == "HTTPStatus" && len(args) == 1 {
			return args[0], true
		}
	}
	return nil, false
}

// encoded is codecs.encode, by which protocols below 3 write bytes: as text of
// which each character is a byte.
func encoded(name string, args []any) (any, bool) {
	if name != "encode" || len(args) == 0 {
		return nil, false
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, false
	}
	b, ok := latin1(s)
	return pyBytes(b), ok
}

func latin1(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

func (m *machine) builtin(name string, args []any) (any, bool) {
	switch name {
	case "bytes", "bytearray":
		if len(args) == 0 {
			return pyBytes(""), true
		}
		switch v := args[0].(type) {
		case string:
			b, ok := latin1(v)
			return pyBytes(b), ok
		case pyBytes:
			return v, true
		case py2String:
			return pyBytes(v), true
		}
	case "set", "frozenset", "list", "tuple":
		return sequence(args)
	case "dict":
		return m.mapping(args)
	case "unicode", "str", "int", "long", "float", "bool":
		if len(args) == 1 {
			return args[0], true
		}
	case "complex":
		if len(args) == 2 {
			return complexText(args[0], args[1])
		}
	case "xrange", "range":
		return "range" + repr(&list{kind: pyTuple, items: args}, 2), true
	}
	return nil, false
}

// sequence is a list made of another one. It is that one: a copy of it could be
// asked for again and again.
func sequence(args []any) (any, bool) {
	if len(args) == 0 {
		return new(list), true
	}
	if l, ok := args[0].(*list); ok {
		return l, true
	}
	return nil, false
}

// mapping is a dictionary made of another one or of pairs.
func (m *machine) mapping(args []any) (any, bool) {
	d := new(dict)
	if len(args) == 0 {
		return d, true
	}
	switch v := args[0].(type) {
	case *dict:
		return v, true
	case *list:
		m.values += len(v.items) // a copy, which can be asked for again and again
		for _, e := range v.items[:max(0, min(len(v.items), MaxValues-m.values))] {
			pair, ok := e.(*list)
			if !ok || len(pair.items) != 2 {
				return nil, false
			}
			d.keys = append(d.keys, pair.items[0])
			d.values = append(d.values, pair.items[1])
		}
		return d, true
	}
	return nil, false
}

func (m *machine) collection(name string, args []any) (any, bool) {
	switch name {
	case "OrderedDict", "Counter":
		return m.mapping(args)
	case "defaultdict":
		return new(dict), true
	case "deque":
		return sequence(args)
	}
	return nil, false
}

// reconstructed is how protocols 0 and 1 make objects: of a class that extends a
// built-in type they hand over the value of that type.
func reconstructed(name string, args []any) (any, bool) {
	if name != "_reconstructor" || len(args) != 3 {
		return nil, false
	}
	if base, ok := args[1].(*global); ok && base.name != "object" && args[2] != nil {
		return args[2], true
	}
	return &object{of: args[0]}, true
}
