package line

import (
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// maxJoined bounds a text of several lines, in bytes.
const maxJoined = 256 << 10

// maxHead bounds how many lines the text of an exception may have before its stack begins.
const maxHead = 20

// Joiner puts the lines of a traceback of Python, Go, Java or Node, and lines that are
// indented, behind the line that they belong to. Its zero value is ready to use.
//
// The second line of the text of a Python exception, which comes last, cannot be told from
// the next record, and is not joined.
type Joiner struct {
	text []string
	size int
	at   place
	head int // lines since the head of a stack of Java or Node began
}

// place is where in a traceback the last line was.
type place int

const (
	outside     place = iota
	pythonStack       // the line with the exception is still to come
	pythonEnd         // another traceback may follow
	goroutines        // of a panic of Go
	stackHead         // the text of an exception of Java or Node, which may have several lines
	stack             // what it was called by
	nodeHead          // the same, where Node tells why it ends, below the line of its source
	nodeStack
)

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
	j.at = j.next(text)
	if j.at == stackHead || j.at == nodeHead {
		if j.head++; j.head > maxHead {
			j.at = outside
		}
	} else {
		j.head = 0
	}
	j.text = append(j.text, text)
	j.size += len(text) + 1
}

// next returns where a line is that belongs to what is there, or begins.
func (j *Joiner) next(text string) place {
	switch {
	case strings.HasPrefix(text, tracebackStart):
		return pythonStack
	case j.at == pythonStack:
		if text != "" && !indented(text) {
			return pythonEnd
		}
	case isPanic(text), isGoroutine(text):
		return goroutines
	case isFrame(text):
		if j.at == nodeHead || j.at == nodeStack {
			return nodeStack
		}
		if j.at != goroutines {
			return stack
		}
	case isThrown(text), j.at == stack && strings.HasPrefix(text, causedBy):
		return stackHead
	case len(j.text) == 0 && nodeSource.MatchString(text):
		return nodeHead
	case strings.HasPrefix(text, nodeEnd):
		return outside
	}
	return j.at
}

// belongs reports whether a line continues what is there.
func (j *Joiner) belongs(text string) bool {
	switch {
	case indented(text), strings.HasPrefix(text, tracebackStart), isGoroutine(text):
		return true
	case isThrown(text) && LevelOf(j.text[0], core.LevelNotSet) >= core.LevelWarning: // as loggers write what they were given
		return true
	}
	switch j.at {
	case pythonStack, nodeHead:
		return true
	case stackHead:
		return LevelOf(text, core.LevelNotSet) == core.LevelNotSet // else it was no more than a word about an exception
	case pythonEnd:
		return text == "" || strings.HasPrefix(text, "During handling of the above exception") ||
			strings.HasPrefix(text, "The above exception was the direct cause")
	case goroutines:
		return text == "" || isCall(text)
	case stack:
		return text == "}" || strings.HasPrefix(text, causedBy)
	case nodeStack:
		return text == "}" || text == "" || strings.HasPrefix(text, nodeEnd)
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
