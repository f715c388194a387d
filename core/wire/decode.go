package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
	"github.com/logbook-tray/logbook-tray/core/wire/dialect"
)

// Limits that hold where [Options] say nothing.
const (
	DefaultMaxSize  = 16 << 20 // bytes
	DefaultMaxDepth = 64       // levels of arrays and objects
	// MaxValues is the number of values in one record. It bounds what a
	// record of the largest size can make of memory.
	MaxValues = 1 << 18
)

// Options of a [Decoder]. The zero value suits every sender that is known to
// exist.
type Options struct {
	// MaxSize is the largest accepted body in bytes; 0 means [DefaultMaxSize].
	MaxSize int
	// MaxDepth is how deep values may nest; 0 means [DefaultMaxDepth].
	MaxDepth int
	// DecimalFraction reads "59.5Z" in a Logbook record as half a second. The default
	// is what Logbook itself means by it, in all its versions: 5 microseconds.
	DecimalFraction bool
	// Zone is where the sender's clock runs whose times claim to be UTC or claim
	// nothing: Logbook puts a Z behind local times too, after
	// set_datetime_format("local"). nil means UTC.
	Zone *time.Location
	// Dialect says what the sender speaks: "logbook", "stdlib" for Python's logging
	// package, or one of [dialect.Names]. "" recognizes it for each record.
	Dialect string
	// Map says how a sender names its fields, see [dialect.Options]. It goes before
	// what is recognized.
	Map map[string]string
}

// Decoder makes records of bytes. It is safe for concurrent use.
type Decoder struct {
	maxSize, maxDepth int
	fraction          isotime.Fraction
	zone              *time.Location
	family            string // "logbook" or "stdlib" if that is forced
	dialects          dialect.Recognizer
	inside            bool // an envelope, of which there may be one only
}

// NewDecoder returns a decoder with the given options. The error says which name in Dialect
// or Map is unknown.
func NewDecoder(o Options) (*Decoder, error) {
	d := &Decoder{maxSize: o.MaxSize, maxDepth: o.MaxDepth, zone: o.Zone}
	if d.maxSize <= 0 {
		d.maxSize = DefaultMaxSize
	}
	if d.maxDepth <= 0 {
		d.maxDepth = DefaultMaxDepth
	}
	if o.DecimalFraction {
		d.fraction = isotime.Decimal
	}
	if o.Dialect == familyLogbook || o.Dialect == familyStdlib {
		d.family, o.Dialect = o.Dialect, ""
	}
	r, err := dialect.New(dialect.Options{Dialect: o.Dialect, Map: o.Map})
	if err != nil {
		return nil, fmt.Errorf("make a decoder: %w", err)
	}
	d.dialects = *r
	return d, nil
}

// The families that are no dialects; see [Options.Dialect].
const (
	familyLogbook = "logbook"
	familyStdlib  = "stdlib"
)

// Dialects returns the names that [Options.Dialect] can have, in alphabetical order.
func Dialects() []string {
	names := append(dialect.Names(), familyLogbook, familyStdlib)
	slices.Sort(names)
	return names
}

// standard has the default options. It is never changed.
var standard = Decoder{maxSize: DefaultMaxSize, maxDepth: DefaultMaxDepth} //nolint:gochecknoglobals // see above

// Decode makes a record of one JSON object of any known family, with the
// limits and the reading of times that [Options] have by default. See
// [Decoder.Decode].
func Decode(body []byte) (*core.Record, error) {
	return standard.Decode(body)
}

// Decode makes a record of one JSON object: Logbook's of any version, a
// dictionary of stdlib logging, that of Logbook's RedisHandler, an envelope of
// kombu around one of these, or what another logging library writes, see package
// dialect. The family is told by its keys, the numbering of Logbook's levels by their
// values.
//
// The record may refer to parts of body: the caller must not change
// it afterwards, and it stays in memory as long as the record. What is only known
// here, such as where the record came from, the caller adds with
// [core.NewReceived], which also gives a record without a readable time
// that of its arrival.
//
// Unknown fields and values of the wrong type are kept in the record's Extra.
// Errors are of type [*RejectError].
func (d *Decoder) Decode(body []byte) (*core.Record, error) {
	body, err := d.checked(body)
	if err != nil {
		return nil, err
	}
	m := borrow()
	r, err := d.object(body, m)
	m.giveBack()
	return r, err
}

// object is Decode for a body that was checked.
func (d *Decoder) object(body []byte, m *memory) (*core.Record, error) {
	p := parser{scanner: newScanner(body, d.maxDepth, MaxValues), fraction: d.fraction, clock: d.zone}
	p.memory = m
	if p.space() != '{' {
		return nil, p.notObject()
	}
	start := p.scanner
	var err error
	var r *core.Record
	if d.family != familyStdlib && !d.dialects.Forced() {
		if r, err = p.logbook(); err != nil {
			return nil, err
		}
	}
	if r == nil && p.seen&seenForeign != 0 {
		p.scanner = start
		if r, ok := p.stdlibJSON(); ok {
			return r, nil
		}
	}
	if r == nil { // another family: look at all of it first
		p.scanner = start
		f, err := p.fields()
		if err != nil {
			return nil, err
		}
		if err := p.end(); err != nil {
			return nil, err
		}
		return d.FromFields(f)
	}
	return r, p.end()
}

// checked returns body within its limits as valid UTF-8, which is what the rest of
// the package relies on.
func (d *Decoder) checked(body []byte) ([]byte, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if len(body) == 0 {
		return nil, &RejectError{Reason: ReasonEmpty}
	}
	if len(body) > d.maxSize {
		return nil, tooLarge(len(body), d.maxSize)
	}
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\ufffd"))
	}
	return body, nil
}

func tooLarge(n, limit int) error {
	return &RejectError{ReasonTooLarge, strconv.Itoa(n) + " bytes, the limit is " + strconv.Itoa(limit)}
}

func (p *parser) notObject() error {
	if _, err := p.value(); err != nil {
		return err
	}
	return &RejectError{Reason: ReasonNotObject}
}

// end makes sure that nothing follows the object. A NUL or a few do no harm:
// some senders end messages with them.
func (p *scanner) end() error {
	for p.space() == 0 && p.i < len(p.s) {
		p.i++
	}
	if p.i < len(p.s) {
		return malformed("more after the object", p.i)
	}
	return nil
}
