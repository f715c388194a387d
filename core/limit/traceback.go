package limit

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// frame is one call of a traceback.
type frame struct {
	file     string
	function string
	code     string // the line of source, else its number
}

// ownFrame returns the innermost frame of a Python or Go traceback that is not in
// a library; the innermost of all if every one is.
func ownFrame(traceback string) (frame, bool) {
	frames := pythonFrames(traceback)
	own := isOwnPython
	if len(frames) == 0 {
		frames, own = goFrames(traceback), isOwnGo
	}
	for _, f := range slices.Backward(frames) {
		if own(f) {
			return f, true
		}
	}
	if len(frames) == 0 {
		return frame{}, false
	}
	return frames[len(frames)-1], true
}

// pythonFrames returns the frames of the last traceback in a text, outermost first:
// the last one is that of the exception that was logged, those before are
// its causes.
func pythonFrames(text string) []frame {
	var frames []frame
	var last *frame // the frame whose line of source comes next
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.TrimLeft(line, " |+-")) // exception groups are drawn as a tree
		if strings.HasPrefix(line, "Traceback (most recent call last)") || strings.HasPrefix(line, "Exception Group Traceback") {
			frames, last = nil, nil
			continue
		}
		if f, ok := pythonFrame(line); ok {
			frames = append(frames, f)
			last = &frames[len(frames)-1]
			continue
		}
		if last != nil && line != "" {
			last.code = line
		}
		last = nil
	}
	return frames
}

// pythonFrame reads `File "/srv/shop/cart.py", line 12, in add`.
func pythonFrame(line string) (frame, bool) {
	rest, ok := strings.CutPrefix(line, `File "`)
	if !ok {
		return frame{}, false
	}
	file, rest, ok := strings.Cut(rest, `", line `)
	if !ok {
		return frame{}, false
	}
	number, function, _ := strings.Cut(rest, ", in ")
	return frame{file: file, function: function, code: number}, true
}

func isOwnPython(f frame) bool {
	file := strings.ToLower(strings.ReplaceAll(f.file, `\`, "/"))
	if strings.HasPrefix(file, "<frozen ") || strings.Contains(file, "/site-packages/") || strings.Contains(file, "/dist-packages/") {
		return false
	}
	if above, below, ok := strings.Cut(file, "/python"); ok { // ".../lib/python3.11/...", "C:/Python312/Lib/..."
		version, below, _ := strings.Cut(below, "/")
		isVersion := version != "" && strings.Trim(version, "0123456789.") == ""
		if isVersion && (strings.HasSuffix(above, "/lib") || strings.HasPrefix(below, "lib/")) {
			return false
		}
	}
	return true
}

// goFrames returns the frames of the first goroutine of a Go stack, outermost
// first. What was called after a panic is left out.
func goFrames(text string) []frame {
	var frames []frame
	for function, place := range goCalls(text) {
		if strings.HasPrefix(function, "panic(") {
			frames = nil
			continue
		}
		file, line := splitPlace(place)
		if open := strings.LastIndexByte(function, '('); open > 0 {
			function = function[:open] // without the arguments, which differ
		}
		frames = append(frames, frame{file: file, function: function, code: line})
	}
	slices.Reverse(frames)
	return frames
}

// goCalls yields pairs of a line "main.pay(...)" and the one after it,
// "\t/srv/shop/pay.go:12 +0x1d", innermost first.
func goCalls(text string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		_, text, ok := strings.Cut("\n"+text, "\ngoroutine ")
		if !ok {
			return
		}
		text, _, _ = strings.Cut(text, "\n\ngoroutine ")
		previous := ""
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			if place, ok := strings.CutPrefix(line, "\t"); ok && previous != "" {
				if !yield(previous, place) {
					return
				}
			}
			previous = line
		}
	}
}

// splitPlace splits "/srv/shop/pay.go:12 +0x1d".
func splitPlace(place string) (file, line string) {
	place, _, _ = strings.Cut(place, " ")
	if colon := strings.LastIndexByte(place, ':'); colon > 0 {
		if _, err := strconv.Atoi(place[colon+1:]); err == nil {
			return place[:colon], place[colon+1:]
		}
	}
	return place, ""
}

// isOwnGo leaves out the standard library, modules, and the loggers of core.
func isOwnGo(f frame) bool {
	if strings.Contains(f.file, "/pkg/mod/") || strings.Contains(f.file, "/vendor/") ||
		strings.HasPrefix(f.function, "github.com/logbook-tray/logbook-tray/core.") {
		return false
	}
	if _, below, ok := strings.Cut(f.file, "/src/"); ok {
		first, _, _ := strings.Cut(below, "/")
		function, _, _ := strings.Cut(f.function, ".")
		// Packages of the standard library lie below src by their whole name,
		// which has no dot.
		if !strings.Contains(first, ".") && strings.HasPrefix(below, function+"/") {
			return false
		}
	}
	return true
}
