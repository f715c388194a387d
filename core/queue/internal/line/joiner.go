package line

import (
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// tracebackStart begins the traceback of a Python program.
const tracebackStart = "Traceback (most recent call last):"

// Exception finds the traceback of a Python exception in text; nil if there is none.
func Exception(text string) *core.Exception {
	at := strings.Index(text, tracebackStart+"\n")
	if at < 0 {
		return nil
	}
	trace := strings.TrimRight(text[at:], "\n")
	last := trace[strings.LastIndexByte(trace, '\n')+1:]
	name, message, _ := strings.Cut(last, ": ")
	return &core.Exception{Name: name, Message: message, Traceback: trace}
}

// maxJoined bounds a text of several lines, in bytes.
const maxJoined = 256 << 10

// Joiner puts the lines of a traceback, and lines that are indented, behind the line
// that they belong to. Its zero value is ready to use.
type Joiner struct {
	text  []string
	size  int
	trace bool // within a traceback, the line with the exception is still to come
	chain bool // behind a traceback: another one may follow
}

// Add takes the next line and returns the text that it has completed, if any.
func (j *Joiner) Add(text string) (done string, ok bool) {
	if len(j.text) > 0 && j.belongs(text) && j.size < maxJoined {
		j.push(text)
		return "", false
	}
	done, ok = j.Flush()
	j.push(text)
	return done, ok
}

func (j *Joiner) push(text string) {
	switch {
	case strings.HasPrefix(text, tracebackStart):
		j.trace, j.chain = true, false
	case j.trace && text != "" && !indented(text):
		j.trace, j.chain = false, true
	}
	j.text = append(j.text, text)
	j.size += len(text) + 1
}

// belongs reports whether a line continues what is there.
func (j *Joiner) belongs(text string) bool {
	switch {
	case j.trace, indented(text), strings.HasPrefix(text, tracebackStart):
		return true
	case j.chain:
		return text == "" || strings.HasPrefix(text, "During handling of the above exception") ||
			strings.HasPrefix(text, "The above exception was the direct cause")
	}
	return false
}

func indented(text string) bool { return text != "" && (text[0] == ' ' || text[0] == '\t') }

// Flush returns what is there. It is to be called when no line has come for a while.
func (j *Joiner) Flush() (done string, ok bool) {
	if len(j.text) == 0 {
		return "", false
	}
	done = strings.TrimRight(strings.Join(j.text, "\n"), "\n")
	*j = Joiner{}
	return done, strings.TrimSpace(done) != ""
}
