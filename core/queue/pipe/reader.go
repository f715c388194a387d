package pipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/stream"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// DefaultMaxLine is the largest line or frame in bytes where [Options] say nothing.
const DefaultMaxLine = 1 << 20

// joinTime is how long a line waits for lines that belong to it.
const joinTime = 100 * time.Millisecond

// Options are the settings that all receivers of this package share.
type Options struct {
	// Decoder reads records; nil: a decoder with its defaults.
	Decoder *wire.Decoder
	// Channel is that of records that name none.
	Channel string
	// Level is that of plain lines that name none; 0 means INFO.
	Level core.Level
	// MaxLine is the largest line or frame in bytes; 0 means DefaultMaxLine. Of a longer line
	// of text the rest is left out, and extra.truncated says so; longer JSON is rejected. A
	// longer frame ends the stream.
	MaxLine int
	// Stdout and Stderr, if not nil, also get what a program writes to its standard
	// output and error, as it is. They must not block for long.
	Stdout, Stderr io.Writer
}

func (o Options) withDefaults() (Options, error) {
	if o.Level == core.LevelNotSet {
		o.Level = core.LevelInfo
	}
	if o.MaxLine <= 0 {
		o.MaxLine = DefaultMaxLine
	}
	if o.Decoder == nil {
		d, err := wire.NewDecoder(wire.Options{})
		if err != nil {
			return o, fmt.Errorf("decoder: %w", err)
		}
		o.Decoder = d
	}
	return o, nil
}

// Receiver receives from streams. At their end, Receive returns [queue.ErrClosed].
type Receiver struct {
	opts    Options
	name    string
	inbox   *inbox.Inbox
	drain   func() // asks the streams to end
	stop    func() // makes the streams end
	ended   chan struct{}
	closing sync.Once

	mu  sync.Mutex
	err error
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Statuser = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReader receives from r, which it closes at the end. name is shown to people.
func NewReader(name string, r io.ReadCloser, o Options) (*Receiver, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	end := func() { _ = r.Close() }
	return o.start(name, end, end, o.stream, r), nil
}

// start receives from streams, each on a goroutine of its own. drain asks them to end,
// without waiting; stop makes them end.
func (o Options) start(name string, drain, stop func(), read func(*Receiver, io.Reader) error, streams ...io.Reader) *Receiver {
	p := &Receiver{opts: o, name: name, inbox: inbox.New(), drain: drain, stop: stop, ended: make(chan struct{})}
	var wg sync.WaitGroup
	for _, s := range streams {
		wg.Go(func() { p.note(read(p, s)) })
	}
	go func() {
		defer close(p.ended)
		wg.Wait()
		p.inbox.Finish()
	}()
	return p
}

// note remembers an error that is more than the end of a stream.
func (p *Receiver) note(err error) {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrClosed) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// String returns the name.
func (p *Receiver) String() string { return p.name }

// Receive implements [queue.Receiver].
func (p *Receiver) Receive(ctx context.Context, buf []queue.Message) (int, error) {
	return p.inbox.Receive(ctx, buf)
}

// Dropped returns how many messages were read and not received before Close.
func (p *Receiver) Dropped() uint64 { return p.inbox.Lost() }

// Status is connected until the end of the streams.
func (p *Receiver) Status() queue.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := queue.Status{State: queue.StateConnected, Err: p.err, Detail: "reading " + p.name}
	select {
	case <-p.ended:
		s.State = queue.StateClosed
	default:
	}
	return s
}

// Drain implements [queue.Drainer]: the program is asked to end, the file is followed no
// further, and what is there is read.
func (p *Receiver) Drain() { p.drain() }

// Close implements [queue.Receiver].
func (p *Receiver) Close() error {
	p.closing.Do(func() {
		p.inbox.Discard()
		p.stop()
		<-p.ended
		p.inbox.Close()
	})
	return nil
}

