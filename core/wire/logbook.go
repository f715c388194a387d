package wire

import (
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
)

// parser reads one Logbook record in one pass, straight into its fields.
type parser struct {
	scanner
	fraction isotime.Fraction
	clock    *time.Location // where the sender's clock runs; nil for UTC
	r        *core.Record
	seen     uint8
	unknown  fieldList   // members that Logbook does not know
	odd      core.Fields // known members with values of a type they should not have
}

// What tells the families apart.
const (
	seenChannel = 1 << iota
	seenLevel
	seenMsg
	seenHeavy
	seenForeign // a key that only stdlib logging has
)

// logbook reads an object as a record of Logbook. It returns nil without an error
// if the keys say that it is none.
func (p *parser) logbook() (*core.Record, error) {
	p.r = new(core.Record)
	more, err := p.open('}')
	if err != nil {
		return nil, err
	}
	for more {
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		if err := p.member(key); err != nil {
			return nil, err
		}
		if p.seen&seenForeign != 0 {
			return nil, nil //nolint:nilnil // documented
		}
		if more, err = p.more('}'); err != nil {
			return nil, err
		}
	}
	const enough = seenChannel | seenLevel | seenMsg
	if p.seen&seenHeavy == 0 && p.seen&enough != enough {
		return nil, nil //nolint:nilnil // documented
	}
	p.finish()
	return p.r, nil
}

// finish adds what has no place of its own.
func (p *parser) finish() {
	if len(p.unknown.fields) == 0 && len(p.odd) == 0 {
		return
	}
	rest := make(map[string]any, len(p.unknown.fields)+len(p.odd))
	for _, f := range p.unknown.fields {
		rest[f.Key] = f.Value
	}
	for _, f := range p.odd {
		rest[f.Key] = f.Value
	}
	p.r.UpdateFromDict(rest)
}

// member reads the value of one member of the object.
func (p *parser) member(key string) error {
	r := p.r
	if len(p.odd) > 0 {
		p.odd.Delete(key) // the last one of equal keys wins
	}
	switch key {
	case "channel":
		p.seen |= seenChannel
		return p.textInto(&r.Channel, key)
	case "level":
		p.seen |= seenLevel
		return p.level()
	case "msg":
		p.seen |= seenMsg
		return p.textInto(&r.Msg, key)
	case "message":
		return p.message()
	case "time":
		return p.time()
	case "args":
		return p.args()
	case "kwargs":
		return p.fieldsInto(&r.Kwargs, key)
	case "extra":
		return p.fieldsInto(&r.Extra, key)
	case "heavy_initialized":
		p.seen |= seenHeavy
		return p.flag(key)
	case "information_pulled":
		return p.flag(key)
	case "levelno", "levelname":
		p.seen |= seenForeign
		return nil
	}
	return p.origin(key)
}

// origin is member for where the record comes from, and for all the rest.
func (p *parser) origin(key string) error {
	r := p.r
	switch key {
	case "process":
		return intInto(p, &r.Process.ID, key)
	case "process_name":
		return p.textInto(&r.Process.Name, key)
	case "thread":
		return intInto(p, &r.Thread.ID, key)
	case "thread_name":
		return p.textInto(&r.Thread.Name, key)
	case "greenlet":
		return intInto(p, &r.Thread.Greenlet, key)
	case "filename":
		return p.textInto(&r.Site.File, key)
	case "lineno":
		return intInto(p, &r.Site.Line, key)
	case "func_name":
		return p.textInto(&r.Site.Function, key)
	case "module":
		return p.textInto(&r.Site.Module, key)
	case "frame_correction":
		return intInto(p, &r.FrameCorrection, key)
	case "exception_name", "exception_message", "formatted_exception":
		return p.exception(key)
	}
	v, err := p.value()
	if err == nil {
		p.unknown.set(key, v)
	}
	return err
}

// strange reads a value that is not of the type that key should have.
func (p *parser) strange(key string) error {
	v, err := p.value()
	if err == nil {
		p.odd.Set(key, v)
	}
	return err
}

func (p *parser) textInto(dst *string, key string) error {
	switch {
	case p.i < len(p.s) && p.s[p.i] == '"':
		s, err := p.text()
		*dst = s
		return err
	case p.word("null"):
		*dst = ""
		return nil
	}
	return p.strange(key)
}

func (p *parser) message() error {
	switch {
	case p.i < len(p.s) && p.s[p.i] == '"':
		s, err := p.text()
		p.r.SetMessage(s)
		return err
	case p.word("null"): // nothing that JSON can hold: the template is all there is
		return nil
	}
	return p.strange("message")
}

func intInto[T int | int64](p *parser, dst *T, key string) error {
	if p.word("null") {
		*dst = 0
		return nil
	}
	if n, ok := p.integer(); ok && int64(T(n)) == n {
		*dst = T(n)
		return nil
	}
	return p.strange(key)
}

func (p *parser) level() error {
	var n int
	if err := intInto(p, &n, "level"); err != nil {
		return err
	}
	p.r.Level = core.NormalizeLevel(n)
	return nil
}

func (p *parser) flag(key string) error {
	if p.word("true") || p.word("false") || p.word("null") {
		return nil
	}
	return p.strange(key)
}

func (p *parser) time() error {
	p.r.Time = time.Time{}
	if p.i >= len(p.s) || p.s[p.i] != '"' {
		return p.strange("time")
	}
	s, err := p.text()
	if err != nil {
		return err
	}
	if p.r.Time, err = isotime.Parse(s, p.fraction, p.clock); err != nil {
		p.odd.Set("time", s)
	}
	return nil
}

func (p *parser) args() error {
	if p.i >= len(p.s) || p.s[p.i] != '[' {
		return p.strange("args")
	}
	var err error
	p.r.Args, err = p.array()
	return err
}

func (p *parser) fieldsInto(dst *core.Fields, key string) error {
	if p.i >= len(p.s) || p.s[p.i] != '{' {
		return p.strange(key)
	}
	var err error
	*dst, err = p.fields()
	return err
}

func (p *parser) exception(key string) error {
	if p.word("null") {
		return nil
	}
	if p.i >= len(p.s) || p.s[p.i] != '"' {
		return p.strange(key)
	}
	s, err := p.text()
	if err != nil {
		return err
	}
	if p.r.Exception == nil {
		p.r.Exception = new(core.Exception)
	}
	switch key {
	case "exception_name":
		p.r.Exception.Name = s
	case "exception_message":
		p.r.Exception.Message = s
	default:
		p.r.Exception.Traceback = s
	}
	return nil
}
