// Package pytrace reads the tracebacks that Python formats.
package pytrace

import "strings"

const (
	head      = "Traceback (most recent call last):"
	groupHead = "  + Exception Group Traceback (most recent call last):"
	box       = "  | "
)

// Last returns the type and the text of the exception that a formatted traceback
// ends with: the last one of a chain, which is what was caught. The text may have several
// lines. Both are "" if s does not look like a traceback.
func Last(s string) (name, message string) {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	start, boxed := lastHead(lines)
	for i := start + 1; i < len(lines); i++ {
		line := strings.TrimPrefix(lines[i], box)
		if strings.HasPrefix(line, "  ") { // the stack
			continue
		}
		name, message, ok := split(line)
		if !ok {
			return "", ""
		}
		text := []string{message}
		for _, line := range lines[i+1:] {
			if boxed && !strings.HasPrefix(line, box) {
				break
			}
			if boxed {
				line = line[len(box):]
			}
			text = append(text, line)
		}
		return name, strings.Join(text, "\n")
	}
	return "", ""
}

// lastHead returns the line that the last traceback starts at, and whether it is the
// box of an exception group; those within the box do not count. Without any, it is the
// line before the last one.
func lastHead(lines []string) (at int, boxed bool) {
	at = len(lines) - 2
	for i, line := range lines {
		switch line {
		case head:
			at, boxed = i, false
		case groupHead:
			at, boxed = i, true
		}
	}
	return at, boxed
}

// split reads "package.Name: text" or "Name".
func split(line string) (name, message string, ok bool) {
	name, message, _ = strings.Cut(line, ": ")
	name = strings.TrimSuffix(name, ":")
	for i, c := range name {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 0x7f
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9') && c != '<' && c != '>') {
			return "", "", false
		}
	}
	return name, message, name != ""
}