// Decode implements [queue.Decoder]: lines are never rejected, so that it is a frame or an
// entry of the journal.
func (p *Receiver) Decode(m queue.Message) (*core.Record, error) {
	if m.Format == journalFormat {
		return p.opts.journalRecord(m.Body)
	}
	return p.opts.Decoder.DecodeFrame(m.Body, m.Format)
}

func (p *Receiver) put(m queue.Message) bool { return p.inbox.Put(append(p.inbox.New(), m)) }

// putCut rejects a message of which there is only the beginning, if err says so.
func (p *Receiver) putCut(err error, beginning []byte) {
	if m, ok := stream.CutShort(err, beginning); ok {
		p.put(m)
	}
}

// stream reads frames or lines to the end.
func (o Options) stream(p *Receiver, r io.Reader) error {
	messages := frame.NewReader(r, nil, o.MaxLine)
	first, err := messages.First()
	if err != nil {
		return err
	}
	if first != 0 {
		return o.lines(p, messages)
	}
	messages.Split(frame.Length(o.MaxLine), o.MaxLine)
	frames := wire.NewFrames(o.Decoder)
	for {
		m, err := messages.Next()
		if err != nil {
			p.putCut(err, messages.Rest())
			return err
		}
		if rec, err := frames.Decode(m); (rec != nil || err != nil) && !p.put(queue.Message{Body: m, Record: rec, Err: err, Format: frames.Format().String()}) {
			return nil
		}
	}
}

// lines reads lines, and puts those together that belong together. A goroutine reads, so
// that the last line does not have to wait for the next.
func (o Options) lines(p *Receiver, messages *frame.Reader) error {
	lines := make(chan textLine, 64)
	var failed error
	cut := newCutter(o.MaxLine)
	messages.Split(cut.split, o.MaxLine)
	go func() {
		defer close(lines)
		for {
			m, err := messages.Next()
			if err != nil {
				failed = err
				return
			}
			lines <- textLine{m, cut.cut}
		}
	}()
	var j line.Joiner
	wait := time.NewTimer(joinTime)
	defer wait.Stop()
	for {
		select {
		case m, ok := <-lines:
			if !ok {
				o.flush(p, &j)
				p.putCut(failed, messages.Rest())
				return failed
			}
			switch {
			case !m.cut:
				o.take(p, &j, m.text)
			case isJSON(m.text):
				p.put(cut.tooLong(m.text))
			default:
				o.flush(p, &j)
				long := o.plain(string(m.text))
				long.Record.Extra.Set("truncated", true)
				p.put(long)
			}
			wait.Reset(joinTime)
		case <-wait.C:
			o.flush(p, &j)
		}
	}
}

// textLine is a line, or the beginning of one that is too long.
type textLine struct {
	text []byte
	cut  bool
}

// byteOrderMark is what some programs of Windows put in front of a file.
var byteOrderMark = []byte("\ufeff") //nolint:gochecknoglobals // it is not changed

func isJSON(text []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(text, " \t"), []byte{'{'}) }

// take takes a line.
func (o Options) take(p *Receiver, j *line.Joiner, m []byte) {
	m = bytes.TrimPrefix(m, byteOrderMark)
	if isJSON(m) {
		if r, err := o.Decoder.Decode(bytes.TrimLeft(m, " \t")); err == nil {
			o.flush(p, j)
			if r.Channel == "" {
				r.Channel = o.Channel
			}
			p.put(queue.Message{Body: m, Record: r})
			return
		}
	}
	if text, ok := j.Add(strings.TrimRight(string(m), " \t\r")); ok {
		p.put(o.plain(text))
	}
}

func (o Options) flush(p *Receiver, j *line.Joiner) {
	if text, ok := j.Flush(); ok {
		p.put(o.plain(text))
	}
}

// plain makes a message of text.
func (o Options) plain(text string) queue.Message {
	fallback := o.Level
	e := line.Exception(text)
	if e != nil {
		fallback = max(fallback, core.LevelError)
	}
	r := line.Plain(text, o.Channel, fallback)
	r.Exception = e
	return queue.Message{Body: []byte(text), Record: r}
}
