package model

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// TraceLine is a line of a traceback.
type TraceLine struct {
	Text string    // as it is shown
	Site core.Site // the place it names; without a file if it names none
}

var (
	pythonFrame = regexp.MustCompile(`^\s*File "([^"]+)", line (\d+)(?:, in (.+))?$`)
	goFrame     = regexp.MustCompile(`^\s+(\S.*\.go):(\d+)(?: \+0x[0-9a-f]+)?$`)
)

// maxTraceLine is the longest line in which a place is looked for.
const maxTraceLine = 4096

// ParseTraceback splits the traceback of Python or Go into lines and finds the
// places in the source that they name.
func ParseTraceback(traceback string) []TraceLine {
	var out []TraceLine
	for line := range strings.Lines(traceback) {
		line = strings.TrimRight(line, "\r\n")
		parsed := TraceLine{Text: Printable(line)}
		if len(line) <= maxTraceLine {
			parsed.Site = siteOf(line)
		}
		out = append(out, parsed)
	}
	return out
}

func siteOf(line string) core.Site {
	match := pythonFrame.FindStringSubmatch(line)
	if match == nil {
		if match = goFrame.FindStringSubmatch(line); match == nil {
			return core.Site{}
		}
		match = append(match, "")
	}
	n, err := strconv.Atoi(match[2])
	if err != nil || strings.HasPrefix(match[1], "<") { // such as <string>: no file
		return core.Site{}
	}
	return core.Site{File: match[1], Line: n, Function: match[3]}
}
