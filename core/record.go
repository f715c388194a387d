package core

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/strformat"
)

// Record is one event that was logged, here or in another process.
//
// Who may change it: whoever made it, until it is dispatched; then the
// [Processor]s of the dispatch, one after the other. From the moment the first
// [Handler] sees it, a record is frozen: handlers may read it from several
// goroutines, and must not change it; one that wants to do so works on a
// [Record.Clone]. A handler that holds a record after Handle has returned
// holds what [Record.Keep] returns.
type Record struct {
	// Channel is the name of the logger, for people to read. It may be empty.
	Channel string
	// Level is the severity.
	Level Level
	// Msg is the message as a new-style format string of Python, such as
	// "declined for order {order}". See [Record.Message].
	Msg string
	// Args are the positional arguments of Msg.
	Args []any
	// Kwargs are the named arguments of Msg.
	Kwargs Fields
	// Extra is the place for further data: processors put context here, and
	// fields of a wire format that have no place elsewhere survive here.
	Extra Fields
	// Time is when the record was logged, in UTC. It is zero until the record
	// was dispatched to somebody who wants it.
	Time time.Time
	// Exception is the error that the record reports; nil if there is none.
	Exception *Exception
	// Site is the place in the source that logged the record. For records
	// logged in Go it is resolved on demand: read it with [Record.Caller].
	Site Site
	// Process and Thread say who logged it.
	Process Process
	Thread  Thread
	// Dispatcher is the logger that made the record; nil for records that
	// came from elsewhere.
	Dispatcher *Logger

	// Source says which subscriber a record came in by; zero for records
	// logged in this process.
	Source Source
	// Received is when the record came in; zero for records logged in this
	// process.
	Received time.Time
	// Seq numbers the records of this process in the order in which they were
	// received or dispatched, from 1 on; 0 until then. It orders records
	// with equal times.
	Seq uint64

	// FrameCorrection is how many stack frames further up the place is that
	// the record is attributed to. Logbook since 0.9 exports it.
	FrameCorrection int

	pc        uintptr
	placed    bool // it is known where it was logged, or that it is not
	message   string
	formatted bool
	ready     bool // initialized: nothing is left to find out at dispatch
	detached  bool // nothing in it refers to values of the running program
}

// Exception describes an error or a Python exception.
type Exception struct {
	// Name is the type with its module or package: "builtins.ZeroDivisionError",
	// "*fs.PathError".
	Name string
	// Message is the text of the error itself; it may be empty or have
	// several lines.
	Message string
	// Traceback is the formatted traceback, with chained exceptions, without
	// a trailing newline; it may be empty.
	Traceback string
	// Err is the error itself for records logged in this process, else nil.
	Err error
}

// ShortName returns Name without the module: "ZeroDivisionError". It is ""
// for a nil exception.
func (e *Exception) ShortName() string {
	if e == nil {
		return ""
	}
	return e.Name[strings.LastIndexByte(e.Name, '.')+1:]
}

// Site is a place in the source code. The zero Site is unknown.
type Site struct {
	File     string // absolute path, or something like "<string>" in Python
	Line     int    // from 1 on
	Function string
	Module   string // module of Python, package path of Go
}

// Process identifies the process that logged a record.
type Process struct {
	ID   int    // operating system's process id; 0 if unknown
	Name string // Python's process name, such as "MainProcess"; for Go the program's name
}

// Thread identifies the thread that logged a record. Both are empty for Go:
// goroutines have no identity that a program may rely on.
type Thread struct {
	ID       int64
	Name     string
	Greenlet int64 // Logbook since 0.8.1
}

// Source says how a record reached this process.
type Source struct {
	Name string // the subscriber's name in the configuration or its address
	Peer string // the address of the sender, where the transport tells it
}

// IsZero reports whether the record was logged in this process.
func (s Source) IsZero() bool { return s == Source{} }

// String returns "name" or "name (peer)".
func (s Source) String() string {
	if s.Peer == "" {
		return s.Name
	}
	return s.Name + " (" + s.Peer + ")"
}

var lastSeq atomic.Uint64

// NextSeq returns the next sequence number of this process. Receivers give
// one to each record they make, so that the numbers tell the order of arrival.
func NextSeq() uint64 { return lastSeq.Add(1) }

// NewReceived marks r as come from outside: what it does not say about its
// sender stays unknown, instead of being filled in from this process. It sets
// the source, the time of arrival and a sequence number, and r.Time to the time of
// arrival if it is zero. It returns r.
func NewReceived(r *Record, from Source, at time.Time) *Record {
	r.Source, r.Received = from, at
	if r.Time.IsZero() {
		r.Time = at
	}
	r.Seq = NextSeq()
	r.ready, r.detached = true, true
	return r
}

