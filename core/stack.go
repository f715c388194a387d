package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// A Setup is what can be put on the stack: a [Binding], a [Processor], [Flags], or
// several of these as [Setups].
type Setup interface {
	// appendTo adds the objects of the setup, lowest first.
	appendTo(objects []object) []object
}

// Setups binds several setups as one; the last is on top. It is Logbook's
// NestedSetup.
type Setups []Setup

func (s Setups) appendTo(objects []object) []object {
	for _, e := range s {
		if e != nil {
			objects = e.appendTo(objects)
		}
	}
	return objects
}

func (b Binding) appendTo(objects []object) []object {
	return append(objects, object{kind: kindBinding, binding: b})
}

func (p Processor) appendTo(objects []object) []object {
	if p == nil {
		return objects
	}
	return append(objects, object{kind: kindProcessor, processor: p})
}

func (f Flags) appendTo(objects []object) []object {
	return append(objects, object{kind: kindFlags, flags: f})
}

type kind uint8

const (
	kindBinding kind = iota + 1
	kindProcessor
	kindFlags
)

// object is one thing on a stack.
type object struct {
	kind      kind
	binding   Binding
	processor Processor
	flags     Flags
}

// bound is one call of Bind, Do or Install.
type bound struct {
	ended   atomic.Bool
	mu      sync.Mutex
	raised  []error // errors for the one who bound ErrorsRaise
	dropped int     // errors beyond maxRaised
}

// maxRaised bounds the errors that a binding keeps for its end: it may last as
// long as the process.
const maxRaised = 100

func (b *bound) raise(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.raised) == maxRaised {
		b.dropped++
		return
	}
	b.raised = append(b.raised, err)
}

// takeRaised returns the errors that were raised and forgets them.
func (b *bound) takeRaised() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := b.raised
	if b.dropped > 0 {
		errs = append(errs, fmt.Errorf("and %d further errors of handlers", b.dropped))
	}
	b.raised, b.dropped = nil, 0
	return errs
}

// frame is one object on a stack. All but its end is immutable once it is there.
type frame struct {
	object
	seq    uint64 // orders the frames of both stacks
	ended  atomic.Bool
	owner  *bound
	parent *frame // the next lower one of the same context; nil on the application stack
	least  Level  // no binding of the same stack from here down takes a lower level
}

// nobody is the least level of a stack without bindings.
const nobody = Level(math.MaxInt)

// leastWith returns the least level of a stack that o is put on.
func (o *object) leastWith(below Level) Level {
	if o.kind == kindBinding {
		return min(below, o.binding.Level)
	}
	return below
}

// applicationStack is the process-wide stack, newest first.
type applicationStack struct {
	frames []*frame
	least  Level // like that of a frame
}

func newApplicationStack(frames []*frame) *applicationStack {
	s := &applicationStack{frames, nobody}
	for _, f := range frames {
		s.least = f.leastWith(s.least)
	}
	return s
}

var (
	lastFrame atomic.Uint64

	// application is the process-wide stack, newest first. It is replaced as
	// a whole; readers take no lock.
	application   atomic.Pointer[applicationStack]
	applicationMu sync.Mutex // serializes writers
)

// boundContext is the context that Bind returns: context.WithValue for a single
// value, which can be told at a glance when it is the outermost one.
type boundContext struct {
	context.Context //nolint:containedctx // it is a context itself
	top             *frame
}

type stackKey struct{}

func (c *boundContext) Value(key any) any {
	if key == (stackKey{}) {
		return c.top
	}
	return c.Context.Value(key)
}

func contextStack(ctx context.Context) *frame {
	if b, ok := ctx.(*boundContext); ok {
		return b.top
	}
	return outerStack(ctx)
}

// outerStack is for contexts that were derived from that of Bind.
func outerStack(ctx context.Context) *frame {
	if ctx == nil {
		return nil
	}
	f, _ := ctx.Value(stackKey{}).(*frame)
	return f
}

// Flatten returns ctx with the stack that it carries at hand. Logging finds the stack of a
// context that others have derived from that of [Bind] by asking all of those in between,
// which is worth sparing where one context serves for many records.
func Flatten(ctx context.Context) context.Context {
	top := outerStack(ctx)
	if top == nil {
		return ctx
	}
	return &boundContext{ctx, top}
}

