// Package pipeline turns a configuration into a running graph: subscribers that
// feed records through processors into the stack of handlers. It knows no handler and
// no subscriber itself; what a type in the file means is told by the tables of
// kinds given to it.
//
// A reload builds everything that can fail before it touches what runs, then
// exchanges the stack, and stops what is no longer needed last. Handlers and
// subscribers that stand in the new file as they stood in the old one go on
// undisturbed, with all that they hold.
package pipeline

import (
	"context"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
)

// HandlerKind makes one sort of handler from its part of a file.
type HandlerKind struct {
	// Name is the type as written in the file, Doc one line about it.
	Name, Doc string
	// Options returns a new struct of options, filled with the defaults; a
	// pointer, with the tags of [config.Decode]. nil if there are none.
	Options func() any
	// Passes says that the handler takes no record: what it is offered goes on, as if it
	// bubbled. Its Handle returns [core.ErrPass].
	Passes bool
	// New makes the handler. It may open files, but must not wait for anybody.
	// If the handler implements [Reporter], its report is part of the status.
	New func(env *Env, options any) (core.Handler, error)
}

// SourceKind makes one sort of subscriber, for listen or for subscribe.
type SourceKind struct {
	Name, Doc string
	Options   func() any
	// Listen and Subscribe say in which of the two lists it may stand.
	Listen, Subscribe bool
	// New checks the options and returns how to open the subscriber. It opens
	// nothing: that happens later, and again after a failure.
	New func(env *Env, options any) (Opener, error)
}

// ProcessorKind makes one sort of processor.
type ProcessorKind struct {
	Name, Doc string
	Options   func() any
	New       func(env *Env, options any) (core.Processor, error)
}

// Kinds are the types that a file can name.
type Kinds struct {
	Handlers   []HandlerKind
	Sources    []SourceKind
	Processors []ProcessorKind
}

// Opener opens a subscriber.
type Opener func(ctx context.Context) (Subscriber, error)

// Subscriber is an open source of records.
type Subscriber interface {
	// DispatchForever dispatches records to the stack of ctx until Close, and
	// returns an error if it ends for another reason.
	DispatchForever(ctx context.Context) error
	// Close stops accepting, dispatches what was accepted, and releases the
	// transport.
	Close() error
	Reporter
}

// Reporter is implemented by subscribers and handlers that have something to say
// in the status.
type Reporter interface {
	Report() Report
}

// Report is what a subscriber or handler says of itself.
type Report struct {
	State    string            `json:"state"` // "ok", "listening", "connected", "failing", ...
	Error    string            `json:"error,omitempty"`
	NextTry  time.Time         `json:"next_try,omitzero"` // of a delivery that has failed for now
	Detail   string            `json:"detail,omitempty"`
	Counters map[string]uint64 `json:"counters,omitempty"`
	Peers    []Peer            `json:"peers,omitempty"`
}

// Peer is the other end of a connection.
type Peer struct {
	Address string `json:"address"`
	State   string `json:"state"`
	Error   string `json:"error,omitempty"`

	// Messages and Bytes are what came from it, where the transport counts that.
	Messages uint64 `json:"messages,omitempty"`
	Bytes    uint64 `json:"bytes,omitempty"`
}

// Env is what a kind gets besides its options.
type Env struct {
	// Name is the name of the handler or subscriber.
	Name string
	// Self logs what happens to the program itself.
	Self *core.Logger

	build  *builder
	inner  int
	level  core.Level
	filter func(*core.Record) bool
}

// Wants reports whether level and filter of a handler that passes (see [HandlerKind]) let
// r through, for one that gets its records by another way. It may be called concurrently.
func (e *Env) Wants(r *core.Record) bool {
	return r.Level >= e.level && (e.filter == nil || matches(e.filter, r))
}

// Filter compiles an expression that is true or false for a record.
func (e *Env) Filter(source string) (func(*core.Record) bool, error) {
	return e.build.o.CompileFilter(source)
}

// Handler makes the handler that stands inside of another one in the file. Mistakes
// in it are collected and shown with all the others; the error then merely
// says that there were some.
func (e *Env) Handler(n *config.Node) (core.Handler, error) { return e.build.inner(e, n) }

// Text compiles an expression that makes a text of a record, such as a key.
func (e *Env) Text(source string) (func(*core.Record) string, error) {
	return e.build.o.CompileText(source)
}