// Message returns the formatted message. It is formatted on the first call,
// which is not safe for concurrent use; dispatch has done so before a handler
// sees the record.
//
// A message that cannot be formatted is not lost: the text then says what was
// wrong and shows the template and the arguments, as Logbook does.
func (r *Record) Message() string {
	if !r.formatted {
		r.message, r.formatted = r.format(), true
	}
	return r.message
}

// SetMessage replaces the formatted message and leaves Msg as it is. It is for
// decoders and processors.
func (r *Record) SetMessage(s string) { r.message, r.formatted = s, true }

func (r *Record) format() string {
	if len(r.Args) == 0 && len(r.Kwargs) == 0 {
		return r.Msg
	}
	text, err := strformat.Format(r.Msg, r.Args, (*messageArgs)(r))
	if err == nil {
		return text
	}
	site := r.Caller()
	return fmt.Sprintf("Could not format message with provided arguments: %v\n  msg=%s\n  args=%s\n  kwargs=%s\nHappened in file %s, line %d",
		err, strformat.Repr(r.Msg), strformat.Repr(r.Args), strformat.Repr(r.Kwargs), site.File, site.Line)
}

// messageArgs looks up the named arguments of a record's message. The extra
// data is one of them, unless an argument has that name.
type messageArgs Record

func (m *messageArgs) Lookup(name string) (any, bool) {
	if v, ok := m.Kwargs.Lookup(name); ok {
		return v, true
	}
	if name == "extra" {
		return m.Extra, true
	}
	return nil, false
}

// Caller returns the place in the source that logged the record. It is safe
// for concurrent use and resolves the place anew on every call for a record
// that was logged in Go and not pulled.
func (r *Record) Caller() Site {
	if r.pc == 0 || r.Site != (Site{}) {
		return r.Site
	}
	frame, _ := runtime.CallersFrames([]uintptr{r.pc}).Next()
	return SiteOf(frame)
}

// PC returns the program counter of the code that logged the record; 0 for
// records that were not logged in this process and those without a place.
func (r *Record) PC() uintptr { return r.pc }

// SetPC attributes the record to the code at the program counter pc, as
// [runtime.Callers] returns it; 0 says that the place is unknown. It is for who
// makes records on behalf of others, before they are dispatched.
func (r *Record) SetPC(pc uintptr) { r.pc, r.placed = pc, true }

// SiteOf returns the place of a frame of a stack.
func SiteOf(f runtime.Frame) Site {
	module, function := splitFunction(f.Function)
	return Site{File: f.File, Line: f.Line, Function: function, Module: module}
}

// splitFunction splits "example.org/shop/cart.(*Cart).Add" behind the package
// path.
func splitFunction(name string) (module, function string) {
	slash := strings.LastIndexByte(name, '/') + 1
	if dot := strings.IndexByte(name[slash:], '.'); dot >= 0 {
		return name[:slash+dot], name[slash+dot+1:]
	}
	return "", name
}

var processSelf = Process{ID: os.Getpid(), Name: strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")}

// init fills in what is known only while the record is being logged. Logbook
// calls this the heavy initialization.
func (r *Record) init() {
	if r.Seq == 0 {
		r.Seq = NextSeq()
	}
	if r.ready {
		return
	}
	r.ready = true
	if r.Time.IsZero() {
		r.Time = time.Now().UTC()
	}
	if r.Process.ID == 0 {
		r.Process = processSelf
	}
}

// Pull finds out everything that is found out on demand, the message and the
// place in the source, and returns r. It is not safe for concurrent use.
func (r *Record) Pull() *Record {
	r.Message()
	r.Site = r.Caller()
	return r
}

// Keep returns a record that stays as it is: r itself if nothing in it can
// change any more, as with records from the wire, otherwise a pulled copy
// whose arguments and extra values are rendered to plain values.
func (r *Record) Keep() *Record {
	if r.detached && r.formatted {
		return r
	}
	c := r.Clone().Pull()
	for i, v := range c.Args {
		c.Args[i] = plain(v)
	}
	for i := range c.Kwargs {
		c.Kwargs[i].Value = plain(c.Kwargs[i].Value)
	}
	for i := range c.Extra {
		c.Extra[i].Value = plain(c.Extra[i].Value)
	}
	c.detached = true
	return c
}

// Clone returns a copy that can be changed and dispatched without affecting
// r. The argument and extra values themselves are shared.
func (r *Record) Clone() *Record {
	c := *r
	c.Args = append([]any(nil), r.Args...)
	c.Kwargs = r.Kwargs.Clone()
	c.Extra = r.Extra.Clone()
	if r.Exception != nil {
		e := *r.Exception
		c.Exception = &e
	}
	return &c
}
