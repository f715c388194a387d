package line

import (
	"regexp"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/pytrace"
)

// What lines of tracebacks begin with.
const (
	tracebackStart = "Traceback (most recent call last):" // Python
	threadStart    = "Exception in thread \""             // Java, for what nobody has caught
	causedBy       = "Caused by: "                        // Java
	nodeEnd        = "Node.js v"                          // what Node says last
)

// Exception finds the traceback of an exception of Python, Java or Node, or of a panic of Go,
// in text; nil if there is none.
func Exception(text string) *core.Exception {
	if !strings.Contains(text, "\n") {
		return nil
	}
	if at := strings.Index(text, tracebackStart+"\n"); at >= 0 {
		at = strings.LastIndexByte(text[:at], '\n') + 1 // that of a group is indented
		trace := strings.TrimRight(text[at:], "\n")
		if name, message := pytrace.Last(trace); name != "" {
			return &core.Exception{Name: name, Message: message, Traceback: trace}
		}
		return nil
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines[1:] {
		switch {
		case isGoroutine(line):
			return panicked(lines, i+1)
		case isFrame(line):
			return thrown(lines, i+1)
		}
	}
	return nil
}

// panicked returns the panic of Go whose stack begins at a line; nil if it is a stack without
// a panic.
func panicked(lines []string, at int) *core.Exception {
	for i, line := range lines[:at] {
		before, message, ok := strings.Cut(line, "panic: ")
		name := "panic"
		if !ok || before != "" {
			if rest, fatal := strings.CutPrefix(line, "fatal error: "); fatal {
				name, message, ok = "fatal error", rest, true
			} else if _, served, serving := strings.Cut(line, "panic serving "); serving { // net/http
				_, message, ok = strings.Cut(served, ": ")
			} else {
				ok = false
			}
		}
		if ok {
			return &core.Exception{Name: name, Message: strings.TrimSuffix(message, " [recovered]"), Traceback: strings.Join(lines[i:], "\n")}
		}
	}
	return nil
}

// exceptionName finds the type of an exception, what Node puts behind it, and its text.
var exceptionName = regexp.MustCompile(`(?:^|[\s"])([A-Za-z_$][\w$.]*(?:Error|Exception|Throwable)[\w$]*)(?: \[\w+\])?(?:: (.*))?$`)

// nodeSource matches the place in its source that Node tells first when it ends.
var nodeSource = regexp.MustCompile(`^(?:(?:/|file://|[A-Za-z]:\\).*\.[cm]?[jt]sx?|node:[\w/.-]+):\d+$`)

// thrown returns the exception of Java or Node whose stack begins at a line; nil if nothing
// there looks like one.
func thrown(lines []string, at int) *core.Exception {
	for i := at - 1; i >= 0 && i >= at-maxHead; i-- {
		m := exceptionName.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		message := strings.Join(append([]string{m[2]}, lines[i+1:at]...), "\n")
		return &core.Exception{Name: m[1], Message: message, Traceback: strings.Join(lines[i:], "\n")}
	}
	return nil
}

// isPanic reports whether a line begins what a Go program says at its end.
func isPanic(line string) bool {
	return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

// isGoroutine reports whether the stack of a goroutine follows.
func isGoroutine(line string) bool {
	return strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:")
}

// isCall reports whether a line is one of those in the stack of a goroutine that are not
// indented.
func isCall(line string) bool {
	name, _, call := strings.Cut(line, "(")
	return call && name != "" && strings.HasSuffix(line, ")") && !strings.Contains(name, " ") ||
		strings.HasPrefix(line, "created by ") || strings.HasPrefix(line, "[signal ") || strings.HasPrefix(line, "exit status ") ||
		strings.HasPrefix(line, "...") || line == "runtime stack:"
}

// isFrame reports whether a line is one of a stack of Java or Node.
func isFrame(line string) bool {
	trimmed := strings.TrimLeft(line, " \t")
	return len(trimmed) < len(line) && strings.HasPrefix(trimmed, "at ") && (strings.HasSuffix(line, ")") || strings.Contains(line, ":"))
}

// isThrown reports whether a line begins what Java says about an exception.
func isThrown(line string) bool {
	if strings.HasPrefix(line, threadStart) {
		return true
	}
	name, _, _ := strings.Cut(line, ": ")
	return strings.Contains(name, ".") && name[0] >= 'a' && name[0] <= 'z' && exceptionName.FindString(name) == name
}
