package pipe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
)

// The defaults of [SenderOptions].
const (
	DefaultWindow = 1000
	DefaultLinger = 5 * time.Second
)

// SenderOptions are the settings of senders that look after the other end of their pipe.
type SenderOptions struct {
	// Lines puts a line feed behind each record, for JSON; otherwise its length stands in
	// front, which pickles need.
	Lines bool
	// Window is how many records are held that the other end has not read; 0 means
	// DefaultWindow.
	Window int
	// Linger is how long Close waits for the other end to read them; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// RetryMin and RetryMax bound the time between two attempts to start the program or to
	// open the pipe; it doubles from one to the next. 0 means 100 ms and 10 s.
	RetryMin, RetryMax time.Duration
	// OnPeer, if not nil, is told when the program ends and is started again, or when the
	// pipe has a reader and has none. It must not block.
	OnPeer func(queue.Peer)
}

func (o SenderOptions) withDefaults() SenderOptions {
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	return o
}

// newOutbox returns the sender. open opens the pipe once.
func (o SenderOptions) newOutbox(name string, open func() (*outlet, error)) *outbox.Outbox {
	return outbox.New(outbox.Options{
		Name: name, Window: o.Window, Linger: o.Linger, Link: link.New(name, o.RetryMin, o.RetryMax, o.OnPeer),
		Refused: func(err error) bool { return errors.Is(err, errUnusable) },
		Connect: func(context.Context) (outbox.Session, string, error) {
			s, err := open()
			return s, "writes to " + name, err
		},
	})
}

// errUnusable is wrapped by what somebody has to repair.
var errUnusable = errors.New("it cannot be used")

// lookEvery is how often it is looked whether the other end has read what is in the pipe.
const lookEvery = 20 * time.Millisecond

// outlet is a pipe that is written to. Where the system tells how much of it has been read,
// a record is confirmed when all of it has; elsewhere when it is written.
type outlet struct {
	*Sender

	file      *os.File
	confirmed chan uint64       // has room for all that are held
	lost      chan error        // capacity 1
	why       func(error) error // explains an error of writing
	abort     func()            // ends a write; nil where a deadline does
	end       func()            // waits for the program when the pipe is closed

	mu      sync.Mutex
	written uint64 // bytes, with those of a record that was not written as a whole
	unread  []mark
	look    *time.Timer // nil until something was unread
	closed  bool
}

// mark is where a record ends in what is written.
type mark struct{ number, at uint64 }

var _ outbox.Session = (*outlet)(nil)

// newOutlet returns an outlet that writes to f.
func newOutlet(name string, f *os.File, o SenderOptions) *outlet {
	return &outlet{
		Sender: NewSender(name, f, o.Lines), file: f, confirmed: make(chan uint64, o.Window), lost: make(chan error, 1),
		why: func(err error) error { return err }, end: func() {},
	}
}

// Publish implements [outbox.Session].
func (s *outlet) Publish(ctx context.Context, number uint64, body []byte) error {
	if s.abort != nil {
		stop := context.AfterFunc(ctx, s.abort)
		defer stop()
	}
	err := s.Send(ctx, body)
	s.mu.Lock()
	s.written = s.wrote
	if err == nil {
		s.unread = append(s.unread, mark{number, s.written})
	}
	s.mu.Unlock()
	s.looked()
	if err != nil {
		s.shut() // at once, before another reader comes for what is in the pipe
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return s.why(err)
	}
	return nil
}

// looked confirms what the other end has read, and looks again later if there is more.
func (s *outlet) looked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	left := uint64(unreadBytes(s.file)) //nolint:gosec // a number of bytes
	for len(s.unread) > 0 && s.unread[0].at+left <= s.written {
		s.confirmed <- s.unread[0].number
		s.unread = s.unread[1:]
	}
	switch {
	case len(s.unread) == 0:
	case s.look == nil:
		s.look = time.AfterFunc(lookEvery, s.looked)
	default:
		s.look.Reset(lookEvery)
	}
}

// Confirmed implements [outbox.Session].
func (s *outlet) Confirmed() <-chan uint64 { return s.confirmed }

// Lost implements [outbox.Session].
func (s *outlet) Lost() <-chan error { return s.lost }

// Close implements [outbox.Session].
func (s *outlet) Close() {
	s.shut()
	s.end()
}

// shut closes the pipe. What is in it is not confirmed.
func (s *outlet) shut() {
	s.mu.Lock()
	s.closed = true
	if s.look != nil {
		s.look.Stop()
	}
	s.mu.Unlock()
	_ = s.Sender.Close()
}

// NamedSender sends records through a named pipe.
type NamedSender struct{ *outbox.Outbox }

var (
	_ queue.Sender   = (*NamedSender)(nil)
	_ queue.Statuser = (*NamedSender)(nil)
)

// NewNamedSender returns a sender that writes to a named pipe, as soon as somebody reads
// there. It may also be the path of a descriptor that this program was started with, such as
// /dev/fd/3. What was not read when the reader went away is written to the next one; one that
// comes in the moment in which that is noticed may get some of it twice.
func NewNamedSender(path string, o SenderOptions) *NamedSender {
	o = o.withDefaults()
	return &NamedSender{o.newOutbox(path, func() (*outlet, error) {
		f, err := openNamed(path)
		if err != nil {
			return nil, err
		}
		return newOutlet(path, f, o), nil
	})}
}

// openNamed opens a named pipe that somebody reads.
func openNamed(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|nonBlocking, 0)
	switch {
	case isNoReader(err):
		return nil, fmt.Errorf("nobody reads the pipe %s", path)
	case err != nil:
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode()&os.ModeNamedPipe == 0 {
		err = fmt.Errorf("%w: %s is not a named pipe; make one with mkfifo", errUnusable, path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