// Bind returns a context in which s is on top of the stack, and a function
// that ends the binding. Goroutines that are given the context share the binding;
// others do not see it. That is the one visible difference from Python, where a
// thread or task inherits it.
//
// end takes the parts of s from the stack one by one, the last first, and flushes each
// handler that holds records back while what is below it is still bound. It
// returns their errors, joined with the errors raised to this binding (the
// first 100) if s has [Flags] with [ErrorsRaise]. Further calls do nothing. Records logged after
// end with the old context go to what was below.
func Bind(ctx context.Context, s Setup) (bound context.Context, end func() error) {
	if ctx == nil {
		ctx = context.Background()
	}
	top := contextStack(ctx)
	frames, owner := newFrames(s)
	for _, f := range frames {
		f.parent, f.least = top, nobody
		if top != nil {
			f.least = top.least
		}
		f.least = f.leastWith(f.least)
		top = f
	}
	ctx = &boundContext{ctx, top}
	return ctx, func() error {
		if owner.ended.Swap(true) {
			return nil
		}
		return finish(ctx, frames, owner)
	}
}

// Do calls f with s bound to its context and ends the binding when f returns or
// panics. It returns the error of f, joined with what [Bind]'s end returns.
func Do(ctx context.Context, s Setup, f func(context.Context) error) (err error) {
	ctx, end := Bind(ctx, s)
	defer func() { err = errors.Join(err, end()) }()
	return f(ctx)
}

// Install puts s on top of the process-wide stack, Logbook's application stack.
// It is above everything that was bound before it, in whatever context, and
// below everything bound after.
//
// remove takes it away again and does what end does for [Bind]. It may be
// called in any order with other removals, and more than once.
func Install(s Setup) (remove func() error) {
	frames, owner := newFrames(s)
	newest := slices.Clone(frames)
	slices.Reverse(newest)

	applicationMu.Lock()
	defer applicationMu.Unlock()
	// The numbers were drawn before the lock: keep the list sorted by them.
	list := append(newest, applicationFrames()...)
	slices.SortFunc(list, func(a, b *frame) int {
		if a.seq > b.seq {
			return -1
		}
		return 1
	})
	application.Store(newApplicationStack(list))

	return func() error {
		if owner.ended.Swap(true) {
			return nil
		}
		err := finish(context.Background(), frames, owner)
		applicationMu.Lock()
		defer applicationMu.Unlock()
		list := slices.DeleteFunc(slices.Clone(applicationFrames()), func(f *frame) bool { return f.owner == owner })
		application.Store(newApplicationStack(list))
		return err
	}
}

func applicationFrames() []*frame {
	if s := application.Load(); s != nil {
		return s.frames
	}
	return nil
}

func newFrames(s Setup) ([]*frame, *bound) {
	owner := new(bound)
	var objects []object
	if s != nil {
		objects = s.appendTo(nil)
	}
	frames := make([]*frame, len(objects))
	for i, o := range objects {
		frames[i] = &frame{object: o, seq: lastFrame.Add(1), owner: owner}
	}
	return frames, owner
}

// finish ends the frames, the newest first, and flushes what each held while those
// below are still bound: a summary that a handler makes at its end goes there. It
// does so although ctx may be cancelled: a cancelled request must still deliver its
// mail.
func finish(ctx context.Context, frames []*frame, owner *bound) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, f := range slices.Backward(frames) {
		f.ended.Store(true)
		if f.kind == kindBinding && f.binding.Handler != nil {
			if err := flush(ctx, f.binding.Handler); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(append(errs, owner.takeRaised()...)...)
}

// flush is [Flush] that turns a panic into an error.
func flush(ctx context.Context, h Handler) (err error) {
	defer recoverAs(&err)
	return Flush(ctx, h)
}

// walker visits the frames of both stacks, newest first. Its zero value is
// not useful; make one with walk.
type walker struct {
	context     *frame
	application []*frame
}

// noneTakes reports whether it is certain, at a glance, that no binding takes a
// record of this level.
func noneTakes(ctx context.Context, l Level) bool {
	if top := contextStack(ctx); top != nil && l >= top.least {
		return false
	}
	s := application.Load()
	return s == nil || l < s.least
}

func walk(ctx context.Context) walker {
	return walker{contextStack(ctx), applicationFrames()}
}

// next returns the next frame of the given kind, or nil.
func (w *walker) next(k kind) *frame {
	for {
		var f *frame
		switch {
		case w.context != nil && (len(w.application) == 0 || w.context.seq > w.application[0].seq):
			f, w.context = w.context, w.context.parent
		case len(w.application) > 0:
			f, w.application = w.application[0], w.application[1:]
		default:
			return nil
		}
		if f.kind == k && !f.ended.Load() {
			return f
		}
	}
}

// Bindings returns the bindings that a record logged with ctx would meet, top
// first. It is for tools that list or explain the stack.
func Bindings(ctx context.Context) []Binding {
	var out []Binding
	w := walk(ctx)
	for f := w.next(kindBinding); f != nil; f = w.next(kindBinding) {
		out = append(out, f.binding)
	}
	return out
}
