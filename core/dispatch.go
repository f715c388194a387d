package core

import (
	"context"
	"errors"
)

// Dispatch sends a record that was made elsewhere, such as one that came over
// the wire, to the handlers on the stack. It returns the errors that the flags
// say to raise ([ErrorsRaise]), and nil otherwise.
//
// r must not be changed afterwards, see [Record].
func Dispatch(ctx context.Context, r *Record) error {
	if noneTakes(ctx, r.Level) || !wanted(ctx, nil, r.Level) {
		return nil
	}
	if !r.ready && !r.placed && r.Site == (Site{}) {
		r.SetPC(caller(ctx, 1+r.FrameCorrection))
	}
	return dispatch(ctx, nil, nil, r)
}

// wanted reports whether any handler is going to look at a record of this
// level. It is what a record costs that no one wants.
func wanted(ctx context.Context, own []Binding, l Level) bool {
	for i := range own {
		if own[i].wants(l) {
			return !own[i].swallows()
		}
	}
	w := walk(ctx)
	for f := w.next(kindBinding); f != nil; f = w.next(kindBinding) {
		if f.binding.wants(l) {
			return !f.binding.swallows()
		}
	}
	return false
}

// dispatch offers r to the bindings of its logger and then to those on the
// stack, in Logbook's order: level, blackhole, initialization and processors
// (once), filter, handler; the record ends at the first binding that took it
// and does not bubble.
func dispatch(ctx context.Context, l *Logger, own []Binding, r *Record) error {
	if ctx == nil {
		ctx = context.Background()
	}
	d := dispatching{ctx: ctx, logger: l, record: r}
	for i := range own {
		if d.offer(&own[i]) {
			return errors.Join(d.raised...)
		}
	}
	w := walk(ctx)
	for f := w.next(kindBinding); f != nil; f = w.next(kindBinding) {
		if d.offer(&f.binding) {
			break
		}
	}
	return errors.Join(d.raised...)
}

// dispatching is the state of one record on its way down the stack.
type dispatching struct {
	ctx         context.Context //nolint:containedctx // lives as long as one call of dispatch
	logger      *Logger
	record      *Record
	initialized bool
	raised      []error
}

// offer presents the record to one binding and reports whether its way ends
// there.
func (d *dispatching) offer(b *Binding) (stop bool) {
	if !b.wants(d.record.Level) {
		return false
	}
	if b.swallows() {
		return true
	}
	if !d.initialized {
		d.initialized = true
		d.initialize()
	}
	if b.Filter != nil && !d.passes(b) {
		return false
	}
	if b.Handler == nil {
		return !b.Bubble
	}
	if err := call(d.ctx, b.Handler, d.record); err != nil {
		if errors.Is(err, ErrPass) {
			return false
		}
		d.report(culprit{binding: b}, err)
	}
	return !b.Bubble
}

// passes asks the filter. A filter that panics refuses the record.
func (d *dispatching) passes(b *Binding) (ok bool) {
	var err error
	defer func() {
		if err != nil {
			ok = false
			d.report(culprit{binding: b, part: "filter of "}, err)
		}
	}()
	defer recoverAs(&err)
	return b.Filter(d.record)
}

// process runs one processor. One that panics leaves the record as far as it
// got.
func (d *dispatching) process(p Processor) {
	var err error
	defer func() {
		if err != nil {
			d.report(culprit{part: "processor"}, err)
		}
	}()
	defer recoverAs(&err)
	p(d.record)
}

func (d *dispatching) report(c culprit, err error) {
	if err := report(d.ctx, c, d.record, err); err != nil {
		d.raised = append(d.raised, err)
	}
}

func (d *dispatching) initialize() {
	r := d.record
	r.init()
	if d.logger != nil {
		if p := d.logger.processor(); p != nil {
			d.process(p)
		}
	}
	w := walk(d.ctx)
	for f := w.next(kindProcessor); f != nil; f = w.next(kindProcessor) {
		d.process(f.processor)
	}
	r.Message() // from here on the record is frozen
}
