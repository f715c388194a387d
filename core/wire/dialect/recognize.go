package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// Options of a [Recognizer].
type Options struct {
	// Dialect is one of [Names], for senders whose dialect is known; "" recognizes
	// it for each record.
	Dialect string
	// Map says by which names a sender calls what: its keys are channel, level,
	// message, time, filename, lineno, func_name, module, process, process_name, thread_name,
	// exception_name, exception_message and formatted_exception, its values the names of members,
	// with dots for members of members.
	Map map[string]string
}

// Recognizer makes records of decoded JSON objects. It is safe for concurrent use.
// The zero value recognizes every dialect.
type Recognizer struct {
	forced *row
	mapped roles
}

// Names returns the names of all dialects, in alphabetical order.
func Names() []string {
	names := []string{generic.name}
	for i := range table {
		names = append(names, table[i].name)
	}
	slices.Sort(names)
	return names
}

// New returns a recognizer. The error says which name in the options is unknown and which
// ones there are.
func New(o Options) (*Recognizer, error) {
	r := new(Recognizer)
	if o.Dialect != "" {
		i := slices.IndexFunc(table, func(w row) bool { return w.name == o.Dialect })
		switch {
		case i >= 0:
			r.forced = &table[i]
		case o.Dialect == generic.name:
			r.forced = &generic
		default:
			return nil, fmt.Errorf("unknown dialect %q (one of %s)", o.Dialect, strings.Join(Names(), ", "))
		}
	}
	var err error
	r.mapped, err = mapping(o.Map)
	return r, err
}

// mapping returns what the members mean that a sender names in its own way.
func mapping(names map[string]string) (roles, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out := make(roles, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		member := names[name]
		to, ok := mappable[name]
		if !ok {
			return nil, fmt.Errorf("no field %q to map %q to (one of %s)", name, member, strings.Join(slices.Sorted(maps.Keys(mappable)), ", "))
		}
		if member == "" {
			return nil, fmt.Errorf("nothing to map to the field %q", name)
		}
		if out[member] != extra {
			return nil, fmt.Errorf("%q cannot be mapped to two fields", member)
		}
		out[member] = to
	}
	return out, nil
}

// Forced reports whether the options say how to read every object.
func (r *Recognizer) Forced() bool { return r.forced != nil || len(r.mapped) > 0 }

// Record makes a record of an object that speaks a dialect of the table, or of any
// object if a dialect is forced; it returns nil for others and for objects without
// a message. inner decodes a line of output that is JSON itself; it may be nil.
func (r *Recognizer) Record(f core.Fields, inner func([]byte) (*core.Record, error)) *core.Record {
	w := r.forced
	if w == nil {
		w = recognize(f)
	}
	if w == nil && len(r.mapped) > 0 {
		w = &generic
	}
	if w == nil {
		return nil
	}
	return r.read(w, f, inner)
}

// Generic makes a record of an object of unknown origin, by the names that
// libraries commonly use. It returns nil for one without a message.
func (r *Recognizer) Generic(f core.Fields) *core.Record { return r.read(&generic, f, nil) }

// Recognize returns the name of the dialect that an object speaks, "" if it is none
// of the table.
func Recognize(f core.Fields) string {
	if w := recognize(f); w != nil {
		return w.name
	}
	return ""
}

func recognize(f core.Fields) *row {
	for i := range table {
		if table[i].speaks(f) {
			return &table[i]
		}
	}
	return nil
}

func (w *row) speaks(f core.Fields) bool {
	for _, key := range w.has {
		if _, ok := f.Lookup(key); !ok {
			return false
		}
	}
	for _, key := range w.texts {
		if _, ok := f.Get(key).(string); !ok || !present(f, key) {
			return false
		}
	}
	for _, key := range w.numbers {
		if _, ok := number(f.Get(key)); !ok {
			return false
		}
	}
	return w.test == nil || w.test(f)
}

func present(f core.Fields, keys ...string) bool {
	for _, key := range keys {
		if _, ok := f.Lookup(key); ok {
			return true
		}
	}
	return false
}

func isECS(f core.Fields) bool {
	_, log := f.Get("log").(map[string]any)
	return log || present(f, "ecs.version", "log.level", "ecs")
}

// isPino tells pino's numbers from those of Logbook, which are below 16.
func isPino(f core.Fields) bool {
	n, _ := number(f.Get("level"))
	at, _ := number(f.Get("time"))
	return present(f, "pid", "hostname") || n > 15 || at > 1e11
}

// upperLevel tells slog from logrus: INFO, ERROR+2.
func upperLevel(f core.Fields) bool {
	s, _ := f.Get("level").(string)
	return s != "" && s == strings.ToUpper(s)
}

func noHost(f core.Fields) bool { return !present(f, "host") }

func hasLevelOrTime(f core.Fields) bool {
	return present(f, "level", "timestamp", "logger", "log_level")
}
