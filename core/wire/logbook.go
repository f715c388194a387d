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
	p.r = p.memory.record()
	more, err := p.open('}')
	if err != nil {
		return nil, err
	}
	for more {
		p.space()
		var name string
		m := p.knownMember()
		if m == memberNone {
			if name, err = p.key(); err != nil {
				return nil, err
			}
			m = memberOf(name)
		}
		if m == memberForeign {
			p.seen |= seenForeign
			return nil, nil //nolint:nilnil // documented
		}
		if err := p.member(m, name); err != nil {
			return nil, err
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

// member reads the value of one member of the object; name is that of one that Logbook
// does not know.
func (p *parser) member(m member, name string) error {
	r := p.r
	if len(p.odd) > 0 {
		p.odd.Delete(memberNames[m]) // the last one of equal names wins
	}
	switch m {
	case memberChannel:
		p.seen |= seenChannel
		return p.textInto(&r.Channel, m)
	case memberLevel:
		p.seen |= seenLevel
		return p.level()
	case memberMsg:
		p.seen |= seenMsg
		return p.textInto(&r.Msg, m)
	case memberMessage:
		return p.message()
	case memberTime:
		return p.time()
	case memberArgs:
		return p.args()
	case memberKwargs:
		return p.fieldsInto(&r.Kwargs, m)
	case memberExtra:
		return p.fieldsInto(&r.Extra, m)
	case memberHeavyInitialized:
		p.seen |= seenHeavy
		return p.flag(m)
	case memberInformationPulled:
		return p.flag(m)
	case memberNone:
		v, err := p.value()
		if err == nil {
			p.unknown.set(name, v)
		}
		return err
	}
	return p.origin(m)
}

// origin is member for where the record comes from.
func (p *parser) origin(m member) error {
	r := p.r
	switch m {
	case memberProcess:
		return intInto(p, &r.Process.ID, m)
	case memberProcessName:
		return p.textInto(&r.Process.Name, m)
	case memberThread:
		return intInto(p, &r.Thread.ID, m)
	case memberThreadName:
		return p.textInto(&r.Thread.Name, m)
	case memberGreenlet:
		return intInto(p, &r.Thread.Greenlet, m)
	case memberFilename:
		return p.textInto(&r.Site.File, m)
	case memberLineno:
		return intInto(p, &r.Site.Line, m)
	case memberFuncName:
		return p.textInto(&r.Site.Function, m)
	case memberModule:
		return p.textInto(&r.Site.Module, m)
	case memberFrameCorrection:
		return intInto(p, &r.FrameCorrection, m)
	}
	return p.exception(m)
}

// strange reads a value that is not of the type that m should have.
func (p *parser) strange(m member) error {
	v, err := p.value()
	if err == nil {
		p.odd.Set(memberNames[m], v)
	}
	return err
}

func (p *parser) textInto(dst *string, m member) error {
	switch {
	case p.i < len(p.s) && p.s[p.i] == '"':
		s, err := p.text()
		*dst = s
		return err
	case p.word("null"):
		*dst = ""
		return nil
	}
	return p.strange(m)
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
	return p.strange(memberMessage)
}

func intInto[T int | int64](p *parser, dst *T, m member) error {
	if p.word("null") {
		*dst = 0
		return nil
	}
	if n, ok := p.integer(); ok && int64(T(n)) == n {
		*dst = T(n)
		return nil
	}
	return p.strange(m)
}

func (p *parser) level() error {
	var n int
	if err := intInto(p, &n, memberLevel); err != nil {
		return err
	}
	p.r.Level = core.NormalizeLevel(n)
	return nil
}

func (p *parser) flag(m member) error {
	if p.word("true") || p.word("false") || p.word("null") {
		return nil
	}
	return p.strange(m)
}

func (p *parser) time() error {
	p.r.Time = time.Time{}
	if p.i >= len(p.s) || p.s[p.i] != '"' {
		return p.strange(memberTime)
	}
	s, err := p.text()
	if err != nil {
		return err
	}
	if p.r.Time, err = isotime.Parse(s, p.fraction, p.clock); err != nil {
		p.odd.Set(memberNames[memberTime], s)
	}
	return nil
}

func (p *parser) args() error {
	if p.i >= len(p.s) || p.s[p.i] != '[' {
		return p.strange(memberArgs)
	}
	args, err := p.array(p.memory.array())
	p.r.Args = p.memory.takeValues(args)
	return err
}

func (p *parser) fieldsInto(dst *core.Fields, m member) error {
	if p.i >= len(p.s) || p.s[p.i] != '{' {
		return p.strange(m)
	}
	var err error
	*dst, err = p.fields()
	return err
}

func (p *parser) exception(m member) error {
	if p.word("null") {
		return nil
	}
	if p.i >= len(p.s) || p.s[p.i] != '"' {
		return p.strange(m)
	}
	s, err := p.text()
	if err != nil {
		return err
	}
	if p.r.Exception == nil {
		p.r.Exception = new(core.Exception)
	}
	switch m {
	case memberExceptionName:
		p.r.Exception.Name = s
	case memberExceptionMessage:
		p.r.Exception.Message = s
	default:
		p.r.Exception.Traceback = s
	}
	return nil
}
