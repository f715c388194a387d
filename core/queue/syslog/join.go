package syslog

import (
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// Limits of what is put together.
const (
	maxJoined    = 256 << 10 // bytes of a text
	maxLines     = 2000
	maxHeld      = 1024 // records that wait
	maxHeldBytes = 16 << 20
)

// forever is later than every deadline.
var forever = time.Unix(1<<40, 0)

// joiner puts lines together that were one record at the sender: those that Logbook's
// SyslogHandler sends for a text of several lines, each with the same header to the
// microsecond, and the tracebacks of Python that something sends line by line, such as
// logger and Docker.
//
// A record is held until a line comes from the same program that does not belong to it, or
// for the wait. The order in which they came is kept.
type joiner struct {
	opts  Options
	queue []*held          // the first one came first
	open  map[string]*held // of these, those that may get more lines, by sender
	bytes int              // size of what is in queue
	ready []queue.Message
}

// held is a record that waits: for more lines, or for those in front of it.
type held struct {
	sender  string
	message queue.Message
	header  header
	trace   trace
	lines   int
	until   time.Time // zero: it is complete
}

func newJoiner(o Options) joiner { return joiner{opts: o, open: make(map[string]*held)} }

// sender tells programs apart.
func sender(peer string, h header) string {
	return strings.Join([]string{peer, h.host, h.app, h.pid}, "\x00")
}

// add takes a message with its text as its body.
func (j *joiner) add(m queue.Message, now time.Time) {
	var h header
	if m.Err == nil {
		h, m.Err = j.opts.header(m.Body, now)
	}
	next := &held{sender: sender(m.Peer, h), message: m, header: h}
	if m.Err == nil {
		if last := j.open[next.sender]; last != nil {
			if last.belongs(h) {
				j.bytes += len(m.Body) + 1
				last.push(m, h)
				last.until = now.Add(j.opts.Join)
				return
			}
			j.complete(last)
		}
		if j.waits(h) {
			next.until = now.Add(j.opts.Join)
			next.trace.push(h.text)
			j.open[next.sender] = next
		}
	}
	j.bytes += len(m.Body)
	j.queue = append(j.queue, next)
	for len(j.queue) > maxHeld || j.bytes > maxHeldBytes {
		j.release()
	}
	j.releaseComplete()
}

// waits reports whether a record may get more lines. One that has several lines already is
// from a sender that does not split them, and one of JSON is complete.
func (j *joiner) waits(h header) bool {
	return j.opts.Join > 0 && !strings.Contains(h.text, "\n") && !strings.Contains(h.text, tracebackStart+"#012") &&
		!strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(h.text, cee)), "{")
}

// belongs reports whether a line with the header h continues what is held.
func (l *held) belongs(h header) bool {
	if len(l.header.text)+len(h.text) > maxJoined || l.lines > maxLines || l.header.priority != h.priority {
		return false
	}
	if l.header.head != "" && l.header.head == h.head {
		return true
	}
	return l.trace.belongs(h.text)
}

func (l *held) push(m queue.Message, h header) {
	l.trace.push(h.text)
	l.lines++
	text := h.text
	if l.trace.shifted && l.header.head == "" {
		if blankAhead(l.header.text) {
			l.header.text = l.header.text[1:]
		}
		text = strings.TrimPrefix(text, " ")
		l.header.padded = false
	}
	l.header.text += "\n" + text
	l.message.Body = append(append(l.message.Body, '\n'), m.Body...)
}

// complete says that no line is going to follow.
func (j *joiner) complete(l *held) {
	l.until = time.Time{}
	delete(j.open, l.sender)
}

// release lets go of the first record.
func (j *joiner) release() {
	l := j.queue[0]
	j.queue[0] = nil
	j.queue = j.queue[1:]
	if j.open[l.sender] == l {
		j.complete(l)
	}
	j.bytes -= len(l.message.Body)
	if l.message.Err == nil {
		l.header.text = strings.TrimRight(l.header.text, "\n")
		l.message.Record = j.opts.record(l.header)
	}
	j.ready = append(j.ready, l.message)
}

func (j *joiner) releaseComplete() {
	for len(j.queue) > 0 && j.queue[0].until.IsZero() {
		j.release()
	}
}

// deadline returns until when the first record waits.
func (j *joiner) deadline() (time.Time, bool) {
	if len(j.queue) == 0 {
		return time.Time{}, false
	}
	return j.queue[0].until, true
}

// expire lets go of those that have waited until now.
func (j *joiner) expire(now time.Time) {
	for len(j.queue) > 0 && !j.queue[0].until.After(now) {
		j.release()
	}
}

// take moves records that are complete to buf.
func (j *joiner) take(buf []queue.Message) int {
	n := copy(buf, j.ready)
	clear(j.ready[:n])
	if j.ready = j.ready[n:]; len(j.ready) == 0 {
		j.ready = nil
	}
	return n
}

// tracebackStart begins the traceback of a Python program.
const tracebackStart = "Traceback (most recent call last):"

// groupStart begins that of a group of exceptions, which is drawn as a tree.
const groupStart = "  + Exception Group Traceback (most recent call last):"

// trace follows the lines of a traceback. Its zero value is ready to use.
type trace struct {
	within  bool // the line with the exception is still to come
	group   bool // all lines are indented, and none says that it is the last
	ended   bool // the line with the exception has come
	linked  bool // behind that, a line has said that the traceback of another exception follows
	shifted bool // a relay has put a blank in front of each line
}

// push takes the next line.
func (t *trace) push(text string) {
	shifted := t.shifted || strings.HasPrefix(text, " "+tracebackStart) || strings.HasPrefix(text, " "+groupStart)
	if shifted {
		text = strings.TrimPrefix(text, " ")
	}
	switch {
	case strings.HasPrefix(text, tracebackStart):
		*t = trace{within: true, shifted: shifted}
	case strings.HasPrefix(text, groupStart):
		*t = trace{group: true, shifted: shifted}
	case t.within:
		if text != "" && !strings.ContainsAny(text[:1], " \t") {
			t.within, t.ended = false, true
		}
	case t.ended && slices.Contains(links, text):
		t.linked = true
	}
}

// belongs reports whether a line goes on with a traceback, or begins the one of the line
// before.
func (t *trace) belongs(text string) bool {
	plain := text
	if t.shifted {
		plain = strings.TrimPrefix(text, " ")
	}
	switch {
	case t.within:
		return true
	case t.group:
		return strings.HasPrefix(plain, "  ")
	case t.ended && !t.linked:
		return plain == "" || slices.Contains(links, plain)
	case strings.HasPrefix(plain, tracebackStart), strings.HasPrefix(plain, groupStart):
		return true
	case t.linked:
		return plain == ""
	}
	return strings.HasPrefix(plain, " "+tracebackStart) || strings.HasPrefix(plain, " "+groupStart)
}

// links are the lines between the tracebacks of exceptions that belong together.
var links = []string{
	"During handling of the above exception, another exception occurred:",
	"The above exception was the direct cause of the following exception:",
}
